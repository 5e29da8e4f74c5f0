package bleveindex

import (
	"context"
	"slices"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	tieMargin = 32  // hits read beyond a page, in which ties across its end are nearly always settled
	maxTiers  = 100 // hits whose tier is found out; few names begin alike
)

// Search implements hub.Index.
func (x *Index) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if q.Limit < 0 || q.Offset < 0 || q.Limit > hub.MaxSearch || q.Offset > hub.MaxSearch || q.Offset+q.Limit > hub.MaxSearch {
		return hub.SearchResult{}, hub.Errorf(hub.Invalid, "a search shows results 0 to %d, not %d from %d", hub.MaxSearch, q.Limit, q.Offset).
			WithHint("narrow the search with filters or more words")
	}
	field, ok := sortFields[q.Sort]
	if !ok {
		return hub.SearchResult{}, hub.Errorf(hub.Invalid, "there is no order %q", q.Sort).WithHint("sort by installs, updated, score or name")
	}
	filters, err := filtersOf(q)
	if err != nil {
		return hub.SearchResult{}, err
	}
	text := cut(q.Text)
	ask := askFor(text)
	if q.Typing {
		ask = askTyping(text)
	}
	if ask != nil && len(q.Also) > 0 {
		also := bleve.NewDocIDQuery(q.Also)
		also.SetBoost(0)
		ask = bleve.NewDisjunctionQuery(ask, also)
	}
	facets, err := facetsOf(q.Facets)
	if err != nil {
		return hub.SearchResult{}, err
	}
	if ask == nil || q.Sort != hub.ByRelevance {
		all := with(ask, filters)
		if all == nil {
			all = bleve.NewMatchAllQuery()
		}
		req := bleve.NewSearchRequestOptions(all, q.Limit, q.Offset, false)
		req.Score, req.Facets = "none", facets
		req.SortByCustom(search.SortOrder{&search.SortField{Field: field, Type: search.SortFieldAsString}})
		return x.run(ctx, req)
	}
	out, err := x.ranked(ctx, q, with(ask, filters), facets)
	if err != nil || len(out.Hits) == 0 || q.Offset > 0 {
		return out, err
	}
	return out, x.tiers(ctx, nameIn(text), out.Hits[:min(len(out.Hits), maxTiers)])
}

func facetsOf(list []hub.Facet) (bleve.FacetsRequest, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := bleve.FacetsRequest{}
	for _, f := range list {
		if !known(f) {
			return nil, hub.Errorf(hub.Invalid, "there is no facet %q", f).WithHint("facets are %s", facetList())
		}
		out[string(f)] = bleve.NewFacetRequest(facetPrefix+string(f), hub.MaxFacetValues)
	}
	return out, nil
}

// ranked returns a page by score, ties by ID. Sorting by ID inside the engine would read the ID of every
// match; so a little more than the page is read and sorted here, and only when a tie reaches beyond that
// is the engine asked to do it.
func (x *Index) ranked(ctx context.Context, q hub.SearchQuery, ask query.Query, facets bleve.FacetsRequest) (hub.SearchResult, error) {
	end := q.Offset + q.Limit
	req := bleve.NewSearchRequestOptions(ask, end+tieMargin, 0, false)
	req.Facets = facets
	out, err := x.run(ctx, req)
	if err != nil {
		return out, err
	}
	if n := len(out.Hits); n == end+tieMargin && end > 0 && out.Hits[n-1].Score == out.Hits[end-1].Score {
		req := bleve.NewSearchRequestOptions(ask, q.Limit, q.Offset, false)
		req.Facets = facets
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

// tiers notes which hits have the name, or one that begins with it.
func (x *Index) tiers(ctx context.Context, name string, hits []hub.Hit) error {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	for _, t := range []struct {
		field string
		tier  hub.Tier
	}{{fieldPrefix, hub.TierPrefix}, {fieldExact, hub.TierExact}} {
		req := bleve.NewSearchRequestOptions(one([]query.Query{term(t.field, name, 1), bleve.NewDocIDQuery(ids)}), len(ids), 0, false)
		req.Score = "none"
		found, err := x.run(ctx, req)
		if err != nil {
			return err
		}
		for _, h := range found.Hits {
			hits[slices.Index(ids, h.ID)].Tier = t.tier
		}
	}
	return nil
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
	for name, f := range res.Facets {
		if out.Facets == nil {
			out.Facets = map[hub.Facet][]hub.FacetCount{}
		}
		var counts []hub.FacetCount
		for _, t := range f.Terms.Terms() {
			counts = append(counts, hub.FacetCount{Value: t.Term, Count: t.Count})
		}
		out.Facets[hub.Facet(name)] = counts
	}
	return out, nil
}
