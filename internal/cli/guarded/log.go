package guarded

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/spf13/cobra"
)

type logOptions struct {
	*app.App
	since  string
	denied bool
	follow bool
	name   string
}

// NewLog makes mcpm log.
func NewLog(a *app.App) *cobra.Command {
	o := &logOptions{App: a}
	c := &cobra.Command{
		Use:   "log [NAME]",
		Short: "Show what the guard allowed and refused",
		Long: "Log shows what the guard of mcpm run and mcpm gateway decided: which tool of which server was called, how\n" +
			"large the arguments and the answer were, how long it took, and what was refused, and why. Values are never\n" +
			"in it. It is kept under MCPM_HOME/log, at most 30 MB. With --json there is one line for each decision.",
		Example: "  mcpm log\n  mcpm log @acme/postgres --since 2h\n  mcpm log --denied --json\n  mcpm log --follow",
		Args:    app.Args(0, 1, "at most one name"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.name = args[0]
			}
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.since, "since", "", "only what is newer: a `TIME` such as 30m, 2h, 7d or 2006-01-02")
	c.Flags().BoolVar(&o.denied, "denied", false, "only what was refused")
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is decided from now on")
	return c
}

func (o *logOptions) run(ctx context.Context) error {
	from, err := o.from()
	if err != nil {
		return err
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	dir := logDir(h.Dir)
	t := &term.Table{Flex: []int{5, 2}, Drop: []int{4}, Least: 12}
	count := 0
	each := func(e audit.Entry) error {
		if !o.wanted(e, from) {
			return nil
		}
		count++
		if o.JSON {
			line, err := json.Marshal(e)
			o.IO.Printf("%s\n", line)
			return err
		}
		t.Row(row(e)...)
		if o.follow {
			t.Print(o.IO)
			t = &term.Table{Flex: []int{5, 2}, Drop: []int{4}, Least: 12}
		}
		return nil
	}
	if err := audit.Read(dir, each); err != nil {
		return err
	}
	if o.follow {
		return audit.Follow(ctx, dir, followEvery, each)
	}
	if o.JSON {
		return nil
	}
	if count == 0 {
		o.IO.Notef("Nothing is in the log%s.\n", o.which())
		return nil
	}
	t.Print(o.IO)
	return nil
}

const followEvery = 300 * time.Millisecond

// which says of an empty answer what was asked.
func (o *logOptions) which() string {
	if o.name != "" || o.denied || o.since != "" {
		return " that you ask for"
	}
	return ", as no server ran yet"
}

func (o *logOptions) wanted(e audit.Entry, from time.Time) bool {
	_, base, _ := strings.Cut(e.Server, "/")
	return (o.name == "" || e.Server == o.name || "@"+o.name == e.Server || base == o.name) && (!o.denied || e.Refusal()) && !e.Time.Before(from)
}

// from reads --since.
func (o *logOptions) from() (time.Time, error) {
	if o.since == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(o.since, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return o.Now().AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(o.since); err == nil && d >= 0 {
		return o.Now().Add(-d), nil
	}
	for _, form := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(form, o.since, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, app.Usage("--since %s is no time", app.Clean(o.since)).WithHint("--since 2h, --since 7d, --since 2026-01-31")
}

// row is one line for a person.
func row(e audit.Entry) []string {
	size := ""
	if e.BytesIn+e.BytesOut > 0 {
		size = strconv.Itoa(e.BytesIn) + " / " + strconv.Itoa(e.BytesOut) + " bytes"
	}
	took := ""
	if e.Millis > 0 {
		took = strconv.FormatFloat(e.Millis, 'f', 1, 64) + " ms"
	}
	return []string{e.Time.Local().Format(time.DateTime), e.Server, visible(e.Tool, true), e.Decision, strings.TrimSpace(size + "  " + took), visible(e.Reason, false)}
}
