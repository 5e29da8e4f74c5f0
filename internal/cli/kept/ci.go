// Package kept is the commands about what is locked and what is kept on this machine: ci and cache.
package kept

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
	"github.com/spf13/cobra"
)

type ciOptions struct {
	*app.App
	global bool
	silent map[string]bool // hubs that did not answer
}

// NewCI makes the command ci.
func NewCI(a *app.App) *cobra.Command {
	o := &ciOptions{App: a}
	c := &cobra.Command{
		Use:   "ci",
		Short: "Install exactly what is locked, or fail",
		Long: "Ci installs what mcpm-lock.json says and changes neither it nor mcp.json nor a host application. It fails\n" +
			"when the lockfile does not answer mcp.json, when the hub has something else than was locked, and when a\n" +
			"single byte of what is kept differs: every file is read. A hub that does not answer is done without where all of a\n" +
			"server is kept on this machine already; with --offline no hub is asked.",
		Example: "  mcpm ci\n  mcpm ci --offline\n  mcpm -C services/assistant ci --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "what is installed for all projects")
	return c
}

func (o *ciOptions) run(ctx context.Context) error {
	p, err := o.Project(o.global)
	if err != nil {
		return err
	}
	m, _, err := app.ReadManifest(p)
	if err != nil {
		return err
	}
	if m == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s or above it", p.Dir).WithHint("go to a project that has one; mcpm install NAME makes one")
	}
	lock, err := install.ReadLockfile(p.Lock())
	if err != nil {
		return err
	}
	local, err := o.locals(m)
	if err != nil {
		return err
	}
	if drift := driftOf(m, lock); len(drift) > 0 {
		return app.No(hub.Errorf(hub.Conflict, "mcpm-lock.json does not answer mcp.json").WithIssues(drift).
			WithHint("run mcpm install and commit the lockfile"))
	}
	names := lock.Names()
	for _, name := range names {
		if err := o.check(ctx, p, name, lock.Servers[name]); err != nil {
			return err
		}
	}
	if _, err := members.Link(o.App, p, local); err != nil {
		return err
	}
	if err := o.remember(p); err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"servers": len(names), "inStep": true})
		return nil
	}
	o.IO.Notef("%s installed as locked, every byte compared.\n", app.Plural(len(names), "server"))
	return nil
}

// locals finds the members of the workspace that mcp.json asks for; one that is gone or no longer fits is drift.
func (o *ciOptions) locals(m *manifest.Manifest) (map[hub.Name]string, error) {
	specs, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none is drift
	_, local := workspace.Split(specs)
	dirs, err := members.Locals(o.App, local)
	if k := hub.KindOf(err); k == hub.Conflict || k == hub.NotFound {
		return nil, app.No(err)
	}
	return dirs, err
}

func (o *ciOptions) remember(p install.Project) error {
	h, err := o.Store()
	if err != nil {
		return err
	}
	return h.Remember(p)
}

// driftOf says where the lockfile does not answer mcp.json.
func driftOf(m *manifest.Manifest, lock *install.Lockfile) []hub.Issue {
	var out []hub.Issue
	say := func(format string, args ...any) {
		out = append(out, hub.Issue{Message: fmt.Sprintf(format, args...), Severity: hub.SeverityError})
	}
	overrides := map[hub.Name]string{}
	for k, v := range m.Overrides {
		if n, err := hub.ParseLocalName(k); err == nil {
			overrides[n] = v
		}
	}
	seen := map[hub.Name]bool{}
	var visit func(from string, deps map[string]string)
	visit = func(from string, deps map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(deps)) {
			spec, err := hub.ParseSpec(key, deps[key])
			if err != nil {
				say("%s asks for %q, which is no server name", from, key)
				continue
			}
			if _, local := hub.LocalRange(spec.Range); local && from == install.ManifestFile {
				continue // a member of the workspace, which is not locked
			}
			name, rng := spec.ID(), spec.Range
			if o := overrides[name]; o != "" {
				rng = o
			}
			e := lock.Servers[name]
			if e == nil {
				say("%s asks for %s %s, which is not locked", from, name, rng)
				continue
			}
			if of := e.Of(name); of != spec.Name {
				say("%s asks for %s as %s, and %s is locked", from, spec.Name, name, of)
			}
			if r, err := resolve.ParseRange(rng); err != nil || r.Tag() == "" && !r.Fits(e.Version, nil) {
				say("%s asks for %s %s, and %s is locked", from, name, rng, e.Version)
			}
			if !seen[name] {
				seen[name] = true
				visit(name.String()+" "+e.Version, e.Dependencies)
			}
		}
	}
	visit("mcp.json", m.Dependencies)
	visit("mcp.json", m.DevDependencies)
	for _, name := range lock.Names() {
		if !seen[name] {
			say("%s %s is locked, and nothing asks for it", name, lock.Servers[name].Version)
		}
	}
	return out
}

