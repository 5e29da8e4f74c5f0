package granted

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/grants"
	"github.com/spf13/cobra"
)

type allowOptions struct {
	*app.App
	global     bool
	remove     bool
	everything bool
	reset      bool
	name       string
	grants     []string
}

// NewAllow makes mcpm allow.
func NewAllow(a *app.App) *cobra.Command {
	o := &allowOptions{App: a}
	c := &cobra.Command{
		Use:   "allow NAME [KIND=VALUE...]",
		Short: "Let a server do more than it declares, or see what it may",
		Long: "Allow keeps what you let a server do in its sandbox, beside what it declares: hosts to reach, files to read or\n" +
			"write, variables, memory, programs. Without KIND=VALUE it shows what the server may. It counts in this project on\n" +
			"this machine, with -g in all of them; nothing in a repository can allow anything. mcpm help sandbox tells the kinds,\n" +
			"and mcpm run NAME --learn finds out what a server tries.",
		Example: "  mcpm allow @acme/tickets\n  mcpm allow @acme/tickets net=api.acme.example:443\n  mcpm allow @acme/notes read=~/Notes write=./out\n" +
			"  mcpm allow @acme/tickets --remove net=api.acme.example:443\n  mcpm allow @acme/tool --everything\n  mcpm allow @acme/tool --reset",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { o.name, o.grants = args[0], args[1:]; return o.run() },
	}
	f := c.Flags()
	f.BoolVarP(&o.global, "global", "g", false, "the one installed for all projects")
	f.BoolVar(&o.remove, "remove", false, "take these back")
	f.BoolVar(&o.everything, "everything", false, "run it without a sandbox, with all of your rights")
	f.BoolVar(&o.reset, "reset", false, "take all back: it gets what it declares")
	c.MarkFlagsMutuallyExclusive("remove", "everything", "reset")
	return c
}

