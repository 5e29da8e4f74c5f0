package use

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// beyond is a version of a server that mcp.json asks for, newer than it takes.
type beyond struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Range   string `json:"range"` // which does not take it

	dev bool
}

// askLatest returns the servers, of those that were named or else of all in mcp.json, whose latest version is newer
// than what their range takes. A range that reaches further, such as one for prereleases, stays as it is.
func (pl *plan) askLatest(ctx context.Context, refs []app.Ref) (map[hub.Name]string, error) {
	want, _, err := pl.wanted()
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if _, ok := want[r.Name]; !ok {
			return nil, notInstalled(pl, r.Name)
		}
		if rng := pl.solver.Overrides[r.Name]; rng != "" {
			return nil, hub.Errorf(hub.Conflict, "%s is held at %s by the overrides of mcp.json", r.Name, rng).
				WithHint("change \"overrides\" in mcp.json, and then mcpm update %s", r.Name)
		}
	}
	ask := map[hub.Name]string{}
	for id, spec := range want {
		if pl.solver.Overrides[id] != "" || !among(refs, id) {
			continue
		}
		fits, err := pl.provider.Best(ctx, spec.Name, spec.Range)
		if err != nil {
			return nil, err
		}
		latest, err := pl.provider.Best(ctx, spec.Name, "latest")
		if err != nil {
			return nil, err
		}
		if pl.provider.Newer(ctx, spec.Name, latest, fits) {
			ask[id] = "latest"
		}
	}
	return ask, nil
}

// among reports whether a server is one of those that were named; where none was, all are.
func among(refs []app.Ref, name hub.Name) bool {
	return len(refs) == 0 || slices.ContainsFunc(refs, func(r app.Ref) bool { return r.Name == name })
}

// widen writes ranges that take what was chosen for the servers in ask, in the manner of the old ones: a pinned
// version stays pinned.
func (pl *plan) widen(ask map[hub.Name]string) error {
	want, dev, err := pl.wanted()
	if err != nil {
		return err
	}
	for _, c := range pl.solution {
		if _, ok := ask[c.ID()]; ok {
			pl.edits = append(pl.edits, edit{name: c.ID(), of: c.Name, rng: rangeLike(want[c.ID()].Range, c.Version), dev: dev[c.ID()]})
		}
	}
	return nil
}

// rangeLike writes a range for a version as an old one was written.
func rangeLike(old, version string) string {
	_, exact := hub.ParseVersion(strings.TrimSpace(old))
	switch _, err := hub.ParseVersion(version); {
	case exact == nil:
		return version
	case err == nil && strings.HasPrefix(strings.TrimSpace(old), "~"):
		return "~" + version
	}
	latest, _ := resolve.ParseRange("latest") // a tag is always read
	return latest.Save(version)
}

// lookBeyond finds the latest versions that mcp.json does not take. The hub has just been asked, so this costs
// nothing; where it does fail, an update is worth more than the remark.
func (pl *plan) lookBeyond(ctx context.Context, refs []app.Ref) {
	want, dev, err := pl.wanted()
	if err != nil {
		return
	}
	for _, c := range pl.solution {
		spec, ok := want[c.ID()]
		rng := spec.Range
		r, err := resolve.ParseRange(rng)
		if !ok || err != nil || r.Tag() != "" || pl.solver.Overrides[c.ID()] != "" || !among(refs, c.ID()) {
			continue
		}
		latest, err := pl.provider.Best(ctx, c.Name, "latest")
		if err == nil && pl.provider.Newer(ctx, c.Name, latest, c.Version) && !r.Fits(latest, nil) {
			pl.beyond = append(pl.beyond, beyond{c.ID().String(), app.Clean(latest), rng, dev[c.ID()]})
		}
	}
}

// tellBeyond says how to get them.
func (pl *plan) tellBeyond(a *app.App) {
	flags := ""
	if pl.project.Global {
		flags = " -g"
	}
	for _, b := range pl.beyond {
		f := flags
		if b.dev {
			f += " -D"
		}
		a.IO.Notef("%s\n", fmt.Sprintf("%s %s is newer than %s takes: mcpm install%s %s@%s", b.Name, b.Version, b.Range, f, b.Name, rangeLike("", b.Version)))
	}
}
