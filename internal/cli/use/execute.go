package use

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/hostcmd"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/history"
	"golang.org/x/sync/errgroup"
)

// execute shows a plan, asks, fetches, and then writes: lockfile, mcp.json, host applications, in this
// order. Until the first write an interruption leaves everything as it was; each write is atomic.
func (o *apply) execute(ctx context.Context, a *app.App, pl *plan) error {
	if err := o.consent(ctx, a, pl); err != nil {
		return err
	}
	texts := map[*part][]byte{}
	for _, pt := range pl.on {
		text, err := pt.newText()
		if err != nil {
			return err
		}
		texts[pt] = text
	}
	if o.dryRun {
		return nil
	}
	if err := fetch(a, ctx, pl); err != nil {
		return err
	}
	lock, err := pl.next.Bytes()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	log := history.Of(h, pl.owner)
	if err := log.Witness(pl.owner, a.Now()); err != nil {
		return err
	}
	if old, err := pl.lock.Bytes(); err != nil || string(old) != string(lock) || len(pl.lock.Servers) == 0 || len(pl.strays) > 0 {
		if err := install.WriteFile(pl.owner.Lock(), lock, 0o644); err != nil {
			return err
		}
	}
	for _, pt := range pl.on {
		if string(texts[pt]) != string(pt.Text) {
			if err := install.WriteFile(pt.Project.Manifest(), texts[pt], 0o644); err != nil {
				return err
			}
		}
	}
	if err := pl.dropStrays(); err != nil {
		return err
	}
	if _, err := log.Note(pl.owner, a.Now(), o.why(pl)); err != nil {
		return err
	}
	for _, pt := range pl.on {
		if _, err := members.Link(a, pt.Project, pt.local); err != nil {
			return err
		}
	}
	return h.Remember(pl.owner)
}

// why says for the history what a change was.
func (o *apply) why(pl *plan) string {
	var what []string
	for _, st := range pl.steps {
		what = append(what, st.name.String()+" "+st.version)
	}
	for _, name := range pl.remove {
		what = append(what, name.String())
	}
	if len(what) == 0 {
		what = spell(pl.edited())
	}
	const told = 4
	if more := len(what) - told; more > 0 {
		what = append(what[:told], fmt.Sprintf("%d more", more))
	}
	return strings.TrimSpace(o.verb + " " + strings.Join(what, ", "))
}

// fetchAtOnce is how many servers are fetched at the same time.
const fetchAtOnce = 4

// fetch brings what the steps need into the store. The first failure stops the others.
func fetch(a *app.App, ctx context.Context, pl *plan) error {
	h, err := a.Store()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetchAtOnce)
	for _, st := range pl.steps {
		group.Go(func() error { return named(fetchOne(a, ctx, h, st, pl.next.Servers[st.name]), st) })
	}
	return group.Wait()
}

func fetchOne(a *app.App, ctx context.Context, h install.Home, st step, e *install.Locked) error {
	same := st.previous // how the same version was pinned before
	if st.new.Shelf != nil {
		same = st.new.Shelf.Locked
	} else if err := h.SaveManifest(st.new.Detail.ManifestDigest, st.new.Canonical); err != nil {
		return err
	}
	if b := e.Bundle(); b != nil && !h.HasBundle(*b) {
		if err := a.FetchBundle(ctx, h, st.of, st.version, *b); err != nil {
			return err
		}
	}
	if err := a.Pin(ctx, st.new.Manifest, e, same); err != nil {
		return err
	}
	if err := a.FetchTrees(ctx, e); err != nil {
		return err
	}
	ready, err := a.Ready(st.new.Manifest, e)
	if err == nil {
		st.new.Manifest = ready // what it asks for is known now
	}
	return err
}

func named(err error, st step) error {
	if k := hub.KindOf(err); k == hub.Integrity || k == hub.NotFound || k == hub.TooLarge || k == hub.Invalid || k == hub.Malformed || k == app.RefusedKind {
		e := hub.Errorf(k, "%s %s: %s", st.name, st.version, err.Error())
		var told *hub.Error
		if errors.As(err, &told) {
			e.Issues = told.Issues
		}
		if told != nil && told.Hint != "" && (k == hub.NotFound || k == hub.Invalid || k == app.RefusedKind) { // it is not the publisher's doing
			return e.WithHint("nothing was installed; %s", told.Hint)
		}
		return e.WithHint("nothing was installed; tell the publisher, or choose another version: mcpm info %s --versions", st.of)
	}
	return err
}

// installedJSON is one server in the JSON answer of install, update and uninstall.
type installedJSON struct {
	Name     string     `json:"name"`
	Server   string     `json:"server,omitempty"` // which the name, an alias, stands for
	Version  string     `json:"version"`
	Previous string     `json:"previous,omitempty"`
	Asks     []asks.Ask `json:"asks"`
	Tools    int        `json:"tools"`
	Members  []string   `json:"members,omitempty"` // of a workspace, that ask for it by name
}

type hostJSON struct {
	Host   string `json:"host"`
	Path   string `json:"path"`
	Server string `json:"server,omitempty"`
	Key    string `json:"key,omitempty"`
	Action string `json:"action"`
	Error  string `json:"error,omitempty"`
}

type changeJSON struct {
	Installed []installedJSON `json:"installed"`
	Removed   []string        `json:"removed"`
	Hosts     []hostJSON      `json:"hosts"`
	Beyond    []beyond        `json:"beyond,omitempty"` // newer than mcp.json takes
	DryRun    bool            `json:"dryRun,omitempty"`
	Needs     []string        `json:"needs,omitempty"` // with dryRun: the flags that allow it where nobody is asked
	Seconds   float64         `json:"seconds"`
}

