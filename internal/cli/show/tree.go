package show

import (
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// branch is one server in mcpm list --tree.
type branch struct {
	Name         string   `json:"name"`
	Server       string   `json:"server,omitempty"` // which the name, an alias, stands for
	Version      string   `json:"version,omitempty"`
	Range        string   `json:"range,omitempty"` // by which the one above it asks, or mcp.json
	Dev          bool     `json:"dev,omitempty"`
	Missing      bool     `json:"missing,omitempty"`  // asked for, and not locked
	Unneeded     bool     `json:"unneeded,omitempty"` // locked, and nothing asks for it any more
	Again        bool     `json:"again,omitempty"`    // shown before, with what it needs
	Linked       string   `json:"linked,omitempty"`   // the working copy that runs in its place
	Member       string   `json:"member,omitempty"`   // of a workspace, that asks for it: its directory
	Dependencies []branch `json:"dependencies"`
}

// tree returns what mcp.json asks for with all that follows from it, and then what nothing asks for. Every server is
// expanded once, where it is first, so that neither a circle nor a much needed server makes it longer than the lockfile.
func (v *view) tree() []branch {
	shown := map[hub.Name]bool{}
	var grow func(name hub.Name, rng string) branch
	grow = func(name hub.Name, rng string) branch {
		b := branch{Name: name.String(), Server: v.alias(name), Range: rng, Again: shown[name], Dependencies: []branch{}}
		e := v.lock.Servers[name]
		if e == nil {
			b.Missing, b.Again = true, false
			return b
		}
		b.Version = e.Version
		if shown[name] {
			return b
		}
		shown[name] = true
		for _, n := range v.needs(name) {
			b.Dependencies = append(b.Dependencies, grow(n.name, n.rng))
		}
		return b
	}
	roots := []branch{}
	for _, name := range slices.SortedFunc(maps.Keys(v.direct), app.CompareNames) {
		b := grow(name, v.direct[name].rng)
		b.Dev = v.direct[name].dev
		roots = append(roots, b)
	}
	needed := v.reached()
	for _, name := range slices.SortedFunc(slices.Values(v.lock.Names()), app.CompareNames) {
		if !needed[name] && !shown[name] {
			b := grow(name, "")
			b.Unneeded = true
			roots = append(roots, b)
		}
	}
	return roots
}

func (o *listOptions) showTree(v *view) error {
	views, err := v.each()
	if err != nil {
		return err
	}
	all, indent := []branch{}, ""
	if len(views) > 1 {
		indent = "  "
	}
	for _, one := range views {
		roots, err := o.withLinks(one)
		if err != nil {
			return err
		}
		part := one.scope.Named(one.member())
		if len(views) > 1 && !o.JSON && (len(roots) > 0 || part.Member != install.RootMember) {
			o.IO.Printf("%s\n", o.heading(part, len(roots)))
		}
		for i := range roots {
			roots[i].Member = one.member()
			if !o.JSON {
				o.grow(roots[i], indent, indent)
			}
		}
		all = append(all, roots...)
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"project": v.Dir, "global": v.Global, "servers": all})
		return nil
	}
	o.count(v, len(v.names()), missingFrom(v))
	return nil
}

// withLinks is the tree of a view with its working copies.
func (o *listOptions) withLinks(v *view) ([]branch, error) {
	roots := v.tree()
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	rows, err := linked(h, v.Project, nil, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		i := slices.IndexFunc(roots, func(b branch) bool { return b.Name == r.Name.String() })
		if i < 0 {
			i, roots = len(roots), append(roots, branch{Name: r.Name.String(), Dependencies: []branch{}})
		}
		roots[i].Linked, roots[i].Missing = r.Linked, false
		if !o.JSON {
			roots[i].Linked = o.place(r.Linked)
		}
	}
	return roots, nil
}

// grow prints a branch: first goes before its own line, rest before those below it. A pipe gets the same lines, so
// that what reads them need not know where they went.
func (o *listOptions) grow(b branch, first, rest string) {
	note := strings.TrimSpace(b.Range + " " + b.standing())
	if b.Unneeded {
		note = b.standing()
	}
	name, version := b.Name+app.Join(" -> ", b.Server), app.Clean(app.Join(" ", b.Version))
	note = app.Clean(app.Join("   ", note))
	if w := o.IO.Width; w > 0 && ansi.StringWidth(first+name+version+note) > w {
		note = app.Join("   ", b.standing()) // the range is in mcp.json
	}
	o.IO.Printf("%s%s%s%s\n", o.IO.Dim(first), o.IO.Accent(name), version, o.IO.Dim(note))
	for i, d := range b.Dependencies {
		if i == len(b.Dependencies)-1 {
			o.grow(d, rest+"└── ", rest+"    ")
		} else {
			o.grow(d, rest+"├── ", rest+"│   ")
		}
	}
}

// standing is what else there is to say of a branch than its range.
func (b *branch) standing() string {
	switch {
	case b.Linked != "":
		return "is " + b.Linked
	case b.Missing:
		return "not installed"
	case b.Unneeded:
		return "not needed any more"
	case b.Again:
		return "(above)"
	case b.Dev:
		return "dev"
	}
	return ""
}

// missingFrom counts the servers that mcp.json asks for and that are not locked.
func missingFrom(v *view) int {
	n := 0
	for name := range v.direct {
		if v.lock.Servers[name] == nil {
			n++
		}
	}
	return n
}
