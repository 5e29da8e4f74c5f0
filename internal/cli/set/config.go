// Package set is mcpm config: it gives servers the values they ask for. Secrets go to where secrets are kept, other
// values into config.json; neither goes into a project, a lockfile or the file of a host application.
package set

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/spf13/cobra"
)

type configOptions struct {
	*app.App
	members members.Picked
	global  bool
	entry   string
	set     []string
	unset   []string
	inArgs  []string
	get     string
	reveal  bool
	dryRun  bool
	name    string
}

// NewConfig makes mcpm config.
func NewConfig(a *app.App) *cobra.Command {
	o := &configOptions{App: a}
	c := &cobra.Command{
		Use:   "config NAME",
		Short: "Give a server the values it asks for",
		Long: "Config stores values for an installed server: paths, addresses, keys. Without a flag it asks on a terminal,\n" +
			"and lists what is set in a pipe. Values are of this project; with -g they are of all projects, and a project's\n" +
			"own value wins. A variable of the environment wins over both, except for a remote server, which gets none.\n\n" +
			"Secrets go to the system keychain (Secret Service, macOS Keychain, Windows Credential Manager). Where none\n" +
			"answers they go to secrets.age under MCPM_HOME (by default ~/.mcpm), encrypted, and config says so. Other values\n" +
			"are in config.json there. Neither goes into mcp.json, the lockfile or the files of host applications; a server\n" +
			"gets them in its environment or in headers. mcpm help secrets tells more.",
		Example: "  mcpm config @acme/postgres\n  mcpm config @acme/postgres --set MODE=read --set DATABASE_URL\n" +
			"  pass show shop | mcpm config @acme/postgres --set DATABASE_URL\n  mcpm config @acme/postgres --get DATABASE_URL\n" +
			"  mcpm config -g @acme/postgres --unset DATABASE_URL",
		Args: app.Args(1, 1, "the name of an installed server"),
		RunE: func(c *cobra.Command, args []string) error { o.name = args[0]; return o.run(c.Context()) },
	}
	f := c.Flags()
	o.members.OneFlag(c)
	f.BoolVarP(&o.global, "global", "g", false, "for all projects, not just this one")
	f.StringArrayVar(&o.set, "set", nil, "store a value, `KEY=VALUE`; KEY alone asks, or reads a pipe; may be given again")
	f.StringArrayVar(&o.unset, "unset", nil, "remove the value of `KEY`; may be given again")
	f.StringVar(&o.get, "get", "", "print the stored value of `KEY`")
	f.BoolVar(&o.reveal, "reveal", false, "let --get print a secret into a pipe or a file")
	f.StringArrayVar(&o.inArgs, "in-args", nil, "let the secret `KEY` be an argument of the server, for others to see")
	f.StringVar(&o.entry, "entry", "", "the `KEY` of servers in its mcp.json, when it has several")
	f.BoolVar(&o.dryRun, "dry-run", false, "check the values, store nothing")
	return c
}

// server is the one that is configured.
type server struct {
	name    hub.Name
	project install.Project // whose values they are
	inputs  []app.Input
	stored  map[string]install.Value
	flag    string // " -g" for values of all projects
}

func (s *server) input(name string) (app.Input, bool) {
	for _, in := range s.inputs {
		if in.Name == name {
			return in, true
		}
	}
	return app.Input{}, false
}

func (o *configOptions) run(ctx context.Context) error {
	if o.global && o.members.Any() {
		return app.Usage("-w and --filter choose a member of a workspace, and -g means none").WithHint("give one or the other")
	}
	if err := o.members.Enter(o.App); err != nil {
		return err
	}
	r, err := typed.Installed(o.App, o.name, o.global)
	if err != nil {
		return err
	}
	if r.Given {
		return app.Usage("config takes a name without a version").WithHint("mcpm config %s", r.Name)
	}
	if o.reveal && o.get == "" {
		return app.Usage("--reveal is for --get").WithHint("mcpm config %s --get KEY --reveal", r.Name)
	}
	if o.get != "" && len(o.set)+len(o.unset)+len(o.inArgs) > 0 {
		return app.Usage("--get reads, and --set, --unset and --in-args write; give one or the other")
	}
	s, err := o.open(r.Name)
	if err != nil {
		return err
	}
	if !o.dryRun && len(s.inputs) > 0 {
		if err := o.MoveSecrets(ctx, s.project, s.name, s.inputs); err != nil {
			return err
		}
		if err := o.read(s); err != nil {
			return err
		}
	}
	switch {
	case o.get != "":
		return o.printOne(ctx, s)
	case len(o.set) > 0 || len(o.unset) > 0 || len(o.inArgs) > 0:
		return o.store(ctx, s)
	case o.IO.Interactive() && o.IO.OutTTY && !o.JSON && !o.dryRun && len(s.inputs) > 0:
		if o.roomy() {
			return o.wizard(ctx, s)
		}
		o.IO.Notef("The terminal is too small to ask in; mcpm config%s %s --set KEY asks for one value.\n", s.flag, s.name)
	}
	return o.list(s)
}

// open finds an installed server, without opening its bundle, and what is stored for it. One that is not installed any
// more can still be rid of its values.
func (o *configOptions) open(name hub.Name) (*server, error) {
	p, m, err := o.described(name)
	if err != nil && !(hub.KindOf(err) == hub.NotFound && len(o.unset) > 0 && len(o.set)+len(o.inArgs) == 0) {
		return nil, err
	}
	s := &server{name: name, project: p}
	if o.global {
		h, err := o.Store()
		if err != nil {
			return nil, err
		}
		s.project = h.Global()
	}
	if s.project.Global {
		s.flag = " -g"
	}
	notInstalled := err
	if err := o.read(s); err != nil {
		return nil, err
	}
	if notInstalled != nil {
		if len(s.stored) == 0 {
			return nil, notInstalled
		}
		return s, nil
	}
	_, s.inputs, err = o.Inputs(p, m, o.entry)
	return s, err
}

func (o *configOptions) read(s *server) error {
	h, err := o.Store()
	if err == nil {
		s.stored, err = h.Values(s.project, s.name)
	}
	return err
}

// described finds where a server is installed, and its manifest. With -g the global installation is taken first, and the
// one of the project when there is no other.
func (o *configOptions) described(name hub.Name) (install.Project, *manifest.Manifest, error) {
	h, err := o.Store()
	if err != nil {
		return install.Project{}, nil, err
	}
	here := install.FindProject(o.Dir)
	places := []install.Project{here, h.Global()}
	if o.global {
		places = []install.Project{h.Global(), here}
	}
	near := ""
	for _, p := range places {
		if in, err := o.Linked(h, p, name); in != nil || err != nil {
			return p, in.Own(), err
		}
		lock, err := install.ReadLock(p)
		if err != nil {
			return p, nil, err
		}
		if e := lock.Servers[name]; e != nil {
			m, err := h.Manifest(e.Manifest)
			if err == nil {
				m, err = o.Ready(m, e)
			}
			return p, m, err
		}
		if near == "" {
			near = app.Closest(lock, name)
		}
	}
	if m, _, err := app.ReadManifest(here); err == nil && m != nil && m.Name == name.String() && len(m.Servers) > 0 {
		return here, m, nil // the server of this directory, which mcpm test starts
	}
	e := hub.Errorf(hub.NotFound, "%s is not installed", name)
	if near != "" {
		return here, nil, e.WithHint("did you mean %s?", near)
	}
	return here, nil, e.WithHint("mcpm install %s", name)
}
