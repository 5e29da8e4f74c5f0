package kept

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/resolve"
)

// drift compares the mcp.json files that a verb acts for with the lockfile that answers them.
type drift struct {
	scope     *members.Scope
	lock      *install.Lockfile
	overrides map[hub.Name]string
	seen      map[hub.Name]bool
	issues    []hub.Issue
}

// driftOf says where the lockfile does not answer what is asked for.
func driftOf(scope *members.Scope, lock *install.Lockfile) []hub.Issue {
	d := &drift{scope: scope, lock: lock, seen: map[hub.Name]bool{}}
	d.overrides, _ = scope.Overrides()
	for _, part := range scope.On {
		d.visit(part, speaker(part), part.Manifest.Dependencies)
		d.visit(part, speaker(part), part.Manifest.DevDependencies)
	}
	for _, name := range lock.Names() {
		if !d.seen[name] {
			d.say("%s %s is locked, and nothing asks for it", name, lock.Servers[name].Version)
		}
	}
	d.askers()
	return d.issues
}

// speaker names a part whose mcp.json asks for something.
func speaker(p *members.Part) string {
	if p.Member == "" || p.Member == install.RootMember || p.String() == p.Member {
		return p.File()
	}
	return p.String() + " (" + p.File() + ")"
}

func (d *drift) say(format string, args ...any) {
	d.issues = append(d.issues, hub.Issue{Message: fmt.Sprintf(format, args...), Severity: hub.SeverityError})
}

// visit follows dependencies. part is whose mcp.json they stand in, nil for those of a locked server.
func (d *drift) visit(part *members.Part, from string, deps map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(deps)) {
		spec, err := hub.ParseSpec(key, deps[key])
		if err != nil {
			d.say("%s asks for %q, which is no server name", from, key)
			continue
		}
		if _, local := hub.LocalRange(spec.Range); local && part != nil {
			continue // a member of the workspace, which is not locked
		}
		name, rng := spec.ID(), spec.Range
		if o := d.overrides[name]; o != "" {
			rng = o
		}
		e := d.lock.Servers[name]
		if e == nil {
			d.say("%s asks for %s %s, which is not locked", from, name, rng)
			continue
		}
		if of := e.Of(name); of != spec.Name {
			d.say("%s asks for %s as %s, and %s is locked", from, spec.Name, name, of)
		}
		if r, err := resolve.ParseRange(rng); err != nil || r.Tag() == "" && !r.Fits(e.Version, nil) {
			d.say("%s asks for %s %s, and %s is locked", from, name, rng, e.Version)
		}
		if part != nil && part.Member != "" && !slices.Contains(e.Members, part.Member) {
			d.say("%s asks for %s, and the lockfile does not say so", from, name)
		}
		if !d.seen[name] {
			d.seen[name] = true
			d.visit(nil, name.String()+" "+e.Version, e.Dependencies)
		}
	}
}

// askers finds servers of which the lockfile says that a member asks for them, and it does not.
func (d *drift) askers() {
	for _, name := range d.lock.Names() {
		for _, member := range d.lock.Servers[name].Members {
			part := d.scope.Named(member)
			if part == nil {
				if d.scope.Whole() {
					d.say("%s is locked for %s, which is no member of the workspace", name, member)
				}
				continue
			}
			if others, _, err := part.Specs(); err == nil && slices.Contains(d.scope.On, part) {
				if _, ok := others[name]; !ok {
					d.say("%s is locked for %s, whose mcp.json does not ask for it", name, speaker(part))
				}
			}
		}
	}
}

// noStrays refuses members that have a lockfile of their own: which of the two counts, nobody could tell.
func noStrays(scope *members.Scope) error {
	var issues []hub.Issue
	for _, part := range scope.Strays() {
		issues = append(issues, hub.Issue{Message: part.Member + "/" + install.LockFile + " is of " + part.String() + " alone", Severity: hub.SeverityError})
	}
	if len(issues) == 0 {
		return nil
	}
	return app.No(hub.Errorf(hub.Conflict, "members have lockfiles of their own, and a workspace has one at its root").WithIssues(issues).
		WithHint("mcpm -C %s install folds them in and removes them; commit that", scope.Owner.Dir))
}
