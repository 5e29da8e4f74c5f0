package opensearch

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// What names are worth. The engine counts in 32 bits: the higher these, the fewer digits are left for the words,
// which sum up to some thousands at most.
const (
	boostExact  = 20_000
	boostPrefix = 10_000
)

// Search implements hub.Index.
func (x *Index) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if err := fulltext.Check(q); err != nil {
		return hub.SearchResult{}, err
	}
	if err := x.ready(ctx); err != nil {
		return hub.SearchResult{}, failed("searched", err)
	}
	ask := fulltext.Ask(fulltext.Cut(q.Text), q.Typing)
	ranked := ask != nil && q.Sort == hub.ByRelevance
	body := object{"size": q.Limit, "from": q.Offset, "track_total_hits": true, "query": with(ask, q), "sort": order(q.Sort, ranked)}
	if len(q.Facets) > 0 {
		body["aggs"] = counts(q.Facets)
	}
	var out struct {
		Hits struct {
			Total struct{ Value int64 }
			Hits  []struct {
				ID      string   `json:"_id"`
				Score   float64  `json:"_score"`
				Matched []string `json:"matched_queries"`
			}
		}
		Aggregations map[string]struct {
			Buckets []struct {
				Key   string
				Count int `json:"doc_count"`
			}
		}
	}
	if err := x.c.Read(ctx, http.MethodPost, "/"+x.alias+"/_search?"+searchOptions(q.Text), body, &out); err != nil {
		return hub.SearchResult{}, failed("searched", err)
	}
	res := hub.SearchResult{Total: out.Hits.Total.Value, Hits: make([]hub.Hit, len(out.Hits.Hits))}
	for i, h := range out.Hits.Hits {
		res.Hits[i] = hub.Hit{ID: h.ID, Score: h.Score}
		switch {
		case ranked && slices.Contains(h.Matched, fulltext.Exact):
			res.Hits[i].Tier = hub.TierExact
		case ranked && slices.Contains(h.Matched, fulltext.Prefix):
			res.Hits[i].Tier = hub.TierPrefix
		}
	}
	for name, a := range out.Aggregations {
		if res.Facets == nil {
			res.Facets = map[hub.Facet][]hub.FacetCount{}
		}
		var list []hub.FacetCount
		for _, b := range a.Buckets {
			list = append(list, hub.FacetCount{Value: b.Key, Count: b.Count})
		}
		res.Facets[hub.Facet(name)] = list
	}
	return res, nil
}

// searchOptions make every shard count words as all of them together do, ask the same copies for the pages of one
// text, whose scores may differ a little from those of others, and refuse half an answer.
func searchOptions(text string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return fmt.Sprintf("search_type=dfs_query_then_fetch&allow_partial_search_results=false&preference=q%x"+
		"&filter_path=hits.total.value,hits.hits._id,hits.hits._score,hits.hits.matched_queries,aggregations.*.buckets,suggest", h.Sum32())
}

func order(sort hub.SearchSort, ranked bool) []object {
	var out []object
	if ranked {
		out = append(out, object{"_score": "desc"})
	} else if sort == hub.ByName {
		out = append(out, object{"order": "asc"})
	} else {
		for _, field := range sorts[sort] {
			out = append(out, object{field: "desc"})
		}
	}
	return append(out, object{"id": "asc"})
}

func counts(facets []hub.Facet) object {
	out := object{}
	for _, f := range facets {
		out[string(f)] = object{"terms": object{"field": fulltext.FacetPrefix + string(f), "size": hub.MaxFacetValues, "shard_size": 1000,
			"order": []object{{"_count": "desc"}, {"_key": "asc"}}}}
	}
	return out
}

// with puts the conditions of a query around what its text asks for. They have no part in the score.
func with(ask *fulltext.Query, q hub.SearchQuery) object {
	var must, filter []object
	if ask != nil {
		main := query(*ask)
		if len(q.Also) > 0 {
			main = object{"bool": object{"should": []object{main, {"constant_score": object{"filter": ids(q.Also), "boost": 0}}}}}
		}
		must = append(must, main)
	}
	for facet, values := range q.Filter {
		if len(values) == 0 {
			continue
		}
		labels := make([]string, len(values))
		for i, v := range values {
			labels[i] = fulltext.Label(v)
		}
		filter = append(filter, object{"terms": object{fulltext.FacetPrefix + string(facet): labels}})
	}
	if q.Among != nil {
		filter = append(filter, ids(q.Among))
	}
	if len(must)+len(filter) == 0 {
		return object{"match_all": object{}}
	}
	return object{"bool": object{"must": must, "filter": filter}}
}

func ids(list []string) object { return object{"terms": object{"id": list}} }

// query translates.
func query(q fulltext.Query) object {
	switch {
	case q.Field == fulltext.Exact:
		return first(q, boostExact)
	case q.Field == fulltext.Prefix:
		return first(q, boostPrefix)
	case q.Field != "":
		return object{"term": object{q.Field: object{"value": q.Value, "boost": q.Boost}}}
	case len(q.All) == 1:
		return query(q.All[0])
	case len(q.All) > 1:
		return object{"bool": object{"must": queries(q.All)}}
	case len(q.Any) == 1:
		return query(q.Any[0])
	}
	return object{"bool": object{"should": queries(q.Any), "minimum_should_match": q.Min}}
}

func queries(list []fulltext.Query) []object {
	out := make([]object, len(list))
	for i, q := range list {
		out[i] = query(q)
	}
	return out
}

// first makes a term of a name come first, and hits tell that they have it.
func first(q fulltext.Query, boost float64) object {
	return object{"constant_score": object{"filter": object{"term": object{q.Field: q.Value}}, "boost": boost, "_name": q.Field}}
}
