package hostcmd

import (
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type chooseOptions struct {
	*app.App
	add     bool
	only    bool
	project bool
	dryRun  bool
	args    []string
}

func newAdd(a *app.App) *cobra.Command {
	o := &chooseOptions{App: a, add: true}
	c := &cobra.Command{
		Use:   "add HOST...",
		Short: "Let applications get the servers you install",
		Long: "Add lets host applications get the servers you install, notes it in your ~/.mcpmrc, and brings their files in\n" +
			"step. Those that are found here get them anyway; add brings back one you removed, and takes one that mcpm\n" +
			"does not find. With --only all others are left out.",
		Example: "  mcpm hosts add zed\n  mcpm hosts add cursor --only\n  mcpm hosts add cursor --project",
		Args:    app.Args(1, -1, "the names of host applications"),
		RunE:    func(_ *cobra.Command, args []string) error { o.args = args; return o.run() },
	}
	c.Flags().BoolVar(&o.only, "only", false, "leave out all others")
	o.flags(c, "note it in this project's .mcpmrc: undo what that leaves out")
	return c
}

func newRemove(a *app.App) *cobra.Command {
	o := &chooseOptions{App: a}
	c := &cobra.Command{
		Use: "remove HOST...", Aliases: []string{"rm"},
		Short: "Leave applications out, and take your servers out of them",
		Long: "Remove leaves host applications out of what you install, notes it in your ~/.mcpmrc, and takes the servers\n" +
			"that mcpm put into their files out again. With --project it is noted in this project's .mcpmrc, for this\n" +
			"project's servers and whoever works on it.",
		Example: "  mcpm hosts remove cursor\n  mcpm hosts remove goose zed --dry-run\n  mcpm hosts remove cursor --project",
		Args:    app.Args(1, -1, "the names of host applications"),
		RunE:    func(_ *cobra.Command, args []string) error { o.args = args; return o.run() },
	}
	o.flags(c, "note it in this project's .mcpmrc, for this project alone")
	return c
}

func (o *chooseOptions) flags(c *cobra.Command, project string) {
	c.Flags().BoolVar(&o.project, "project", false, project)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
}

func (o *chooseOptions) run() error {
	var chosen []hosts.Host
	var ids []string
	for _, s := range o.args {
		h, err := app.FindHost(s)
		if err != nil {
			return err
		}
		chosen, ids = append(chosen, h), append(ids, h.ID)
	}
	reg, err := o.Registrar(true)
	if err != nil {
		return err
	}
	for _, h := range chosen {
		if o.add && h.UserPath(reg.Env) == "" {
			return hub.Errorf(hub.NotFound, "%s keeps no file that is known on %s", h.Name, o.OS).WithHint("mcpm hosts path %s FILE says where it is", h.ID)
		}
	}
	file, perm, err := o.file()
	if err != nil {
		return err
	}
	if !o.dryRun {
		if err := o.note(file, perm, ids); err != nil {
			return err
		}
	}
	if o.only {
		ids = nil
	}
	return o.follow(chosen, ids, file)
}

// note writes the choice down. With --only, what was chosen for others is forgotten.
func (o *chooseOptions) note(file string, perm permission, ids []string) error {
	if o.only {
		s, err := o.Settings()
		if err != nil {
			return err
		}
		for _, id := range s.NamedHosts(o.project) {
			if err := install.EditRC(file, "hosts", id, nil, perm); err != nil {
				return err
			}
		}
		if err := install.EditRC(file, "hosts", install.OtherHosts, false, perm); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := install.EditRC(file, "hosts", id, o.add, perm); err != nil {
			return err
		}
	}
	o.Reload()
	return nil
}

// file is the .mcpmrc that the choice is noted in. A project's is read by others too.
func (o *chooseOptions) file() (string, permission, error) {
	if o.project {
		p := install.FindProject(o.Dir)
		if filepath.Clean(p.Dir) == filepath.Clean(o.Env.UserHome) {
			return "", 0, app.Usage("%s is your home directory, and its .mcpmrc your own", p.Dir).WithHint("leave --project out")
		}
		return filepath.Join(p.Dir, install.RCFile), 0o644, nil
	}
	if o.Env.UserHome == "" {
		return "", 0, hub.Errorf(hub.Invalid, "there is no home directory to keep .mcpmrc in").WithHint("set HOME")
	}
	return filepath.Join(o.Env.UserHome, install.RCFile), 0o600, nil
}

// follow brings the files in step with the choice and tells what it means.
func (o *chooseOptions) follow(chosen []hosts.Host, ids []string, file string) error {
	wants, err := o.wants()
	if err != nil {
		return err
	}
	r, err := registrar(o.App, o.dryRun)
	if err != nil {
		return err
	}
	r.Within = ids
	if o.dryRun { // nothing was noted
		o.suppose(r, chosen)
	}
	changes, err := r.Sync(wants...)
	if err != nil {
		return err
	}
	s, err := o.Settings()
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"file": file, "changes": asJSON(changes, true), "dryRun": o.dryRun})
		return nil
	}
	show(o.App, changes, o.dryRun)
	if o.dryRun {
		o.IO.Notef("Nothing was changed (--dry-run).\n")
		return nil
	}
	var in, out []string
	for _, h := range chosen {
		switch from, on := s.HostChoice(h.ID); {
		case from == "" || on:
			in = append(in, h.Name)
		default:
			out = append(out, h.Name)
			if o.add {
				o.IO.Warnf("%s is still left out by the other .mcpmrc, the %s's: %s", h.Name, from, o.undo(h, from))
			}
		}
	}
	if o.add && len(in) > 0 {
		o.IO.Notef("%s %s what you install (%s).\n", app.AndList(in), gets(len(in)), home(o.App, file))
	}
	if !o.add {
		flag := ""
		if o.project {
			flag = " --project"
		}
		o.IO.Notef("%s left out (%s). mcpm hosts add %s%s brings %s back.\n", isWord(out), home(o.App, file), strings.Join(ids, " "), flag, it(len(out)))
	}
	return nil
}

func (o *chooseOptions) undo(h hosts.Host, from string) string {
	if from == "project" {
		return "mcpm hosts add " + h.ID + " --project"
	}
	return "mcpm hosts add " + h.ID
}

func isWord(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return app.AndList(names) + " are"
}

func it(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// suppose makes the registrar work as if the choice were noted already.
func (o *chooseOptions) suppose(r *install.Registrar, chosen []hosts.Host) {
	choice := map[string]bool{}
	if o.only {
		choice[install.OtherHosts] = false
	}
	for _, h := range chosen {
		choice[h.ID] = o.add
	}
	if o.project {
		r.Suppose(install.FindProject(o.Dir), choice)
		return
	}
	takes := r.Takes
	r.Takes = func(id string, found bool) bool {
		if on, named := choice[id]; named {
			return on
		}
		return !o.only && takes(id, found)
	}
}

// wants are the servers that the choice is about: this project's, or those of every project on this machine.
func (o *chooseOptions) wants() ([]install.Want, error) {
	if o.project {
		w, _, err := app.WantOf(install.FindProject(o.Dir))
		return []install.Want{w}, err
	}
	return everywhere(o.App)
}
