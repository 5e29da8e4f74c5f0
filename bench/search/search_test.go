package main

import (
	"path/filepath"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

// recorded are the figures of both engines together over all queries when they were last changed on purpose: nDCG@10
// by class. A change that makes search find worse has to say so here.
var recorded = map[string]float64{"keyword": 0.923, "paraphrase": 0.551, "typo": 0.919, "capability": 0.830, "non-english": 0.743, "filter": 0.735, "all": 0.746}

// slack is what rounding on another machine may make of a figure.
const slack = 0.005

// TestFigures guards: search finds no worse than recorded, and both engines together better than words alone.
func TestFigures(t *testing.T) {
	engines, closeAll, err := embedded()
	must(t, err)
	defer closeAll()
	b, err := open(t.Context(), ".", engines)
	must(t, err)
	defer b.close()
	queries, err := readQueries(".", "all")
	must(t, err)
	both, err := b.measure(t.Context(), hybrid, queries)
	must(t, err)
	alone, err := b.measure(t.Context(), words, queries)
	must(t, err)
	both.classes["all"], alone.classes["all"] = &both.all, &alone.all
	for class, want := range recorded {
		if got := both.classes[class].mean().ndcg; got < want-slack {
			t.Errorf("%s: nDCG@10 is %.3f, recorded %.3f", class, got, want)
		} else if got > want+slack {
			t.Logf("%s: nDCG@10 is %.3f, better than the %.3f recorded: record it", class, got, want)
		}
	}
	if b, a := both.classes["paraphrase"].mean().ndcg, alone.classes["paraphrase"].mean().ndcg; b < 1.25*a {
		t.Errorf("paraphrases: %.3f together, %.3f by words alone: less than a quarter better", b, a)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestGrade guards the arithmetic, with figures made by hand.
func TestGrade(t *testing.T) {
	relevant := map[hub.Name]int{"a/a": 3, "b/b": 2, "c/c": 1}
	for _, c := range []struct {
		found             []hub.Name
		ndcg, recall, mrr float64
	}{
		{[]hub.Name{"a/a", "b/b", "c/c"}, 1, 1, 1},
		{[]hub.Name{"x/x", "a/a"}, (7 / 1.5849625) / (7 + 3/1.5849625 + 0.5), 0.5, 0.5},
		{[]hub.Name{"c/c"}, 1 / (7 + 3/1.5849625 + 0.5), 0, 0},
		{nil, 0, 0, 0},
	} {
		g := grade(c.found, relevant)
		for name, pair := range map[string][2]float64{"nDCG": {g.ndcg, c.ndcg}, "recall": {g.recall, c.recall}, "MRR": {g.mrr, c.mrr}} {
			if d := pair[0] - pair[1]; d > 1e-6 || d < -1e-6 {
				t.Errorf("%v: %s is %f, want %f", c.found, name, pair[0], pair[1])
			}
		}
	}
}

// TestCorpus guards: each graded server is in the corpus.
func TestCorpus(t *testing.T) {
	corpus, err := readLines[entry]("corpus.jsonl")
	must(t, err)
	known := map[hub.Name]bool{}
	for _, e := range corpus {
		known[e.Name] = true
	}
	queries, err := readQueries(".", "all")
	must(t, err)
	if len(queries) < 150 {
		t.Errorf("%d queries in %s", len(queries), filepath.Join("bench", "search"))
	}
	for _, q := range queries {
		for name := range q.Relevant {
			if !known[name] {
				t.Errorf("%s: %s is not in the corpus", q.ID, name)
			}
		}
	}
}
