package resolve

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

// pack is one package of the search: a server under its own name or an alias. Its versions stand in the
// order in which they are tried; version i is bit i+1 of a set.
type pack struct {
	id       hub.Name
	spec     hub.Spec // without the range
	offer    *Offer
	versions []*Version
	read     []semver
	isSemver []bool
	usable   pubgrub.Set            // may be newly chosen, or is locked
	locked   int                    // bit of the locked version, 0 for none
	sets     map[string]pubgrub.Set // by range
	tags     map[string]string
	notes    map[int][]string
	deps     map[int]map[hub.Name]string // of versions that were looked at
}

// maxVersions bounds what is read of one server.
const maxVersions = 200_000

func newPack(id hub.Name, spec hub.Spec, o *Offer, locked string, prefer Prefer) (*pack, error) {
	if len(o.Versions) > maxVersions {
		return nil, hub.Errorf(hub.TooLarge, "the registry lists %d versions of %s; at most %d are read", len(o.Versions), spec.Name, maxVersions)
	}
	n := len(o.Versions)
	p := &pack{id: id, spec: spec, offer: o, sets: map[string]pubgrub.Set{}, notes: map[int][]string{}, deps: map[int]map[hub.Name]string{}}
	type entry struct {
		v    *Version
		read semver
		ok   bool
		tier int
	}
	all := make([]entry, n)
	for i := range o.Versions {
		e := entry{v: &o.Versions[i]}
		e.read, e.ok = parseSemver(e.v.Version)
		switch { // better before worse, whatever the number
		case prefer == PreferLocked && locked == e.v.Version && e.v.State.Fetchable():
		case !e.v.State.Resolvable():
			e.tier = 5
		case e.read.pre != "":
			e.tier = 3
		default:
			e.tier = 1
		}
		if e.v.State == hub.Deprecated && e.tier > 0 {
			e.tier++
		}
		all[i] = e
	}
	slices.SortFunc(all, func(a, b entry) int {
		if c := cmp.Compare(a.tier, b.tier); c != 0 {
			return c
		}
		c := 0
		switch {
		case a.ok && b.ok:
			c = a.read.compare(b.read)
		case a.ok:
			c = 1
		case b.ok:
			c = -1
		default:
			c = a.v.PublishedAt.Compare(b.v.PublishedAt)
		}
		if prefer != PreferLowest {
			c = -c
		}
		return cmp.Or(c, a.v.PublishedAt.Compare(b.v.PublishedAt), strings.Compare(a.v.Version, b.v.Version))
	})
	p.versions, p.read, p.isSemver, p.usable = make([]*Version, n), make([]semver, n), make([]bool, n), pubgrub.NewSet(n)
	for i, e := range all {
		p.versions[i], p.read[i], p.isSemver[i] = e.v, e.read, e.ok
		isLocked := locked != "" && locked == e.v.Version && e.v.State.Fetchable()
		if isLocked {
			p.locked = i + 1
		}
		if isLocked || e.v.State.Resolvable() {
			p.usable.Put(i + 1)
		}
	}
	return p, nil
}

// set returns the versions in a range. With keep, a tag that has moved on does not push out what is locked:
// only an update follows it. NotFound when there is no such tag.
func (p *pack) set(r Range, keep bool) (pubgrub.Set, error) {
	if s, ok := p.sets[r.text]; ok {
		return s, nil
	}
	s := pubgrub.NewSet(len(p.versions))
	exact := false
	for i := range p.versions {
		if p.versions[i].Version == r.text {
			s.Put(i + 1)
			exact = true
		}
	}
	switch {
	case exact:
	case r.tag != "":
		if p.tags == nil {
			p.tags = withLatest(p.offer)
		}
		tagged, ok := p.tags[r.tag]
		if !ok && r.tag != "latest" {
			return nil, p.noTag(r.tag)
		}
		for i := range p.versions {
			if ok && p.versions[i].Version == tagged {
				s.Put(i + 1)
			}
		}
		if keep && p.locked > 0 {
			s.Put(p.locked)
		}
	default:
		for i := range p.versions {
			if p.isSemver[i] && r.fits(p.read[i]) {
				s.Put(i + 1)
			}
		}
	}
	p.sets[r.text] = s
	return s, nil
}

func (p *pack) noTag(tag string) error {
	e := hub.Errorf(hub.NotFound, "%s has no version or tag %q", p.spec.Name, tag)
	if len(p.tags) == 0 {
		return e.WithHint("mcpm info %s --versions", p.spec.Name)
	}
	return e.WithHint("its tags are: %s", list(slices.Sorted(maps.Keys(p.tags)), 12))
}

// ascending returns the members of a set, lowest version first.
func (p *pack) ascending(s pubgrub.Set) []int {
	var out []int
	for i := range p.versions {
		if s.Has(i + 1) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		x, y := p.versions[a], p.versions[b]
		return cmp.Or(hub.CompareVersions(x.Version, x.PublishedAt, y.Version, y.PublishedAt), b-a)
	})
	return out
}
