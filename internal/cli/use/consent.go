package use

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/granted"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// consent shows what new servers ask for and what updates change, and asks whether that is wanted.
func (o *apply) consent(ctx context.Context, a *app.App, pl *plan) error {
	var asking []step
	for _, st := range pl.steps {
		d := st.new.Detail
		for _, n := range st.notes {
			a.IO.Warnf("%s", app.Clean(fmt.Sprintf("%s %s %s", st.name, st.version, n)))
		}
		warnState(a, st.name, st.version, d.State, d.Message, d.Replacement)
		if st.previous == nil || st.previous.Version != st.version {
			asking = append(asking, st)
		}
	}
	quiet := a.IO.Verbosity < 0 && (o.yes || !a.IO.Interactive())
	if a.JSON || len(asking) == 0 || quiet {
		return o.decide(ctx, a, asking, false)
	}
	for _, st := range asking {
		if st.previous == nil {
			showNew(a, st)
		} else {
			showChange(a, st)
		}
	}
	return o.decide(ctx, a, asking, true)
}

// decide gets the answer: from --yes, from a person, or, without either, no. Also a server that declares nothing is
// asked about: it runs with all rights.
func (o *apply) decide(ctx context.Context, a *app.App, asking []step, shown bool) error {
	switch {
	case len(asking) == 0 || o.dryRun:
		return nil
	case o.yes || !a.IO.Interactive():
		if err := o.refuseWidened(asking, shown); err != nil || o.yes {
			return err
		}
	}
	switch {
	case !a.IO.Interactive() || !shown:
		var names []string
		for _, st := range asking {
			names = append(names, st.name.String())
		}
		return app.Usage("%s would be installed and nobody is here to allow it", app.AndList(names)).WithHint("read what it asks for and add --yes to allow it")
	}
	for {
		asked := a.Now()
		answer, err := a.IO.Choose(ctx, "  Allow? [y/N/d for details, --yes answers]", "nyd")
		o.waited += a.Now().Sub(asked)
		switch {
		case err != nil:
			return err
		case answer == 'y':
			return nil
		case answer == 'n':
			return app.Refused("not allowed; nothing was changed")
		}
		for _, st := range asking {
			showDetails(a, st)
		}
	}
}

// refuseWidened refuses versions that ask for more than the ones before, which --yes alone does not allow: a server that
// was trusted once must not get more without somebody seeing it. What was shown is not told again.
func (o *apply) refuseWidened(asking []step, shown bool) error {
	if o.widen {
		return nil
	}
	var issues []hub.Issue
	var names []string
	for _, st := range asking {
		wider := st.widened()
		for _, w := range wider {
			if shown {
				break
			}
			issues = append(issues, hub.Issue{Message: app.Clean(fmt.Sprintf("%s %s -> %s   %s", st.name, st.previous.Version, st.version, w))})
		}
		if len(wider) > 0 {
			names = append(names, st.name.String())
		}
	}
	if len(names) == 0 {
		return nil
	}
	verb := "asks"
	if len(names) > 1 {
		verb = "ask"
	}
	return app.Refused("%s %s for more than before; nothing was changed", app.AndList(names), verb).WithIssues(issues).
		WithHint("read it, and allow it with --yes --accept-permissions")
}

// needs returns the flags that allow a plan where nobody is asked, and the servers that ask for more than before.
func (pl *plan) needs() (flags, wider []string) {
	for _, st := range pl.steps {
		if st.previous != nil && st.previous.Version == st.version {
			continue
		}
		flags = []string{"--yes"}
		if len(st.widened()) > 0 {
			wider = append(wider, st.name.String())
		}
	}
	if len(wider) > 0 {
		flags = append(flags, "--accept-permissions")
	}
	return flags, wider
}

// answerNeeded says after --dry-run what will be asked, and the flags that answer.
func (pl *plan) answerNeeded() string {
	flags, wider := pl.needs()
	switch {
	case len(flags) == 0:
		return ""
	case len(wider) == 1:
		return " A terminal is asked; elsewhere it takes " + strings.Join(flags, " ") + ", as " + wider[0] + " asks for more than before."
	case len(wider) > 1:
		return " A terminal is asked; elsewhere it takes " + strings.Join(flags, " ") + ", as " + app.AndList(wider) + " ask for more than before."
	}
	return " A terminal is asked; elsewhere it takes --yes."
}

// widened lists what a new version asks for and the old one did not. Where the old manifest is no longer kept, the
// permissions that the lockfile holds are compared.
func (st step) widened() []string {
	if st.previous == nil {
		return nil
	}
	old, new := st.old, st.new.Manifest
	if old == nil {
		old, new = &manifest.Manifest{Permissions: st.previous.Permissions}, &manifest.Manifest{Permissions: new.Permissions}
	}
	var out []string
	for _, d := range asks.PermissionChanges(old, new) {
		if d.Mark == "+" {
			out = append(out, strings.TrimSuffix(d.Text, asks.NewMark))
		}
	}
	return out
}

// showNew prints what a person should know before a server is installed for the first time.
func showNew(a *app.App, st step) {
	d := st.new.Detail
	confined, _ := granted.ByDefault(a) // the settings were read before
	source := asks.SourceOf(st.new.Registry, d.Mirrored, "")
	if st.new.Shelf != nil {
		source = "as it is locked for " + st.new.Shelf.Place + "; no hub was asked"
	}
	if !st.direct {
		source += ", needed by another server"
	}
	fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Wrap(a.IO.Accent(st.spelled())+"   "+app.Clean(source), 4))
	list := asks.Of(st.new.Manifest)
	if len(list) > 0 {
		fmt.Fprintf(a.IO.Err, "  It asks for:\n")
		asks.Print(a.IO, a.IO.Err, list)
	}
	if away := asks.Remote(st.new.Manifest); len(away) > 0 {
		where := app.Clean(app.AndList(away))
		if !slices.ContainsFunc(away, func(host string) bool { return !hub.Loopback(host) }) {
			fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Wrap("It is reached at "+where+", on your own machine: whatever listens there gets what your assistant sends.", 2))
			return
		}
		fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Wrap("It runs at "+where+": what your assistant sends to it leaves your machine.", 2))
		return
	}
	if !slices.ContainsFunc(list, func(ask asks.Ask) bool { return ask.Name == "" }) { // nothing but values
		text := "It declares no permissions, and gets none: it runs in a sandbox, without a network and with no files but its own."
		if !confined {
			text = "It declares no permissions, and runs with all of yours."
		}
		fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Wrap(text, 2))
		return
	}
	text := "That is what it gets, in a sandbox. mcpm allow gives it more."
	if !confined {
		text = "That is what it declares. It runs with all of your rights."
	}
	fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Dim(a.IO.Wrap(text, 2)))
}

func showDetails(a *app.App, st step) {
	m := st.new.Manifest
	fmt.Fprintf(a.IO.Err, "  %s\n", a.IO.Accent(st.spelled()))
	if m.Description != "" {
		fmt.Fprintf(a.IO.Err, "    %s\n", a.IO.Wrap(app.Clean(m.Description), 4))
	}
	for _, c := range manifest.CapabilitiesOf(m) {
		fmt.Fprintf(a.IO.Err, "    %-9s%s  %s\n", c.Type, a.IO.Accent(app.Clean(c.Name)), a.IO.Wrap(app.Clean(c.Description), 13))
	}
	for _, art := range lockEntry(st.new).Artifacts {
		fmt.Fprintf(a.IO.Err, "    %-9s%s\n", art.Type, app.Clean(strings.TrimSpace(art.Identifier+" "+art.Version+" "+art.Integrity)))
	}
}
