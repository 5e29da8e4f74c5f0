package localvec

import (
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// entry is one change: a server's vectors, or its removal.
type entry struct {
	id      string
	removed bool
	labels  []string // "facet:value"
	dims    int
	bytes   []int8    // of all parts, one after the other
	scales  []float32 // of each part: what a byte of 1 stands for
}

// maxLabel bounds a label, in bytes, and maxParts the vectors of one server.
const (
	maxLabel = 200
	maxParts = 256
)

// newEntry makes vectors of length 1 into bytes. dims is set by the first.
func newEntry(d hub.VectorDoc, dims *int) (entry, error) {
	e := entry{id: d.ID}
	for facet, values := range d.Labels {
		for _, v := range values {
			l := string(facet) + ":" + v
			e.labels = append(e.labels, l[:min(len(l), maxLabel)])
		}
	}
	if len(d.Parts) > maxParts {
		return e, hub.Errorf(hub.Invalid, "a server has %d vectors; at most %d are kept", len(d.Parts), maxParts)
	}
	for _, p := range d.Parts {
		if *dims == 0 {
			*dims = len(p)
		}
		if len(p) != *dims || len(p) == 0 {
			return e, hub.Errorf(hub.Invalid, "a vector has %d dimensions, the index has %d", len(p), *dims).WithHint("fill the index anew: mcphub admin reindex")
		}
		b, scale := quantize(p)
		e.bytes, e.scales = append(e.bytes, b...), append(e.scales, scale)
	}
	e.dims = *dims
	return e, nil
}

// quantize makes a vector of length 1, and of that bytes and what a byte of 1 stands for.
func quantize(v []float32) ([]int8, float32) {
	var norm, most float64
	for _, x := range v {
		norm += float64(x) * float64(x)
		most = max(most, math.Abs(float64(x)))
	}
	out := make([]int8, len(v))
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return out, 0
	}
	for i, x := range v {
		out[i] = int8(math.Round(float64(x) / most * 127))
	}
	return out, float32(most / 127 / math.Sqrt(norm))
}

// set is everything in memory. A part has a slot: its bytes, its code, its scale and its owner.
type set struct {
	dims  int
	byID  map[string]int32   // server ID to number
	ids   []string           // number to server ID; "" when it was removed
	label map[string][]int32 // label to numbers, in order; may hold removed ones
	first []int32            // number to its first slot
	parts []int32            // number to how many slots
	stale int                // numbers that were removed

	bytes  []int8
	scales []float32
	owner  []int32  // slot to number, -1 when it was removed
	codes  []uint64 // width words a slot

	mean     []float32
	centered int // slots when mean was taken
}

func newSet() *set {
	return &set{byID: map[string]int32{}, label: map[string][]int32{}}
}

func (s *set) width() int { return (s.dims + 63) / 64 }

// apply makes a change.
func (s *set) apply(e entry) {
	s.remove(e.id)
	if e.removed {
		return
	}
	if s.dims == 0 {
		s.dims = e.dims
		s.mean = make([]float32, s.dims)
	}
	n := int32(len(s.ids))
	s.byID[e.id] = n
	s.ids, s.first, s.parts = append(s.ids, e.id), append(s.first, int32(len(s.owner))), append(s.parts, int32(len(e.scales)))
	for _, l := range e.labels {
		if known, ok := s.label[l]; ok {
			s.label[l] = append(known, n)
		} else {
			s.label[strings.Clone(l)] = []int32{n} // l may be a piece of a long text
		}
	}
	s.bytes, s.scales = append(s.bytes, e.bytes...), append(s.scales, e.scales...)
	for i := range e.scales {
		s.owner = append(s.owner, n)
		s.codes = s.encode(s.codes, e.bytes[i*s.dims:(i+1)*s.dims], e.scales[i])
	}
	if len(s.owner) >= 1024 && len(s.owner) >= 2*s.centered {
		s.center()
	}
}

func (s *set) remove(id string) {
	n, ok := s.byID[id]
	if !ok {
		return
	}
	delete(s.byID, id)
	s.ids[n] = ""
	for slot := s.first[n]; slot < s.first[n]+s.parts[n]; slot++ {
		s.owner[slot] = -1
	}
	s.stale++
}

// encode appends the bits of a vector: which side of the mean it is on, in each dimension.
func (s *set) encode(to []uint64, b []int8, scale float32) []uint64 {
	start := len(to)
	to = append(to, make([]uint64, s.width())...)
	for i, x := range b {
		if float32(x)*scale > s.mean[i] {
			to[start+i/64] |= 1 << (i % 64)
		}
	}
	return to
}

// center takes the mean of all vectors anew, and their codes with it.
func (s *set) center() {
	s.centered = max(len(s.owner), 512)
	if s.dims == 0 {
		return
	}
	sum := make([]float64, s.dims)
	live := 0
	for slot, owner := range s.owner {
		if owner < 0 {
			continue
		}
		live++
		for i, x := range s.bytes[slot*s.dims : (slot+1)*s.dims] {
			sum[i] += float64(float32(x) * s.scales[slot])
		}
	}
	s.mean = make([]float32, s.dims)
	for i := range sum {
		s.mean[i] = float32(sum[i] / float64(max(live, 1)))
	}
	codes := make([]uint64, 0, len(s.owner)*s.width())
	for slot := range s.owner {
		codes = s.encode(codes, s.bytes[slot*s.dims:(slot+1)*s.dims], s.scales[slot])
	}
	s.codes = codes
}

// clip gives back what growing took too much.
func (s *set) clip() {
	s.bytes, s.scales, s.owner = slices.Clone(s.bytes), slices.Clone(s.scales), slices.Clone(s.owner)
}

// entries are what is there, in the order it came.
func (s *set) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		labels := make([][]string, len(s.ids))
		for l, numbers := range s.label {
			for _, n := range numbers {
				labels[n] = append(labels[n], l)
			}
		}
		for n, id := range s.ids {
			if id == "" {
				continue
			}
			from, to := int(s.first[n]), int(s.first[n]+s.parts[n])
			if !yield(entry{id: id, labels: labels[n], dims: s.dims, bytes: s.bytes[from*s.dims : to*s.dims], scales: s.scales[from:to]}) {
				return
			}
		}
	}
}

// allowed returns which numbers pass a filter; nil when all do.
func (s *set) allowed(filter hub.Labels) []bool {
	var out []bool
	for facet, values := range filter {
		if len(values) == 0 {
			continue
		}
		pass := make([]bool, len(s.ids))
		for _, v := range slices.Compact(slices.Sorted(slices.Values(values))) {
			l := string(facet) + ":" + v
			for _, n := range s.label[l[:min(len(l), maxLabel)]] {
				pass[n] = out == nil || out[n]
			}
		}
		out = pass
	}
	return out
}
