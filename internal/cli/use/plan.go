package use

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
	"github.com/mcphub/mcphub/internal/resolve"
)

// plan is what an install, update or uninstall is going to do. It is made without changing anything.
type plan struct {
	project  install.Project
	text     []byte // mcp.json as it is, nil when there is none
	manifest *manifest.Manifest
	lock     *install.Lockfile // as it is
	next     *install.Lockfile // as it will be
	provider *app.HubProvider
	solver   resolve.Solver
	solution resolve.Solution

	edits  []edit              // of mcp.json
	steps  []step              // servers that come or change, sorted by name
	remove []hub.Name          // servers that go
	beyond []beyond            // versions that mcp.json does not take
	local  map[hub.Name]string // the directories of members of the workspace that stand for servers
	hosts  []string            // the host applications that --host names
}

// edit sets or removes one dependency in mcp.json.
type edit struct {
	name hub.Name // in the project
	of   hub.Name // the server, which an alias stands for; the same as name for others
	rng  string   // "" removes it
	dev  bool
}

func (e edit) spec() hub.Spec {
	s := hub.Spec{Name: e.of, Range: e.rng}
	if e.name != e.of {
		s.Alias = string(e.name)
	}
	return s
}

// step is one server that is new or changes its version.
type step struct {
	name     hub.Name // in the project
	of       hub.Name // the server
	version  string
	previous *install.Locked // nil when it is new
	old      *manifest.Manifest
	new      *app.Fetched
	direct   bool
	notes    []string // of the solver: what could not be checked
}

// newPlan reads a project's files.
func newPlan(a *app.App, p install.Project, command string) (*plan, error) {
	m, text, err := app.ReadManifest(p)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = &manifest.Manifest{}
	}
	warnManifest(a, p, text)
	lock, err := install.ReadLockfile(p.Lock())
	if err != nil {
		return nil, err
	}
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	if !s.Analytics {
		command = ""
	}
	pl := &plan{project: p, text: text, manifest: m, lock: lock, provider: &app.HubProvider{App: a, Lock: lock, Command: command}}
	pl.solver = resolve.Solver{Provider: pl.provider, Overrides: map[hub.Name]string{}}
	for k, v := range m.Overrides {
		if n, err := hub.ParseLocalName(k); err == nil {
			pl.solver.Overrides[n] = v
		}
	}
	return pl, nil
}

// warnManifest tells what mcp.json says that means nothing.
func warnManifest(a *app.App, p install.Project, text []byte) {
	if text == nil {
		return
	}
	_, issues, err := manifest.Parse(text)
	if err != nil {
		return // it was read a moment ago
	}
	for _, i := range issues {
		a.IO.Warnf("%s: %s", p.Manifest(), app.Clean(i.Message))
	}
}

// prepare tells the solver of this machine and of the flags.
func (o *apply) prepare(ctx context.Context, a *app.App, pl *plan) error {
	switch {
	case o.lowest:
		pl.solver.Prefer = resolve.PreferLowest
	case !o.locked:
		pl.solver.Prefer = resolve.PreferHighest
	}
	var err error
	pl.solver.Env, err = a.Environment(ctx, !o.noHosts)
	return err
}

// wanted returns what mcp.json asks for, after the edits.
func (pl *plan) wanted() (map[hub.Name]hub.Spec, map[hub.Name]bool, error) {
	want, err := hub.ParseSpecs(pl.manifest.DevDependencies, pl.manifest.Dependencies)
	if err != nil {
		return nil, nil, err
	}
	want, _ = workspace.Split(want)                    // members of the workspace are not chosen, see locals
	own, _ := hub.ParseSpecs(pl.manifest.Dependencies) // which was just read
	dev := map[hub.Name]bool{}
	for n := range want {
		_, direct := own[n]
		dev[n] = !direct
	}
	for _, e := range pl.edits {
		if e.rng == "" {
			delete(want, e.name)
			delete(dev, e.name)
		} else {
			want[e.name], dev[e.name] = e.spec(), e.dev
		}
	}
	return want, dev, nil
}

