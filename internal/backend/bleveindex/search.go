package bleveindex

import (
	"context"
	"slices"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

const (
	tieMargin  = 32   // hits read beyond a page, in which ties across its end are nearly always settled
	wideMargin = 2000 // hits read beyond it when they are not
	maxTiers   = 100  // hits whose tier is found out; few names begin alike
	fewAlike   = 50   // names that begin alike
)

// Search implements hub.Index.
func (x *Index) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if err := fulltext.Check(q); err != nil {
		return hub.SearchResult{}, err
	}
	field, filters, text := sortFields[q.Sort], filtersOf(q), fulltext.Cut(q.Text)
	var ask query.Query
	if a := fulltext.Ask(text, q.Typing); a != nil {
		var err error
		if ask, err = x.large(ctx, *a); err != nil {
			return hub.SearchResult{}, err
		}
	}
	if ask != nil && len(q.Also) > 0 {
		also := bleve.NewDocIDQuery(q.Also)
		also.SetBoost(0)
		ask = bleve.NewDisjunctionQuery(ask, also)
	}
	if ask == nil || q.Sort != hub.ByRelevance || q.Limit == 0 {
		all := with(ask, filters)
		if all == nil {
			all = bleve.NewMatchAllQuery()
		}
		req := bleve.NewSearchRequestOptions(all, q.Limit, q.Offset, false)
		req.Score = "none"
		req.SortByCustom(search.SortOrder{&search.SortField{Field: field, Type: search.SortFieldAsString}})
		out, err := x.run(ctx, req)
		if err == nil {
			out.Facets, err = x.count(ctx, all, q.Facets)
		}
		return out, err
	}
	ask = with(ask, filters)
	out, err := x.ranked(ctx, q, ask)
	if err == nil {
		out.Facets, err = x.count(ctx, ask, q.Facets)
	}
	if err != nil || len(out.Hits) == 0 || q.Offset > 0 {
		return out, err
	}
	return out, x.tiers(ctx, fulltext.NameIn(text), out.Hits[:min(len(out.Hits), maxTiers)])
}

// ranked returns a page by score, ties by ID. Sorting by ID inside the engine would read the ID of every
// match; so more than the page is read and sorted here, and still more when a tie reaches beyond that. Where
// thousands of documents are alike, which of them come first is settled among those.
func (x *Index) ranked(ctx context.Context, q hub.SearchQuery, ask query.Query) (hub.SearchResult, error) {
	end := q.Offset + q.Limit
	var out hub.SearchResult
	for _, margin := range []int{tieMargin, wideMargin} {
		req := bleve.NewSearchRequestOptions(ask, end+margin, 0, false)
		var err error
		if out, err = x.run(ctx, req); err != nil {
			return out, err
		}
		if n := len(out.Hits); n < end+margin || end == 0 || out.Hits[n-1].Score != out.Hits[end-1].Score {
			break
		}
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

// tiers notes which hits have the name, or one that begins with it. All that do are read where they are few: looking each
// hit up by its ID costs more.
func (x *Index) tiers(ctx context.Context, name string, hits []hub.Hit) error {
	at := make(map[string]int, len(hits))
	ids := make([]string, len(hits))
	for i, h := range hits {
		at[h.ID], ids[i] = i, h.ID
	}
	for _, t := range []struct {
		field string
		tier  hub.Tier
	}{{fulltext.Prefix, hub.TierPrefix}, {fulltext.Exact, hub.TierExact}} {
		found, err := x.some(ctx, term(t.field, name, 1), fewAlike)
		if err == nil && found.Total > fewAlike {
			found, err = x.some(ctx, one([]query.Query{term(t.field, name, 1), bleve.NewDocIDQuery(ids)}), len(ids))
		}
		if err != nil {
			return err
		}
		for _, h := range found.Hits {
			if i, ok := at[h.ID]; ok {
				hits[i].Tier = t.tier
			}
		}
	}
	return nil
}

// some returns matches in any order, without scores.
func (x *Index) some(ctx context.Context, q query.Query, limit int) (hub.SearchResult, error) {
	req := bleve.NewSearchRequestOptions(q, limit, 0, false)
	req.Score = "none"
	return x.run(ctx, req)
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
