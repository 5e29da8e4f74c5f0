package hostcmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type restoreOptions struct {
	*app.App
	list   bool
	yes    bool
	dryRun bool
	args   []string
}

func newRestore(a *app.App) *cobra.Command {
	o := &restoreOptions{App: a}
	c := &cobra.Command{
		Use:   "restore HOST [BACKUP]",
		Short: "Put back an application's file as it was",
		Long: "Restore puts back the newest backup of a host application's file that differs from it, or the one you name.\n" +
			"What it replaces is kept as a backup too. mcpm keeps the file as it was before it first wrote to it, and\n" +
			"the last ten versions that it replaced, under MCPM_HOME/backups.",
		Example: "  mcpm hosts restore cursor\n  mcpm hosts restore cursor --list\n  mcpm hosts restore cursor first --yes",
		Args:    app.Args(1, 2, "a host application, and a backup"),
		RunE:    func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the backups")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
	return c
}

func (o *restoreOptions) run(ctx context.Context) error {
	h, err := app.FindHost(o.args[0])
	if err != nil {
		return err
	}
	r, err := o.Registrar(o.dryRun)
	if err != nil {
		return err
	}
	all, err := r.Backups(h)
	if err != nil {
		return err
	}
	if o.list {
		return o.show(h, all)
	}
	b, e, err := o.choose(r, h, all)
	if err != nil {
		return err
	}
	d := diffOf(o.App, e)
	if !o.JSON && o.IO.Verbosity >= 0 {
		printDiff(o.App, d)
	}
	if err := o.consent(ctx, e.Path, b); err != nil {
		return err
	}
	if err := r.Restore(h, b); err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"host": h.ID, "file": e.Path, "backup": b.ID, "diff": d.Diff, "dryRun": o.dryRun})
		return nil
	}
	if o.dryRun {
		o.IO.Notef("Nothing was changed (--dry-run).\n")
		return nil
	}
	o.IO.Notef("%s is as it was %s. mcpm hosts sync brings it in step again, mcpm hosts restore %s undoes this.\n", home(o.App, e.Path), when(b), h.ID)
	return nil
}

// choose finds the backup: the one that was named, or the newest that differs.
func (o *restoreOptions) choose(r *install.Registrar, h hosts.Host, all []install.Backup) (install.Backup, install.FileEdit, error) {
	e := install.FileEdit{Host: h, Path: h.UserPath(r.Env)}
	none := install.Backup{}
	if len(all) == 0 {
		return none, e, hub.Errorf(hub.NotFound, "there is no backup of the file of %s", h.Name).WithHint("mcpm makes one when it edits the file")
	}
	var err error
	if e.Before, err = install.ReadFile(e.Path, install.MaxHostFile); err != nil {
		return none, e, err
	}
	named := len(o.args) == 2
	if named && !slices.ContainsFunc(all, func(b install.Backup) bool { return b.ID == o.args[1] }) {
		return none, e, hub.Errorf(hub.NotFound, "there is no backup %q of the file of %s", o.args[1], h.Name).WithHint("mcpm hosts restore %s --list", h.ID)
	}
	for _, b := range all {
		if named && b.ID != o.args[1] {
			continue
		}
		if e.After, err = install.ReadFile(b.Path, install.MaxHostFile); err != nil {
			return none, e, err
		}
		if string(e.Before) != string(e.After) {
			return b, e, nil
		}
	}
	return none, e, hub.Errorf(hub.Conflict, "%s is what the backup holds already", e.Path).WithHint("mcpm hosts restore %s --list shows the others", h.ID)
}

func (o *restoreOptions) consent(ctx context.Context, path string, b install.Backup) error {
	switch {
	case o.yes || o.dryRun:
		return nil
	case !o.IO.Interactive() || o.JSON:
		return app.Usage("%s would be replaced and nobody is here to allow it", path).WithHint("add --yes to allow it, or --dry-run to see what it changes")
	}
	answer, err := o.IO.Choose(ctx, fmt.Sprintf("Put back %s as it was %s? [y/N, --yes answers]", home(o.App, path), when(b)), "ny")
	if err == nil && answer != 'y' {
		return app.Refused("not allowed; nothing was changed")
	}
	return err
}

func when(b install.Backup) string {
	if b.ID == install.FirstBackup {
		return "before mcpm first wrote to it"
	}
	return "until " + b.Time.UTC().Format("2006-01-02 15:04:05 UTC")
}

func (o *restoreOptions) show(h hosts.Host, all []install.Backup) error {
	type backupJSON struct {
		ID   string `json:"id"`
		Time string `json:"time"`
		File string `json:"file"`
		Size int64  `json:"size"`
	}
	out := []backupJSON{}
	t := term.Table{Head: []string{"backup", "the file as it was", "size"}, Drop: []int{2}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim}}
	for _, b := range all {
		out = append(out, backupJSON{b.ID, b.Time.UTC().Format("2006-01-02T15:04:05Z"), b.Path, b.Size})
		t.Row(b.ID, when(b), app.Size(b.Size))
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"host": h.ID, "backups": out})
		return nil
	}
	if len(all) == 0 {
		o.IO.Notef("There is no backup of the file of %s: mcpm has not changed it yet.\n", h.Name)
		return nil
	}
	t.Print(o.IO)
	if len(all) == 1 {
		o.IO.Notef("mcpm hosts restore %s puts it back.\n", h.ID)
	} else {
		o.IO.Notef("mcpm hosts restore %s puts back the newest that differs, mcpm hosts restore %s %s the one you name.\n", h.ID, h.ID, all[len(all)-1].ID)
	}
	return nil
}
