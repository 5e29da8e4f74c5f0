package bleveindex

import (
	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// What names are worth: so far apart that no sum of lower ones reaches the next.
const (
	boostExact  = 1e11
	boostPrefix = 1e6
)

// translate makes Bleve's query of one.
func translate(q fulltext.Query) query.Query {
	switch {
	case q.Field == fulltext.Exact:
		return term(q.Field, q.Value, boostExact)
	case q.Field == fulltext.Prefix:
		return term(q.Field, q.Value, boostPrefix)
	case q.Field != "":
		return term(q.Field, q.Value, q.Boost)
	case len(q.All) > 0:
		return one(translateAll(q.All))
	case len(q.Any) == 1:
		return translate(q.Any[0])
	}
	d := bleve.NewDisjunctionQuery(translateAll(q.Any)...)
	d.SetMin(float64(q.Min))
	return d
}

func translateAll(list []fulltext.Query) []query.Query {
	out := make([]query.Query, len(list))
	for i, q := range list {
		out[i] = translate(q)
	}
	return out
}

func one(qs []query.Query) query.Query {
	if len(qs) == 1 {
		return qs[0]
	}
	return bleve.NewConjunctionQuery(qs...)
}

func term(field, value string, boost float64) query.Query {
	t := bleve.NewTermQuery(value)
	t.SetField(field)
	t.SetBoost(boost)
	return t
}

// filtersOf makes conditions that have no part in the score.
func filtersOf(q hub.SearchQuery) []query.Query {
	var out []query.Query
	for facet, values := range q.Filter {
		var any []query.Query
		for _, v := range values {
			any = append(any, term(fulltext.FacetPrefix+string(facet), fulltext.Label(v), 1))
		}
		if len(any) > 0 {
			out = append(out, bleve.NewDisjunctionQuery(any...))
		}
	}
	if q.Among != nil {
		out = append(out, bleve.NewDocIDQuery(q.Among))
	}
	return out
}

func with(ask query.Query, filters []query.Query) query.Query {
	switch {
	case len(filters) == 0:
		return ask
	case ask == nil:
		return one(filters)
	}
	b := bleve.NewBooleanQuery()
	b.AddMust(ask)
	b.AddFilter(one(filters)) // filters, unlike further conditions, have no part in the score
	return b
}