func (o *allowOptions) run() error {
	r, err := typed.Installed(o.App, o.name, o.global)
	if err != nil {
		return err
	}
	if r.Given {
		return app.Usage("allow takes a name without a version: it is about all of them").WithHint("mcpm allow %s", r.Name)
	}
	in, err := o.Find(r.Name, o.global)
	if err != nil {
		return err
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	if changed, err := o.change(h, in); err != nil || !changed {
		if err != nil {
			return err
		}
		return o.show(h, in)
	}
	if o.JSON {
		return o.show(h, in)
	}
	return o.tell(h, in)
}

// change does what the flags say. changed is false where they say nothing.
func (o *allowOptions) change(h install.Home, in *app.Installed) (changed bool, err error) {
	name := in.Name
	switch {
	case (o.everything || o.reset) && len(o.grants) > 0:
		return false, app.Usage("--everything and --reset say all; %q is too much", o.grants[0]).WithHint("leave one out")
	case o.remove && len(o.grants) == 0:
		return false, app.Usage("--remove takes what was allowed").WithHint("mcpm allow %s shows it, and --reset takes all back", name)
	case len(o.grants) == 0 && !o.everything && !o.reset:
		return false, nil
	}
	list := make([]string, len(o.grants))
	for i, g := range o.grants {
		list[i] = o.absolute(g)
	}
	if err := confine.Check(list); err != nil && !o.remove {
		return false, err
	}
	var missing string
	err = grants.Change(h, in.Project, name, identity(in), func(d *grants.Decision) {
		switch {
		case o.reset:
			d.Allow, d.Everything = nil, false
		case o.everything:
			d.Everything = true
		case o.remove:
			if missing = without(d, list); missing == "" {
				d.Allow = slices.DeleteFunc(d.Allow, func(g string) bool { return slices.Contains(list, g) })
			}
		default:
			d.Everything = false
			for _, g := range list {
				if !slices.Contains(d.Allow, g) {
					d.Allow = append(d.Allow, g)
				}
			}
		}
	})
	if err == nil && missing != "" {
		err = hub.Errorf(hub.NotFound, "%q was not allowed here", missing).WithHint("mcpm allow %s shows what was", name)
	}
	return true, err
}

// without names the first of list that was not allowed, "" when all were.
func without(d *grants.Decision, list []string) string {
	for _, g := range list {
		if !slices.Contains(d.Allow, g) {
			return g
		}
	}
	return ""
}

// absolute makes a path that was typed the same from everywhere.
func (o *allowOptions) absolute(g string) string {
	kind, value, ok := strings.Cut(g, "=")
	if !ok || value == "" || kind != "read" && kind != "write" || filepath.IsAbs(value) || strings.HasPrefix(value, "~") || strings.HasPrefix(value, "${") {
		return g
	}
	return kind + "=" + filepath.Join(o.Dir, value)
}

// state is what a server may, for mcpm allow --json.
type state struct {
	Name       string     `json:"name"`
	Sandbox    bool       `json:"sandbox"`
	Everything bool       `json:"everything,omitempty"` // it was allowed
	Declared   []asks.Ask `json:"declared"`
	Allowed    []string   `json:"allowed"`
	Wide       bool       `json:"-"` // everything was allowed for all projects
}

func (o *allowOptions) state(h install.Home, in *app.Installed) (state, error) {
	d, err := grants.Of(h, in.Project, in.Name, identity(in))
	if err != nil {
		return state{}, err
	}
	on, err := ByDefault(o.App)
	if settings, serr := o.Settings(); serr == nil && in.Locked == nil {
		on = settings.Sandbox // a working copy has the rights of who made it
	}
	s := state{Name: in.Name.String(), Sandbox: on && !d.Everything, Everything: d.Everything, Wide: d.Wide, Declared: asks.Of(in.Manifest), Allowed: append([]string{}, d.Allow...)}
	if s.Declared == nil {
		s.Declared = []asks.Ask{}
	}
	return s, err
}

func (o *allowOptions) show(h install.Home, in *app.Installed) error {
	s, err := o.state(h, in)
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, s)
		return nil
	}
	o.IO.Printf("%s\n", o.IO.Accent(strings.TrimSpace(s.Name+" "+in.Version())))
	if away := asks.Remote(in.Manifest); len(away) > 0 {
		o.IO.Notef("It runs at %s, where mcpm confines nothing.\n", app.Clean(app.AndList(away)))
		return nil
	}
	if len(s.Declared) > 0 {
		o.IO.Printf("  It declares:\n")
		asks.Print(o.IO, o.IO.Out, s.Declared)
	}
	if len(s.Allowed) > 0 {
		o.IO.Printf("  You allow:\n")
	}
	for _, g := range s.Allowed {
		o.IO.Printf("    %s\n", app.Clean(g))
	}
	return o.tell(h, in)
}

// tell says in a sentence how the server runs.
func (o *allowOptions) tell(h install.Home, in *app.Installed) error {
	s, err := o.state(h, in)
	if err != nil {
		return err
	}
	settings, err := o.Settings()
	if err != nil {
		return err
	}
	switch {
	case s.Sandbox && len(confine.Grants(s.Allowed).Waived()) > 0:
		o.IO.Notef("%s runs in a sandbox, which need not enforce %s where this machine cannot. That counts at its next start.\n", in.Name, app.AndList(confine.Grants(s.Allowed).Waived()))
	case s.Sandbox && len(s.Allowed) > 0:
		o.IO.Notef("%s runs in a sandbox, with what it declares and what you allow. That counts at its next start.\n", in.Name)
	case s.Sandbox:
		o.IO.Notef("%s runs in a sandbox, with what it declares and nothing more.\n", in.Name)
	case in.Locked == nil:
		o.IO.Notef("%s is a working copy and runs with all of your rights; mcpm run --sandbox %s has it get what you allow and nothing more.\n", in.Name, in.Name)
	case s.Wide:
		o.IO.Notef("%s runs with all of your rights, as was allowed for all projects. mcpm allow -g %s --reset ends that.\n", in.Name, in.Name)
	case s.Everything:
		o.IO.Notef("%s runs with all of your rights. mcpm allow%s %s --reset ends that.\n", in.Name, flag(in), in.Name)
	case settings.From("sandbox") != "":
		o.IO.Notef("%s runs with all of your rights: the sandbox is switched off by %s.\n", in.Name, settings.From("sandbox"))
	default:
		o.IO.Notef("%s runs with all of your rights: on this system a sandbox is used where you ask for one (mcpm help sandbox).\n", in.Name)
	}
	return nil
}