// report brings the host applications in step and tells what was done.
func (o *apply) report(a *app.App, pl *plan, begun time.Time) error {
	var changes []install.Change
	if !o.noHosts {
		var err error
		if changes, err = syncHosts(a, pl, o.dryRun); err != nil {
			return err
		}
	}
	seconds := (a.Now().Sub(begun) - o.waited).Seconds()
	if a.JSON {
		ans := pl.answer(changes, o.dryRun, seconds)
		if o.dryRun {
			ans.Needs, _ = pl.needs()
		}
		app.PrintJSON(a.IO, ans)
		return nil
	}
	for _, st := range pl.steps {
		a.IO.Printf("%s %s%s\n", a.IO.Green("+"), a.IO.Accent(st.spelled()), counts(a, st))
	}
	for _, name := range pl.remove {
		a.IO.Printf("%s %s %s\n", a.IO.Red("-"), name, pl.lock.Servers[name].Version)
	}
	if o.verb == "install" {
		pl.tellLocals(a)
	}
	hostcmd.Tell(a, changes, o.dryRun)
	tellMissing(a, pl)
	pl.tellStrays(a, o.dryRun)
	summary(a, pl, changes, o.dryRun, seconds, o.verb)
	return nil
}

// spelled names what is installed: an alias with what it stands for.
func (st step) spelled() string {
	if st.of != st.name {
		return fmt.Sprintf("%s -> %s %s", st.name, st.of, st.version)
	}
	return st.name.String() + " " + st.version
}

func counts(a *app.App, st step) string {
	d := st.new.Detail
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{{d.Tools, "tool"}, {d.Resources, "resource"}, {d.Prompts, "prompt"}} {
		if c.n > 0 {
			parts = append(parts, app.Plural(c.n, c.noun))
		}
	}
	if st.previous != nil && st.previous.Version != st.version {
		parts = append([]string{"was " + st.previous.Version}, parts...)
	}
	if len(parts) == 0 {
		return ""
	}
	return "   " + a.IO.Dim(strings.Join(parts, ", "))
}

func summary(a *app.App, pl *plan, changes []install.Change, dryRun bool, seconds float64, verb string) {
	touched := 0
	for _, c := range changes {
		if c.Action == "added" || c.Action == "updated" || c.Action == "removed" {
			touched++
		}
	}
	if p := install.FindProject(a.Dir); !pl.owner.Global && p.Dir != filepath.Clean(a.Dir) && len(pl.steps)+len(pl.remove)+len(pl.edited()) > 0 {
		a.IO.Notef("  The project is %s, above this directory.\n", p.Dir)
	}
	switch {
	case dryRun && len(pl.steps)+len(pl.remove)+touched > 0:
		a.IO.Notef("Nothing was changed (--dry-run).%s\n", pl.answerNeeded())
	case verb == "uninstall" && len(pl.remove) == 0 && len(pl.edited()) > 0 && !dryRun:
		pl.tellTakenOut(a, touched)
	case pl.onlyNoted(verb) && !dryRun:
		pl.tellNoted(a)
	case len(pl.steps) == 0 && len(pl.remove) == 0 && touched == 0:
		if len(pl.next.Servers) == 0 {
			a.IO.Notef("Nothing to change: mcp.json asks for no servers. mcpm search finds some.\n")
			return
		}
		a.IO.Notef("Nothing to change: %s in step.\n", isAre(len(pl.next.Servers), "server"))
	case verb == "uninstall", len(pl.steps) == 0 && len(pl.remove) > 0:
		a.IO.Notef("Removed %s in %.1f s. Undo with mcpm rollback%s.\n", app.Plural(len(pl.remove), "server"), seconds, pl.flag())
	case verb == "update" && len(pl.steps) > 0:
		a.IO.Notef("Updated %s in %.1f s. Undo with mcpm rollback%s.\n", app.Plural(len(pl.steps), "server"), seconds, pl.flag())
	case len(pl.steps) == 0:
		a.IO.Notef("%s in step, in %.1f s.\n", isAre(len(pl.next.Servers), "server"), seconds)
	default:
		a.IO.Notef("Installed %s in %.1f s. Undo with mcpm rollback%s.\n", app.Plural(len(pl.steps), "server"), seconds, pl.flag())
	}
}

func isAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return app.Plural(n, noun) + " are"
}

// flag says which project a command is about that needs no more than the lockfile.
func (pl *plan) flag() string {
	if pl.owner.Global {
		return " -g"
	}
	return ""
}

func (pl *plan) answer(changes []install.Change, dryRun bool, seconds float64) changeJSON {
	out := changeJSON{Installed: []installedJSON{}, Removed: []string{}, Hosts: []hostJSON{}, Beyond: pl.beyond, DryRun: dryRun, Seconds: seconds}
	for _, st := range pl.steps {
		j := installedJSON{Name: st.name.String(), Version: st.version, Asks: asks.Of(st.new.Manifest), Tools: st.new.Detail.Tools, Members: pl.next.Servers[st.name].Members}
		if st.of != st.name {
			j.Server = st.of.String()
		}
		if st.previous != nil && st.previous.Version != st.version {
			j.Previous = st.previous.Version
		}
		if j.Asks == nil {
			j.Asks = []asks.Ask{}
		}
		out.Installed = append(out.Installed, j)
	}
	for _, n := range pl.remove {
		out.Removed = append(out.Removed, n.String())
	}
	for _, c := range changes {
		j := hostJSON{Host: c.Host.ID, Path: c.Path, Key: c.Key, Action: c.Action}
		if c.Server != "" {
			j.Server = c.Server.String()
		}
		if c.Err != nil {
			j.Error = c.Err.Error()
		}
		out.Hosts = append(out.Hosts, j)
	}
	return out
}
