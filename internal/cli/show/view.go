// Package show is the verbs that look at what is installed and change nothing: list, why and outdated. They
// start from a view of the project: what mcp.json asks for, and what the lockfile holds.
package show

import (
	"maps"
	"os"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// view is what a verb looks at, as its files tell of it: a project, or some mcp.json files of a workspace and what is
// locked for them.
type view struct {
	install.Project
	scope     *members.Scope
	lock      *install.Lockfile
	direct    map[hub.Name]wish   // of several that ask for one server, the first
	wishes    map[hub.Name][]wish // all of them
	overrides map[hub.Name]string
	one       bool // of several that the verb looks at
}

// wish is what an mcp.json asks of one server.
type wish struct {
	of   hub.Name // the server, which an alias stands for
	rng  string
	dev  bool
	line int
	part *members.Part
}

// need is what one locked server asks of another.
type need struct {
	name hub.Name // in the project
	rng  string
}

func look(a *app.App, picked *members.Picked, global bool) (*view, error) {
	scope, err := picked.Scope(a, global, members.Whole)
	if err != nil {
		return nil, err
	}
	lock, err := scope.Lock()
	if err != nil {
		return nil, err
	}
	return viewOf(scope, scope.On, lock), nil
}

func viewOf(scope *members.Scope, on []*members.Part, lock *install.Lockfile) *view {
	v := &view{Project: on[0].Project, scope: scope, lock: lock, direct: map[hub.Name]wish{}, wishes: map[hub.Name][]wish{}}
	v.overrides, _ = scope.Overrides()
	for _, part := range on {
		lines := app.DependencyLines(part.Text)
		own := map[hub.Name]wish{}
		add := func(deps map[string]string, dev bool) {
			specs, _ := hub.ParseSpecs(deps)  // what is none is told by the verbs that change something
			specs, _ = workspace.Split(specs) // members are there as linked, and have no versions
			for n, s := range specs {
				own[n] = wish{s.Name, s.Range, dev, lines[n], part}
			}
		}
		add(part.Manifest.DevDependencies, true)
		add(part.Manifest.Dependencies, false) // which counts where both name a server
		for n, w := range own {
			if _, ok := v.direct[n]; !ok {
				v.direct[n] = w
			}
			v.wishes[n] = append(v.wishes[n], w)
		}
	}
	return v
}

// each returns a view of every mcp.json that the verb looks at.
func (v *view) each() ([]*view, error) {
	if len(v.scope.On) == 1 {
		return []*view{v}, nil
	}
	all, err := install.ReadLockfile(v.scope.Owner.Lock())
	if err != nil {
		return nil, err
	}
	var out []*view
	for _, part := range v.scope.On {
		lock := all.For(part.Member)
		if _, err := os.Stat(v.scope.Owner.Lock()); err != nil && part.Root != "" {
			if lock, err = install.ReadLock(part.Project); err != nil { // from before the workspace had one for all
				return nil, err
			}
		}
		one := viewOf(v.scope, []*members.Part{part}, lock)
		one.one = true
		out = append(out, one)
	}
	return out, nil
}

// member is the only part of a workspace that is looked at, "" where there are several or it is none.
func (v *view) member() string {
	for _, part := range v.scope.On {
		if part.Dir == v.Dir && (len(v.scope.On) == 1 || v.one) {
			return part.Member
		}
	}
	return ""
}

// askers are the members of a workspace whose mcp.json asks for a server, by directory and by name; none outside of one.
func (v *view) askers(name hub.Name) (dirs, names []string) {
	for _, w := range v.wishes[name] {
		if w.part.Member != "" {
			dirs, names = append(dirs, w.part.Member), append(names, w.part.String())
		}
	}
	return dirs, names
}

// needs returns what a locked server asks for, by name.
func (v *view) needs(name hub.Name) []need {
	var out []need
	if e := v.lock.Servers[name]; e != nil {
		specs, _ := hub.ParseSpecs(e.Dependencies) // what is none cannot be locked
		for n, s := range specs {
			out = append(out, need{n, s.Range})
		}
	}
	slices.SortFunc(out, func(a, b need) int { return app.CompareNames(a.name, b.name) })
	return out
}

// reached returns the servers that lead from mcp.json to others, and those others.
func (v *view) reached() map[hub.Name]bool {
	seen := map[hub.Name]bool{}
	todo := slices.Collect(maps.Keys(v.direct))
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, n := range v.needs(name) {
			todo = append(todo, n.name)
		}
	}
	return seen
}

