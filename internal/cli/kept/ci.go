// Package kept is the commands about what is locked and what is kept on this machine: ci and cache.
package kept

import (
	"context"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type ciOptions struct {
	*app.App
	global  bool
	members members.Picked
	silent  map[string]bool // hubs that did not answer
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
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "what is installed for all projects")
	return c
}

func (o *ciOptions) run(ctx context.Context) error {
	scope, err := o.members.Scope(o.App, o.global, members.Whole)
	if err != nil {
		return err
	}
	if scope.All[0].Text == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s or above it", scope.Owner.Dir).WithHint("go to a project that has one; mcpm install NAME makes one")
	}
	if err := noStrays(scope); err != nil {
		return err
	}
	lock, err := scope.Lock()
	if err != nil {
		return err
	}
	local, err := locals(scope)
	if err != nil {
		return err
	}
	if drift := driftOf(scope, lock); len(drift) > 0 {
		return app.No(hub.Errorf(hub.Conflict, "mcpm-lock.json does not answer mcp.json").WithIssues(drift).
			WithHint("run mcpm install and commit the lockfile"))
	}
	names := lock.Names()
	for _, name := range names {
		if err := o.check(ctx, scope.Owner, name, lock.Servers[name]); err != nil {
			return err
		}
	}
	for i, part := range scope.On {
		if _, err := members.Link(o.App, part.Project, local[i]); err != nil {
			return err
		}
	}
	if err := o.remember(scope.Owner); err != nil {
		return err
	}
	if o.JSON {
		answer := map[string]any{"servers": len(names), "inStep": true}
		if !scope.Alone() {
			var who []string
			for _, part := range scope.On {
				who = append(who, part.Member)
			}
			answer["members"] = who
		}
		app.PrintJSON(o.IO, answer)
		return nil
	}
	of := ""
	if scope.Whole() {
		of = " for the " + app.Plural(len(scope.All)-1, "member") + " of the workspace"
	}
	o.IO.Notef("%s installed as locked%s, every byte compared.\n", app.Plural(len(names), "server"), of)
	return nil
}

// locals finds the members of the workspace that each mcp.json asks for; one that is gone or no longer fits is drift.
func locals(scope *members.Scope) ([]map[hub.Name]string, error) {
	var out []map[hub.Name]string
	for _, part := range scope.On {
		_, local, _ := part.Specs() // what is none is drift
		dirs, err := scope.Locals(local)
		if k := hub.KindOf(err); k == hub.Conflict || k == hub.NotFound {
			return nil, app.No(err)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, dirs)
	}
	return out, nil
}

func (o *ciOptions) remember(p install.Project) error {
	h, err := o.Store()
	if err != nil {
		return err
	}
	return h.Remember(p)
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
	if in.Manifest, err = h.Manifest(e.Manifest); err == nil {
		err = app.ToolsLocked(in.Manifest, e)
	}
	if err != nil {
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
				WithHint("if mcpm-lock.json was edited, restore it from version control; if not, tell the operator of %s, for a published version never changes", f.Registry)
		}
	}
	return h.SaveManifest(f.Detail.ManifestDigest, f.Canonical)
}
