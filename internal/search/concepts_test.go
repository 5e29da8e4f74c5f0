package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/mcphub/mcphub/internal/embed"
)

func TestParseConcepts(t *testing.T) {
	texts, sizes := parseConcepts("# no concept: neither; nor\n\nmaps, routes: where am I;how far is it\nno concept either\nmusic: sing along\n")
	if want := []string{"maps, routes", "where am I", "how far is it", "music", "sing along"}; !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	if want := []int{2, 1}; !slices.Equal(sizes, want) {
		t.Errorf("sizes %d, want %d", sizes, want)
	}
}

// TestLeaned guards: a question goes towards the concepts near to it, most towards the nearest, and stays when none is.
func TestLeaned(t *testing.T) {
	all := []concept{
		newConcept([]float32{0, 1, 0, 0}, [][]float32{{0.8, 0, 0.6, 0}, {0, 0, 0, 1}}),
		newConcept([]float32{0, 0, 1, 0}, [][]float32{{0.6, 0, 0.8, 0}}),
		newConcept([]float32{0, 0, 0, 1}, [][]float32{{0, 0, 0, 1}}),
		newConcept([]float32{0, 0, -1, 0}, [][]float32{{0, 0, -1, 0}}),
	}
	got := leaned([]float32{1, 0, 0, 0}, all)
	if !(got[0] > got[1] && got[1] > got[2] && got[2] > got[3] && got[3] > 0) {
		t.Errorf("leaned to %v, want to the first most, then the second, hardly the third, and not the fourth", got)
	}
	if size := math.Sqrt(cosine(got, got)); math.Abs(size-1) > 1e-5 {
		t.Errorf("length %v, want 1", size)
	}
	for name, question := range map[string][]float32{"far from all": {0, 1, 0, 0}, "zero": {0, 0, 0, 0}, "of another model": {1, 0}} {
		if got := leaned(question, all); !slices.Equal(got, question) {
			t.Errorf("%s: %v became %v", name, question, got)
		}
	}
	if got := leaned([]float32{1, 0, 0, 0}, nil); !slices.Equal(got, []float32{1, 0, 0, 0}) {
		t.Errorf("without concepts it became %v", got)
	}
}

// embedder calls a function.
type embedder func() error

func (embedder) Model() string { return "test" }
func (e embedder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i := range out {
		out[i] = []float32{1}
	}
	return out, e()
}

// TestConceptsAreFetchedOnce guards: nobody waits while somebody else embeds the concepts, a failure is tried again, and
// what was embedded stays.
func TestConceptsAreFetchedOnce(t *testing.T) {
	var c concepts
	broken := errors.New("no network")
	if _, err := c.get(t.Context(), embedder(func() error { return broken })); !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	calls := 0
	count := embedder(func() error { calls++; return nil })
	slow := embedder(func() error {
		if all, err := c.get(t.Context(), count); err != nil || all != nil {
			t.Errorf("while they are embedded: %d concepts, error %v; want none", len(all), err)
		}
		return nil
	})
	for _, e := range []embedder{slow, count} {
		if all, err := c.get(t.Context(), e); err != nil || len(all) == 0 {
			t.Errorf("%d concepts, error %v", len(all), err)
		}
	}
	if calls != 0 {
		t.Errorf("embedded %d times again", calls)
	}
}

func BenchmarkConcepts(b *testing.B) {
	model, err := embed.New()
	if err != nil {
		b.Fatal(err)
	}
	var c concepts
	all, err := c.get(b.Context(), model)
	if err != nil {
		b.Fatal(err)
	}
	question, err := model.Embed(b.Context(), []string{"where is the train to the airport"})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			var c concepts
			if _, err := c.get(b.Context(), model); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(fmt.Sprintf("lean/concepts=%d", len(all)), func(b *testing.B) {
		for b.Loop() {
			leaned(question[0], all)
		}
	})
}
