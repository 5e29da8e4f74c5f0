package use

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type uninstallOptions struct {
	*app.App
	apply
	members members.Picked
	global  bool
	args    []string
}

func NewUninstall(a *app.App) *cobra.Command {
	o := &uninstallOptions{App: a, apply: apply{verb: "uninstall"}}
	c := &cobra.Command{
		Use: "uninstall NAME...", Aliases: []string{"rm", "remove", "un"},
		Short:   "Remove servers, and take them out of your AI applications",
		Long:    "Uninstall removes servers from mcp.json and mcpm-lock.json and gives back the host applications' files\nas they were. Values you configured stay; mcpm config NAME --unset KEY removes them.",
		Example: "  mcpm uninstall @acme/postgres\n  mcpm uninstall -g @acme/postgres @acme/tickets",
		Args:    app.Args(1, -1, "the names of servers"),
		RunE:    func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	o.flags(c)
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

func (o *uninstallOptions) run(ctx context.Context) error {
	begun := o.Now()
	refs, err := typed.AllInstalled(o.App, o.args, o.global)
	if err != nil {
		return err
	}
	_, h, unlock, err := o.Guarded(o.global)
	if err != nil {
		return err
	}
	defer unlock()
	scope, err := o.members.Scope(o.App, o.global, members.RootOnly)
	if err != nil {
		return err
	}
	pl, err := newPlan(o.App, scope, "")
	if err != nil {
		return err
	}
	for _, r := range refs {
		if r.Given {
			return app.Usage("uninstall takes names without a version; %s has one", r.Name).WithHint("mcpm uninstall %s", r.Name)
		}
		if err := pl.takeOut(h, r.Name); err != nil {
			return err
		}
	}
	if err := pl.solve(ctx, nil, nil); err != nil {
		return err
	}
	if err := o.execute(ctx, o.App, pl); err != nil {
		return err
	}
	if err := pl.unlink(h, o.dryRun); err != nil {
		return err
	}
	if err := o.report(o.App, pl, begun); err != nil || o.dryRun {
		return err
	}
	for _, pt := range pl.on {
		for _, e := range pt.edits {
			o.KeptValues(pt.Project, e.name)
		}
	}
	return nil
}

// takeOut plans to remove a server from each mcp.json the verb acts for that asks for it; at least one has to.
func (pl *plan) takeOut(h install.Home, name hub.Name) error {
	found := false
	for _, pt := range pl.on {
		want, _, err := pt.wanted()
		if err != nil {
			return err
		}
		_, local, err := pt.Specs()
		if err != nil {
			return err
		}
		spec, ok := want[name]
		if member, is := local[name]; is {
			spec, ok = member, true
		}
		if ok {
			pt.edits = append(pt.edits, edit{name: name, of: spec.Name})
			found = true
			continue
		}
		if links, err := h.Links(pt.Project); err == nil && links[name] != "" {
			return hub.Errorf(hub.Conflict, "%s is not installed here, but linked to %s", name, links[name]).WithHint("mcpm unlink%s %s", pl.flag(), name)
		}
	}
	if found {
		return nil
	}
	return notInstalled(pl, "uninstall", name)
}

// unlink ends the links of members that were taken out.
func (pl *plan) unlink(h install.Home, dryRun bool) error {
	for _, pt := range pl.on {
		_, local, err := pt.Specs()
		if err != nil || dryRun {
			return err
		}
		for _, e := range pt.edits {
			if _, ok := local[e.name]; !ok {
				continue
			}
			if _, err := h.Link(pt.Project, e.name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func notInstalled(pl *plan, verb string, name hub.Name) error {
	if others := pl.others(name); len(others) > 0 {
		return hub.Errorf(hub.Conflict, "%s does not ask for %s; %s does", pl.on[0], name, others[0]).WithHint("mcpm %s%s %s", verb, others[0].Where(), name)
	}
	if pl.lock.Servers[name] != nil {
		var by []string
		for n, e := range pl.lock.Servers {
			deps, _ := hub.ParseSpecs(e.Dependencies) // what is none cannot be locked
			if _, ok := deps[name]; ok {
				by = append(by, n.String())
			}
		}
		return hub.Errorf(hub.Conflict, "%s is not in mcp.json; it is here because %s needs it", name, app.AndList(by))
	}
	if name.IsAlias() && app.Closest(pl.lock, name) == "" {
		return app.NoScope(string(name))
	}
	e := hub.Errorf(hub.NotFound, "%s is not installed here", name)
	if near := app.Closest(pl.lock, name); near != "" {
		return e.WithHint("did you mean %s?", near)
	}
	if pl.owner.Global {
		return e.WithHint("mcpm list -g shows what is")
	}
	return e.WithHint("mcpm list shows what is, mcpm list -g what is installed for all projects")
}
