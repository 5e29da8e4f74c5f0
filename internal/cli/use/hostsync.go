package use

import (
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
	var wants []install.Want
	for _, pt := range pl.on {
		names, err := pl.direct([]*part{pt})
		if err != nil {
			return nil, err
		}
		if len(pl.hosts) > 0 {
			named := names
			if len(pt.edits) > 0 {
				named = nil
				for _, e := range pt.edits {
					named = append(named, e.name)
				}
			}
			narrow(r, pt.Project, named, pl.hosts)
		}
		wants = append(wants, install.Want{Project: pt.Project, Servers: names})
	}
	return r.Sync(wants...)
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

// tellMissing names the values a new server needs before it can run.
func tellMissing(a *app.App, pl *plan) {
	for _, st := range pl.steps {
		p := pl.of(st.name).Project
		l, err := a.Launch(p, st.name, st.new.Manifest, app.LaunchOptions{Bundle: ".", Peek: true})
		if err != nil || len(l.Missing) == 0 {
			continue
		}
		var names []string
		for _, m := range l.Missing {
			names = append(names, m.Name)
		}
		a.IO.Warnf("%s needs %s before it runs: %s", st.name, app.AndList(names), app.HowToGive(p, st.name, st.new.Manifest, l.Spec, names))
	}
}
