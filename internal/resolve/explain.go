package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

// maxReasons is how many sentences an explanation has, and maxFolded how many facts are one sentence.
const (
	maxReasons = 10
	maxFolded  = 5
)

// story tells a proof. It goes from the project outwards: who needs what, which needs what, and what
// follows from that.
type story struct {
	*failed
	facts   []fact
	subject int         // the rootFact that the headline is about
	depth   map[int]int // of packages, from the project
	own     map[int]int // the same, from the subject only
	uses    map[*pubgrub.Clause]int
	told    map[*pubgrub.Clause]bool
	heap    []int // facts that are to be told before the next conclusion
	lines   []string
}

// explain makes the error of a search that failed.
func (f *failed) explain(ctx context.Context) error {
	facts := f.core()
	if e := publisher(f, facts); e != nil {
		return e
	}
	t := &story{failed: f, facts: facts, uses: map[*pubgrub.Clause]int{}, told: map[*pubgrub.Clause]bool{}}
	t.measure()
	subject := facts[t.subject]
	e := hub.Errorf(hub.Conflict, "no version of %s fits", f.called(subject.dep))
	if plain := t.tell(); plain {
		if rng := strings.TrimSpace(subject.rng[0]); rng != "" && rng != "latest" {
			e.Message += fmt.Sprintf(" %q", clip(rng))
		}
	}
	if len(t.lines) > maxReasons {
		more := len(t.lines) - maxReasons + 2
		t.lines = append(append(t.lines[:maxReasons-2:maxReasons-2], fmt.Sprintf("and %d more facts of this kind", more-1)), t.lines[len(t.lines)-1])
	}
	for _, line := range t.lines {
		e.Issues = append(e.Issues, hub.Issue{Message: line, Severity: hub.SeverityError})
	}
	return e.WithHint("%s", f.advice(ctx, facts, t.subject))
}

// publisher returns the error when nothing clashes, but a version that is needed names what does not exist.
func publisher(f *failed, facts []fact) error {
	var found *fact
	needed := map[int]int{}
	for i, x := range facts {
		switch {
		case x.kind == barredFact && x.err == nil || x.kind == clashFact:
			return nil
		case x.kind == barredFact && found == nil:
			found = &facts[i]
		case x.kind == rootFact || x.kind == needFact:
			needed[x.dep]++
		}
	}
	for _, n := range needed {
		if n > 1 {
			return nil
		}
	}
	if found == nil {
		return nil
	}
	return hub.Errorf(found.err.Kind, "%s %s", f.versions(found.pkg, found.set), found.text).WithHint("%s", found.err.Hint)
}

// measure finds how far each package is from the project, and which of its wishes the story is about: the
// one that was typed, or the one from which the longest way leads to the clash.
func (t *story) measure() {
	best := -1
	for i, x := range t.facts {
		if x.kind != rootFact {
			continue
		}
		rank := 0
		for _, y := range t.facts {
			switch {
			case y.kind == needFact && y.pkg == x.dep:
				rank += 2
			case y.kind == needFact && y.dep == x.dep:
				rank--
			}
		}
		if x.from == "" {
			rank += 1000
		}
		if rank > best || best < 0 {
			best, t.subject = rank, i
		}
	}
	t.depth = t.distances(func(i int) bool { return true })
	t.own = t.distances(func(i int) bool { return i == t.subject })
}

// distances returns how many steps packages are from some of the roots.
func (t *story) distances(from func(int) bool) map[int]int {
	out := map[int]int{}
	for range t.facts { // a way is at most as long as there are facts
		for i, x := range t.facts {
			switch d, ok := out[x.pkg]; {
			case x.kind == rootFact && from(i):
				out[x.dep] = 1
			case x.kind == needFact && ok && (out[x.dep] == 0 || out[x.dep] > d+1):
				out[x.dep] = d + 1
			}
		}
	}
	return out
}

// tell makes the sentences. It reports whether the story is of one range alone, with nothing against it but
// that there is no such version.
func (t *story) tell() (plain bool) {
	proof := t.refute(t.facts)
	if proof == nil || len(t.facts) > 60 {
		for i := range t.facts {
			t.heap = append(t.heap, i)
		}
	} else {
		t.count(proof)
		t.walk(proof)
	}
	t.flush()
	subject := t.facts[t.subject]
	plain = true
	for i, x := range t.facts {
		plain = plain && (i == t.subject || x.kind == barredFact && x.pkg == subject.dep)
	}
	if !plain {
		what := t.versions(subject.dep, subject.in)
		if subject.in.Empty() {
			what = t.called(subject.dep)
		}
		t.lines = append(t.lines, "so "+cannot(what)+" be used here")
		if rng := strings.TrimSpace(subject.rng[0]); subject.from == "" && rng != "" && rng != "latest" && !strings.HasPrefix(t.lines[0], t.called(subject.dep)+" ") {
			t.lines = slices.Insert(t.lines, 0, fmt.Sprintf("you ask for %s %s", t.called(subject.dep), clip(rng)))
		}
	}
	for i, x := range t.facts {
		if (x.kind == rootFact || x.kind == needFact) && (x.in.Empty() || plain && i == t.subject) {
			at := len(t.lines)
			if !plain {
				at-- // before the conclusion
			}
			t.lines = slices.Insert(t.lines, at, t.there(x.dep))
		}
	}
	return plain
}

