package search

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/words"
)

// conceptLines are the concepts as they are written: what they are about and their sayings.
func conceptLines(t *testing.T) (abouts []string, sayings [][]string) {
	t.Helper()
	for line := range strings.Lines(conceptText) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		about, list, ok := strings.Cut(line, ": ")
		if !ok || strings.Contains(about, ":") || strings.Contains(list, ":") {
			t.Errorf("no \"about: saying; saying\": %q", line)
		}
		abouts, sayings = append(abouts, about), append(sayings, strings.Split(list, "; "))
	}
	return abouts, sayings
}

// TestConceptForm guards: every concept has enough sayings, each is a short phrase in plain letters, and nothing is there twice.
func TestConceptForm(t *testing.T) {
	abouts, sayings := conceptLines(t)
	if n := len(abouts); n < 300 || n > 450 {
		t.Errorf("%d concepts, want 300 to 450", n)
	}
	seen := map[string]string{}
	for i, about := range abouts {
		if seen[about] != "" || len(about) > 100 || about != strings.TrimSpace(about) {
			t.Errorf("%q is there twice, has spaces around it or is longer than 100 letters", about)
		}
		seen[about] = about
		if n := len(sayings[i]); n < 8 || n > 15 {
			t.Errorf("%q has %d sayings, want 8 to 15", about, n)
		}
		for _, s := range sayings[i] {
			if n := len(strings.Fields(s)); n < 2 || n > 11 || s != strings.Join(strings.Fields(s), " ") {
				t.Errorf("%q of %q is no phrase of 2 to 11 words with one space between", s, about)
			}
			plain := strings.ToLower(s)
			if seen[plain] != "" {
				t.Errorf("%q stands for %q and for %q", s, seen[plain], about)
			}
			seen[plain] = about
		}
	}
}

// TestSayingsAreOtherWords guards: a saying is how somebody asks who does not know what the thing is called, so it has no
// word of what the concept is about.
func TestSayingsAreOtherWords(t *testing.T) {
	abouts, sayings := conceptLines(t)
	for i, about := range abouts {
		own := map[string]bool{}
		for _, w := range words.Split(about, 50) {
			own[w.Term] = own[w.Term] || !w.Empty()
		}
		for _, s := range sayings[i] {
			if j := slices.IndexFunc(words.Split(s, 50), func(w words.Word) bool { return own[w.Term] }); j >= 0 {
				t.Errorf("%q of %q uses its words", s, about)
			}
		}
	}
}

// TestSayingsPointToOneConcept guards: no saying means the same as one of another concept.
func TestSayingsPointToOneConcept(t *testing.T) {
	model, err := embed.New()
	if err != nil {
		t.Fatal(err)
	}
	var c concepts
	all, err := c.get(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	abouts, sayings := conceptLines(t)
	for i := range all {
		for j := range i {
			for a, x := range all[i].sayings {
				for b, y := range all[j].sayings {
					if cosine(x, y) >= 0.86 {
						t.Errorf("%q of %q means the same as %q of %q", sayings[i][a], abouts[i], sayings[j][b], abouts[j])
					}
				}
			}
		}
	}
}
