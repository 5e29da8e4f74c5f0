package use

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type updateOptions struct {
	*app.App
	apply
	members members.Picked
	global  bool
	latest  bool
	args    []string
}

func NewUpdate(a *app.App) *cobra.Command {
	o := &updateOptions{App: a, apply: apply{verb: "update"}}
	c := &cobra.Command{
		Use: "update [NAME...]", Aliases: []string{"up", "upgrade"},
		Short: "Update servers within the ranges of mcp.json",
		Long: "Update takes the highest versions that mcp.json allows and shows what changes: tools added, removed or\n" +
			"described anew, and new permissions. What is newer than a range takes is named. --latest goes beyond the\n" +
			"ranges, of the servers you name or of all in mcp.json, and writes ranges that take the new versions.",
		Example: "  mcpm update\n  mcpm update @acme/postgres --dry-run\n  mcpm update @acme/postgres --latest",
		RunE:    func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	o.flags(c)
	o.preferFlags(c)
	o.members.Flags(c)
	c.Flags().BoolVar(&o.latest, "latest", false, "take the latest versions, whatever mcp.json says, and write it")
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

func (o *updateOptions) run(ctx context.Context) error {
	begun := o.Now()
	refs, err := typed.AllInstalled(o.App, o.args, o.global)
	if err != nil {
		return err
	}
	p, _, unlock, err := o.Guarded(o.global)
	if err != nil {
		return err
	}
	defer unlock()
	scope, err := o.members.Scope(o.App, o.global, members.Whole)
	if err != nil {
		return err
	}
	pl, err := newPlan(o.App, scope, "")
	if err != nil {
		return err
	}
	if err := o.prepare(ctx, o.App, pl); err != nil {
		return err
	}
	if scope.All[0].Text == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s", p.Dir).WithHint("mcpm install NAME installs a server")
	}
	mine, err := pl.mine()
	if err != nil {
		return err
	}
	fresh := map[hub.Name]bool{}
	for _, r := range refs {
		if r.Given {
			return app.Usage("update takes names without a version; %s has one", r.Name).WithHint("mcpm install %s@%s", r.Name, r.Rng)
		}
		if !mine[r.Name] {
			return notInstalled(pl, "update", r.Name)
		}
		fresh[r.Name] = true
	}
	if len(refs) == 0 {
		fresh = mine
	}
	var ask map[*part]map[hub.Name]string
	if o.latest {
		if ask, err = pl.askLatest(ctx, refs); err != nil {
			return err
		}
		if len(refs) == 0 {
			if err := pl.together(ctx, fresh, ask); err != nil {
				return err
			}
		}
	}
	if err := pl.solve(ctx, fresh, ask); err != nil {
		return err
	}
	if err := pl.widen(ask); err != nil {
		return err
	}
	pl.lookBeyond(ctx, refs)
	if err := o.execute(ctx, o.App, pl); err != nil {
		return err
	}
	if err := o.report(o.App, pl, begun); err != nil {
		return err
	}
	pl.tellBeyond(o.App, o.latest)
	return nil
}
