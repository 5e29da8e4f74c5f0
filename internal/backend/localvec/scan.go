package localvec

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	// exactUpTo is how many vectors are compared byte by byte without looking at their bits first.
	exactUpTo = 4096
	// Candidates that are compared byte by byte: so many for each result, and at least one of so many vectors.
	rescoreEach, rescoreShare = 20, 200
)

func (s *set) nearest(q hub.VectorQuery) []hub.Hit {
	query, scale := quantize(q.Vector)
	if scale == 0 {
		return nil // a vector of zeros is near to nothing
	}
	allowed := s.allowed(q.Filter)
	best := top{limit: q.Limit, ids: s.ids}
	last, lastScore := int32(-1), float32(0) // the slots of a server follow each other
	consider := func(slot int) {
		n := s.owner[slot]
		if n < 0 || allowed != nil && !allowed[n] {
			return
		}
		score := float32(dot(query, s.bytes[slot*s.dims:(slot+1)*s.dims])) * scale * s.scales[slot]
		if n == last {
			lastScore = max(lastScore, score)
			return
		}
		best.add(last, lastScore)
		last, lastScore = n, score
	}
	if len(s.owner) <= exactUpTo {
		for slot := range s.owner {
			consider(slot)
		}
	} else {
		s.candidates(s.encode(nil, query, scale), max(rescoreEach*q.Limit, len(s.owner)/rescoreShare), allowed, consider)
	}
	best.add(last, lastScore)
	return best.hits()
}

// top keeps the best of what is added, sorted.
type top struct {
	limit int
	ids   []string
	list  []scored
}

type scored struct {
	n     int32
	score float32
}

func (t *top) compare(a, b scored) int {
	if a.score != b.score {
		return cmp.Compare(b.score, a.score)
	}
	return strings.Compare(t.ids[a.n], t.ids[b.n])
}

func (t *top) add(n int32, score float32) {
	if n < 0 {
		return
	}
	it := scored{n, score}
	if len(t.list) == t.limit {
		if t.compare(it, t.list[t.limit-1]) > 0 {
			return
		}
		t.list = t.list[:t.limit-1]
	}
	at, _ := slices.BinarySearchFunc(t.list, it, t.compare)
	t.list = slices.Insert(t.list, at, it)
}

func (t *top) hits() []hub.Hit {
	out := make([]hub.Hit, len(t.list))
	for i, it := range t.list {
		out[i] = hub.Hit{ID: t.ids[it.n], Score: float64(it.score)}
	}
	return out
}

// scratch keeps the distances of a scan for the next one.
var scratch = sync.Pool{New: func() any { return new([]uint16) }}

const far = 1<<16 - 1 // the distance of what is left out

// candidates calls visit for the slots whose codes differ least from code, about most of them, in order.
func (s *set) candidates(code []uint64, most int, allowed []bool, visit func(slot int)) {
	kept := scratch.Get().(*[]uint16)
	defer scratch.Put(kept)
	distances := slices.Grow((*kept)[:0], len(s.owner))[:len(s.owner)]
	*kept = distances
	histogram := make([]int, 64*len(code)+1)
	width := len(code)
	for slot, owner := range s.owner {
		if owner < 0 || allowed != nil && !allowed[owner] {
			distances[slot] = far
			continue
		}
		d := 0
		for i, c := range s.codes[slot*width : (slot+1)*width] {
			d += bits.OnesCount64(c ^ code[i])
		}
		distances[slot] = uint16(d)
		histogram[d]++
	}
	limit, seen := 0, 0
	for ; limit < len(histogram)-1; limit++ {
		if seen += histogram[limit]; seen >= most {
			break
		}
	}
	for slot, d := range distances {
		if int(d) <= limit {
			visit(slot)
		}
	}
}

// dot multiplies four at a time, so that no sum waits for the one before.
func dot(a, b []int8) int32 {
	var s0, s1, s2, s3 int32
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0 += int32(a[0]) * int32(b[0])
		s1 += int32(a[1]) * int32(b[1])
		s2 += int32(a[2]) * int32(b[2])
		s3 += int32(a[3]) * int32(b[3])
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += int32(x) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}
