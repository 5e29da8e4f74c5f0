// Package metrics lays out the chart of a server's installs. It draws nothing itself.
package metrics

import (
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// The size of the chart in units of its view box.
const (
	Width  = 720
	Height = 120
)

// Chart is installs by day, as bars.
type Chart struct {
	Bars        []Bar // of days that have installs
	Most, Total int64
	From, To    time.Time
}

// Bar is one day.
type Bar struct {
	X, Y, W, H int
	hub.DayCount
}

// Draw lays out the last n days up to now. A chart without installs has no bars.
func Draw(days []hub.DayCount, n int, now time.Time) Chart {
	today := now.UTC().Truncate(24 * time.Hour)
	c := Chart{From: today.AddDate(0, 0, 1-n), To: today}
	for _, d := range days {
		if !d.Day.Before(c.From) && !d.Day.After(today) {
			c.Most, c.Total = max(c.Most, d.Count), c.Total+d.Count
		}
	}
	for _, d := range days {
		at := int(d.Day.Sub(c.From) / (24 * time.Hour))
		if d.Day.Before(c.From) || at >= n || d.Count == 0 {
			continue
		}
		h := max(2, int(d.Count*Height/c.Most))
		c.Bars = append(c.Bars, Bar{X: at * Width / n, Y: Height - h, W: max(1, Width/n-1), H: h, DayCount: d})
	}
	return c
}