// check brings one server into the store and compares all of it with the lockfile, and that with the hub.
func (o *ciOptions) check(ctx context.Context, p install.Project, name hub.Name, e *install.Locked) error {
	in := &app.Installed{Name: name, Project: p, Locked: e}
	h, err := o.Store()
	if err != nil {
		return err
	}
	if err := o.ask(ctx, h, name, e); err != nil {
		return err
	}
	if in.Manifest, err = h.Manifest(e.Manifest); err != nil {
		return in.Wrap(err)
	}
	if b := e.Bundle(); b != nil {
		if !h.HasBundle(*b) {
			if err := o.FetchBundle(ctx, h, e.Of(name), e.Version, *b); err != nil {
				return in.Wrap(err)
			}
		}
		if _, _, err := h.OpenBundle(*b); err != nil {
			return in.Wrap(err)
		}
	}
	copied := *e // what is fetched is noted in it, and the lockfile stays as it is
	copied.Artifacts = slices.Clone(e.Artifacts)
	if err := o.FetchTrees(ctx, &copied); err != nil {
		return in.Wrap(err)
	}
	return in.Wrap(o.VerifyTrees(&copied))
}

// ask compares a server with the hub, if that is asked and answers: the lockfile alone says what is right, and a hub that is
// away must not stop a build that needs nothing of it.
func (o *ciOptions) ask(ctx context.Context, h install.Home, name hub.Name, e *install.Locked) error {
	lacking := h.Lacking(e, app.Platform)
	if o.Offline {
		if lacking != "" && e.Bundle() != nil && !h.HasBundle(*e.Bundle()) {
			return app.Lost(name, e.Version, lacking)
		}
		return nil
	}
	c, err := o.ClientFor(e.Of(name))
	if err != nil {
		return err
	}
	if o.silent[c.Base()] && lacking == "" {
		return nil
	}
	err = o.compareHub(ctx, h, e.Of(name), e)
	if hub.KindOf(err) != hub.Unavailable || lacking != "" {
		return err
	}
	if o.silent == nil {
		o.silent = map[string]bool{}
	}
	o.silent[c.Base()] = true
	o.IO.Debugf("mcpm: %v; all of %s %s is kept here\n", err, name, e.Version)
	return nil
}

// compareHub asks the hub for a locked version and keeps its manifest.
func (o *ciOptions) compareHub(ctx context.Context, h install.Home, name hub.Name, e *install.Locked) error {
	f, err := (&app.HubProvider{App: o.App}).Fetch(ctx, name, e.Version)
	if err != nil {
		return err
	}
	bundle := ""
	if f.Detail.Bundle != nil {
		bundle = f.Detail.Bundle.Integrity
	}
	locked := ""
	if b := e.Bundle(); b != nil {
		locked = b.Integrity
	}
	for _, x := range []struct{ what, locked, hub string }{{"manifest", e.Manifest, f.Detail.ManifestDigest}, {"bundle", locked, bundle}} {
		if x.locked != x.hub {
			return hub.Errorf(hub.Integrity, "the %s of %s %s on the hub is not the one that was locked", x.what, name, e.Version).
				WithIssues([]hub.Issue{{Message: "locked    " + x.locked}, {Message: "hub       " + x.hub}}).
				WithHint("a published version never changes: tell the operator of %s", f.Registry)
		}
	}
	return h.SaveManifest(f.Detail.ManifestDigest, f.Canonical)
}
