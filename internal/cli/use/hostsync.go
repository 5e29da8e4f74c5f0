package use

import (
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
