package show

import (
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/spf13/cobra"
)

type listOptions struct {
	*app.App
	global bool
}

func NewList(a *app.App) *cobra.Command {
	o := &listOptions{App: a}
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the servers installed here",
		Example: "  mcpm list\n  mcpm list -g\n  mcpm list --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

// listed is one row of mcpm list.
type listed struct {
	Name     hub.Name `json:"-"`
	Spelled  string   `json:"name"`
	Version  string   `json:"version"`
	Range    string   `json:"range,omitempty"` // what mcp.json asks for
	Why      string   `json:"why"`             // direct, dev, dependency, or missing (not installed yet)
	Registry string   `json:"registry,omitempty"`
	Hosts    []string `json:"hosts"`
	Tools    int      `json:"tools"`
}

func (o *listOptions) run() error {
	p, err := o.Project(o.global)
	if err != nil {
		return err
	}
	rows, err := o.rows(p)
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"project": p.Dir, "global": p.Global, "servers": rows})
		return nil
	}
	t := term.Table{Drop: []int{3, 2}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim, o.IO.Dim}}
	missing := 0
	for _, r := range rows {
		why := r.Range
		switch r.Why {
		case "dependency":
			why = "dependency"
		case "missing":
			why, missing = r.Range+" not installed", missing+1
		}
		t.Row(r.Spelled, r.Version, why, app.HostNames(r.Hosts))
	}
	t.Print(o.IO)
	where := p.Dir
	if p.Global {
		where = "global"
	}
	switch {
	case len(rows) == 0:
		o.IO.Notef("No servers (%s). mcpm search finds some.\n", where)
	case missing > 0:
		o.IO.Notef("%s, %d not installed (%s). mcpm install fetches them.\n", app.Plural(len(rows), "server"), missing, where)
	default:
		o.IO.Notef("%s (%s)\n", app.Plural(len(rows), "server"), where)
	}
	return nil
}

func (o *listOptions) rows(p install.Project) ([]listed, error) {
	m, _, err := app.ReadManifest(p)
	if err != nil {
		return nil, err
	}
	lock, err := install.ReadLockfile(p.Lock())
	if err != nil {
		return nil, err
	}
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	reg, err := o.Registrar(true)
	if err != nil {
		return nil, err
	}
	in, err := reg.Where(p)
	if err != nil {
		return nil, err
	}
	rows := []listed{}
	direct := map[hub.Name]listed{}
	add := func(deps map[string]string, why string) {
		for k, rng := range deps {
			if n, err := hub.ParseMirrorName(k); err == nil {
				direct[n] = listed{Name: n, Range: rng, Why: why}
			}
		}
	}
	if m != nil {
		add(m.DevDependencies, "dev")
		add(m.Dependencies, "direct")
	}
	for _, name := range lock.Names() {
		e := lock.Servers[name]
		r, ok := direct[name]
		if !ok {
			r = listed{Name: name, Why: "dependency"}
		}
		delete(direct, name)
		r.Version, r.Registry, r.Hosts = e.Version, e.Registry, in[name]
		if m, err := h.Manifest(e.Manifest); err == nil {
			for _, c := range manifest.CapabilitiesOf(m) {
				if c.Type == hub.Tool {
					r.Tools++
				}
			}
		}
		rows = append(rows, r)
	}
	for _, r := range direct {
		r.Why = "missing"
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b listed) int { return app.CompareNames(a.Name, b.Name) })
	for i := range rows {
		rows[i].Spelled = rows[i].Name.String()
		if rows[i].Hosts == nil {
			rows[i].Hosts = []string{}
		}
	}
	return rows, nil
}
