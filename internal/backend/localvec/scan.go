package localvec

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	// exactUpTo is how many vectors are compared byte by byte without looking at their bits first.
	exactUpTo = 4096
	// Candidates that are compared byte by byte: at least minRescore, and so many for each result.
	minRescore, rescoreEach = 3000, 20
)

func (s *set) nearest(q hub.VectorQuery) []hub.Hit {
	query, scale := quantize(q.Vector)
	if scale == 0 {
		return nil // a vector of zeros is near to nothing
	}
	allowed := s.allowed(q.Filter)
	best := map[int32]float32{}
	consider := func(slot int) {
		n := s.owner[slot]
		if n < 0 || allowed != nil && !allowed[n] {
			return
		}
		score := float32(dot(query, s.bytes[slot*s.dims:(slot+1)*s.dims])) * scale * s.scales[slot]
		if old, ok := best[n]; !ok || score > old {
			best[n] = score
		}
	}
	if len(s.owner) <= exactUpTo {
		for slot := range s.owner {
			consider(slot)
		}
	} else {
		s.candidates(s.encode(nil, query, scale), max(minRescore, rescoreEach*q.Limit), allowed, consider)
	}
	hits := make([]hub.Hit, 0, len(best))
	for n, score := range best {
		hits = append(hits, hub.Hit{ID: s.ids[n], Score: float64(score)})
	}
	slices.SortFunc(hits, func(a, b hub.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return hits[:min(len(hits), q.Limit)]
}

// candidates calls visit for the slots whose codes differ least from code, about most of them.
func (s *set) candidates(code []uint64, most int, allowed []bool, visit func(slot int)) {
	distances := make([]uint16, len(s.owner))
	histogram := make([]int, 64*len(code)+1)
	width := len(code)
	for slot, owner := range s.owner {
		if owner < 0 || allowed != nil && !allowed[owner] {
			distances[slot] = 1<<16 - 1
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

func dot(a, b []int8) int32 {
	var sum int32
	b = b[:len(a)]
	for i, x := range a {
		sum += int32(x) * int32(b[i])
	}
	return sum
}
