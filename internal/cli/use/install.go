// Package use is the commands for people who use servers: install, uninstall, update, run and test. An install is a plan first (plan.go), which changes nothing, and then its execution
// (execute.go).
package use

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type installOptions struct {
	*app.App
	apply
	members members.Picked
	global  bool
	dev     bool
	exact   bool
	hosts   []string
	args    []string
}

// apply is what all verbs that change a project share.
type apply struct {
	verb    string // the command
	yes     bool
	widen   bool // --accept-permissions
	dryRun  bool
	noHosts bool
	lowest  bool
	locked  bool
	waited  time.Duration // for a person's answer
}

func (o *apply) flags(c *cobra.Command) {
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "allow what the servers ask for; ask nothing")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
	c.Flags().BoolVar(&o.noHosts, "no-hosts", false, "leave the files of host applications alone")
}

func NewInstall(a *app.App) *cobra.Command {
	o := &installOptions{App: a, apply: apply{verb: "install"}}
	c := &cobra.Command{
		Use: "install [NAME[@RANGE]...]", Aliases: []string{"i", "add"},
		Short: "Install servers and add them to your AI applications",
		Long: "Install chooses a version, writes it to mcp.json and mcpm-lock.json, fetches its files, and adds it to\n" +
			"the host applications found on this machine as \"mcpm run NAME\". Without names it installs what\n" +
			"mcp.json asks for. ALIAS@mcpm:NAME@RANGE installs a server under a name of your own, so that a project can\n" +
			"have two versions of it.",
		Example: "  mcpm install @acme/postgres\n  mcpm install @acme/postgres@^2.1 io.github.acme/tickets\n" +
			"  mcpm install -g @acme/postgres --yes\n  mcpm install db2@mcpm:@acme/postgres@^1\n  mcpm install",
		RunE: func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	o.flags(c)
	o.preferFlags(c)
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "for all projects, not just this one")
	c.Flags().BoolVarP(&o.dev, "dev", "D", false, "note it under devDependencies")
	c.Flags().BoolVarP(&o.exact, "exact", "E", false, "pin the version in mcp.json")
	c.Flags().StringSliceVar(&o.hosts, "host", nil, "add it to this `HOST` application only, and keep it so; may be given again; all lifts it")
	c.MarkFlagsMutuallyExclusive("host", "no-hosts")
	return c
}

func (o *installOptions) run(ctx context.Context) error {
	begun := o.Now()
	refs, err := app.ParseRefs(o.args, app.ParseAsked)
	if err != nil {
		for _, arg := range o.args { // the first of them that has no scope is the one that was complained of, if any was
			if !strings.Contains(arg, "/") {
				return typed.MissingScope(ctx, o.App, "install", arg, err)
			}
		}
		return err
	}
	p, _, unlock, err := o.Guarded(o.global)
	if err != nil {
		return err
	}
	defer unlock()
	command := "install"
	if o.dryRun {
		command = ""
	}
	reach := members.Whole
	if len(refs) > 0 {
		reach = members.RootOnly
	}
	scope, err := o.members.Scope(o.App, o.global, reach)
	if err != nil {
		return err
	}
	pl, err := newPlan(o.App, scope, command)
	if err != nil {
		return err
	}
	if err := o.prepare(ctx, o.App, pl); err != nil {
		return err
	}
	if pl.hosts, err = chosenHosts(o.App, o.hosts); err != nil {
		return err
	}
	if len(refs) == 0 && scope.All[0].Text == nil {
		return hub.Errorf(hub.NotFound, "there is no mcp.json in %s or above it", p.Dir).
			WithHint("mcpm install NAME installs a server, mcpm init starts a server of your own")
	}
	if len(refs) == 0 && (o.dev || o.exact) {
		return app.Usage("--dev and --exact say how a named server is noted; name one").WithHint("mcpm install -D NAME")
	}
	fresh, ask, err := o.edit(ctx, pl, refs)
	if err != nil {
		return err
	}
	if err := pl.solve(ctx, fresh, ask); err != nil {
		return err
	}
	for i, r := range refs { // now that the version is known, write the range it was chosen by
		c, _ := pl.solution.Find(r.Name)
		rng := r.Rng.Save(c.Version)
		switch {
		case r.Local != "":
			rng = r.Local
		case o.exact:
			rng = c.Version
		}
		for _, pt := range pl.on {
			pt.edits[i].rng = rng
		}
	}
	if err := o.execute(ctx, o.App, pl); err != nil {
		return err
	}
	return o.report(o.App, pl, begun)
}

// edit plans to name the servers that were typed in each mcp.json the verb acts for. It returns which of them are chosen anew,
// and by which range.
func (o *installOptions) edit(ctx context.Context, pl *plan, refs []app.Ref) (fresh map[hub.Name]bool, ask map[*part]map[hub.Name]string, err error) {
	fresh, ask = map[hub.Name]bool{}, map[*part]map[hub.Name]string{}
	for _, pt := range pl.on {
		want, _, err := pt.wanted()
		if err != nil {
			return nil, nil, err
		}
		ask[pt] = map[hub.Name]string{}
		for i, r := range refs {
			of := r.Of
			switch {
			case of != "":
			case r.Name.IsAlias() && want[r.Name].Name == "":
				return nil, nil, typed.MissingScope(ctx, o.App, "install", o.args[i], app.NoScope(o.args[i]))
			case r.Name.IsAlias():
				of = want[r.Name].Name
			default:
				of = r.Name
			}
			e := edit{name: r.Name, of: of, rng: r.Rng.String(), dev: o.dev}
			if r.Local != "" {
				e.rng = r.Local
			} else {
				fresh[r.Name], ask[pt][r.Name] = true, r.Rng.String()
			}
			pt.edits = append(pt.edits, e)
		}
	}
	return fresh, ask, nil
}

// preferFlags are those of the verbs that choose versions.
func (o *apply) preferFlags(c *cobra.Command) {
	c.Flags().BoolVar(&o.widen, "accept-permissions", false, "with --yes: also allow what a new version asks for beyond the old one")
	c.Flags().BoolVar(&o.lowest, "prefer-lowest", false, "take the lowest versions that fit, to test your ranges")
	c.Flags().BoolVar(&o.locked, "prefer-locked", true, "keep what is locked while it fits")
}

// warnState tells what a person should know of a version besides its number.
func warnState(a *app.App, name hub.Name, version string, state hub.State, message, replacement string) {
	if state != hub.Deprecated && state != hub.Yanked {
		return
	}
	text := fmt.Sprintf("%s %s is %s%s", name, version, state, app.Join(": ", message))
	if replacement != "" {
		text += "; use " + replacement
	}
	a.IO.Warnf("%s", app.Clean(text))
}
