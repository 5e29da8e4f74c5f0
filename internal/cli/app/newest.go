package app

import (
	"context"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// Best returns the version that is taken of a server by all of some ranges, looking at nothing but this server; ""
// when none fits. NotFound when there is no such server.
func (p *HubProvider) Best(ctx context.Context, name hub.Name, ranges ...string) (string, error) {
	if _, err := p.Offer(ctx, name); err != nil {
		return "", err
	}
	var roots []resolve.Root
	for _, rng := range ranges {
		roots = append(roots, resolve.Root{Name: name, Range: rng})
	}
	s, err := resolve.Solver{Provider: alone{p}}.Resolve(ctx, roots, nil)
	switch k := hub.KindOf(err); {
	case err == nil && len(s) == 1:
		return s[0].Version, nil
	case err == nil, k == hub.Conflict, k == hub.NotFound, k == hub.Invalid:
		return "", nil
	}
	return "", err
}

// Newer reports whether version a of a server comes after b. A version that nobody has is before all others.
func (p *HubProvider) Newer(ctx context.Context, name hub.Name, a, b string) bool {
	o, err := p.Offer(ctx, name)
	if err != nil || a == "" || b == "" {
		return err == nil && a != ""
	}
	at := map[string]time.Time{}
	for _, v := range o.Versions {
		at[v.Version] = v.PublishedAt
	}
	return hub.CompareVersions(a, at[a], b, at[b]) > 0
}

// Leap names the part of the version that grows: major, minor, patch or prerelease; or "older". "" when the numbers
// say nothing.
func Leap(from, to string) string {
	a, errA := semver.StrictNewVersion(from)
	b, errB := semver.StrictNewVersion(to)
	switch {
	case errA != nil || errB != nil:
		return ""
	case b.LessThan(a):
		return "older"
	case a.Major() != b.Major():
		return "major"
	case a.Minor() != b.Minor():
		return "minor"
	case a.Patch() != b.Patch():
		return "patch"
	}
	return "prerelease"
}
