package use

import (
	"context"
	"fmt"
	"maps"
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

	Member string `json:"member,omitempty"`

	dev  bool
	flag string
}

// askLatest returns the servers, of those that were named or else of all in mcp.json, whose latest version is newer
// than what their range takes. A range that reaches further, such as one for prereleases, stays as it is.
func (pl *plan) askLatest(ctx context.Context, refs []app.Ref) (map[*part]map[hub.Name]string, error) {
	named, err := pl.direct(pl.on)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if !slices.Contains(named, r.Name) {
			return nil, notInstalled(pl, "update --latest", r.Name)
		}
		if rng := pl.solver.Overrides[r.Name]; rng != "" {
			return nil, hub.Errorf(hub.Conflict, "%s is held at %s by the overrides of mcp.json", r.Name, rng).
				WithHint("change \"overrides\" in mcp.json, and then mcpm update %s", r.Name)
		}
	}
	ask := map[*part]map[hub.Name]string{}
	for _, pt := range pl.on {
		want, _, err := pt.wanted()
		if err != nil {
			return nil, err
		}
		ask[pt] = map[hub.Name]string{}
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
				ask[pt][id] = "latest"
			}
		}
	}
	return ask, nil
}

// together drops from ask what cannot be had with the rest, one after the other in order of their names, so that one
// server does not hold all others back. Who wants to know why updates that one.
func (pl *plan) together(ctx context.Context, fresh map[hub.Name]bool, ask map[*part]map[hub.Name]string) error {
	if _, err := pl.resolve(ctx, fresh, ask); hub.KindOf(err) != hub.Conflict {
		return err
	}
	for _, pt := range pl.on {
		all := ask[pt]
		ask[pt] = map[hub.Name]string{}
		for _, id := range slices.SortedFunc(maps.Keys(all), app.CompareNames) {
			ask[pt][id] = all[id]
			if _, err := pl.resolve(ctx, fresh, ask); hub.KindOf(err) == hub.Conflict {
				delete(ask[pt], id)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// among reports whether a server is one of those that were named; where none was, all are.
func among(refs []app.Ref, name hub.Name) bool {
	return len(refs) == 0 || slices.ContainsFunc(refs, func(r app.Ref) bool { return r.Name == name })
}

// widen writes ranges that take what was chosen for the servers in ask, in the manner of the old ones: a pinned
// version stays pinned.
func (pl *plan) widen(ask map[*part]map[hub.Name]string) error {
	for _, pt := range pl.on {
		want, dev, err := pt.wanted()
		if err != nil {
			return err
		}
		for _, c := range pl.solution {
			if _, ok := ask[pt][c.ID()]; ok {
				pt.edits = append(pt.edits, edit{name: c.ID(), of: c.Name, rng: rangeLike(want[c.ID()].Range, c.Version), dev: dev[c.ID()]})
			}
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
	for _, pt := range pl.on {
		want, dev, err := pt.wanted()
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
				pl.beyond = append(pl.beyond, beyond{c.ID().String(), app.Clean(latest), rng, pt.Member, dev[c.ID()], pt.Flag()})
			}
		}
	}
}

// tellBeyond says how to get them.
func (pl *plan) tellBeyond(a *app.App, latest bool) {
	flags := ""
	if pl.owner.Global {
		flags = " -g"
	}
	for _, b := range pl.beyond {
		f := flags + b.flag
		if b.dev {
			f += " -D"
		}
		if latest { // it was asked for, and left
			a.IO.Notef("%s stays as it is, its %s does not go with the rest. mcpm update%s %s --latest tells why.\n", b.Name, b.Version, flags+b.flag, b.Name)
			continue
		}
		a.IO.Notef("%s\n", fmt.Sprintf("%s %s is newer than %s takes: mcpm install%s %s@%s", b.Name, b.Version, b.Range, f, b.Name, rangeLike("", b.Version)))
	}
}