// solve chooses the versions. Servers in fresh forget what is locked. ask replaces the range of a server
// for this resolution: what was typed, where mcp.json will get a range made from the answer.
func (pl *plan) solve(ctx context.Context, fresh map[hub.Name]bool, ask map[hub.Name]string) error {
	want, dev, err := pl.wanted()
	if err != nil {
		return err
	}
	if err := pl.locals(); err != nil {
		return err
	}
	var roots []resolve.Root
	lines := app.DependencyLines(pl.text)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		r := resolve.Root{Name: want[name].Name, Alias: want[name].Alias, Range: want[name].Range, From: "your project", Dev: dev[name]}
		if n := lines[name]; n > 0 {
			r.Where = fmt.Sprintf("%s line %d", install.ManifestFile, n)
		}
		if rng, ok := ask[name]; ok {
			r.Range, r.From, r.Where = rng, "", ""
		}
		roots = append(roots, r)
	}
	locked := map[hub.Name]string{}
	for name, e := range pl.lock.Servers {
		w, ok := want[name]
		if !fresh[name] && pl.sameRegistry(e.Of(name), e) && (!ok || w.Name == e.Of(name)) {
			locked[name] = e.Version
		}
	}
	if len(fresh) == 0 && pl.solver.Prefer == resolve.PreferLocked {
		pl.solution = pl.fromLock(roots, locked)
	}
	if pl.solution == nil {
		if pl.solution, err = pl.solver.Resolve(ctx, roots, locked); err != nil {
			return err
		}
	}
	return pl.compare(ctx, want)
}

// locals finds the members of the workspace that mcp.json asks for.
func (pl *plan) locals() error {
	specs, err := hub.ParseSpecs(pl.manifest.DevDependencies, pl.manifest.Dependencies)
	if err != nil {
		return err
	}
	_, local := workspace.Split(specs)
	for _, e := range pl.edits { // which say otherwise
		delete(local, e.name)
	}
	pl.local, err = members.Locals(pl.provider.App, local)
	return err
}

// sameRegistry reports whether a locked server came from where it would be looked up now.
func (pl *plan) sameRegistry(name hub.Name, e *install.Locked) bool {
	s, err := pl.provider.Settings()
	return err != nil || s.RegistryFor(name) == e.Registry || s.Scopes[name.Scope()] == ""
}

// fromLock returns the locked versions when they answer all roots, so that nothing is asked of the hub;
// nil when they do not.
func (pl *plan) fromLock(roots []resolve.Root, locked map[hub.Name]string) resolve.Solution {
	seen := map[hub.Name]bool{}
	var out resolve.Solution
	var visit func(spec hub.Spec) bool
	visit = func(spec hub.Spec) bool {
		name, rng := spec.ID(), pl.ranged(spec.ID(), spec.Range)
		e := pl.lock.Servers[name]
		if e == nil || locked[name] == "" || e.Of(name) != spec.Name {
			return false
		}
		r, err := resolve.ParseRange(rng)
		if err != nil || (r.Tag() == "" && !r.Fits(e.Version, nil)) {
			return false
		}
		if seen[name] {
			return true
		}
		seen[name] = true
		c := resolve.Choice{Name: spec.Name, Alias: spec.Alias, Version: e.Version, Kept: true, Dependencies: map[hub.Name]string{}}
		deps, err := hub.ParseSpecs(e.Dependencies)
		if err != nil {
			return false
		}
		for n, dep := range deps {
			c.Dependencies[n] = dep.Value()
			if !visit(dep) {
				return false
			}
		}
		out = append(out, c)
		return true
	}
	for _, r := range roots {
		if !visit(hub.Spec{Alias: r.Alias, Name: r.Name, Range: r.Range}) {
			return nil
		}
	}
	slices.SortFunc(out, func(a, b resolve.Choice) int { return app.CompareNames(a.ID(), b.ID()) })
	if out == nil {
		out = resolve.Solution{}
	}
	out.MarkDev(roots)
	return out
}

// ranged returns the range that counts for a server: overrides replace every other.
func (pl *plan) ranged(name hub.Name, rng string) string {
	if o := pl.solver.Overrides[name]; o != "" {
		return o
	}
	return rng
}

