package resolve

import (
	"fmt"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

// fact is one thing that is given: who needs what, and what cannot be had. A proof ends in facts.
type fact struct {
	kind     factKind
	pkg      int         // who needs, or cannot be had; unused in a rootFact
	set      pubgrub.Set // which versions of it
	dep      int         // what is needed
	in       pubgrub.Set // which versions of that will do
	rng      []string    // the same, as written
	override bool        // by the project's overrides
	from     string      // of a rootFact: who asks
	where    string      // of a rootFact: the place where it is written
	root     int         // of a rootFact: which
	text     string      // of a barredFact: why, after the name
	cure     string      // of a barredFact: what would have to be here
	err      *hub.Error  // of a barredFact: kind and hint, when that is the mistake of whoever published it
}

type factKind int

const (
	rootFact   factKind = iota // the project needs
	needFact                   // a version needs
	barredFact                 // a version cannot be had
	clashFact                  // one alias, two servers
)

// terms says a fact as what is not true together. n is the number of versions of dep.
func (f fact) terms(n int) []pubgrub.Term {
	switch f.kind {
	case rootFact:
		return []pubgrub.Term{{Pkg: f.dep, Set: f.in.Not(n)}}
	case needFact:
		return []pubgrub.Term{{Pkg: f.pkg, Set: f.set}, {Pkg: f.dep, Set: f.in.Not(n)}}
	case clashFact:
		return []pubgrub.Term{{Pkg: f.pkg, Set: f.set}, {Pkg: f.dep, Set: f.in}}
	}
	return []pubgrub.Term{{Pkg: f.pkg, Set: f.set}}
}

// core returns few facts that cannot be true together: those of the proof, with the versions that need the
// same taken together, without those that are not needed, and where that is still enough with "one or the
// other" in place of one fact for each version.
func (f *failed) core() []fact {
	var all []fact
	index := map[string]int{}
	for _, i := range f.proof.Facts() {
		x := f.facts[i]
		key := fmt.Sprint(x.kind, x.pkg, x.dep, x.rng, x.text, x.root, x.override)
		if x.kind == barredFact || x.kind == needFact {
			if j, ok := index[key]; ok {
				all[j].set = all[j].set.Or(x.set)
				continue
			}
			index[key] = len(all)
		}
		all = append(all, x)
	}
	tries := 600
	all = f.fewer(all, &tries)
	type pair struct{ pkg, dep int }
	groups := map[pair][]int{}
	var order []pair
	for i, x := range all {
		if p := (pair{x.pkg, x.dep}); x.kind == needFact {
			if groups[p] == nil {
				order = append(order, p)
			}
			groups[p] = append(groups[p], i)
		}
	}
	var gone []int
	for _, p := range order {
		g := groups[p]
		if len(g) < 2 || tries <= 0 {
			continue
		}
		one := all[g[0]]
		for _, i := range g[1:] {
			one.set, one.in, one.override = one.set.Or(all[i].set), one.in.Or(all[i].in), one.override || all[i].override
			one.rng = append(slices.Clone(one.rng), all[i].rng...)
		}
		next := slices.Clone(all)
		next[g[0]] = one
		drop := append(slices.Clone(gone), g[1:]...)
		tries--
		if f.refute(without(next, drop)) != nil {
			all, gone = next, drop
		}
	}
	return f.fewer(without(all, gone), &tries)
}

func without(all []fact, drop []int) []fact {
	out := make([]fact, 0, len(all))
	for i, x := range all {
		if !slices.Contains(drop, i) {
			out = append(out, x)
		}
	}
	return out
}

// fewer leaves facts out, many at a time and then one at a time, as long as the rest contradicts itself.
func (f *failed) fewer(all []fact, tries *int) []fact {
	for chunk := max(1, len(all)/2); ; chunk /= 2 {
		for i := 0; i < len(all) && *tries > 0; {
			rest := append(slices.Clone(all[:i]), all[min(i+chunk, len(all)):]...)
			*tries--
			if f.refute(rest) != nil {
				all = rest
			} else {
				i += chunk
			}
		}
		if chunk <= 1 {
			return all
		}
	}
}

// refute returns the proof that facts cannot be true together, nil when they can or when that is hard to tell.
// The facts of the proof are indices into facts.
func (f *failed) refute(facts []fact) *pubgrub.Clause {
	sat := &pubgrub.Solver{Limit: 1 << 21, Room: 1 << 20}
	number := map[int]int{}
	pkg := func(p int) int {
		if _, ok := number[p]; !ok {
			number[p] = sat.Add(len(f.packs[p].versions))
		}
		return number[p]
	}
	for i, x := range facts {
		terms := x.terms(len(f.packs[x.dep].versions))
		for j := range terms {
			terms[j].Pkg = pkg(terms[j].Pkg)
			sat.Ask(terms[j].Pkg)
		}
		sat.Assert(i, terms...)
	}
	_, proof, err := sat.Solve()
	if err != nil {
		return nil
	}
	return proof
}
