package show

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/spf13/cobra"
)

type listOptions struct {
	*app.App
	global  bool
	members members.Picked
	tree    bool
}

func NewList(a *app.App) *cobra.Command {
	o := &listOptions{App: a}
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the servers installed here",
		Example: "  mcpm list\n  mcpm list -g\n  mcpm list --tree\n  mcpm list --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	c.Flags().BoolVar(&o.tree, "tree", false, "each below what needs it")
	return c
}

// listed is one row of mcpm list.
type listed struct {
	Name     hub.Name `json:"-"`
	Spelled  string   `json:"name"`
	Server   string   `json:"server,omitempty"` // which the name, an alias, stands for
	Version  string   `json:"version"`
	Range    string   `json:"range,omitempty"`  // what mcp.json asks for
	Why      string   `json:"why"`              // direct, dev, dependency, linked, or missing (not installed yet)
	Linked   string   `json:"linked,omitempty"` // the working copy that runs in its place
	Registry string   `json:"registry,omitempty"`
	Hosts    []string `json:"hosts"`
	Tools    int      `json:"tools"`
	Member   string   `json:"member,omitempty"` // of a workspace, that asks for it: its directory
}

func (o *listOptions) run() error {
	v, err := look(o.App, &o.members, o.global)
	if err != nil {
		return err
	}
	if o.tree {
		return o.showTree(v)
	}
	views, err := v.each()
	if err != nil {
		return err
	}
	if len(views) > 1 {
		return o.grouped(v, views)
	}
	rows, err := o.rows(v)
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"project": v.Dir, "global": v.Global, "servers": rows})
		return nil
	}
	t := o.table()
	missing := o.fill(&t, rows)
	t.Print(o.IO)
	o.count(v, len(rows), missing)
	return nil
}

func (o *listOptions) table() term.Table {
	return term.Table{Drop: []int{3, 2}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim, o.IO.Dim}}
}

// grouped lists the servers of several mcp.json of a workspace, each below who asks for them.
func (o *listOptions) grouped(v *view, views []*view) error {
	t := o.table()
	t.Indent = 2
	all, names, missing := []listed{}, map[hub.Name]bool{}, 0
	for _, one := range views {
		rows, err := o.rows(one)
		if err != nil {
			return err
		}
		part := one.scope.Named(one.member())
		if len(rows) == 0 && part.Member == install.RootMember {
			continue // it only holds the others together
		}
		t.Heading(o.heading(part, len(rows)))
		for i := range rows {
			names[rows[i].Name] = true
		}
		all = append(all, rows...)
		missing += o.fill(&t, rows)
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"project": v.Dir, "global": false, "servers": all})
		return nil
	}
	t.Print(o.IO)
	o.count(v, len(names), missing)
	return nil
}

// place names the directory of a working copy: from the root of the workspace, where it is in that.
func (o *listOptions) place(dir string) string {
	root := install.FindProject(o.Dir).Owner()
	if rel, err := filepath.Rel(root.Dir, dir); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return dir
}

// heading names a part above its servers.
func (o *listOptions) heading(part *members.Part, rows int) string {
	line := o.IO.Bold(app.Clean(part.String()))
	if part.String() != part.Member && part.Member != install.RootMember {
		line += "   " + o.IO.Dim(app.Clean(part.Member))
	}
	if rows == 0 {
		line += "   " + o.IO.Dim("no servers")
	}
	return line
}

// fill adds rows to the table, and counts those that are not installed.
func (o *listOptions) fill(t *term.Table, rows []listed) (missing int) {
	for _, r := range rows {
		why := r.Range
		switch r.Why {
		case "dependency":
			why = "dependency"
		case "missing":
			why, missing = r.Range+" not installed", missing+1
		}
		if r.Linked != "" {
			why = "is " + o.place(r.Linked)
			if _, err := os.Stat(filepath.Join(r.Linked, install.ManifestFile)); err != nil {
				why += ", which is gone"
			}
		}
		t.Row(r.Spelled+app.Join(" -> ", r.Server), r.Version, why, app.HostNames(r.Hosts))
	}
	return missing
}

// count ends the answer for people.
func (o *listOptions) count(v *view, all, missing int) {
	switch {
	case all == 0:
		o.IO.Notef("No servers (%s). mcpm search finds some.\n", v.where())
	case missing > 0:
		o.IO.Notef("%s, %d not installed (%s). mcpm install fetches them.\n", app.Plural(all, "server"), missing, v.where())
	default:
		o.IO.Notef("%s (%s)\n", app.Plural(all, "server"), v.where())
	}
}

func (o *listOptions) rows(v *view) ([]listed, error) {
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	reg, err := o.Registrar(true)
	if err != nil {
		return nil, err
	}
	in, err := reg.Where(v.Project)
	if err != nil {
		return nil, err
	}
	rows := []listed{}
	direct := map[hub.Name]listed{}
	for n, w := range v.direct {
		why := "direct"
		if w.dev {
			why = "dev"
		}
		direct[n] = listed{Name: n, Range: w.rng, Why: why}
	}
	for _, name := range v.lock.Names() {
		e := v.lock.Servers[name]
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
	if rows, err = linked(h, v.Project, rows, in); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b listed) int { return app.CompareNames(a.Name, b.Name) })
	for i := range rows {
		rows[i].Member = v.member()
		rows[i].Spelled, rows[i].Server = rows[i].Name.String(), v.alias(rows[i].Name)
		if rows[i].Hosts == nil {
			rows[i].Hosts = []string{}
		}
	}
	return rows, nil
}

// linked marks the servers that a working copy stands for, and adds those that are nothing else.
func linked(h install.Home, p install.Project, rows []listed, hosts map[hub.Name][]string) ([]listed, error) {
	links, err := h.Links(p)
	if err != nil {
		return nil, err
	}
	for name, dir := range links {
		i := slices.IndexFunc(rows, func(r listed) bool { return r.Name == name })
		if i < 0 {
			i, rows = len(rows), append(rows, listed{Name: name, Why: "linked"})
		}
		if rows[i].Why == "missing" {
			rows[i].Why = "linked"
		}
		rows[i].Version, rows[i].Linked, rows[i].Hosts = "linked", dir, hosts[name]
	}
	return rows, nil
}
