package resolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

// The bounds of one search. What a hub answers may be made to have no end.
const (
	maxWork   = 1 << 30 // words of sets looked at: about a second
	maxRoom   = 1 << 24 // words of sets kept: 128 MB
	maxLooked = 20_000  // versions whose needs are asked for
	maxPacks  = 20_000
	maxWave   = 64 // versions asked for ahead at a time
	maxNeeds  = 5_000
)

// question is what is to be solved. Hints ask it again with a change.
type question struct {
	Solver
	fetch  *fetcher
	roots  []Root
	locked map[hub.Name]string
	free   int  // one more than the root that may have any version; 0 is none
	hint   bool // a way out is tried: it must not take long
}

// search is one try at a question.
type search struct {
	*question
	ctx    context.Context
	sat    *pubgrub.Solver
	packs  []*pack
	byID   map[hub.Name]map[hub.Name]int // alias or name, then name
	facts  []fact
	ranges map[string]Range
	bad    map[string]error
	waved  map[[2]int]bool
	looked int
	byRoot []int // packs of the roots
}

// failed is a search that found that there is no solution.
type failed struct {
	*search
	proof *pubgrub.Clause
}

func (q *question) solve(ctx context.Context) (Solution, *failed, error) {
	s := &search{
		question: q, ctx: ctx, byID: map[hub.Name]map[hub.Name]int{}, ranges: map[string]Range{}, bad: map[string]error{},
		waved: map[[2]int]bool{},
	}
	s.sat = &pubgrub.Solver{Source: s, Limit: maxWork, Room: maxRoom}
	if s.hint {
		s.sat.Limit, s.sat.Room = maxWork/16, maxRoom/4
	}
	if err := s.addRoots(); err != nil {
		return nil, nil, err
	}
	chosen, proof, err := s.sat.Solve()
	switch {
	case errors.Is(err, pubgrub.ErrLimit):
		return nil, nil, s.gaveUp()
	case err != nil:
		return nil, nil, err
	case proof != nil:
		return nil, &failed{s, proof}, nil
	}
	return s.solution(chosen), nil, nil
}

func (s *search) gaveUp() error {
	return hub.Errorf(hub.Conflict, "no set of versions was found within the limit of the search (%d servers, %d versions looked at)", len(s.packs), s.looked).
		WithHint("pin one of the servers to an exact version, such as mcpm install NAME@1.2.3")
}

func (s *search) addRoots() error {
	var names []hub.Name
	for _, r := range s.roots {
		if _, err := s.parse(r.Range); err != nil {
			if r.From == "" {
				return err
			}
			return hub.Errorf(hub.Invalid, "%s asks for %s %q: %s", r.From, r.Name, clip(r.Range), err.Error()).WithHint("see mcpm help ranges")
		}
		names = append(names, r.Name)
	}
	s.fetch.aheadOffers(s.ctx, names)
	var kept, others []int
	for i, r := range s.roots {
		spec := hub.Spec{Alias: r.Alias, Name: r.Name}
		p, err := s.pack(spec)
		if err != nil {
			return missing(err, r)
		}
		s.byRoot = append(s.byRoot, p)
		over, overridden := s.Overrides[r.ID()]
		f := fact{kind: rootFact, dep: p, rng: []string{r.Range}, from: r.From, where: r.Where, root: i}
		switch {
		case s.free == i+1:
			f.in = s.packs[p].usable
		case overridden && r.From != "":
			overridden, f.override, f.rng = false, true, []string{over}
			fallthrough
		default:
			if f.in, err = s.set(p, f.rng[0]); err != nil {
				return err
			}
		}
		s.assert(f)
		if overridden { // what was typed does not undo it
			f := fact{kind: rootFact, dep: p, rng: []string{over}, from: "your project", override: true, root: i}
			if f.in, err = s.set(p, over); err != nil {
				return err
			}
			s.assert(f)
		}
		if l := s.packs[p].locked; s.Prefer == PreferLocked && l > 0 && f.in.Has(l) {
			kept = append(kept, p)
		} else {
			others = append(others, p)
		}
	}
	s.sat.Ask(kept...)
	s.sat.Ask(others...)
	return nil
}

