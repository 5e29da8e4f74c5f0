package pubgrub_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

// holds reports whether not all terms of a clause are true.
func holds(terms []pubgrub.Term, chosen []int) bool {
	for _, t := range terms {
		if !t.Set.Has(chosen[t.Pkg]) {
			return true
		}
	}
	return false
}

// possible tries everything.
func possible(sizes []int, clauses [][]pubgrub.Term, chosen []int) bool {
	if len(chosen) == len(sizes) {
		return !slices.ContainsFunc(clauses, func(c []pubgrub.Term) bool { return !holds(c, chosen) })
	}
	for v := range sizes[len(chosen)] + 1 {
		if possible(sizes, clauses, append(chosen, v)) {
			return true
		}
	}
	return false
}

func solve(sizes []int, clauses [][]pubgrub.Term) ([]int, *pubgrub.Clause, error) {
	s := &pubgrub.Solver{Limit: 1 << 30, Room: 1 << 20}
	for p, n := range sizes {
		s.Add(n)
		s.Ask(p)
	}
	for i, c := range clauses {
		s.Assert(i, c...)
	}
	return s.Solve()
}

// TestClauses: for any clauses the answer is one, or none when there is none; and a proof needs no more than the facts
// that it names.
func TestClauses(t *testing.T) {
	yes, no := 0, 0
	for seed := range 3000 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		sizes := make([]int, 2+r.IntN(4))
		for i := range sizes {
			sizes[i] = 1 + r.IntN(4)
		}
		clauses := make([][]pubgrub.Term, 3+r.IntN(40))
		for i := range clauses {
			for range 1 + r.IntN(3) {
				p := r.IntN(len(sizes))
				set := pubgrub.NewSet(sizes[p])
				for v := range sizes[p] + 1 {
					if r.IntN(2) == 0 {
						set.Put(v)
					}
				}
				clauses[i] = append(clauses[i], pubgrub.Term{Pkg: p, Set: set})
			}
		}
		chosen, proof, err := solve(sizes, clauses)
		if err != nil {
			t.Fatal(err)
		}
		if proof == nil {
			yes++
			for _, c := range clauses {
				if !holds(c, chosen) {
					t.Fatalf("seed %d: %v breaks %v", seed, chosen, c)
				}
			}
			continue
		}
		no++
		var few [][]pubgrub.Term
		for _, i := range proof.Facts() {
			few = append(few, clauses[i])
		}
		if len(proof.Terms) != 0 || possible(sizes, few, nil) {
			t.Fatalf("seed %d: what the proof names can be true together", seed)
		}
	}
	if yes < 300 || no < 300 {
		t.Errorf("%d with an answer and %d without say little", yes, no)
	}
}

// TestLimit: a search that is too long is given up. Twelve pigeons do not fit eleven holes, and no short proof says so.
func TestLimit(t *testing.T) {
	s := &pubgrub.Solver{Limit: 1 << 20, Room: 1 << 24}
	for p := range 12 {
		s.Add(11)
		s.Ask(p)
		absent := pubgrub.NewSet(11)
		absent.Put(0)
		s.Assert(p, pubgrub.Term{Pkg: p, Set: absent})
		for q := range p {
			for hole := 1; hole <= 11; hole++ {
				in := pubgrub.NewSet(11)
				in.Put(hole)
				s.Assert(0, pubgrub.Term{Pkg: p, Set: in}, pubgrub.Term{Pkg: q, Set: in})
			}
		}
	}
	if _, _, err := s.Solve(); !errors.Is(err, pubgrub.ErrLimit) {
		t.Errorf("%v", err)
	}
}

func TestSet(t *testing.T) {
	for _, n := range []int{0, 1, 62, 63, 64, 65, 200} {
		all := pubgrub.All(n)
		if all.Count() != n+1 || !all.Not(n).Empty() || all.First() != 0 || !all.Has(n) {
			t.Errorf("%d versions: %d members", n, all.Count())
		}
		s := pubgrub.NewSet(n)
		s.Put(n)
		if s.First() != n || s.Count() != 1 || !s.Within(all) || s.Meets(s.Not(n)) || !s.Or(s.Not(n)).Minus(all).Empty() || !s.And(s.Not(n)).Empty() {
			t.Errorf("%d versions: %v", n, s)
		}
		if s.Drop(n); !s.Empty() || s.First() != -1 {
			t.Errorf("%d versions: %v after Drop", n, s)
		}
	}
}
