package use

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// syncHosts brings the files of host applications in step with a plan: those servers that mcp.json names
// are in, those that went are out.
func syncHosts(a *app.App, pl *plan, dryRun bool) ([]install.Change, error) {
	r, err := a.Registrar(dryRun)
	if err != nil {
		return nil, err
	}
	if r.Command == "" {
		return nil, hub.Errorf(hub.NotFound, "mcpm does not know its own path, which host applications need").WithHint("use --no-hosts")
	}
	names, err := pl.direct()
	if err != nil {
		return nil, err
	}
	var gone []hub.Name
	for _, n := range pl.lock.Names() {
		if !slices.Contains(names, n) {
			gone = append(gone, n)
		}
	}
	var changes []install.Change
	if len(gone) > 0 {
		if changes, err = r.Unregister(pl.project, gone); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return changes, nil
	}
	added, err := r.Register(pl.project, names)
	return append(changes, added...), err
}

// tellHosts says what happened to the host applications: one line for what was added, one for what was
// taken out, and a warning for each file that could not be edited.
func tellHosts(a *app.App, changes []install.Change, dryRun bool) {
	by := map[string][]string{}
	after := map[string][]string{}
	for _, c := range changes {
		switch c.Action {
		case "failed":
			why := c.Err.Error()
			if e := (*hub.Error)(nil); errors.As(c.Err, &e) && e.Hint != "" {
				why += "; " + e.Hint
			}
			a.IO.Warnf("%s was left as it is: %s", c.Host.Name, app.Clean(why))
			continue
		case "kept":
			a.IO.Warnf("%s: the entry %q was edited by hand and left as it is", c.Host.Name, c.Key)
			continue
		case "added":
			if c.Key != c.Server.Base() {
				a.IO.Notef("  %s calls it %q, because %q is taken\n", c.Host.Name, c.Key, c.Server.Base())
			}
		}
		if !slices.Contains(by[c.Action], c.Host.Name) {
			by[c.Action] = append(by[c.Action], c.Host.Name)
			if c.Host.AfterEdit != "" {
				after[c.Action] = append(after[c.Action], c.Host.AfterEdit)
			}
		}
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	for _, say := range []struct{ action, text string }{{"removed", "removed from"}, {"added", "added to"}, {"updated", "updated in"}} {
		if len(by[say.action]) == 0 {
			continue
		}
		hint := ""
		if len(after[say.action]) > 0 && !dryRun {
			hint = " (" + app.AndList(after[say.action]) + ")"
		}
		a.IO.Notef("  %s\n", a.IO.Wrap(fmt.Sprintf("%s%s %s%s", would, say.text, app.AndList(by[say.action]), hint), 2))
	}
}

// tellMissing names the values a new server needs before it can run.
func tellMissing(a *app.App, pl *plan) {
	for _, st := range pl.steps {
		l, err := a.Launch(pl.project, st.name, st.new.Manifest, app.LaunchOptions{Bundle: ".", Peek: true})
		if err != nil || len(l.Missing) == 0 {
			continue
		}
		var names []string
		for _, m := range l.Missing {
			names = append(names, m.Name)
		}
		a.IO.Warnf("%s needs %s before it runs: %s", st.name, app.AndList(names), app.HowToGive(pl.project, st.name, st.new.Manifest, l.Spec, names))
	}
}
