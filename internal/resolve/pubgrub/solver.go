// Package pubgrub is the search of the PubGrub algorithm, on numbers: packages, versions, and clauses that
// say what cannot be true together. It knows no names, no ranges and no network. When it fails it returns
// the proof, a tree of clauses, from which package resolve makes sentences.
//
// Decisions are made in the order in which packages are asked for (what the roots ask first, then what
// those ask, and so on), each time the lowest version that is still allowed. What is learned from a
// conflict only ever rules out what leads nowhere, so the answer is the first in that order, the one that a
// search without learning would find too, if it had the time.
package pubgrub

import "errors"

// Term says of one package that what becomes of it is in a set.
type Term struct {
	Pkg int
	Set Set
}

// Clause says that its terms are not all true. It is a Fact that was asserted, or follows from two others.
type Clause struct {
	Terms []Term
	Fact  int // as asserted; meaningless when From is set
	From  *[2]*Clause
}

// Source tells about versions as the search comes to them.
type Source interface {
	// Expand asserts what a version needs, once per version, and returns the packages it asks for, in order.
	Expand(pkg, version int) ([]int, error)
}

// ErrLimit says that the search took more work than it was given.
var ErrLimit = errors.New("the search was given up")

// step is one narrowing of what may become of a package.
type step struct {
	pkg   int
	was   Set
	set   Set
	level int
	cause *Clause // nil for a decision
}

// Solver holds one search.
type Solver struct {
	Source Source // nil when all facts are asserted before the search
	Limit  int64  // of work, in words of sets that are looked at
	Room   int64  // of memory, in words of sets that are kept

	size    []int // versions of each package
	allowed []Set
	clauses [][]*Clause // by package
	history [][]int     // of each package: its steps, indices into trail
	trail   []step
	queue   []int // packages in the order they were asked for; the decision of level n is about queue[n-1]
	queued  []bool
	marks   []mark // where each level began
	changed []int  // packages whose clauses are to be looked at
	asks    map[[2]int][]int
	work    int64
	held    int64
	failure *Clause
}

type mark struct{ trail, queue int }

// Add makes a package with n versions and returns its number.
func (s *Solver) Add(n int) int {
	s.size = append(s.size, n)
	s.allowed = append(s.allowed, All(n))
	s.clauses = append(s.clauses, nil)
	s.history = append(s.history, nil)
	s.queued = append(s.queued, false)
	return len(s.size) - 1
}

// Assert says that the terms are not all true. Two terms of one package are both meant.
func (s *Solver) Assert(fact int, terms ...Term) {
	c := &Clause{Fact: fact}
	for _, t := range terms {
		if !c.add(t, Set.And) {
			return // it cannot be true anyhow
		}
	}
	c.Terms = s.trim(c.Terms)
	s.learn(c)
	if len(c.Terms) == 0 {
		s.failure = c
		return
	}
	s.changed = append(s.changed, c.Terms[0].Pkg)
}

// Ask puts packages into the queue of decisions.
func (s *Solver) Ask(pkgs ...int) {
	for _, p := range pkgs {
		if !s.queued[p] {
			s.queued[p] = true
			s.queue = append(s.queue, p)
		}
	}
}

// Pending returns the packages that are asked for and not decided, with the version each would get now.
func (s *Solver) Pending() [][2]int {
	var out [][2]int
	for _, p := range s.queue[min(len(s.marks), len(s.queue)):] {
		if v := s.allowed[p].First(); v > 0 {
			out = append(out, [2]int{p, v})
		}
	}
	return out
}

// add adds a term, joined by how with the one of the same package. It reports whether it can be true.
func (c *Clause) add(t Term, how func(Set, Set) Set) bool {
	for i := range c.Terms {
		if c.Terms[i].Pkg == t.Pkg {
			c.Terms[i].Set = how(c.Terms[i].Set, t.Set)
			return !c.Terms[i].Set.Empty()
		}
	}
	c.Terms = append(c.Terms, t)
	return !t.Set.Empty()
}

// trim leaves out terms that are always true.
func (s *Solver) trim(terms []Term) []Term {
	out := terms[:0]
	for _, t := range terms {
		s.work += int64(len(t.Set))
		if t.Set.Count() <= s.size[t.Pkg] {
			out = append(out, t)
		}
	}
	return out
}

func (s *Solver) learn(c *Clause) {
	for _, t := range c.Terms {
		s.held += int64(len(t.Set))
		s.clauses[t.Pkg] = append(s.clauses[t.Pkg], c)
	}
}

// Solve returns the version of each package, 0 for those that are not in the solution; or the clause
// without terms that proves that there is none; or the error of the source, or ErrLimit.
func (s *Solver) Solve() ([]int, *Clause, error) {
	s.asks = map[[2]int][]int{}
	for {
		if err := s.propagate(); err != nil || s.failure != nil {
			return nil, s.failure, err
		}
		level := len(s.marks)
		if level == len(s.queue) {
			out := make([]int, len(s.size))
			for _, p := range s.queue {
				out[p] = s.allowed[p].First()
			}
			return out, nil, nil
		}
		// What was asserted above the level that the search went back to is looked at again.
		pkg := s.queue[level]
		s.changed = append(s.changed, pkg)
		if err := s.propagate(); err != nil || s.failure != nil {
			return nil, s.failure, err
		}
		if len(s.marks) == level {
			if err := s.decide(pkg); err != nil {
				return nil, nil, err
			}
		}
	}
}