// there says which versions there are.
func (t *story) there(p int) string {
	pk := t.packs[p]
	left := pk.usable
	for _, x := range t.facts {
		if x.kind == barredFact && x.pkg == p {
			left = left.Minus(x.set)
		}
	}
	open := pk.ascending(left)
	slices.Reverse(open)
	if len(open) == 0 && !pk.usable.Empty() {
		return "there is no other version of " + pk.spec.Name.String()
	}
	if len(open) == 0 {
		return "no version of " + pk.spec.Name.String() + " can be installed"
	}
	words := make([]string, 0, len(open))
	for _, v := range open {
		words = append(words, pk.versions[v].Version)
	}
	return "there is " + list(words, 5)
}

func (t *story) count(c *pubgrub.Clause) {
	if t.uses[c]++; t.uses[c] == 1 && c.From != nil {
		t.count(c.From[0])
		t.count(c.From[1])
	}
}

// walk tells a clause and all it follows from. What follows is only said where two lines of thought meet, or
// where it is needed again.
func (t *story) walk(c *pubgrub.Clause) {
	if t.told[c] {
		return
	}
	t.told[c] = true
	if c.From == nil {
		t.heap = append(t.heap, c.Fact)
		return
	}
	a, b := c.From[0], c.From[1]
	if a.From == nil {
		a, b = b, a
	}
	t.walk(a)
	if a.From != nil && b.From != nil && !t.told[b] {
		t.conclude(a)
	}
	t.walk(b)
	if t.uses[c] > 1 {
		t.conclude(c)
	}
}

// conclude says what is known by now.
func (t *story) conclude(c *pubgrub.Clause) {
	t.flush()
	if len(c.Terms) == 0 || len(c.Terms) > 2 {
		return
	}
	var not, need []string
	for _, term := range c.Terms {
		p := t.numbered(term.Pkg)
		if term.Set.Has(0) {
			need = append(need, t.versions(p, term.Set.Not(len(t.packs[p].versions))))
		} else {
			not = append(not, t.versions(p, term.Set))
		}
	}
	line := ""
	switch {
	case len(need) == 0:
		line = "so " + cannot(and(not)) + " be used"
		if len(not) > 1 {
			line += " together"
		}
	case len(not) == 0:
		line = "so " + strings.Join(need, " or ") + " is needed"
	default:
		line = "so " + not[0] + " needs " + need[0]
	}
	if !slices.Contains(t.lines, line) {
		t.lines = append(t.lines, line)
	}
}

// numbered returns the package that refute gave a number: they are counted as the facts name them.
func (t *story) numbered(n int) int {
	var seen []int
	for _, x := range t.facts {
		for _, term := range x.terms(len(t.packs[x.dep].versions)) {
			if !slices.Contains(seen, term.Pkg) {
				seen = append(seen, term.Pkg)
			}
		}
	}
	return seen[n]
}

// flush tells the facts that wait, what is near the project first, with those that continue one another in
// one sentence.
func (t *story) flush() {
	slices.SortStableFunc(t.heap, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.rank(a), t.rank(b)), cmp.Compare(a, b))
	})
	left := t.heap
	t.heap = nil
	for len(left) > 0 {
		at := left[0]
		left = left[1:]
		x := t.facts[at]
		line, last, n := "", x, 1
		if at != t.subject || x.from != "" {
			line = t.sentence(x)
		}
		for ; n < maxFolded; n++ {
			next := t.follows(last, left)
			if next < 0 {
				break
			}
			last = t.facts[left[next]]
			left = slices.Delete(left, next, next+1)
			if line == "" {
				line = t.sentence(last)
			} else {
				line += ", which " + t.predicate(last)
			}
		}
		if line != "" {
			t.lines = append(t.lines, line)
		}
	}
}

// rank sorts facts: from the subject outwards, then from the other wishes of the project, and those last that
// lead no further.
func (t *story) rank(i int) int {
	const second, last = 1 << 19, 1 << 20
	x := t.facts[i]
	d, own := t.own[x.pkg]
	switch {
	case i == t.subject:
		return -1
	case x.kind == rootFact && slices.ContainsFunc(t.facts, func(y fact) bool { return y.kind != rootFact && y.pkg == x.dep }):
		return second
	case x.kind == rootFact:
		return last
	case own:
		return d
	}
	return second + t.depth[x.pkg]
}

// follows returns the only one of some facts that speaks of every version a fact asks for, or -1.
func (t *story) follows(x fact, left []int) int {
	found := -1
	if x.kind != rootFact && x.kind != needFact {
		return -1
	}
	asked := x.in
	if asked.Meets(t.packs[x.dep].usable) {
		asked = asked.And(t.packs[x.dep].usable)
	}
	for j, i := range left {
		y := t.facts[i]
		if y.kind == rootFact || y.kind == clashFact || y.pkg != x.dep {
			continue
		}
		if found >= 0 || asked.Empty() || !asked.Within(y.set) {
			return -1
		}
		found = j
	}
	return found
}
