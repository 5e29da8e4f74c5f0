package use

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type updateOptions struct {
	*app.App
	apply
	global bool
	args   []string
}

func NewUpdate(a *app.App) *cobra.Command {
	o := &updateOptions{App: a}
	c := &cobra.Command{
		Use: "update [NAME...]", Aliases: []string{"up", "upgrade"},
		Short: "Update servers within the ranges of mcp.json",
		Long: "Update takes the highest versions that mcp.json allows and shows what changes: tools added, removed or\n" +
			"described anew, and new permissions. To go beyond a range, install the version you want.",
		Example: "  mcpm update\n  mcpm update @acme/postgres --dry-run\n  mcpm install @acme/postgres@latest",
		RunE:    func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	o.flags(c)
	o.preferFlags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

func (o *updateOptions) run(ctx context.Context) error {
	begun := o.Now()
	refs, err := app.ParseRefs(o.args)
	if err != nil {
		return err
	}
	p, err := o.Project(o.global)
	if err != nil {
		return err
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	unlock, err := h.Guard(p)
	if err != nil {
		return err
	}
	defer unlock()
	pl, err := newPlan(o.App, p, "")
	if err != nil {
		return err
	}
	if err := o.prepare(ctx, o.App, pl); err != nil {
		return err
	}
	if pl.text == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s", p.Dir).WithHint("mcpm install NAME installs a server")
	}
	fresh := map[hub.Name]bool{}
	for _, r := range refs {
		if r.Given {
			return app.Usage("update takes names without a version; %s has one", r.Name).WithHint("mcpm install %s@%s", r.Name, r.Rng)
		}
		if pl.lock.Servers[r.Name] == nil {
			return notInstalled(pl, r.Name)
		}
		fresh[r.Name] = true
	}
	if len(refs) == 0 {
		for _, n := range pl.lock.Names() {
			fresh[n] = true
		}
	}
	if err := pl.solve(ctx, fresh, nil); err != nil {
		return err
	}
	if err := o.execute(ctx, o.App, pl); err != nil {
		return err
	}
	return o.report(o.App, pl, begun, "update")
}
