package use

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
	"github.com/spf13/cobra"
)

type uninstallOptions struct {
	*app.App
	apply
	global bool
	args   []string
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
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

func (o *uninstallOptions) run(ctx context.Context) error {
	begun := o.Now()
	refs, err := typed.AllInstalled(o.App, o.args, o.global)
	if err != nil {
		return err
	}
	p, h, unlock, err := o.Guarded(o.global)
	if err != nil {
		return err
	}
	defer unlock()
	pl, err := newPlan(o.App, p, "")
	if err != nil {
		return err
	}
	want, _, err := pl.wanted()
	if err != nil {
		return err
	}
	all, _ := hub.ParseSpecs(pl.manifest.DevDependencies, pl.manifest.Dependencies) // which were just read
	_, local := workspace.Split(all)
	var unlink []hub.Name
	for _, r := range refs {
		if r.Given {
			return app.Usage("uninstall takes names without a version; %s has one", r.Name).WithHint("mcpm uninstall %s", r.Name)
		}
		if dir, ok := local[r.Name]; ok {
			unlink = append(unlink, r.Name)
			pl.edits = append(pl.edits, edit{name: r.Name, of: dir.Name})
			continue
		}
		if _, ok := want[r.Name]; !ok {
			if links, err := h.Links(p); err == nil && links[r.Name] != "" {
				return hub.Errorf(hub.Conflict, "%s is not installed here, but linked to %s", r.Name, links[r.Name]).WithHint("mcpm unlink%s %s", pl.scope(), r.Name)
			}
			return notInstalled(pl, r.Name)
		}
		pl.edits = append(pl.edits, edit{name: r.Name, of: want[r.Name].Name})
	}
	if err := pl.solve(ctx, nil, nil); err != nil {
		return err
	}
	if err := o.execute(ctx, o.App, pl); err != nil {
		return err
	}
	for _, n := range unlink {
		if o.dryRun {
			break
		}
		if _, err := h.Link(p, n, ""); err != nil {
			return err
		}
	}
	if err := o.report(o.App, pl, begun); err != nil || o.dryRun {
		return err
	}
	for _, r := range refs {
		o.KeptValues(pl.project, r.Name)
	}
	return nil
}

func notInstalled(pl *plan, name hub.Name) error {
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
	if pl.project.Global {
		return e.WithHint("mcpm list -g shows what is")
	}
	return e.WithHint("mcpm list shows what is, mcpm list -g what is installed for all projects")
}
