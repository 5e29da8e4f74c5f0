// Package check is mcpm doctor: it asks this machine and the hub whether everything that mcpm needs is there and in
// order, all at once and each part with a limit of time, and repairs what can be repaired without a loss.
package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/spf13/cobra"
)

type doctorOptions struct {
	*app.App
	fix bool
}

// NewDoctor makes the command doctor.
func NewDoctor(a *app.App) *cobra.Command {
	o := &doctorOptions{App: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine and the hub, and repair what can be",
		Long: "Doctor asks the hub, the runtimes, the container engines, the system's means of a sandbox, the host applications,\n" +
			"the store and PATH whether all is in order. It ends with code 1 when something does not work. It shows what mcpm\n" +
			"tells the hub, word for word. It changes nothing without --fix, which fetches locked bytes again that differ or\n" +
			"are missing, and writes entries of host applications again that are gone or start an mcpm that is gone.",
		Example: "  mcpm doctor\n  mcpm doctor --fix\n  mcpm doctor --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.fix, "fix", false, "repair what can be repaired without a loss")
	return c
}

// Limits of time. Reading what is kept may take longer than asking a program.
const (
	shortly = 6 * time.Second
	longer  = 60 * time.Second
)

func (o *doctorOptions) probes() []probe {
	return []probe{
		{"registry", shortly, o.registries},
		{"runtimes", shortly, o.runtimes},
		{"containers", shortly, o.engines},
		{"sandbox", shortly, o.sandbox},
		{"hosts", shortly, o.hosts},
		{"store", longer, o.store},
		{"PATH", shortly, o.path},
		{"privacy", shortly, o.told},
	}
}

func (o *doctorOptions) run(ctx context.Context) error {
	found := o.ask(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var done []string
	if o.fix {
		if !o.JSON {
			o.show(found)
		}
		if done = o.mend(ctx, found); len(done) > 0 {
			found = o.ask(ctx)
		}
	}
	problems, notices, fixable := count(found)
	switch {
	case o.JSON:
		app.PrintJSON(o.IO, map[string]any{"healthy": problems == 0, "problems": problems, "notices": notices, "checks": found, "fixed": append([]string{}, done...)})
	case !o.fix:
		o.show(found)
	case len(done) > 0:
		o.IO.Notef("What is left:\n")
		o.show(slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return f.Status != problem && f.Status != notice }))
	}
	o.sum(problems, notices, fixable, len(done))
	if problems > 0 {
		return app.Silent(app.ExitNo)
	}
	return nil
}

func (o *doctorOptions) ask(ctx context.Context) []finding {
	bar := o.IO.Progress("asking this machine and the hub", 0)
	defer bar.Done()
	return askAll(ctx, o.probes())
}

func count(found []finding) (problems, notices, fixable int) {
	for _, f := range found {
		switch f.Status {
		case problem:
			problems++
		case notice:
			notices++
		}
		if f.Fix != "" {
			fixable++
		}
	}
	return problems, notices, fixable
}

func (o *doctorOptions) sum(problems, notices, fixable, done int) {
	var parts []string
	if problems > 0 {
		parts = append(parts, app.Plural(problems, "problem"))
	}
	if notices > 0 {
		parts = append(parts, app.Plural(notices, "notice"))
	}
	text := "No problem found."
	if len(parts) > 0 {
		text = strings.Join(parts, ", ") + "."
	}
	if fixable > 0 && !o.fix {
		text += fmt.Sprintf(" mcpm doctor --fix repairs %d of them.", fixable)
	}
	if o.fix && done == 0 {
		text += " There was nothing to repair."
	}
	o.IO.Notef("%s\n", text)
}

// maxName is how wide the column of names may be. A longer one, such as a server's, has a line of its own.
const maxName = 18

// show prints the findings in three columns; the last is wrapped, and under it stands what to do. With -q it prints what
// is wrong, and nothing when nothing is.
func (o *doctorOptions) show(found []finding) {
	if o.IO.Verbosity < 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return f.Status != problem && f.Status != notice })
	}
	group, name := 0, 0
	for _, f := range found {
		group = max(group, ansi.StringWidth(f.Group))
		if n := ansi.StringWidth(f.Name); n <= maxName {
			name = max(name, n)
		}
	}
	indent := group + name + 4
	var last finding
	for _, f := range found {
		label := ""
		if f.Group != last.Group {
			label = f.Group
		} else if f.Name == last.Name { // said above
			f.Name = ""
		}
		last = finding{Group: f.Group, Name: app.First(f.Name, last.Name)}
		o.IO.Printf("%s%s  ", o.IO.Dim(label), strings.Repeat(" ", group-ansi.StringWidth(label)))
		text := f.Text
		switch f.Status {
		case problem:
			text = o.IO.Red("problem:") + " " + text
		case notice:
			text = o.IO.Yellow("notice:") + " " + text
		case absent:
			text = o.IO.Dim(text)
		}
		head := o.IO.Accent(f.Name)
		if f.Status == absent {
			head = o.IO.Dim(f.Name)
		}
		pad := indent - group - 2 - ansi.StringWidth(f.Name)
		if pad < 2 {
			o.IO.Printf("%s\n%s", head, strings.Repeat(" ", indent))
		} else {
			o.IO.Printf("%s%s", head, strings.Repeat(" ", pad))
		}
		o.IO.Printf("%s\n", o.IO.Wrap(text, indent))
		if f.Hint != "" {
			o.IO.Printf("%s%s %s\n", strings.Repeat(" ", indent), o.IO.Accent("hint:"), o.IO.Wrap(f.Hint, indent+6))
		}
	}
}
