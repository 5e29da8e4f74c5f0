package bleveindex

import (
	"context"
	"iter"
	"math/bits"
	"runtime"
	"slices"
)

// docSet is a set of documents by number.
type docSet []uint64

func newSet(size uint32) docSet { return make(docSet, (size+63)/64) }

func (s docSet) add(doc uint32)      { s[doc/64] |= 1 << (doc % 64) }
func (s docSet) has(doc uint32) bool { return s[doc/64]&(1<<(doc%64)) != 0 }

func (s docSet) and(other docSet) {
	for i := range s {
		s[i] &= other[i]
	}
}

func (s docSet) count() (n int64) {
	for _, w := range s {
		n += int64(bits.OnesCount64(w))
	}
	return n
}

// all returns the documents in the order of their numbers.
func (s docSet) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(uint32(i*64 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// scratch is where scores are added up, by document number, and what one search makes. Scores and labels are zero
// between two uses.
type scratch struct {
	sums   []float64
	counts []uint16
	seen   docSet
	labels []int   // how many documents have each
	spare  []match // room for the lists of one search
	used   int     // of spare
}

// maxSpare is how many matches a scratch keeps room for, of 16 bytes each. Longer searches take more and give it back.
const maxSpare = 1 << 17

// list returns an empty list with room for n matches, until the search ends.
func (s *scratch) list(n int) []match {
	if s.used+n > len(s.spare) {
		if n > maxSpare {
			return make([]match, 0, n)
		}
		s.spare, s.used = make([]match, min(max(2*len(s.spare), n, 1024), maxSpare)), 0 // the lists before keep theirs
	}
	s.used += n
	return s.spare[s.used-n : s.used-n : s.used]
}

// mark is a place in the room for lists.
type mark struct {
	used, room int
}

func (s *scratch) mark() mark { return mark{s.used, len(s.spare)} }

// keep gives the room back of all lists since a mark but one, and returns that one, which was made last.
func (s *scratch) keep(since mark, list []match) []match {
	if len(s.spare) != since.room || s.used < since.used {
		return list // there is more room since then, in another place
	}
	s.used = since.used
	return append(s.list(len(list)), list...) // forwards, over what is no longer needed
}

// labelled returns n counts, all zero.
func (s *scratch) labelled(n int) []int {
	s.labels = slices.Grow(s.labels[:0], n)[:n]
	clear(s.labels)
	return s.labels
}

// scratches are as many as there are processors: more searches at once would only take more memory.
type scratches chan *scratch

func newScratches() scratches {
	c := make(scratches, runtime.GOMAXPROCS(0))
	for range cap(c) {
		c <- new(scratch)
	}
	return c
}

// take waits for one, made large enough.
func (c scratches) take(ctx context.Context, size int) (*scratch, error) {
	select {
	case s := <-c:
		if len(s.sums) < size {
			*s = scratch{sums: make([]float64, size), counts: make([]uint16, size), seen: newSet(uint32(size))}
		}
		s.used = 0
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c scratches) give(s *scratch) { c <- s }
