package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// pick chooses from an offer the version that fits all wants: the locked one when it still fits, the
// tagged one for a tag, otherwise the highest.
func pick(o *Offer, wants []want, locked string) (Version, bool, error) {
	ranges := make([]Range, len(wants))
	tags := withLatest(o)
	for i, w := range wants {
		r, err := ParseRange(w.rng)
		if err != nil {
			if w.from != "" {
				return Version{}, false, hub.Errorf(hub.Invalid, "%s asks for %s %q: %s", w.from, o.Name, clip(w.rng), err.Error()).
					WithHint("see mcpm help ranges")
			}
			return Version{}, false, err
		}
		if r.tag != "" && tags[r.tag] == "" && !o.has(r.text) {
			return Version{}, false, noTag(o, r.tag, tags)
		}
		ranges[i] = r
	}
	fits := func(v Version) bool {
		for _, r := range ranges {
			if !r.Fits(v.Version, tags) {
				return false
			}
		}
		return true
	}
	if v, ok := o.version(locked); ok && v.State.Fetchable() && lockedFits(ranges, v, tags) {
		return v, true, nil
	}
	var best *Version
	for i, v := range o.Versions {
		if !v.State.Resolvable() || !fits(v) {
			continue
		}
		if best == nil || better(v, *best) {
			best = &o.Versions[i]
		}
	}
	if best == nil {
		return Version{}, false, nothingFits(o, wants, ranges, tags)
	}
	return *best, false, nil
}

// lockedFits is fits, but a tag that moved on does not push out what is locked: only an update follows it.
func lockedFits(ranges []Range, v Version, tags map[string]string) bool {
	for _, r := range ranges {
		if r.tag == "" && !r.Fits(v.Version, tags) {
			return false
		}
	}
	return true
}

func better(a, b Version) bool {
	if (a.State == hub.Published) != (b.State == hub.Published) && hub.Prerelease(a.Version) == hub.Prerelease(b.Version) {
		return a.State == hub.Published // a version that is not deprecated, when there is one
	}
	return hub.CompareVersions(a.Version, a.PublishedAt, b.Version, b.PublishedAt) > 0
}

// withLatest returns the dist-tags with "latest" set by rule where the hub did not set it.
func withLatest(o *Offer) map[string]string {
	if v, ok := o.version(o.DistTags["latest"]); ok && v.State.Resolvable() {
		return o.DistTags
	}
	keys := make([]hub.VersionKey, 0, len(o.Versions))
	for _, v := range o.Versions {
		if v.State.Resolvable() {
			keys = append(keys, hub.VersionKey{ID: v.Version, Version: v.Version, State: v.State, PublishedAt: v.PublishedAt})
		}
	}
	tags := map[string]string{}
	for k, v := range o.DistTags {
		tags[k] = v
	}
	delete(tags, "latest")
	if latest := hub.Latest(keys); latest != "" {
		tags["latest"] = latest
	}
	return tags
}

func (o *Offer) version(s string) (Version, bool) {
	for _, v := range o.Versions {
		if v.Version == s && s != "" {
			return v, true
		}
	}
	return Version{}, false
}

func (o *Offer) has(s string) bool { _, ok := o.version(s); return ok }

func noTag(o *Offer, tag string, tags map[string]string) error {
	if tag == "latest" {
		return nothingFits(o, []want{{"latest", ""}}, nil, tags)
	}
	names := make([]string, 0, len(tags))
	for t := range tags {
		names = append(names, t)
	}
	slices.Sort(names)
	return hub.Errorf(hub.NotFound, "%s has no version or tag %q", o.Name, tag).
		WithHint("its tags are: %s", strings.Join(names, ", "))
}

// nothingFits explains a conflict: who asks for what, what there is, and what would do.
func nothingFits(o *Offer, wants []want, ranges []Range, tags map[string]string) error {
	e := hub.Errorf(hub.Conflict, "no version of %s fits", o.Name)
	if len(wants) == 1 && wants[0].rng != "" {
		e.Message += " " + fmt.Sprintf("%q", wants[0].rng)
	}
	why := func(format string, args ...any) {
		e.Issues = append(e.Issues, hub.Issue{Message: fmt.Sprintf(format, args...), Severity: hub.SeverityError})
	}
	for _, w := range wants {
		if w.from != "" {
			why("%s needs %s %s", w.from, o.Name, w.rng)
		}
	}
	open := resolvable(o)
	for _, v := range o.Versions {
		if len(ranges) > 0 && !v.State.Resolvable() && allFit(ranges, v.Version, tags) {
			what := string(v.State)
			if v.Message != "" {
				what += ": " + v.Message
			}
			why("%s %s would fit but is %s", o.Name, v.Version, what)
			break
		}
	}
	if len(open) == 0 {
		why("no version of it can be installed")
		return e.WithHint("mcpm search %s", o.Name.Base())
	}
	why("there is %s", list(open, 5))
	for i, r := range ranges { // leave one range out: what would fit the others?
		if len(wants) < 2 || wants[i].from == "" {
			continue
		}
		rest := slices.Delete(slices.Clone(ranges), i, i+1)
		for _, v := range open {
			if allFit(rest, v.Version, tags) && strings.HasPrefix(wants[i].from, "your ") {
				return e.WithHint("mcpm install %s@%s fits everything but %s (%s)", o.Name, v.Version, wants[i].from, r)
			}
		}
	}
	pick := tags["latest"]
	if pick == "" {
		pick = open[0].Version
	}
	return e.WithHint("mcpm install %s@%s", o.Name, pick)
}

func allFit(ranges []Range, version string, tags map[string]string) bool {
	for _, r := range ranges {
		if !r.Fits(version, tags) {
			return false
		}
	}
	return true
}

// resolvable returns the versions a new resolution may take, highest first.
func resolvable(o *Offer) []Version {
	var out []Version
	for _, v := range o.Versions {
		if v.State.Resolvable() {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b Version) int {
		return hub.CompareVersions(b.Version, b.PublishedAt, a.Version, a.PublishedAt)
	})
	return out
}

func list(vs []Version, most int) string {
	var names []string
	for _, v := range vs[:min(most, len(vs))] {
		names = append(names, v.Version)
	}
	s := strings.Join(names, ", ")
	if more := len(vs) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// Matching returns the versions of an offer that are in a range and can be resolved, highest first.
func Matching(o *Offer, r Range) []string {
	tags := withLatest(o)
	var out []string
	for _, v := range resolvable(o) {
		if r.Fits(v.Version, tags) || r.String() == "*" {
			out = append(out, v.Version)
		}
	}
	return out
}
