package hostcmd

import (
	"fmt"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type syncOptions struct {
	*app.App
	global bool
	force  bool
	check  bool
	dryRun bool
}

func newSync(a *app.App) *cobra.Command {
	o := &syncOptions{App: a}
	c := &cobra.Command{
		Use:   "sync",
		Short: "Bring the applications' files in step with mcp.json",
		Long: "Sync puts the servers of this project and your global ones into the files of the host applications that get\n" +
			"them, and takes out those that mcp.json does not name any more. An entry you edited into something else is\n" +
			"left as it is; with --force mcpm writes it again. With --check nothing is written, and the exit code is 1 when\n" +
			"a file is out of step.",
		Example: "  mcpm hosts sync\n  mcpm hosts sync --check\n  mcpm hosts sync --force\n  mcpm hosts sync -g --dry-run",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	f := c.Flags()
	f.BoolVarP(&o.global, "global", "g", false, "only those installed for all projects")
	f.BoolVar(&o.force, "force", false, "also write the entries again that were edited by hand")
	f.BoolVar(&o.check, "check", false, "write nothing; exit 1 when a file is out of step")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
	return c
}

func (o *syncOptions) run() error {
	dry := o.check || o.dryRun
	changes, _, err := step(o.App, o.global, o.force, dry)
	if err != nil {
		return err
	}
	drift, failed, edited := count(changes)
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"changes": asJSON(changes, true), "inStep": failed == 0 && (drift == 0 || !dry), "dryRun": dry})
	} else {
		show(o.App, changes, dry)
		o.summary(drift, failed, edited, dry)
	}
	if failed > 0 || o.check && drift > 0 {
		return app.Silent(app.ExitNo)
	}
	return nil
}

func (o *syncOptions) summary(drift, failed, edited int, dry bool) {
	switch {
	case drift+failed == 0 && edited > 0:
		o.IO.Notef("All else is in step. mcpm hosts sync --force writes %s again.\n", it(edited))
	case drift+failed == 0:
		o.IO.Notef("Every file is in step.\n")
	case o.check && drift == 0:
		o.IO.Notef("%s cannot be edited: mend the files, or mcpm hosts restore HOST.\n", app.Plural(failed, "file"))
	case o.check:
		o.IO.Notef("%s out of step. mcpm hosts diff shows how, mcpm hosts sync brings them in step.\n", isAre(drift+failed, "entry", "entries"))
	case dry:
		o.IO.Notef("Nothing was changed (--dry-run).\n")
	}
}

func isAre(n int, one, many string) string {
	if n == 1 {
		return "1 " + one + " is"
	}
	return fmt.Sprintf("%d %s are", n, many)
}

// step syncs what is wanted here and returns the changes and the edits that made them.
func step(a *app.App, global, force, dry bool) ([]install.Change, []install.FileEdit, error) {
	sc, err := read(a, global)
	if err != nil {
		return nil, nil, err
	}
	r, err := registrar(a, dry)
	if err != nil {
		return nil, nil, err
	}
	r.Force = force
	sc.warnMissing(a)
	changes, err := r.Sync(sc.wants...)
	return changes, r.Edits(), err
}

// registrar refuses where an entry could not name mcpm.
func registrar(a *app.App, dry bool) (*install.Registrar, error) {
	r, err := a.Registrar(dry)
	if err == nil && r.Command == "" {
		return nil, hub.Errorf(hub.NotFound, "mcpm does not know its own path, which host applications need").WithHint("start mcpm by its full path")
	}
	return r, err
}

// count counts what is, or was, out of step, what could not be edited, and what was edited by hand.
func count(changes []install.Change) (drift, failed, edited int) {
	for _, c := range changes {
		switch c.Action {
		case "added", "updated", "removed":
			drift++
		case "failed":
			failed++
		case "kept":
			edited++
		}
	}
	return drift, failed, edited
}

// changeJSON is one entry in JSON answers.
type changeJSON struct {
	Host   string `json:"host"`
	File   string `json:"file"`
	Server string `json:"server,omitempty"`
	Key    string `json:"key,omitempty"`
	Action string `json:"action"`
	Error  string `json:"error,omitempty"`
}

func asJSON(changes []install.Change, quiet bool) []changeJSON {
	out := []changeJSON{}
	for _, c := range changes {
		if quiet && c.Action == "unchanged" {
			continue
		}
		j := changeJSON{Host: c.Host.ID, File: c.Path, Key: c.Key, Action: c.Action}
		if c.Server != "" {
			j.Server = c.Server.String()
		}
		if c.Err != nil {
			j.Error = reason(c.Err)
		}
		out = append(out, j)
	}
	return out
}

// show prints one line for each entry that changes, below the application it is in.
func show(a *app.App, changes []install.Change, dry bool) {
	host, restart := "", map[string]bool{}
	for _, c := range changes {
		if c.Action == "unchanged" {
			continue
		}
		if c.Action == "failed" {
			a.IO.Warnf("%s was left as it is: %s", c.Host.Name, reason(c.Err))
			continue
		}
		if c.Action == "kept" {
			a.IO.Warnf("%s: the entry %q was edited by hand and left as it is", c.Host.Name, c.Key)
			continue
		}
		if host != c.Path {
			host = c.Path
			a.IO.Printf("%s  %s\n", a.IO.Bold(c.Host.Name), a.IO.Dim(home(a, c.Path)))
		}
		as := ""
		if c.Key != c.Server.Base() {
			as = a.IO.Dim(fmt.Sprintf("   as %q", app.Clean(c.Key)))
		}
		a.IO.Printf("  %s %s%s\n", mark(a, c.Action), c.Server, as)
		if c.Host.AfterEdit != "" && !dry && !restart[c.Host.AfterEdit] {
			restart[c.Host.AfterEdit] = true
			a.IO.Printf("    %s\n", a.IO.Dim(c.Host.AfterEdit))
		}
	}
}

func mark(a *app.App, action string) string {
	switch action {
	case "added":
		return a.IO.Green("+")
	case "removed":
		return a.IO.Red("-")
	}
	return a.IO.Yellow("~")
}
