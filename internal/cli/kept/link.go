package kept

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/hostcmd"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/spf13/cobra"
)

type linkOptions struct {
	*app.App
	global  bool
	noHosts bool
}

func (o *linkOptions) flags(c *cobra.Command) {
	c.Flags().BoolVarP(&o.global, "global", "g", false, "for all projects, not just this one")
	c.Flags().BoolVar(&o.noHosts, "no-hosts", false, "leave the files of host applications alone")
}

// NewLink makes the command link.
func NewLink(a *app.App) *cobra.Command {
	o := &linkOptions{App: a}
	c := &cobra.Command{
		Use:   "link [PATH]",
		Short: "Use a working copy of a server in this project",
		Long: "Link lets the server in PATH, a directory with an mcp.json, run in place of the installed one, or of none: mcpm run\n" +
			"and the host applications start it from there, as it is at that moment. Nothing of it is locked or compared.\n" +
			"It stays on this machine: mcp.json and mcpm-lock.json do not change, and mcpm ci does not look at it. Without\n" +
			"PATH the links of this project are listed.",
		Example: "  mcpm link ../postgres\n  mcpm link -g ~/src/postgres\n  mcpm link\n  mcpm unlink @acme/postgres",
		Args:    app.Args(0, 1, "the directory of a server"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return o.list()
			}
			return o.link(args[0])
		},
	}
	o.flags(c)
	return c
}

// NewUnlink makes the command unlink.
func NewUnlink(a *app.App) *cobra.Command {
	o := &linkOptions{App: a}
	c := &cobra.Command{
		Use:   "unlink NAME",
		Short: "Use the installed server again",
		Long: "Unlink ends a link. The installed version runs again; where none is installed, the server leaves the host\n" +
			"applications.",
		Example: "  mcpm unlink @acme/postgres",
		Args:    app.Args(1, 1, "the name of a server"),
		RunE:    func(_ *cobra.Command, args []string) error { return o.unlink(args[0]) },
	}
	o.flags(c)
	return c
}

func (o *linkOptions) place() (install.Project, install.Home, error) {
	p, err := o.Project(o.global)
	if err != nil {
		return p, install.Home{}, err
	}
	h, err := o.Store()
	return p, h, err
}

func (o *linkOptions) link(path string) error {
	p, h, err := o.place()
	if err != nil {
		return err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	copy := install.Project{Dir: filepath.Clean(path)}
	if copy.Dir == p.Dir {
		return app.Usage("a project cannot be linked into itself").WithHint("run mcpm link %s in the project that is to use it", copy.Dir)
	}
	m, _, err := app.ReadManifest(copy)
	if err != nil {
		return err
	}
	if m == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s", copy.Dir).WithHint("mcpm init in it makes one")
	}
	name, err := hub.ParseMirrorName(m.Name)
	if err != nil {
		return hub.Errorf(hub.Invalid, "%s names no server: %v", copy.Manifest(), err).WithHint("give it a name such as @you/server")
	}
	if len(m.Servers) == 0 {
		return hub.Errorf(hub.Invalid, "%s has no servers to run", copy.Manifest()).WithHint("say under servers how it is started")
	}
	if _, err := h.Link(p, name, copy.Dir); err != nil {
		return err
	}
	if err := o.tellRange(p, name, m.Version); err != nil {
		return err
	}
	changes, err := o.register(p, func(r *install.Registrar) ([]install.Change, error) { return r.Register(p, []hub.Name{name}) })
	if err != nil {
		return err
	}
	return o.tell(name, copy.Dir, changes)
}

// tellRange warns where the working copy is not what mcp.json asks for.
func (o *linkOptions) tellRange(p install.Project, name hub.Name, version string) error {
	direct, err := asked(p)
	spec, ok := direct[name]
	if err != nil || !ok {
		return err
	}
	r, err := resolve.ParseRange(spec.Range)
	if err == nil && version != "" && r.Tag() == "" && !r.Fits(version, nil) {
		o.IO.Warnf("%s asks for %s %s, and the working copy is %s", install.ManifestFile, name, app.Clean(spec.Range), app.Clean(version))
	}
	return nil // a range that is none is told when it is resolved
}

// asked returns what mcp.json asks for by name.
func asked(p install.Project) (map[hub.Name]hub.Spec, error) {
	m, _, err := app.ReadManifest(p)
	if err != nil || m == nil {
		return nil, err
	}
	direct, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none is not this one
	return direct, nil
}

func (o *linkOptions) unlink(arg string) error {
	ref, err := typed.Installed(o.App, arg, o.global)
	if err != nil {
		return err
	}
	p, h, err := o.place()
	if err != nil {
		return err
	}
	changed, err := h.Link(p, ref.Name, "")
	if err != nil {
		return err
	}
	if !changed {
		return hub.Errorf(hub.NotFound, "%s is not linked here", ref.Name).WithHint("mcpm link shows what is")
	}
	direct, err := asked(p)
	if err != nil {
		return err
	}
	var changes []install.Change
	if _, ok := direct[ref.Name]; !ok {
		changes, err = o.register(p, func(r *install.Registrar) ([]install.Change, error) { return r.Unregister(p, []hub.Name{ref.Name}) })
	}
	if err != nil {
		return err
	}
	return o.tell(ref.Name, "", changes)
}

func (o *linkOptions) register(p install.Project, fn func(*install.Registrar) ([]install.Change, error)) ([]install.Change, error) {
	if o.noHosts {
		return nil, nil
	}
	r, err := o.Registrar(false)
	if err != nil {
		return nil, err
	}
	return fn(r)
}

func (o *linkOptions) tell(name hub.Name, dir string, changes []install.Change) error {
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"name": name.String(), "path": dir})
		return nil
	}
	if dir == "" {
		o.IO.Printf("%s %s\n", o.IO.Red("-"), name)
	} else {
		o.IO.Printf("%s %s   %s\n", o.IO.Green("+"), o.IO.Accent(name.String()), o.IO.Dim("is "+dir))
	}
	hostcmd.Tell(o.App, changes, false)
	if dir != "" {
		g := ""
		if o.global {
			g = " -g"
		}
		o.IO.Notef("It runs as it is there, unlocked. Undo with mcpm unlink%s %s.\n", g, name)
	}
	return nil
}

func (o *linkOptions) list() error {
	p, h, err := o.place()
	if err != nil {
		return err
	}
	of, err := h.Links(p)
	if err != nil {
		return err
	}
	names := slices.SortedFunc(maps.Keys(of), app.CompareNames)
	if o.JSON {
		rows := []map[string]string{}
		for _, n := range names {
			rows = append(rows, map[string]string{"name": n.String(), "path": of[n]})
		}
		app.PrintJSON(o.IO, map[string]any{"links": rows})
		return nil
	}
	t := term.Table{Colors: []func(string) string{o.IO.Accent, nil}}
	for _, n := range names {
		t.Row(n.String(), of[n])
	}
	t.Print(o.IO)
	if len(names) == 0 {
		o.IO.Notef("Nothing is linked here.\n")
	}
	return nil
}
