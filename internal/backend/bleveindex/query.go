package bleveindex

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	maxText  = 200 // characters of a query that are looked at
	maxTerms = 16  // words of a query that are looked at
	minFuzzy = 4   // shortest word that is also looked for with one letter wrong

	boostExact  = 1e11 // so far apart that no sum of lower ones reaches the next
	boostPrefix = 1e6
	boostName   = 3

	tieMargin = 32 // hits read beyond a page, in which ties across its end are nearly always settled
)

// Search implements hub.Index. When no document has the words, names with one letter different are found.
func (x *Index) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if q.Limit < 1 || q.Limit > 100 || q.Offset < 0 || q.Offset > 1000 {
		return hub.SearchResult{}, hub.Errorf(hub.Invalid, "a search shows 1 to 100 results from 0 to 1000, not %d from %d", q.Limit, q.Offset).
			WithHint("narrow the search with filters or more words")
	}
	filters := filtersOf(q)
	text := cut(q.Text)
	ask := askFor(text, false)
	if ask == nil {
		return x.browse(ctx, q, filters)
	}
	out, err := x.ranked(ctx, q, with(ask, filters))
	if err == nil && out.Total == 0 {
		if ask := askFor(text, true); ask != nil {
			return x.ranked(ctx, q, with(ask, filters))
		}
	}
	return out, err
}

// cut keeps what is looked at of a hostile or long text.
func cut(text string) string {
	text = strings.ToValidUTF8(text, " ")
	n := 0
	for i := range text {
		if n == maxText {
			return text[:i]
		}
		n++
	}
	return text
}

// askFor makes a query of a text; nil when there is nothing to look for.
func askFor(text string, fuzzy bool) query.Query {
	words := split(text, maxTerms)
	if said := slices.DeleteFunc(slices.Clone(words), func(w word) bool { return stop[w.whole] }); len(said) > 0 {
		words = said
	}
	if len(words) == 0 {
		return nil
	}
	var each []query.Query
	for _, w := range words {
		if fuzzy {
			if utf8.RuneCountInString(w.whole) >= minFuzzy {
				each = append(each, fuzzyTerm(w.whole))
			}
			continue
		}
		each = append(each, wordQuery(w))
	}
	if len(each) == 0 {
		return nil
	}
	all := one(each)
	if len(each) > 1 {
		d := bleve.NewDisjunctionQuery(each...)
		d.SetMin(float64(needed(len(each))))
		all = d
	}
	if fuzzy {
		return all
	}
	name := squeeze(text)
	if scope, base, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "@"), "/"); ok {
		name = strings.ToLower(scope) + "/" + squeeze(base)
	}
	return bleve.NewDisjunctionQuery(term(fieldExact, name, boostExact), term(fieldPrefix, name, boostPrefix), all)
}

// needed is how many of n words a document must have: all of two, most of more.
func needed(n int) int {
	if n <= 2 {
		return n
	}
	return (n*2 + 2) / 3
}

func one(qs []query.Query) query.Query {
	if len(qs) == 1 {
		return qs[0]
	}
	return bleve.NewConjunctionQuery(qs...)
}

// wordQuery finds a word as it is written, or all of its parts.
func wordQuery(w word) query.Query {
	either := []query.Query{term(fieldName, w.whole, boostName), term(fieldText, w.whole, 1)}
	if len(w.parts) > 0 {
		for _, f := range []string{fieldName, fieldText} {
			var parts []query.Query
			for _, p := range w.parts {
				parts = append(parts, term(f, p, 1))
			}
			either = append(either, one(parts))
		}
	}
	return bleve.NewDisjunctionQuery(either...)
}

func term(field, value string, boost float64) query.Query {
	t := bleve.NewTermQuery(value)
	t.SetField(field)
	t.SetBoost(boost)
	return t
}

func fuzzyTerm(value string) query.Query {
	f := bleve.NewFuzzyQuery(value)
	f.SetField(fieldName)
	f.SetFuzziness(1)
	f.SetPrefix(1)
	return f
}

func filtersOf(q hub.SearchQuery) []query.Query {
	var out []query.Query
	add := func(field, value string) {
		if value != "" {
			out = append(out, term(field, value, 1))
		}
	}
	add(fieldType, q.PackageType)
	add(fieldTransport, q.Transport)
	add(fieldRuntime, q.Runtime)
	add(fieldLicense, q.License)
	add(fieldCategory, q.Category)
	add(fieldScope, q.Scope)
	if q.Mirrored != nil {
		add(fieldMirrored, yesNo(*q.Mirrored))
	}
	return out
}

func with(ask query.Query, filters []query.Query) query.Query {
	if len(filters) == 0 {
		return ask
	}
	b := bleve.NewBooleanQuery()
	b.AddMust(ask)
	b.AddFilter(one(filters)) // filters, unlike further conditions, have no part in the score
	return b
}

// browse lists documents by rank.
func (x *Index) browse(ctx context.Context, q hub.SearchQuery, filters []query.Query) (hub.SearchResult, error) {
	var all query.Query = bleve.NewMatchAllQuery()
	if len(filters) > 0 {
		all = one(filters)
	}
	req := bleve.NewSearchRequestOptions(all, q.Limit, q.Offset, false)
	req.Score = "none"
	req.SortByCustom(search.SortOrder{&search.SortField{Field: fieldRank, Type: search.SortFieldAsString}})
	return x.run(ctx, req)
}

// ranked returns a page by score, ties by ID. Sorting by ID inside the engine would read the ID of every
// match; so a little more than the page is read and sorted here, and only when a tie reaches beyond that
// is the engine asked to do it.
func (x *Index) ranked(ctx context.Context, q hub.SearchQuery, ask query.Query) (hub.SearchResult, error) {
	end := q.Offset + q.Limit
	out, err := x.run(ctx, bleve.NewSearchRequestOptions(ask, end+tieMargin, 0, false))
	if err != nil {
		return out, err
	}
	if n := len(out.Hits); n == end+tieMargin && out.Hits[n-1].Score == out.Hits[end-1].Score {
		req := bleve.NewSearchRequestOptions(ask, q.Limit, q.Offset, false)
		req.SortByCustom(search.SortOrder{&search.SortScore{Desc: true}, &search.SortDocID{}})
		return x.run(ctx, req)
	}
	slices.SortFunc(out.Hits, func(a, b hub.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	out.Hits = out.Hits[min(q.Offset, len(out.Hits)):min(end, len(out.Hits))]
	return out, nil
}

func (x *Index) run(ctx context.Context, req *bleve.SearchRequest) (hub.SearchResult, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	res, err := x.index.SearchInContext(ctx, req)
	if err != nil {
		return hub.SearchResult{}, failed("searched", err)
	}
	out := hub.SearchResult{Total: int64(res.Total), Hits: make([]hub.Hit, len(res.Hits))}
	for i, h := range res.Hits {
		out.Hits[i] = hub.Hit{ID: h.ID, Score: h.Score}
	}
	return out, nil
}