// missing says who asked for a server that is not there.
func missing(err error, r Root) error {
	if hub.KindOf(err) != hub.NotFound || r.From == "" {
		return err
	}
	return hub.Errorf(hub.NotFound, "%s asks for %s, which %s does not have", r.From, r.Name, asked(err)).
		WithHint("mcpm search %s", r.Name.Base()).WithCause(fmt.Errorf("offer of %s: %w", r.Name, err))
}

func (s *search) parse(text string) (Range, error) {
	if r, ok := s.ranges[text]; ok {
		return r, s.bad[text]
	}
	r, err := ParseRange(text)
	s.ranges[text] = r
	if err != nil {
		s.bad[text] = err
	}
	return r, err
}

func (s *search) set(p int, text string) (pubgrub.Set, error) {
	r, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	return s.packs[p].set(r, s.Prefer == PreferLocked)
}

// pack returns the package of a server, made when it is first met: with what its versions cannot be chosen for.
func (s *search) pack(spec hub.Spec) (int, error) {
	id := spec.ID()
	if i, ok := s.byID[id][spec.Name]; ok {
		return i, nil
	}
	if len(s.packs) >= maxPacks {
		return 0, s.gaveUp()
	}
	o, err := s.fetch.offer(s.ctx, spec.Name)
	if err == nil && o == nil {
		err = hub.Errorf(hub.NotFound, "there is no %s", spec.Name)
	}
	if err != nil {
		return 0, err
	}
	p, err := newPack(id, hub.Spec{Alias: spec.Alias, Name: spec.Name}, o, s.locked[id], s.Prefer)
	if err != nil {
		return 0, err
	}
	i := s.sat.Add(len(p.versions))
	s.packs = append(s.packs, p)
	for _, name := range slices.Sorted(maps.Keys(s.byID[id])) { // an alias stands for one server
		other := s.byID[id][name]
		s.assert(fact{kind: clashFact, pkg: i, set: s.everything(i), dep: other, in: s.everything(other)})
	}
	if s.byID[id] == nil {
		s.byID[id] = map[hub.Name]int{}
	}
	s.byID[id][spec.Name] = i
	barred := map[barrier]pubgrub.Set{}
	for v := range p.versions {
		var why barrier
		version := p.versions[v]
		if !p.usable.Has(v + 1) {
			if why.text = "is " + string(version.State); version.Message != "" {
				why.text += ": " + clip(version.Message)
			}
		} else if bar, notes := s.Env.check(version.Requires); bar.text != "" {
			why = bar
			p.usable.Drop(v + 1)
		} else if notes != nil {
			p.notes[v+1] = notes
		}
		if why.text != "" {
			if barred[why] == nil {
				barred[why] = pubgrub.NewSet(len(p.versions))
			}
			barred[why].Put(v + 1)
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(barred), func(a, b barrier) int { return strings.Compare(a.text, b.text) }) {
		s.assert(fact{kind: barredFact, pkg: i, set: barred[why], text: why.text, cure: why.cure})
	}
	return i, nil
}

func (s *search) everything(p int) pubgrub.Set {
	absent := pubgrub.NewSet(len(s.packs[p].versions))
	absent.Put(0)
	return absent.Not(len(s.packs[p].versions))
}

func (s *search) assert(f fact) {
	s.facts = append(s.facts, f)
	s.sat.Assert(len(s.facts)-1, f.terms(len(s.packs[f.dep].versions))...)
}

// Expand implements pubgrub.Source.
func (s *search) Expand(p, v int) ([]int, error) {
	if s.looked++; s.looked > maxLooked {
		return nil, pubgrub.ErrLimit
	}
	pk := s.packs[p]
	s.ahead(p, v)
	needs, err := s.fetch.needsOf(s.ctx, pk.spec.Name, pk.versions[v-1].Version)
	if err != nil {
		return nil, err
	}
	only := pubgrub.NewSet(len(pk.versions))
	only.Put(v)
	if bar, notes := s.Env.check(needs.Requires); bar.text != "" {
		s.assert(fact{kind: barredFact, pkg: p, set: only, text: bar.text, cure: bar.cure})
		return nil, nil
	} else if len(notes) > 0 {
		pk.notes[v] = notes
	}
	if len(needs.Dependencies) > maxNeeds {
		s.assert(fact{kind: barredFact, pkg: p, set: only, text: fmt.Sprintf("asks for %d servers; at most %d are read", len(needs.Dependencies), maxNeeds)})
		return nil, nil
	}
	var asks []int
	pk.deps[v] = make(map[hub.Name]string, len(needs.Dependencies))
	for _, key := range slices.Sorted(maps.Keys(needs.Dependencies)) {
		dep, err := s.need(p, only, key, needs.Dependencies[key])
		if err != nil {
			return nil, err
		}
		if dep < 0 {
			return nil, nil
		}
		pk.deps[v][s.packs[dep].id] = needs.Dependencies[key]
		asks = append(asks, dep)
	}
	return asks, nil
}

// need asserts one dependency and returns its package, or -1 when the version cannot be used because of it:
// an older one may be better made.
func (s *search) need(p int, only pubgrub.Set, key, value string) (int, error) {
	broken := func(e *hub.Error, text string) (int, error) {
		s.assert(fact{kind: barredFact, pkg: p, set: only, text: text, err: e})
		return -1, nil
	}
	spec, err := hub.ParseSpec(key, value)
	if err != nil {
		return broken(hub.Errorf(hub.Invalid, ""), fmt.Sprintf("depends on %q, which is no server name", clip(key)))
	}
	over, overridden := s.Overrides[spec.ID()]
	if overridden {
		spec.Range = over
	}
	dep, err := s.pack(spec)
	if hub.KindOf(err) == hub.NotFound {
		return broken(hub.Errorf(hub.NotFound, "").WithHint("mcpm search %s", spec.Name.Base()),
			fmt.Sprintf("asks for %s, which %s does not have", spec.Name, asked(err)))
	}
	if err != nil {
		return 0, err
	}
	in, err := s.set(dep, spec.Range)
	if err != nil {
		e := hub.Errorf(hub.KindOf(err), "")
		if e.Kind == hub.Invalid {
			e.Hint = "its publisher must mend that; see mcpm help ranges"
		}
		return broken(e, fmt.Sprintf("asks for %s %q: %s", spec.Name, clip(spec.Range), err.Error()))
	}
	s.assert(fact{kind: needFact, pkg: p, set: only, dep: dep, in: in, rng: []string{spec.Range}, override: overridden})
	return dep, nil
}

// ahead asks at once for all that is known to be looked at next: what the version needs, and what the
// waiting packages will; and then for the servers that these name.
func (s *search) ahead(p, v int) {
	if s.waved[[2]int{p, v}] {
		return
	}
	var wave []version
	for _, next := range append([][2]int{{p, v}}, s.sat.Pending()...) {
		if !s.waved[next] && len(wave) < maxWave {
			s.waved[next] = true
			pk := s.packs[next[0]]
			wave = append(wave, version{pk.spec.Name, pk.versions[next[1]-1].Version})
		}
	}
	s.fetch.aheadNeeds(s.ctx, wave)
	var names []hub.Name
	seen := map[hub.Name]bool{}
	for i, w := range wave {
		if s.ctx.Err() != nil {
			return
		}
		needs, err := s.fetch.needsOf(s.ctx, w.name, w.version)
		if err != nil || len(needs.Dependencies) > maxNeeds {
			if i == 0 {
				return
			}
			continue
		}
		for key, value := range needs.Dependencies {
			if spec, err := hub.ParseSpec(key, value); err == nil && !seen[spec.Name] {
				seen[spec.Name] = true
				names = append(names, spec.Name)
			}
		}
	}
	s.fetch.aheadOffers(s.ctx, names)
}

func (s *search) solution(chosen []int) Solution {
	out := Solution{}
	for i, v := range chosen {
		if v == 0 {
			continue
		}
		p := s.packs[i]
		c := p.versions[v-1]
		out = append(out, Choice{
			Name: p.spec.Name, Alias: p.spec.Alias, Version: c.Version, State: c.State, Message: c.Message,
			Dependencies: p.deps[v], Kept: v == p.locked, Notes: p.notes[v],
		})
	}
	sorted(out).MarkDev(s.roots)
	return out
}
