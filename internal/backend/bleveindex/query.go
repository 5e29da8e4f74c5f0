package bleveindex

import (
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

const (
	maxText  = 200 // characters of a query that are looked at
	maxTerms = 24  // words of a query that are looked at

	boostExact   = 1e11 // so far apart that no sum of lower ones reaches the next
	boostPrefix  = 1e6
	boostSynonym = 0.5
)

// weights say how much a word in a field is worth.
var weights = []struct {
	field string
	boost float64
}{{fieldName, 3}, {fieldTools, 1.5}, {fieldText, 1.5}, {fieldInput, 0.7}, {fieldReadme, 0.3}}

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

// nameIn is the form in which a text is compared with names.
func nameIn(text string) string {
	if scope, base, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "@"), "/"); ok {
		return strings.ToLower(scope) + "/" + words.Squeeze(base)
	}
	return words.Squeeze(text)
}

// askFor makes a query of a text; nil when there is nothing to look for.
func askFor(text string) query.Query {
	var each []query.Query
	phrases := words.Phrases(text, maxTerms)
	for _, p := range phrases {
		if q := phraseQuery(p, false); q != nil {
			each = append(each, q)
		}
	}
	if len(each) == 0 { // nothing but words that say nothing
		for _, p := range phrases {
			each = append(each, phraseQuery(p, true))
		}
	}
	if len(each) == 0 {
		return nil
	}
	d := bleve.NewDisjunctionQuery(each...)
	d.SetMin(float64(needed(len(each))))
	name := nameIn(text)
	return bleve.NewDisjunctionQuery(term(fieldExact, name, boostExact), term(fieldPrefix, name, boostPrefix), d)
}

// needed is how many of n phrases a document must have: all of two, half of more. The order says how many it has.
func needed(n int) int {
	return 1
}

// phraseQuery finds the words of a phrase, or what means the same. all: empty words too.
func phraseQuery(p words.Phrase, all bool) query.Query {
	var own []query.Query
	for _, w := range p.Words {
		if all || !w.Empty() {
			own = append(own, wordQuery(w))
		}
	}
	if len(own) == 0 {
		return nil
	}
	either := []query.Query{one(own)}
	for _, s := range p.Synonyms {
		var parts []query.Query
		for _, t := range s {
			parts = append(parts, anywhere(t, boostSynonym))
		}
		either = append(either, one(parts))
	}
	if len(either) == 1 {
		return either[0]
	}
	return bleve.NewDisjunctionQuery(either...)
}

// wordQuery finds a word as it is written, or all of its parts in one field.
func wordQuery(w words.Word) query.Query {
	if len(w.Parts) == 0 {
		return anywhere(w.Term, 1)
	}
	either := []query.Query{anywhere(w.Term, 1)}
	for _, at := range weights {
		var parts []query.Query
		for _, p := range w.Parts {
			parts = append(parts, term(at.field, p, at.boost/2))
		}
		either = append(either, one(parts))
	}
	return bleve.NewDisjunctionQuery(either...)
}

func anywhere(value string, boost float64) query.Query {
	var out []query.Query
	for _, at := range weights {
		out = append(out, term(at.field, value, boost*at.boost))
	}
	return bleve.NewDisjunctionQuery(out...)
}

// askTyping finds names and titles that have words beginning like those of the text.
func askTyping(text string) query.Query {
	var each []query.Query
	for _, w := range words.Split(text, maxTerms) {
		begin := []rune(w.Plain)
		each = append(each, term(fieldBegin, string(begin[:min(len(begin), maxBegin)]), 1))
	}
	if len(each) == 0 {
		return nil
	}
	name := nameIn(text)
	q := bleve.NewBooleanQuery()
	q.AddMust(bleve.NewDisjunctionQuery(one(each), term(fieldPrefix, name, boostPrefix)))
	q.AddShould(term(fieldExact, name, boostExact))
	return q
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
func filtersOf(q hub.SearchQuery) ([]query.Query, error) {
	var out []query.Query
	for facet, values := range q.Filter {
		if !known(facet) {
			return nil, hub.Errorf(hub.Invalid, "there is no facet %q", facet).WithHint("facets are %s", facetList())
		}
		var any []query.Query
		for _, v := range values {
			any = append(any, term(facetPrefix+string(facet), label(v), 1))
		}
		if len(any) > 0 {
			out = append(out, bleve.NewDisjunctionQuery(any...))
		}
	}
	if q.Among != nil {
		out = append(out, bleve.NewDocIDQuery(q.Among))
	}
	return out, nil
}

func facetList() string {
	var out []string
	for _, f := range hub.Facets {
		out = append(out, string(f))
	}
	return strings.Join(out, ", ")
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
