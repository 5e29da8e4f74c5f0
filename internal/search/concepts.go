package search

import (
	"cmp"
	"context"
	_ "embed" // for concepts.txt
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mcphub/mcphub/internal/hub"
)

//go:embed concepts.txt
var conceptText string

// How a question leans on concepts. The figures were chosen by leaving out one saying at a time and looking whether it
// still finds its concept through the others.
const (
	sayingFloor = 0.40 // cosine from which on a question is near to a saying
	lean        = 0.8  // how much of the concepts is added to the question
	aboutWeight = 0.5  // of what a concept is about, beside its nearest saying
	leanOn      = 3    // concepts that a question leans on at most
	sharpness   = 10   // how much more the nearer ones of them count
	heard       = 48   // concepts whose sayings are looked at: those whose middle is nearest
)

// concepts know what people mean by what they say. They are embedded when the service runs or when they are first
// needed, whatever is earlier.
type concepts struct {
	loading sync.Mutex
	loaded  atomic.Pointer[[]concept]
}

// concept is something that people want. Vectors are of length 1.
type concept struct {
	about   []float32
	sayings [][]float32
	middle  []float32 // of all of them
}

func newConcept(about []float32, sayings [][]float32) concept {
	middle := slices.Clone(about)
	for _, s := range sayings {
		add(middle, s, 1)
	}
	scale(middle)
	return concept{about, sayings, middle}
}

// parseConcepts reads lines of "about: saying; saying". What the texts are of is told by sizes: one about, then so many
// sayings of each concept.
func parseConcepts(text string) (texts []string, sizes []int) {
	for line := range strings.Lines(text) {
		about, list, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		sayings := strings.Split(list, ";")
		texts, sizes = append(texts, about), append(sizes, len(sayings))
		for _, s := range sayings {
			texts = append(texts, strings.TrimSpace(s))
		}
	}
	return texts, sizes
}

// get returns the concepts, and embeds them before when nobody has. While somebody else does, which takes seconds when a
// service on the network embeds, there are none. A failure is tried again the next time.
func (c *concepts) get(ctx context.Context, e hub.Embedder) ([]concept, error) {
	if all := c.loaded.Load(); all != nil {
		return *all, nil
	}
	if !c.loading.TryLock() {
		return nil, nil
	}
	defer c.loading.Unlock()
	texts, sizes := parseConcepts(conceptText)
	vectors, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	loaded := make([]concept, len(sizes))
	for i, n := range sizes {
		loaded[i] = newConcept(vectors[0], vectors[1:1+n])
		vectors = vectors[1+n:]
	}
	c.loaded.Store(&loaded)
	return loaded, nil
}

// leaning is how near a question is to a concept.
type leaning struct {
	to    *concept
	score float64
}

// nearest returns some concepts, the nearest first.
func nearest(list []leaning, most int) []leaning {
	slices.SortFunc(list, func(a, b leaning) int { return cmp.Compare(b.score, a.score) })
	return list[:min(most, len(list))]
}

// leaned moves a question towards the concepts that are nearest to it, when somebody says something like it when he
// wants one of them. Several, since people say the same when they want different things.
func leaned(question []float32, all []concept) []float32 {
	found := make([]leaning, len(all))
	for i := range all {
		found[i] = leaning{&all[i], cosine(question, all[i].middle)}
	}
	found = nearest(found, heard)
	best := 0.0
	for i, l := range found {
		said := 0.0
		for _, s := range l.to.sayings {
			said = max(said, cosine(question, s))
		}
		best = max(best, said)
		found[i].score = said + aboutWeight*cosine(question, l.to.about)
	}
	if best < sayingFloor {
		return question
	}
	found = nearest(found, leanOn)
	towards := make([]float32, len(question))
	for _, l := range found {
		add(towards, l.to.about, math.Exp(sharpness*(l.score-found[0].score)))
	}
	scale(towards)
	out := slices.Clone(question)
	add(out, towards, lean)
	if !scale(out) {
		return question
	}
	return out
}

// add adds so much of v to sum.
func add(sum, v []float32, much float64) {
	for i, x := range v {
		sum[i] += float32(much) * x
	}
}

// scale gives v length 1; false when it has none.
func scale(v []float32) bool {
	size := float32(math.Sqrt(cosine(v, v)))
	if size == 0 {
		return false
	}
	for i := range v {
		v[i] /= size
	}
	return true
}

// cosine of two vectors of length 1; 0 for vectors of different lengths. It multiplies several at a time, so that no
// sum waits for the one before.
func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += x * b[i]
	}
	return float64(s0 + s1 + s2 + s3)
}
