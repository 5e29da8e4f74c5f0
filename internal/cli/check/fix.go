package check

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/kept"
	"github.com/mcphub/mcphub/internal/hub"
)

// mend repairs what was found and says each step before it is taken. It returns what was done; what failed is warned
// of, and found again by the next look.
func (o *doctorOptions) mend(ctx context.Context, found []finding) (done []string) {
	if has(found, fixStore) {
		o.IO.Notef("Fetching again what differs from the lockfiles, or is not here.\n")
		if v, err := kept.Verify(ctx, o.App, true); err != nil {
			o.IO.Warnf("the store was not repaired: %v", err)
		} else {
			if v.Repaired > 0 {
				done = append(done, "fetched "+app.Plural(v.Repaired, "server")+" again")
			}
			for _, i := range v.Bad {
				o.IO.Warnf("%s", i.Message)
			}
		}
	}
	if has(found, fixHosts) {
		done = append(done, o.mendHosts()...)
	}
	for _, d := range done {
		o.IO.Notef("  %s\n", d)
	}
	return done
}

func has(found []finding, fix string) bool {
	return slices.ContainsFunc(found, func(f finding) bool { return f.Fix == fix })
}

// mendHosts writes the entries again that mcpm recorded, as mcpm install does: what people added to one stays, and the
// file as it was before mcpm's first entry is kept.
func (o *doctorOptions) mendHosts() (done []string) {
	fail := func(err error) []string {
		o.IO.Warnf("the host applications were not repaired: %v", err)
		return done
	}
	r, err := o.Registrar(false)
	if err != nil {
		return fail(err)
	}
	m, err := o.machine(r)
	if err != nil {
		return fail(err)
	}
	names := map[string][]hub.Name{}
	places := slices.SortedFunc(maps.Keys(m.recorded), func(a, b place) int { return app.CompareNames(a.name, b.name) })
	byDir := map[string]place{}
	for _, at := range places {
		if have, err := m.locked(at.project, at.name); err == nil && have {
			names[at.project.Dir] = append(names[at.project.Dir], at.name)
			byDir[at.project.Dir] = at
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(names)) {
		p := byDir[dir].project
		o.IO.Notef("Writing the entries of %s again,%s.\n", app.Plural(len(names[dir]), "server"), where(p))
		changes, err := r.Register(p, names[dir])
		if err != nil {
			return fail(err)
		}
		for _, c := range changes {
			switch c.Action {
			case "added", "updated":
				done = append(done, fmt.Sprintf("%s: %s %s", c.Host.Name, c.Action, c.Key))
			case "failed":
				o.IO.Warnf("%s was left as it is: %v", c.Host.Name, c.Err)
			}
		}
	}
	return done
}
