package show

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/spf13/cobra"
)

type outdatedOptions struct {
	*app.App
	global  bool
	members members.Picked
	args    []string
}

func NewOutdated(a *app.App) *cobra.Command {
	o := &outdatedOptions{App: a}
	c := &cobra.Command{
		Use:   "outdated [NAME...]",
		Short: "List the servers of which there are newer versions",
		Long: "Outdated compares what is locked with what the hub has: \"wanted\" is the highest version that mcp.json\n" +
			"takes, which mcpm update installs, and \"latest\" the one its publisher recommends. It tells what would\n" +
			"change, and which servers are deprecated or yanked. A server that only others need is listed when\n" +
			"they take a newer one. The exit code is 1 when anything is outdated, so that a build can ask.",
		Example: "  mcpm outdated\n  mcpm outdated @acme/postgres\n  mcpm outdated -g --json",
		RunE:    func(c *cobra.Command, args []string) error { o.args = args; return o.run(c.Context()) },
	}
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "those installed for all projects")
	return c
}

// aged is one row of mcpm outdated.
type aged struct {
	name        hub.Name
	old         bool      // it belongs into the answer
	who         []string  // Members, for people
	beyond      bool      // the latest version is newer than mcp.json takes
	Spelled     string    `json:"name"`
	Server      string    `json:"server,omitempty"` // which the name, an alias, stands for
	Range       string    `json:"range,omitempty"`  // what mcp.json asks for
	Locked      string    `json:"locked,omitempty"`
	Wanted      string    `json:"wanted,omitempty"`
	Latest      string    `json:"latest,omitempty"`
	Change      string    `json:"change,omitempty"` // from locked to latest: major, minor, patch, prerelease
	State       hub.State `json:"state,omitempty"`  // of the locked version, unless it is published
	Message     string    `json:"message,omitempty"`
	Replacement string    `json:"replacement,omitempty"`
	Missing     bool      `json:"missing,omitempty"` // the hub does not have the server
	Added       []string  `json:"toolsAdded,omitempty"`
	Removed     []string  `json:"toolsRemoved,omitempty"`
	Permissions []string  `json:"permissionsAdded,omitempty"`
	Members     []string  `json:"members,omitempty"` // of a workspace, that ask for it by name
}

// atOnce is how many servers the hub is asked about at a time.
const atOnce = 8

func (o *outdatedOptions) run(ctx context.Context) error {
	v, err := look(o.App, &o.members, o.global)
	if err != nil {
		return err
	}
	names, err := o.names(v)
	if err != nil {
		return err
	}
	hp := &app.HubProvider{App: o.App, Lock: v.lock}
	all, errs := make([]aged, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for i, name := range names {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			all[i], errs[i] = o.age(ctx, hp, v, name)
		})
	}
	wg.Wait()
	rows := []aged{}
	for i, r := range all {
		if errs[i] != nil {
			return errs[i]
		}
		if r.old {
			rows = append(rows, r)
		}
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"project": v.Dir, "global": v.Global, "outdated": rows})
	} else {
		o.show(rows)
	}
	o.sum(v, rows, len(all))
	if len(rows) > 0 {
		return app.Silent(app.ExitNo)
	}
	return nil
}

// names returns the servers to look at: those that were named, or all.
func (o *outdatedOptions) names(v *view) ([]hub.Name, error) {
	refs, err := typed.AllInstalled(o.App, o.args, o.global)
	if err != nil {
		return nil, err
	}
	var names []hub.Name
	for _, r := range refs {
		_, asked := v.direct[r.Name] // what is not installed yet is behind, too
		if err := v.locked(o.App, "outdated", r); err != nil && (r.Given || !asked) {
			return nil, err
		}
		names = append(names, r.Name)
	}
	if len(refs) > 0 {
		return names, nil
	}
	return v.names(), nil
}

