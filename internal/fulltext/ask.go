package fulltext

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

const (
	maxText    = 200 // characters of a query that are looked at
	maxTerms   = 24  // words of a query that are looked at
	maxParts   = 8   // parts of one word that are looked at
	maxClauses = 800 // terms of a query after which parts and synonyms are left out; engines refuse 1024

	boostSynonym = 0.5
	boostOwner   = 0.1 // while typing: what a server is called comes before whose it is
)

// weights say how much a word in a field is worth.
var weights = []struct {
	field string
	boost float64
}{{Name, 3}, {Tools, 1.5}, {Text, 1.5}, {Input, 0.7}, {Readme, 0.3}}

// Query is what to look for: a term of a field, or All of several queries, or at least Min of Any.
type Query struct {
	Field, Value string
	Boost        float64 // of a term; none for Exact and Prefix, which the engine makes come first
	All, Any     []Query
	Min          int
}

// NameIn is the form in which a text is compared with names.
func NameIn(text string) string {
	if scope, base, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "@"), "/"); ok {
		return strings.ToLower(scope) + "/" + words.Squeeze(base)
	}
	return words.Squeeze(text)
}

// Cut keeps what is looked at of a hostile or long text.
func Cut(text string) string {
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

// Ask makes a query of a text that was Cut; nil when there is nothing to look for. While typing, the words are
// looked for as beginnings in name and title, and in the name of who publishes it.
func Ask(text string, typing bool) *Query {
	var each Query
	if typing {
		each.All = beginnings(text)
	} else {
		each.Any = phrases(text)
	}
	if len(each.All)+len(each.Any) == 0 {
		return nil
	}
	each.Min = 1 // the order says how many of the phrases a document has
	name := NameIn(text)
	return &Query{Any: []Query{{Field: Exact, Value: name}, {Field: Prefix, Value: name}, each}, Min: 1}
}

// InName looks for the word of a term among the beginnings of words of names and titles; it has hardly a part in the score.
func InName(q Query) Query {
	begin := []rune(q.Value)
	return Query{Field: Begin, Value: string(begin[:min(len(begin), maxBegin)]), Boost: q.Boost / 100}
}

func beginnings(text string) []Query {
	var out []Query
	for _, w := range words.Split(text, maxTerms) {
		begin := []rune(w.Plain)
		term := string(begin[:min(len(begin), maxBegin)])
		out = append(out, Query{Any: []Query{{Field: Begin, Value: term, Boost: 1}, {Field: Owner, Value: term, Boost: boostOwner}}, Min: 1})
	}
	return out
}

func phrases(text string) []Query {
	var out []Query
	a := asker{left: maxClauses}
	list := words.Phrases(text, maxTerms)
	for _, p := range list {
		if q, ok := a.phrase(p, false); ok {
			out = append(out, q)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, p := range list { // nothing but words that say nothing
		if q, ok := a.phrase(p, true); ok {
			out = append(out, q)
		}
	}
	return out
}

// asker makes queries while terms are left.
type asker struct{ left int }

// phrase finds the words of a phrase, or what means the same. all: empty words too.
func (a *asker) phrase(p words.Phrase, all bool) (Query, bool) {
	var own []Query
	for _, w := range p.Words {
		if all || !w.Empty() {
			own = append(own, a.word(w))
		}
	}
	if len(own) == 0 {
		return Query{}, false
	}
	either := []Query{{All: own}}
	for _, s := range p.Synonyms {
		if a.left < len(s)*len(weights) {
			break
		}
		var parts []Query
		for _, t := range s {
			parts = append(parts, a.anywhere(t, boostSynonym))
		}
		either = append(either, Query{All: parts})
	}
	return Query{Any: either, Min: 1}, true
}

// word finds a word as it is written, or all of its parts in one field.
func (a *asker) word(w words.Word) Query {
	whole := a.anywhere(w.Term, 1)
	list := w.Parts[:min(len(w.Parts), maxParts)]
	if len(list) == 0 || a.left < len(list)*len(weights) {
		return whole
	}
	either := []Query{whole}
	for _, at := range weights {
		var parts []Query
		for _, p := range list {
			parts = append(parts, Query{Field: at.field, Value: p, Boost: at.boost / 2})
		}
		either = append(either, Query{All: parts})
	}
	a.left -= len(list) * len(weights)
	return Query{Any: either, Min: 1}
}

func (a *asker) anywhere(value string, boost float64) Query {
	a.left -= len(weights)
	var out []Query
	for _, at := range weights {
		out = append(out, Query{Field: at.field, Value: value, Boost: boost * at.boost})
	}
	return Query{Any: out, Min: 1}
}

// Check refuses a query that asks for too much, or for what there is not.
func Check(q hub.SearchQuery) error {
	if q.Limit < 0 || q.Offset < 0 || q.Limit > hub.MaxSearch || q.Offset > hub.MaxSearch || q.Offset+q.Limit > hub.MaxSearch {
		return hub.Errorf(hub.Invalid, "a search shows results 0 to %d, not %d from %d", hub.MaxSearch, q.Limit, q.Offset).
			WithHint("narrow the search with filters or more words")
	}
	switch q.Sort {
	case hub.ByRelevance, hub.ByInstalls, hub.ByUpdated, hub.ByScore, hub.ByName:
	default:
		return hub.Errorf(hub.Invalid, "there is no order %q", q.Sort).WithHint("sort by installs, updated, score or name")
	}
	asked := slices.Clone(q.Facets)
	for f := range q.Filter {
		asked = append(asked, f)
	}
	return CheckFacets(asked)
}

// CheckFacets refuses facets that are not.
func CheckFacets(asked []hub.Facet) error {
	for _, f := range asked {
		if slices.Contains(hub.Facets, f) {
			continue
		}
		var all []string
		for _, f := range hub.Facets {
			all = append(all, string(f))
		}
		return hub.Errorf(hub.Invalid, "there is no facet %q", f).WithHint("facets are %s", strings.Join(all, ", "))
	}
	return nil
}