// asked returns the ranges by which mcp.json files name a server, each once.
func (v *view) asked(name hub.Name) []string {
	var out []string
	for _, w := range v.wishes[name] {
		if !slices.Contains(out, w.rng) {
			out = append(out, w.rng)
		}
	}
	return out
}

// ranges returns what is asked of a server: by the override, which replaces all else; by mcp.json; or by the
// locked servers that need it.
func (v *view) ranges(name hub.Name) []string {
	if rng := v.overrides[name]; rng != "" {
		return []string{rng}
	}
	out := v.asked(name)
	if len(out) > 0 {
		return out
	}
	for _, by := range v.lock.Names() {
		for _, n := range v.needs(by) {
			if n.name == name && !slices.Contains(out, n.rng) {
				out = append(out, n.rng)
			}
		}
	}
	return out
}

// of returns the server that a name in the project stands for.
func (v *view) of(name hub.Name) hub.Name {
	if e := v.lock.Servers[name]; e != nil {
		return e.Of(name)
	}
	if w, ok := v.direct[name]; ok {
		return w.of
	}
	return name
}

// spell writes a name for people: an alias with what it stands for.
func (v *view) spell(name hub.Name) string {
	if of := v.of(name); of != name {
		return name.String() + " -> " + of.String()
	}
	return name.String()
}

// alias returns the server that an alias stands for, for JSON; "" of a server itself.
func (v *view) alias(name hub.Name) string {
	if of := v.of(name); of != name {
		return of.String()
	}
	return ""
}

// where names the project in the last line of an answer.
func (v *view) where() string {
	if v.Global {
		return "global"
	}
	if len(v.scope.On) > 1 {
		return v.scope.Owner.Dir
	}
	return v.Dir
}

// locked checks that an argument is the bare name of a locked server. verb is what was typed, for the hint.
func (v *view) locked(a *app.App, verb string, r app.Ref) error {
	if r.Given {
		return app.Usage("%s takes names without a version; %s has one", verb, r.Name).WithHint("mcpm %s %s", verb, r.Name)
	}
	if v.lock.Servers[r.Name] != nil {
		return nil
	}
	g := ""
	if v.Global {
		g = " -g"
	}
	if _, ok := v.direct[r.Name]; ok {
		return hub.Errorf(hub.NotFound, "%s is in mcp.json, but it is not locked", r.Name).WithHint("mcpm install%s locks it", g)
	}
	if r.Name.IsAlias() && app.Closest(v.lock, r.Name) == "" {
		return app.NoScope(string(r.Name))
	}
	e := hub.Errorf(hub.NotFound, "%s is not installed here", r.Name)
	if w, err := members.Find(a); err == nil && w != nil && !v.Global {
		for _, m := range w.Members {
			if m.Name == r.Name {
				return hub.Errorf(hub.NotFound, "%s is this workspace's own, in %s, and no member asks for it", r.Name, m.Dir).WithHint("mcpm list -w %s shows what it needs itself", m.Dir)
			}
		}
	}
	if near := app.Closest(v.lock, r.Name); near != "" {
		return e.WithHint("did you mean %s?", near)
	}
	if !v.Global {
		if all, err := look(a, new(members.Picked), true); err == nil && all.lock.Servers[r.Name] != nil {
			return e.WithHint("it is installed for all projects: mcpm %s -g %s", verb, r.Name)
		}
	}
	return e.WithHint("mcpm list%s shows what is", g)
}

// names returns every server that is locked or that mcp.json asks for.
func (v *view) names() []hub.Name {
	all := map[hub.Name]bool{}
	for n := range v.direct {
		all[n] = true
	}
	for n := range v.lock.Servers {
		all[n] = true
	}
	return slices.SortedFunc(maps.Keys(all), app.CompareNames)
}