// decide takes the first version of a package that is still allowed, on a new level.
func (s *Solver) decide(pkg int) error {
	v := s.allowed[pkg].First()
	s.marks = append(s.marks, mark{len(s.trail), len(s.queue)})
	only := NewSet(s.size[pkg])
	only.Put(v)
	s.narrow(pkg, only, nil)
	if v == 0 || s.Source == nil {
		return nil
	}
	asks, ok := s.asks[[2]int{pkg, v}]
	if !ok {
		var err error
		if asks, err = s.Source.Expand(pkg, v); err != nil {
			return err
		}
		s.asks[[2]int{pkg, v}] = asks
	}
	s.Ask(asks...)
	return nil
}

// narrow writes down what may still become of a package.
func (s *Solver) narrow(pkg int, to Set, cause *Clause) {
	s.history[pkg] = append(s.history[pkg], len(s.trail))
	s.trail = append(s.trail, step{pkg, s.allowed[pkg], to, len(s.marks), cause})
	s.allowed[pkg] = to
	s.changed = append(s.changed, pkg)
}

// back undoes everything above a level.
func (s *Solver) back(level int) {
	if level >= len(s.marks) {
		return
	}
	m := s.marks[level]
	s.marks = s.marks[:level]
	for i := len(s.trail) - 1; i >= m.trail; i-- {
		st := s.trail[i]
		s.allowed[st.pkg] = st.was
		s.history[st.pkg] = s.history[st.pkg][:len(s.history[st.pkg])-1]
	}
	clear(s.trail[m.trail:])
	s.trail = s.trail[:m.trail]
	for _, p := range s.queue[m.queue:] {
		s.queued[p] = false
	}
	s.queue = s.queue[:m.queue]
}

// propagate draws all conclusions that take one clause each, until there are none.
func (s *Solver) propagate() error {
	for len(s.changed) > 0 && s.failure == nil {
		pkg := s.changed[len(s.changed)-1]
		s.changed = s.changed[:len(s.changed)-1]
		for i := len(s.clauses[pkg]) - 1; i >= 0; i-- { // the newest first: it knows most
			if s.work > s.Limit || s.held > s.Room {
				return ErrLimit
			}
			c := s.clauses[pkg][i]
			open, state := s.look(c)
			if state == clash {
				if c = s.analyse(c); c == nil {
					return nil
				}
				s.changed = s.changed[:0]
				open, _ = s.look(c) // one term of it is open now
				s.conclude(open, c)
				break
			}
			if state == unit {
				s.conclude(open, c)
				if open.Pkg == pkg {
					break // it has changed again
				}
			}
		}
	}
	return nil
}

// conclude rules out the one term of a clause that is not known to be true.
func (s *Solver) conclude(open Term, c *Clause) {
	s.narrow(open.Pkg, s.allowed[open.Pkg].Minus(open.Set), c)
	s.work += int64(len(open.Set))
}

type verdict int

const (
	idle  verdict = iota // nothing follows
	unit                 // all terms but one are true: that one is not
	clash                // all terms are true
)

// look evaluates a clause. With unit it returns the term that cannot be true.
func (s *Solver) look(c *Clause) (Term, verdict) {
	var open Term
	state := clash
	for _, t := range c.Terms {
		a := s.allowed[t.Pkg]
		s.work += int64(len(a))
		if a.Within(t.Set) {
			continue
		}
		if state == unit || !a.Meets(t.Set) {
			return open, idle
		}
		open, state = t, unit
	}
	return open, state
}

// analyse finds out why all terms of a clause came true, goes back to where that can be avoided, and
// returns the clause that avoids it. nil: it cannot be avoided, and failure has the proof.
func (s *Solver) analyse(c *Clause) *Clause {
	learned := false
	for {
		if len(c.Terms) == 0 {
			s.failure = c
			return nil
		}
		// The step that made the last term true, and the level at which the others were true.
		last, before, at := -1, 0, 0
		for i, t := range c.Terms {
			k := s.since(t)
			switch {
			case k > last:
				if last >= 0 {
					before = max(before, s.trail[last].level)
				}
				last, at = k, i
			default:
				before = max(before, s.trail[k].level)
			}
		}
		st := s.trail[last]
		if st.level > 0 && (st.cause == nil || before < st.level) {
			s.back(before)
			if learned {
				s.learn(c)
			}
			return c
		}
		c = s.combine(c, st.cause, c.Terms[at].Pkg)
		learned = true
	}
}

// since returns the step from which on a term was true.
func (s *Solver) since(t Term) int {
	h := s.history[t.Pkg]
	lo, hi := 0, len(h)-1 // what is allowed only shrinks
	for lo < hi {
		mid := (lo + hi) / 2
		s.work += int64(len(t.Set))
		if s.trail[h[mid]].set.Within(t.Set) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return h[lo]
}

// combine concludes from two clauses what does not speak of why pkg came to be what it is: where the other
// terms of both are true, pkg is in neither set.
func (s *Solver) combine(a, b *Clause, pkg int) *Clause {
	out := &Clause{From: &[2]*Clause{a, b}, Terms: make([]Term, len(a.Terms), len(a.Terms)+len(b.Terms))}
	copy(out.Terms, a.Terms)
	for _, t := range b.Terms {
		how := Set.And
		if t.Pkg == pkg {
			how = Set.Or
		}
		out.add(t, how)
		s.work += int64(len(t.Set) + len(out.Terms))
		s.held += int64(len(t.Set))
	}
	out.Terms = s.trim(out.Terms)
	return out
}

// Facts returns the facts that a clause follows from, each once, in the order of the proof.
func (c *Clause) Facts() []int {
	var out []int
	seen := map[*Clause]bool{}
	stack := []*Clause{c}
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[c] {
			continue
		}
		seen[c] = true
		if c.From == nil {
			out = append(out, c.Fact)
			continue
		}
		stack = append(stack, c.From[1], c.From[0])
	}
	return out
}