// compare makes the next lockfile and the steps from the solution.
func (pl *plan) compare(ctx context.Context, want map[hub.Name]hub.Spec) error {
	h, err := pl.provider.Store()
	if err != nil {
		return err
	}
	pl.next = pl.lock.Derive()
	for _, c := range pl.solution {
		id := c.ID()
		old := pl.lock.Servers[id]
		if old != nil && old.Of(id) != c.Name { // the alias stood for another server
			old = nil
		}
		lacking := ""
		if old != nil && old.Version == c.Version {
			lacking = h.Lacking(old, app.Platform)
		}
		if old != nil && old.Version == c.Version && lacking == "" {
			kept := *old
			kept.Dev = c.Dev
			pl.next.Servers[id] = &kept
			continue
		}
		if lacking != "" && pl.provider.Offline {
			return app.Lost(id, c.Version, lacking)
		}
		f, err := pl.provider.Fetch(ctx, c.Name, c.Version)
		if err != nil {
			return err
		}
		if old != nil && old.Version == c.Version && old.Manifest != f.Detail.ManifestDigest {
			return hub.Errorf(hub.Integrity, "%s %s on the hub is not the one that was locked", c.Name, c.Version).
				WithIssues([]hub.Issue{{Message: "locked    " + old.Manifest}, {Message: "hub       " + f.Detail.ManifestDigest}}).
				WithHint("a published version never changes: tell the operator of %s", f.Registry)
		}
		if err := pl.provider.StartableIn(f.Manifest); err != nil {
			return named(err, step{name: id, of: c.Name, version: c.Version})
		}
		e := lockEntry(f)
		if old != nil && old.Version == c.Version {
			if err := sameArtifacts(c.Name, old, e); err != nil {
				return err
			}
		}
		if e.Dev = c.Dev; c.Alias != "" {
			e.Name = c.Name.String()
		}
		e.Keep(old)
		pl.next.Servers[id] = e
		st := step{name: id, of: c.Name, version: c.Version, previous: old, new: f, notes: c.Notes}
		_, st.direct = want[id]
		if old != nil {
			st.old, _ = h.Manifest(old.Manifest) // only for showing what changes
		}
		pl.steps = append(pl.steps, st)
	}
	for _, name := range pl.lock.Names() {
		if pl.next.Servers[name] == nil {
			pl.remove = append(pl.remove, name)
		}
	}
	return nil
}

// sameArtifacts refuses bytes that differ from the locked ones of the same version.
func sameArtifacts(name hub.Name, old, e *install.Locked) error {
	a, b := old.Bundle(), e.Bundle()
	if (a == nil) == (b == nil) && (a == nil || a.Integrity == b.Integrity) {
		return nil
	}
	var was, is string
	if a != nil {
		was = a.Integrity
	}
	if b != nil {
		is = b.Integrity
	}
	return hub.Errorf(hub.Integrity, "the bundle of %s %s on the hub is not the one that was locked", name, old.Version).
		WithIssues([]hub.Issue{{Message: "locked    " + was}, {Message: "hub       " + is}}).
		WithHint("a published version never changes: tell the operator of the hub")
}

// direct returns the servers that mcp.json names: those the host applications get.
func (pl *plan) direct() ([]hub.Name, error) {
	want, _, err := pl.wanted()
	return slices.Sorted(maps.Keys(want)), err
}

// lockEntry writes down what a fetched version is.
func lockEntry(f *app.Fetched) *install.Locked {
	e := &install.Locked{
		Version: f.Detail.Version.Version, Registry: f.Registry, Manifest: f.Detail.ManifestDigest,
		Permissions: f.Manifest.Permissions, Tools: install.Fingerprint(manifest.CapabilitiesOf(f.Manifest)),
		Dependencies: f.Manifest.Dependencies,
	}
	if b := f.Detail.Bundle; b != nil {
		e.Artifacts = append(e.Artifacts, install.Artifact{Type: "bundle", Integrity: b.Integrity, Size: b.Size})
	}
	seen := map[install.Artifact]bool{}
	add := func(a install.Artifact) {
		if !seen[a] {
			seen[a] = true
			e.Artifacts = append(e.Artifacts, a)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.Manifest.Servers)) {
		spec := f.Manifest.Servers[key]
		if p, ok := f.Manifest.PackageOf(spec); ok {
			a := install.Artifact{Type: p.RegistryType, Identifier: p.Identifier, Version: p.Version}
			if p.FileSHA256 != "" {
				a.Integrity = "sha256:" + p.FileSHA256
			}
			add(a)
		}
		switch {
		case spec.Remote != nil:
			add(install.Artifact{Type: "remote", Identifier: spec.Remote.URL})
		case spec.URL != "":
			add(install.Artifact{Type: "remote", Identifier: spec.URL})
		}
	}
	return e
}
