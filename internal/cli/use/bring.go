package use

import (
	"context"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// Bring installs servers for another verb: it asks as install does, writes mcp.json and the lockfile, and
// returns the versions by name. Host applications are the caller's.
func Bring(ctx context.Context, a *app.App, p install.Project, refs []app.Ref, yes, dryRun bool) (map[hub.Name]string, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	unlock, err := h.Guard(p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	command := "install"
	if dryRun {
		command = ""
	}
	scope, err := new(members.Picked).Scope(a, p.Global, members.RootOnly)
	if err != nil {
		return nil, err
	}
	pl, err := newPlan(a, scope, command)
	if err != nil {
		return nil, err
	}
	o := &apply{verb: "migrate", yes: yes, dryRun: dryRun, locked: true}
	if err := o.prepare(ctx, a, pl); err != nil {
		return nil, err
	}
	on := pl.on[0]
	fresh, ask := map[hub.Name]bool{}, map[hub.Name]string{}
	for _, r := range refs {
		fresh[r.Name], ask[r.Name] = true, r.Rng.String()
		on.edits = append(on.edits, edit{name: r.Name, of: r.Name, rng: r.Rng.String()})
	}
	if err := pl.solve(ctx, fresh, map[*part]map[hub.Name]string{on: ask}); err != nil {
		return nil, err
	}
	out := map[hub.Name]string{}
	for i, r := range refs {
		c, _ := pl.solution.Find(r.Name)
		on.edits[i].rng, out[r.Name] = r.Rng.Save(c.Version), c.Version
	}
	return out, o.execute(ctx, a, pl)
}

// Kept returns the values that mcpm config has for a server, secrets among them.
func Kept(ctx context.Context, a *app.App, p install.Project, name hub.Name) (map[string]string, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	stored, err := h.Values(p, name)
	if err != nil {
		return nil, err
	}
	return a.Reveal(ctx, p, name, stored)
}

// Keep stores values for an installed server where mcpm config keeps them: as a secret what it declares to be one, and
// what looks like one to secret.
func Keep(ctx context.Context, a *app.App, p install.Project, name hub.Name, values map[string]string, secret func(name, value string) bool) error {
	if len(values) == 0 {
		return nil
	}
	in, err := a.Find(name, p.Global)
	if err != nil {
		return err
	}
	_, inputs, err := a.Inputs(p, in.Manifest, "")
	if err != nil {
		return err
	}
	var secrets []string
	for k, v := range values {
		declared := slices.ContainsFunc(inputs, func(i app.Input) bool { return i.Name == k && i.Secret })
		if declared || secret(k, v) {
			secrets = append(secrets, k)
		}
	}
	done, err := a.StoreValues(ctx, p, name, values, secrets, nil)
	if err != nil {
		return err
	}
	if done.Left != nil {
		a.IO.Warnf("what was there before is still there: %v", done.Left)
	}
	a.TellPlaces(done)
	return nil
}
