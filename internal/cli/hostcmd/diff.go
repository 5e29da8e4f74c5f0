package hostcmd

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

type diffOptions struct {
	*app.App
	global bool
	args   []string
}

func newDiff(a *app.App) *cobra.Command {
	o := &diffOptions{App: a}
	c := &cobra.Command{
		Use:   "diff [HOST...]",
		Short: "Show what sync would change, line by line",
		Long: "Diff shows what mcpm hosts sync would change in the applications' files, as a unified diff. Values of\n" +
			"environments and headers, and whatever looks like a secret, are shown as asterisks.",
		Example: "  mcpm hosts diff\n  mcpm hosts diff cursor\n  mcpm hosts diff --json",
		RunE:    func(_ *cobra.Command, args []string) error { o.args = args; return o.run() },
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "only those installed for all projects")
	return c
}

// diffJSON is one file that would change.
type diffJSON struct {
	Host string `json:"host"`
	File string `json:"file"`
	Diff string `json:"diff"`
	Note string `json:"note,omitempty"` // why there is no diff
}

func (o *diffOptions) run() error {
	var ids []string
	for _, s := range o.args {
		h, err := app.FindHost(s)
		if err != nil {
			return err
		}
		ids = append(ids, h.ID)
	}
	changes, edits, err := step(o.App, o.global, false, true)
	if err != nil {
		return err
	}
	files := []diffJSON{}
	for _, e := range edits {
		if len(ids) == 0 || slices.Contains(ids, e.Host.ID) {
			files = append(files, diffOf(o.App, e))
		}
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"files": files})
		return nil
	}
	for _, f := range files {
		printDiff(o.App, f)
	}
	failed, edited := 0, 0
	for _, c := range changes {
		if c.Action == "kept" {
			edited++
		}
		if c.Action == "failed" && (len(ids) == 0 || slices.Contains(ids, c.Host.ID)) {
			o.IO.Warnf("%s cannot be edited: %s; mend the file, or mcpm hosts restore %s", c.Host.Name, reason(c.Err), c.Host.ID)
			failed++
		}
	}
	switch {
	case failed > 0:
		return app.Silent(app.ExitNo)
	case len(files) == 0 && edited > 0:
		o.IO.Notef("%s edited by hand, all else is in step. mcpm hosts sync --force writes %s again.\n", isAre(edited, "entry", "entries"), it(edited))
	case len(files) == 0:
		o.IO.Notef("Every file is in step.\n")
	default:
		o.IO.Notef("mcpm hosts sync changes %s.\n", app.Plural(len(files), "file"))
	}
	return nil
}

// diffOf makes a diff whose secrets are masked; without one, a note says why.
func diffOf(a *app.App, e install.FileEdit) diffJSON {
	out := diffJSON{Host: e.Host.ID, File: e.Path}
	before, err := masked(e.Host, e.Before)
	after, err2 := masked(e.Host, e.After)
	if err != nil || err2 != nil {
		out.Note = "it changes; its lines are not shown, because some of its secrets could not be hidden"
		return out
	}
	was, is := home(a, e.Path), home(a, e.Path)
	if e.Before == nil {
		was = "/dev/null"
	}
	if e.After == nil {
		is = "/dev/null"
	}
	text := diff.Diff(was, []byte(before), is, []byte(after))
	_, text, _ = bytes.Cut(text, []byte("\n")) // "diff A B" says nothing that the next two lines do not
	out.Diff = string(text)
	if out.Diff == "" {
		out.Note = "only values that are hidden, or the end of the file, change"
	}
	return out
}

func printDiff(a *app.App, f diffJSON) {
	if f.Note != "" {
		a.IO.Printf("%s: %s\n", home(a, f.File), f.Note)
		return
	}
	for line := range strings.Lines(f.Diff) {
		line = strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    ")
		line = term.Clean(line)
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
			line = a.IO.Bold(line)
		case strings.HasPrefix(line, "@@"):
			line = a.IO.Accent(line)
		case strings.HasPrefix(line, "+"):
			line = a.IO.Green(line)
		case strings.HasPrefix(line, "-"):
			line = a.IO.Red(line)
		}
		a.IO.Printf("%s\n", line)
	}
}
