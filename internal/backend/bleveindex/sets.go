package bleveindex

import (
	"context"
	"iter"
	"math/bits"
	"runtime"
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

// scratch is where scores are added up, by document number. All is zero between two uses.
type scratch struct {
	sums   []float64
	counts []uint16
	seen   docSet
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
			*s = scratch{make([]float64, size), make([]uint16, size), newSet(uint32(size))}
		}
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c scratches) give(s *scratch) { c <- s }
