// Package migratecmd is mcpm migrate: it reads what a person has set up with other tools, finds the same
// servers on the hub, installs them, and lets them take the place of the old entries. What it cannot match
// exactly it names with the reason, and leaves alone.
package migratecmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

type options struct {
	*app.App
	from   []string
	global bool
	yes    bool
	dryRun bool
	hosts  bool // --no-hosts
}

// New returns mcpm migrate.
func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring over what you set up with other tools",
		Long: "Migrate reads the servers you have in the files of host applications, in mcpm.sh, getmcpm, Docker's MCP\n" +
			"profiles and ToolHive, and finds the same packages, images and addresses on the hub. It shows what becomes\n" +
			"what, installs the servers into mcp.json and mcpm-lock.json, keeps their values where mcpm config keeps\n" +
			"them, and, after another yes, lets mcpm's entries take the place of yours. A backup of each file stays.\n" +
			"Only exact matches are taken; whatever has none is named with the reason and left as it is.",
		Example: "  mcpm migrate --dry-run\n  mcpm migrate --from cursor\n  mcpm migrate -g --from mcpm.sh --yes\n  mcpm migrate --from profile.yaml",
		Args: func(c *cobra.Command, args []string) error {
			err := app.Args(0, 0, "no argument")(c, args)
			if e := (*hub.Error)(nil); len(args) == 1 && errors.As(err, &e) {
				return e.WithHint("mcpm migrate --from %s", args[0])
			}
			return err
		},
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringArrayVar(&o.from, "from", nil, "read only this `HOST, TOOL or FILE`; may be given again")
	f.BoolVarP(&o.global, "global", "g", false, "for all projects, not just this one")
	f.BoolVarP(&o.yes, "yes", "y", false, "install, and replace the old entries; ask nothing")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
	f.BoolVar(&o.hosts, "no-hosts", false, "leave the files of host applications alone")
	return c
}

func (o *options) run(ctx context.Context) error {
	p, err := o.Project(o.global)
	if err != nil {
		return err
	}
	reg, err := o.Registrar(o.dryRun)
	if err != nil {
		return err
	}
	reg.Env.Project = install.FindProject(o.Dir).Dir
	sources, err := o.gather(reg)
	if err != nil {
		return err
	}
	items, err := o.propose(ctx, p, sources)
	if err != nil {
		return err
	}
	if !o.JSON {
		o.tell(sources, items)
	}
	mapped := chosen(items)
	switch {
	case len(mapped) == 0 || o.dryRun:
		return o.finish(items, nil, false)
	case !o.yes && (!o.IO.Interactive() || o.JSON):
		if o.JSON {
			o.answer(items, nil, false)
		}
		return app.Usage("%s would be brought over and nobody is here to allow it", app.Plural(len(names(mapped)), "server")).
			WithHint("read what would change and add --yes to allow it, or --dry-run to see it alone")
	}
	if !o.yes {
		if err := o.pick(ctx, items); err != nil {
			return err
		}
		if mapped = chosen(items); len(mapped) == 0 {
			return app.Refused("nothing was chosen; nothing was changed")
		}
	}
	if err := o.bring(ctx, p, mapped); err != nil {
		return err
	}
	changes, err := o.replace(ctx, reg, p, mapped)
	if err != nil {
		return err
	}
	return o.finish(items, changes, true)
}

// finish ends the answer.
func (o *options) finish(items []*item, changes []install.Change, done bool) error {
	if o.JSON {
		o.answer(items, changes, done)
		return nil
	}
	mapped := len(names(chosen(items)))
	switch {
	case len(items) == 0:
		o.IO.Notef("Nothing was found to bring over.\n")
	case o.dryRun:
		o.IO.Notef("Nothing was changed (--dry-run).\n")
	case !done:
		o.IO.Notef("There is nothing left that could be brought over; nothing was changed.\n")
	default:
		o.told(items, changes)
		o.IO.Notef("Brought over %s. mcpm list%s shows them.\n", app.Plural(mapped, "server"), o.g())
	}
	return nil
}

func (o *options) g() string {
	if o.global {
		return " -g"
	}
	return ""
}

// item is one server that was found, and what becomes of it.
type item struct {
	*source
	server
	match *match
	why   string     // why it is not taken
	near  []hub.Name // what on the hub has a similar name; never taken
	left  bool       // a person left it out
}

// chosen returns the items that are taken. What is installed already, with no entry to replace, is done.
func chosen(items []*item) []*item {
	var out []*item
	for _, it := range items {
		if it.match != nil && !it.left && (!it.match.here || it.host != nil && it.stays == "") {
			out = append(out, it)
		}
	}
	return out
}

// names returns the servers that items become, each once.
func names(items []*item) []hub.Name {
	seen := map[hub.Name]bool{}
	var out []hub.Name
	for _, it := range items {
		if !seen[it.match.name] {
			seen[it.match.name] = true
			out = append(out, it.match.name)
		}
	}
	app.SortNames(out)
	return out
}

// pick lets a person leave servers out, on a terminal that can show a form.
func (o *options) pick(ctx context.Context, items []*item) error {
	mapped := chosen(items)
	if len(mapped) < 2 || !o.IO.OutTTY {
		return nil
	}
	taken, err := o.IO.Pick(ctx, "Which of them?", labels(mapped))
	if err != nil {
		return err
	}
	for i, it := range mapped {
		it.left = !taken[i]
	}
	return nil
}

func labels(items []*item) []string {
	var out []string
	for _, it := range items {
		out = append(out, fmt.Sprintf("%s in %s: %s", app.Short(it.Key), it.Tool, it.match.name))
	}
	return out
}
