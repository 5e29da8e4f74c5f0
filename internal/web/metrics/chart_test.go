package metrics_test

import (
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/metrics"
)

func TestDraw(t *testing.T) {
	now := time.Date(2026, 5, 10, 15, 4, 5, 0, time.UTC)
	day := func(ago int) time.Time { return time.Date(2026, 5, 10-ago, 0, 0, 0, 0, time.UTC) }
	c := metrics.Draw([]hub.DayCount{{Day: day(0), Count: 4}, {Day: day(9), Count: 1}, {Day: day(3), Count: 0}}, 10, now)
	if c.Total != 5 || c.Most != 4 || len(c.Bars) != 2 || !c.From.Equal(day(9)) || !c.To.Equal(day(0)) {
		t.Fatalf("%+v", c)
	}
	if b := c.Bars[0]; b.X != 9*metrics.Width/10 || b.H != metrics.Height || b.Y != 0 {
		t.Errorf("today: %+v", b)
	}
	if b := c.Bars[1]; b.X != 0 || b.H != metrics.Height/4 {
		t.Errorf("the first day: %+v", b)
	}
	if c := metrics.Draw([]hub.DayCount{{Day: day(10), Count: 4}, {Day: day(-1), Count: 4}}, 10, now); len(c.Bars) != 0 || c.Total != 0 {
		t.Errorf("outside: %+v", c)
	}
	if c := metrics.Draw([]hub.DayCount{{Day: day(1), Count: 1}, {Day: day(2), Count: 1 << 40}}, 90, now); c.Bars[0].H != 2 {
		t.Errorf("a small day beside a large one is not seen: %+v", c.Bars)
	}
}
