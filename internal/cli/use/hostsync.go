package use

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hosts"
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
	if len(pl.hosts) > 0 {
		named := names
		if len(pl.edits) > 0 {
			named = nil
			for _, e := range pl.edits {
				named = append(named, e.name)
			}
		}
		narrow(r, pl.project, named, pl.hosts)
	}
	return r.Sync(install.Want{Project: pl.project, Servers: names})
}

// allHosts lifts what --host chose before.
const allHosts = "all"

func narrow(r *install.Registrar, p install.Project, names []hub.Name, ids []string) {
	if slices.Contains(ids, allHosts) {
		ids = nil
	}
	r.Narrow(p, names, ids)
}

// chosenHosts checks the hosts that --host names: each must be known, and one that gets servers.
func chosenHosts(a *app.App, named []string) ([]string, error) {
	if len(named) == 0 {
		return nil, nil
	}
	r, err := a.Registrar(true)
	if err != nil {
		return nil, err
	}
	taking := r.Taking()
	var ids []string
	for _, s := range named {
		if s == allHosts {
			ids = append(ids, s)
			continue
		}
		h, err := app.FindHost(s)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(taking, func(t hosts.Host) bool { return t.ID == h.ID }) {
			why := "was not found here"
			if slices.ContainsFunc(r.Found(), func(t hosts.Host) bool { return t.ID == h.ID }) {
				why = "is left out by your .mcpmrc"
			}
			return nil, hub.Errorf(hub.NotFound, "--host %s: %s %s", s, h.Name, why).WithHint("mcpm hosts add %s lets it get servers all the same", h.ID)
		}
		ids = append(ids, h.ID)
	}
	return ids, nil
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
		l, err := a.Launch(pl.project, st.name, st.new.Manifest, app.LaunchOptions{Bundle: "."})
		if err != nil || len(l.Missing) == 0 {
			continue
		}
		var names []string
		for _, m := range l.Missing {
			names = append(names, m.Name)
		}
		g := ""
		if pl.project.Global {
			g = " -g"
		}
		a.IO.Warnf("%s needs %s before it runs: mcpm config%s %s --set %s=...", st.name, app.AndList(names), g, st.name, names[0])
	}
}