// age asks the hub about one server.
func (o *outdatedOptions) age(ctx context.Context, hp *app.HubProvider, v *view, name hub.Name) (aged, error) {
	r := aged{name: v.of(name), Spelled: name.String(), Server: v.alias(name), Range: strings.Join(v.asked(name), ", ")}
	r.Members, r.who = v.askers(name)
	id := name
	name = r.name
	if e := v.lock.Servers[id]; e != nil {
		r.Locked = e.Version
	}
	offer, err := hp.Offer(ctx, name)
	if hub.KindOf(err) == hub.NotFound {
		r.Missing, r.old = true, true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if r.Wanted, err = hp.Best(ctx, name, v.ranges(id)...); err != nil {
		return r, err
	}
	if r.Latest, err = hp.Best(ctx, name, "latest"); err != nil {
		return r, err
	}
	if err := r.judge(ctx, hp, offer); err != nil {
		return r, err
	}
	_, direct := v.direct[id]
	newer := hp.Newer(ctx, name, r.Latest, r.Locked)
	r.old = r.State != "" || r.Wanted != "" && r.Wanted != r.Locked || direct && (r.Wanted == "" || newer)
	r.beyond = direct && v.overrides[id] == "" && hp.Newer(ctx, name, r.Latest, r.Wanted)
	if r.Locked != "" && newer {
		r.Change = app.Leap(r.Locked, r.Latest)
		err = r.compare(ctx, hp, v.lock.Servers[id].Manifest)
	}
	return r, err
}

// judge notes what became of the locked version.
func (r *aged) judge(ctx context.Context, hp *app.HubProvider, offer *resolve.Offer) error {
	for _, v := range offer.Versions {
		if v.Version != r.Locked || v.State == hub.Published {
			continue
		}
		r.State, r.Message = v.State, v.Message
		if v.State != hub.Deprecated {
			return nil
		}
		f, err := hp.Fetch(ctx, r.name, r.Locked) // only the version itself says what to use in its place
		if err != nil {
			return err
		}
		r.Replacement = f.Detail.Replacement
	}
	return nil
}

// compare notes what the latest version has and asks for, when the manifest of the locked one is here.
func (r *aged) compare(ctx context.Context, hp *app.HubProvider, locked string) error {
	h, err := hp.Store()
	if err != nil {
		return err
	}
	old, err := h.Manifest(locked)
	if err != nil {
		return nil // it was not installed on this machine; the numbers are told all the same
	}
	f, err := hp.Fetch(ctx, r.name, r.Latest)
	if err != nil {
		return err
	}
	for _, d := range asks.CapabilityChanges(old, f.Manifest) {
		switch {
		case d.Label == "tools" && d.Mark == "+":
			r.Added = append(r.Added, d.Text)
		case d.Label == "tools" && d.Mark == "-":
			r.Removed = append(r.Removed, d.Text)
		}
	}
	for _, d := range asks.PermissionChanges(old, f.Manifest) {
		if d.Mark == "+" {
			r.Permissions = append(r.Permissions, strings.TrimSuffix(d.Text, "   NEW"))
		}
	}
	return nil
}

func (o *outdatedOptions) show(rows []aged) {
	dash := func(s string) string { return app.Clean(app.First(s, "-")) }
	t := term.Table{
		Head: []string{"name", "locked", "wanted", "latest", "change"}, Flex: []int{4},
		Colors: []func(string) string{o.IO.Accent, nil, o.IO.Green, nil, nil},
	}
	who := slices.ContainsFunc(rows, func(r aged) bool { return len(r.Members) > 0 })
	if who {
		t.Head, t.Flex, t.Drop = append(t.Head, "for"), []int{5, 4}, []int{5}
		t.Colors = append(t.Colors, o.IO.Dim)
	}
	for _, r := range rows {
		cells := []string{r.Spelled + app.Join(" -> ", r.Server), dash(r.Locked), dash(r.Wanted), dash(r.Latest), r.change()}
		if who {
			cells = append(cells, dash(strings.Join(r.who, ", ")))
		}
		t.Row(cells...)
	}
	if len(rows) > 0 {
		t.Print(o.IO)
	}
}

// change is the last column: what a person should know, the worst first.
func (r aged) change() string {
	var parts []string
	switch {
	case r.Missing:
		return "not on this hub"
	case r.State == hub.Deprecated && r.Replacement != "":
		parts = append(parts, "deprecated: use "+r.Replacement)
	case r.State != "":
		parts = append(parts, app.StateWord(r.State)+app.Join(": ", r.Message))
	case r.Locked == "":
		parts = append(parts, "not installed")
	}
	if r.Wanted == "" && r.Range != "" {
		parts = append(parts, "no version fits "+r.Range)
	}
	var news []string
	if n := len(r.Removed); n > 0 {
		news = append(news, app.Plural(n, "tool")+" removed")
	}
	if n := len(r.Added); n > 0 {
		news = append(news, app.Plural(n, "tool")+" added")
	}
	if n := len(r.Permissions); n > 0 {
		news = append(news, "+"+app.Plural(n, "permission"))
	}
	if leap := r.Change + app.Join(": ", strings.Join(news, ", ")); leap != "" {
		parts = append(parts, strings.TrimPrefix(leap, ": "))
	}
	return strings.Join(parts, "; ")
}

// sum says how many are outdated, and which command helps.
func (o *outdatedOptions) sum(v *view, rows []aged, all int) {
	g, do := "", ""
	if v.Global {
		g = " -g"
	}
	if slices.ContainsFunc(rows, func(r aged) bool { return r.Wanted != "" && r.Wanted != r.Locked }) {
		do = " mcpm update" + g + " takes the wanted versions."
	}
	if slices.ContainsFunc(rows, func(r aged) bool { return r.beyond }) {
		do += " mcpm update" + g + " --latest goes beyond the ranges of mcp.json."
	}
	are := func(n int) string {
		if n == 1 {
			return "is"
		}
		return "are"
	}
	switch old := len(rows); {
	case all == 0:
		o.IO.Notef("No servers (%s).\n", v.where())
	case old == 0:
		o.IO.Notef("Nothing is outdated: %s %s up to date.\n", app.Plural(all, "server"), are(all))
	default:
		o.IO.Notef("%d of %s %s outdated.%s\n", old, app.Plural(all, "server"), are(old), do)
	}
}
