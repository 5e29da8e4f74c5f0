package bleveindex

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// translate makes Bleve's query of one of ours.
func translate(q fulltext.Query) query.Query {
	list := func(qs []fulltext.Query) (out []query.Query) {
		for _, q := range qs {
			out = append(out, translate(q))
		}
		return out
	}
	term := func(boost float64) query.Query {
		t := bleve.NewTermQuery(q.Value)
		t.SetField(q.Field)
		t.SetBoost(boost)
		return t
	}
	switch {
	case q.Field == fulltext.Exact:
		return term(boostExact)
	case q.Field == fulltext.Prefix:
		return term(boostPrefix)
	case q.Field != "":
		return term(q.Boost)
	case len(q.All) == 1:
		return translate(q.All[0])
	case len(q.All) > 1:
		return bleve.NewConjunctionQuery(list(q.All)...)
	case len(q.Any) == 1:
		return translate(q.Any[0])
	}
	d := bleve.NewDisjunctionQuery(list(q.Any)...)
	d.SetMin(float64(q.Min))
	return d
}

// TestAsBleve guards: postings are read and added up here, and what is found, and with which score, is what Bleve's own
// searchers find, but for a factor that all scores of a search have in common.
func TestAsBleve(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	vocabulary := strings.Fields("postgres database query readOnly list files github issues k8s kubernetes weather maps http2 server tool reads writes sql db search")
	some := func(n int) string {
		var out []string
		for range 1 + rng.IntN(n) {
			out = append(out, vocabulary[min(rng.IntN(len(vocabulary)), rng.IntN(len(vocabulary)))])
		}
		return strings.Join(out, " ")
	}
	x, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	doc := func(i int) hub.Document {
		d := hub.Document{ID: fmt.Sprintf("%04d", i), Name: hub.Name("acme/" + strings.ReplaceAll(some(2), " ", "-") + fmt.Sprint(i%7)), Title: some(3), Description: some(12), Readme: some(30)}
		for range rng.IntN(4) {
			d.Capabilities = append(d.Capabilities, hub.Capability{Type: hub.Tool, Name: strings.ReplaceAll(some(2), " ", "_"), Description: some(5)})
		}
		return d
	}
	for from := 0; from < 600; from += 150 { // several segments
		var docs []hub.Document
		for i := from; i < from+150; i++ {
			docs = append(docs, doc(i))
		}
		if err := x.Put(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
	}
	var gone []string
	for i := 0; i < 600; i += 17 {
		gone = append(gone, fmt.Sprintf("%04d", i))
	}
	if err := x.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		text := some(4)
		ask := fulltext.Ask(text, i%4 == 0)
		want, err := x.index.Search(bleve.NewSearchRequestOptions(translate(*ask), 1000, 0, false))
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Search(t.Context(), hub.SearchQuery{Text: text, Typing: i%4 == 0, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if got.Total != int64(want.Total) || len(got.Hits) != len(want.Hits) {
			t.Fatalf("%q: %d found, Bleve finds %d", text, got.Total, want.Total)
		}
		page, err := x.Search(t.Context(), hub.SearchQuery{Text: text, Typing: i%4 == 0, Limit: 1 + i%30, Offset: i % 7})
		if err != nil {
			t.Fatal(err)
		}
		if from := min(i%7, len(got.Hits)); !slices.Equal(page.Hits, got.Hits[from:min(len(got.Hits), from+1+i%30)]) {
			t.Fatalf("%q: a page of %d from %d is not that of the whole", text, 1+i%30, i%7)
		}
		scores := map[string]float64{}
		for _, h := range want.Hits {
			scores[h.ID] = h.Score
		}
		for _, h := range got.Hits {
			factor := got.Hits[0].Score / scores[got.Hits[0].ID]
			if score, ok := scores[h.ID]; !ok || math.Abs(h.Score/score/factor-1) > 1e-9 {
				t.Fatalf("%q: %s has score %g, and %g with Bleve", text, h.ID, h.Score, score*factor)
			}
		}
	}
}
