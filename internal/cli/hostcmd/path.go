package hostcmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type permission = fs.FileMode

type pathOptions struct {
	*app.App
	reset bool
	args  []string
}

func newPath(a *app.App) *cobra.Command {
	o := &pathOptions{App: a}
	c := &cobra.Command{
		Use:   "path HOST [FILE]",
		Short: "Show where an application keeps its file, or say where it is",
		Long: "Path prints the file of a host application. With FILE it notes in your ~/.mcpmrc that the file is there\n" +
			"instead, and moves the servers that mcpm put into the old one. A project's .mcpmrc cannot do that: a\n" +
			"repository you cloned must not say where mcpm writes.",
		Example: "  mcpm hosts path cursor\n  mcpm hosts path cursor ~/dotfiles/cursor/mcp.json\n  mcpm hosts path cursor --reset",
		Args:    app.Args(1, 2, "a host application, and a file"),
		RunE:    func(_ *cobra.Command, args []string) error { o.args = args; return o.run() },
	}
	c.Flags().BoolVar(&o.reset, "reset", false, "the usual place again")
	return c
}

func (o *pathOptions) run() error {
	h, err := app.FindHost(o.args[0])
	if err != nil {
		return err
	}
	if o.reset && len(o.args) == 2 {
		return app.Usage("--reset takes no file").WithHint("mcpm hosts path %s --reset", h.ID)
	}
	if !o.reset && len(o.args) == 1 {
		return o.tell(h)
	}
	if o.Env.UserHome == "" {
		return hub.Errorf(hub.Invalid, "there is no home directory to keep .mcpmrc in").WithHint("set HOME")
	}
	var value any
	if !o.reset {
		file, err := o.check(h, o.args[1])
		if err != nil {
			return err
		}
		value = file
	}
	return o.move(h, value)
}

func (o *pathOptions) tell(h hosts.Host) error {
	r, err := o.Registrar(true)
	if err != nil {
		return err
	}
	p := h.UserPath(r.Env)
	if p == "" {
		return hub.Errorf(hub.NotFound, "%s keeps no file that is known on %s", h.Name, o.OS).WithHint("mcpm hosts path %s FILE says where it is", h.ID)
	}
	_, err = os.Stat(p)
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"host": h.ID, "file": p, "moved": r.Env.Override[h.ID] != "", "exists": err == nil})
		return nil
	}
	o.IO.Printf("%s\n", p)
	return nil
}

// check returns the absolute path of a file that may hold the host's servers.
func (o *pathOptions) check(h hosts.Host, file string) (string, error) {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		file = filepath.Join(o.Env.UserHome, rest)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(o.Dir, file)
	}
	file = filepath.Clean(file)
	text, err := install.ReadFile(file, install.MaxHostFile)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Dir(file)); text == nil && err != nil {
		return "", hub.Errorf(hub.NotFound, "there is no directory %s", filepath.Dir(file)).WithHint("make it, or check the path")
	}
	if _, err := h.Entries(text); err != nil {
		return "", hub.Errorf(hub.Invalid, "%s is no file of %s: %s", file, h.Name, err.Error()).WithHint("%s keeps %s, with the servers under %q", h.Name, h.Format, h.Key)
	}
	return file, nil
}

// move takes ours out of the old file, notes the new one, and puts ours in there.
func (o *pathOptions) move(h hosts.Host, value any) error {
	wants, err := everywhere(o.App)
	if err != nil {
		return err
	}
	r, err := registrar(o.App, false)
	if err != nil {
		return err
	}
	r.Within = []string{h.ID}
	r.Takes = func(string, bool) bool { return false }
	changes, err := r.Sync(wants...)
	if err != nil {
		return err
	}
	if _, failed, _ := count(changes); failed > 0 {
		show(o.App, changes, false)
		return hub.Errorf(hub.Invalid, "the servers could not be taken out of the old file; nothing was moved").WithHint("mend that file, then try again")
	}
	rc := filepath.Join(o.Env.UserHome, install.RCFile)
	if err := install.EditRC(rc, "hostPaths", h.ID, value, 0o600); err != nil {
		return err
	}
	o.Reload()
	if r, err = registrar(o.App, false); err != nil {
		return err
	}
	r.Within = []string{h.ID}
	added, err := r.Sync(wants...)
	if err != nil {
		return err
	}
	changes = append(changes, added...)
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"host": h.ID, "file": h.UserPath(r.Env), "moved": value != nil, "changes": asJSON(changes, true)})
		return nil
	}
	show(o.App, changes, false)
	o.IO.Notef("%s keeps its servers in %s (%s).\n", h.Name, home(o.App, h.UserPath(r.Env)), home(o.App, rc))
	return nil
}

// everywhere returns what the host applications are to have of every project on this machine: those with a
// lockfile, and those that left entries. Of a project that cannot be read now, or whose directory is away, what
// is there stays.
func everywhere(a *app.App) ([]install.Want, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	projects, err := h.Projects()
	if err != nil {
		return nil, err
	}
	r, err := a.Registrar(true)
	if err != nil {
		return nil, err
	}
	recorded, err := r.Recorded()
	if err != nil {
		return nil, err
	}
	known := map[install.Project]install.Want{}
	for _, w := range recorded {
		known[w.Project] = w
		projects = append(projects, w.Project)
	}
	var wants []install.Want
	for _, p := range projects {
		if slices.ContainsFunc(wants, func(w install.Want) bool { return w.Project == p }) {
			continue
		}
		w, _, err := app.WantOf(p)
		if err != nil {
			a.IO.Warnf("%s: %s", home(a, p.Dir), reason(err))
		}
		if _, away := os.Stat(p.Dir); err != nil || away != nil {
			w = install.Want{Project: p, Servers: known[p].Servers}
		}
		wants = append(wants, w)
	}
	return wants, nil
}
