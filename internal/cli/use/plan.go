package use

import (
	"context"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
	"github.com/mcphub/mcphub/internal/resolve"
)

// plan is what an install, update or uninstall is going to do. It is made without changing anything.
type plan struct {
	scope    *members.Scope
	owner    install.Project   // has the lockfile
	parts    []*part           // each mcp.json that is resolved; one, outside of a workspace
	on       []*part           // those of them the verb acts for, at least one
	lock     *install.Lockfile // as it is
	next     *install.Lockfile // as it will be
	provider *app.HubProvider
	solver   resolve.Solver
	solution resolve.Solution

	steps  []step          // servers that come or change, sorted by name
	remove []hub.Name      // servers that go
	beyond []beyond        // versions that mcp.json does not take
	hosts  []string        // the host applications that --host names
	strays []*members.Part // members that have a lockfile of their own
	folded map[hub.Name]bool
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

// newPlan reads what a verb acts for, and what is locked together with that.
func newPlan(a *app.App, scope *members.Scope, command string) (*plan, error) {
	lock, err := install.ReadLockfile(scope.Owner.Lock())
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
	pl := &plan{scope: scope, owner: scope.Owner, lock: lock, provider: &app.HubProvider{App: a, Lock: lock, Command: command}, folded: map[hub.Name]bool{}}
	for _, p := range scope.All {
		pt := &part{Part: p}
		pl.parts = append(pl.parts, pt)
		if slices.Contains(scope.On, p) {
			pl.on = append(pl.on, pt)
			warnManifest(a, p.Project, p.Text)
		}
	}
	var warnings []string
	pl.solver = resolve.Solver{Provider: pl.provider}
	pl.solver.Overrides, warnings = scope.Overrides()
	for _, w := range warnings {
		a.IO.Warnf("%s", app.Clean(w))
	}
	return pl, pl.foldIn()
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
	pl.provider.Shelf = o.verb == "install"
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

// solve chooses the versions. Servers in fresh forget what is locked. ask replaces ranges of the parts the plan acts for, see
// part.roots.
func (pl *plan) solve(ctx context.Context, fresh map[hub.Name]bool, ask map[*part]map[hub.Name]string) (err error) {
	if pl.solution, err = pl.resolve(ctx, fresh, ask); err != nil {
		return err
	}
	return pl.compare(ctx)
}

func (pl *plan) resolve(ctx context.Context, fresh map[hub.Name]bool, ask map[*part]map[hub.Name]string) (resolve.Solution, error) {
	var roots []resolve.Root
	names := map[hub.Name]hub.Name{}
	for _, pt := range pl.parts {
		if slices.Contains(pl.on, pt) {
			if err := pt.locals(pl.scope); err != nil {
				return nil, err
			}
		}
		of, err := pt.roots(ask[pt])
		if err != nil {
			return nil, err
		}
		for i, r := range of {
			if names[r.ID()] = r.Name; !slices.Contains(pl.on, pt) {
				of[i].Flag = pt.Where()
			}
		}
		roots = append(roots, of...)
	}
	// As if one mcp.json asked for all: which member does must not change what is chosen.
	slices.SortStableFunc(roots, func(a, b resolve.Root) int { return app.CompareNames(a.ID(), b.ID()) })
	locked := map[hub.Name]string{}
	for name, e := range pl.lock.Servers {
		of, ok := names[name]
		if !fresh[name] && pl.sameRegistry(e.Of(name), e) && (!ok || of == e.Of(name)) {
			locked[name] = e.Version
		}
	}
	if len(fresh) == 0 && pl.solver.Prefer == resolve.PreferLocked {
		if solution := pl.fromLock(roots, locked); solution != nil {
			return solution, nil
		}
	}
	return pl.solver.Resolve(ctx, roots, locked)
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
func (pl *plan) compare(ctx context.Context) error {
	h, err := pl.provider.Store()
	if err != nil {
		return err
	}
	asking, err := pl.asking()
	if err != nil {
		return err
	}
	want, err := pl.direct(pl.parts)
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
			kept.Dev, kept.Members = c.Dev, asking[id]
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
				WithHint("if mcpm-lock.json was edited, restore it from version control; if not, tell the operator of %s, for a published version never changes", f.Registry)
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
		e.Members = asking[id]
		if e.Dev = c.Dev; c.Alias != "" {
			e.Name = c.Name.String()
		}
		e.Keep(old)
		pl.next.Servers[id] = e
		st := step{name: id, of: c.Name, version: c.Version, previous: old, new: f, notes: c.Notes}
		st.direct = slices.Contains(want, id)
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
		WithHint("if mcpm-lock.json was edited, restore it from version control; if not, tell the operator of the hub, for a published version never changes")
}

// direct returns the servers that some mcp.json name, in order.
func (pl *plan) direct(parts []*part) ([]hub.Name, error) {
	all := map[hub.Name]bool{}
	for _, pt := range parts {
		want, _, err := pt.wanted()
		if err != nil {
			return nil, err
		}
		for id := range want {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// lockEntry writes down what a fetched version is.
func lockEntry(f *app.Fetched) *install.Locked {
	e := &install.Locked{
		Version: f.Detail.Version.Version, Registry: f.Registry, Manifest: f.Detail.ManifestDigest,
		Permissions: f.Manifest.Permissions, Tools: capability.Fingerprint(manifest.CapabilitiesOf(f.Manifest)),
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
