package search

import (
	"context"
	_ "embed" // for concepts.txt
	"math"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

//go:embed concepts.txt
var conceptText string

// How a question leans on a concept.
const (
	sayingFloor = 0.40 // cosine from which on a question is near to a saying
	lean        = 0.6  // how much of the concept is added to the question
)

// concepts know what people mean by what they say. They are embedded when they are first needed.
type concepts struct {
	mu      sync.Mutex
	abouts  [][]float32
	sayings [][]float32
	of      []int // saying to concept
}

// load embeds the concepts. A failure is tried again the next time.
func (c *concepts) load(ctx context.Context, e hub.Embedder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.abouts != nil {
		return nil
	}
	var abouts, sayings []string
	var of []int
	for line := range strings.Lines(conceptText) {
		about, list, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for s := range strings.SplitSeq(list, ";") {
			sayings, of = append(sayings, strings.TrimSpace(s)), append(of, len(abouts))
		}
		abouts = append(abouts, about)
	}
	a, err := e.Embed(ctx, abouts)
	if err != nil {
		return err
	}
	s, err := e.Embed(ctx, sayings)
	if err != nil {
		return err
	}
	c.abouts, c.sayings, c.of = a, s, of
	return nil
}

// lean moves a question towards the concept of the saying that is nearest to it, when one is near.
func (c *concepts) lean(question []float32) []float32 {
	best, at := 0.0, -1
	for i, s := range c.sayings {
		if score := cosine(question, s); score > best {
			best, at = score, i
		}
	}
	if at < 0 || best < sayingFloor {
		return question
	}
	out := make([]float32, len(question))
	var norm float64
	for i, x := range c.abouts[c.of[at]] {
		out[i] = question[i] + lean*x
		norm += float64(out[i]) * float64(out[i])
	}
	if norm == 0 {
		return question
	}
	for i := range out {
		out[i] /= float32(math.Sqrt(norm))
	}
	return out
}

// cosine of two vectors of length 1; 0 for vectors of different lengths.
func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
