package localvec

import (
	"cmp"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	// exactUpTo is how many vectors are compared byte by byte without looking at their bits first.
	exactUpTo = 4096
	// Candidates that are compared byte by byte: so many for each result, and at least one of so many vectors.
	rescoreEach, rescoreShare = 20, 200
	// What one processor compares at a time: codes, and vectors byte by byte.
	scanChunk, rescoreChunk = 1 << 15, 512
)

func (s *set) nearest(q hub.VectorQuery) []hub.Hit {
	query, scale := quantize(q.Vector)
	if scale == 0 {
		return nil // a vector of zeros is near to nothing
	}
	work := scratch.Get().(*buffers)
	defer scratch.Put(work)
	work.slots = s.candidates(work, s.encode(nil, query, scale), max(rescoreEach*q.Limit, len(s.owner)/rescoreShare), s.allowed(q.Filter))
	work.scores = resize(work.scores, len(work.slots))
	inParallel(len(work.slots), rescoreChunk, func(_, from, to int) {
		for i, slot := range work.slots[from:to] {
			at := int(slot) * s.dims
			work.scores[from+i] = float32(dot(query, s.bytes[at:at+s.dims])) * scale * s.scales[slot]
		}
	})
	best := top{limit: q.Limit, ids: s.ids}
	last, lastScore := int32(-1), float32(0) // the slots of a server follow each other
	for i, slot := range work.slots {
		n, score := s.owner[slot], work.scores[i]
		if n == last {
			lastScore = max(lastScore, score)
			continue
		}
		best.add(last, lastScore)
		last, lastScore = n, score
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

// buffers are what a scan needs.
type buffers struct {
	distances []uint16
	slots     []int32
	scores    []float32
}

// scratch keeps the buffers of a scan for the next one.
var scratch = sync.Pool{New: func() any { return new(buffers) }}

func resize[T any](list []T, n int) []T { return slices.Grow(list[:0], n)[:n] }

const far = 1<<16 - 1 // the distance of what is left out

// candidates returns the slots whose codes differ least from code, about most of them, in order. Of few vectors all
// are candidates.
func (s *set) candidates(work *buffers, code []uint64, most int, allowed []bool) []int32 {
	slots := work.slots[:0]
	if len(s.owner) <= exactUpTo {
		for slot, owner := range s.owner {
			if owner >= 0 && (allowed == nil || allowed[owner]) {
				slots = append(slots, int32(slot))
			}
		}
		return slots
	}
	work.distances = resize(work.distances, len(s.owner))
	histograms := make([][]int, chunks(len(s.owner), scanChunk))
	inParallel(len(s.owner), scanChunk, func(chunk, from, to int) {
		histograms[chunk] = s.measure(work.distances, code, allowed, from, to)
	})
	limit, seen := 0, 0
	for ; limit < 64*len(code); limit++ {
		for _, h := range histograms {
			seen += h[limit]
		}
		if seen >= most {
			break
		}
	}
	for slot, d := range work.distances {
		if int(d) <= limit {
			slots = append(slots, int32(slot))
		}
	}
	return slots
}

// measure notes in how many bits the codes of some slots differ, and returns how many differ in how many.
func (s *set) measure(distances []uint16, code []uint64, allowed []bool, from, to int) []int {
	histogram := make([]int, 64*len(code)+1)
	width := len(code)
	for slot := from; slot < to; slot++ {
		owner := s.owner[slot]
		if owner < 0 || allowed != nil && !allowed[owner] {
			distances[slot] = far
			continue
		}
		d := differ(code, s.codes[slot*width:(slot+1)*width])
		distances[slot] = uint16(d)
		histogram[d]++
	}
	return histogram
}

// differ is in how many bits two codes differ. They are as long as each other.
func differ(a, b []uint64) int {
	if len(a) == 4 && len(b) == 4 { // what the built-in model's are: without a loop it takes half the time
		return bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1]) + bits.OnesCount64(a[2]^b[2]) + bits.OnesCount64(a[3]^b[3])
	}
	d := 0
	for i, x := range a {
		d += bits.OnesCount64(x ^ b[i])
	}
	return d
}

// inParallel calls f for pieces of 0 to n of the given size, on all processors when there are several pieces.
func inParallel(n, size int, f func(chunk, from, to int)) {
	count := chunks(n, size)
	var next atomic.Int64
	work := func() {
		for {
			chunk := int(next.Add(1)) - 1
			if chunk >= count {
				return
			}
			f(chunk, chunk*size, min(n, (chunk+1)*size))
		}
	}
	var wg sync.WaitGroup
	for range min(count, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func chunks(n, size int) int { return (n + size - 1) / size }

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
