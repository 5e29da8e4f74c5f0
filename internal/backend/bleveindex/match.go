package bleveindex

import (
	"math"

	"github.com/mcphub/mcphub/internal/fulltext"
)

// match is a document that a query finds. Matches come in the order of their numbers.
type match struct {
	doc   uint32
	score float64
}

// What names are worth: so far apart that no sum of lower ones reaches the next.
const (
	boostExact  = 1e11
	boostPrefix = 1e6
)

// The constants of BM25: how soon a further occurrence of a word stops to matter, and how much the length of a field does.
const (
	saturation = 1.2
	lengthPart = 0.75
)

// find returns what a query finds. only, when not nil, says which documents the caller is interested in; what is found
// may have others too.
func (r *reader) find(q fulltext.Query, only []match) ([]match, error) {
	switch {
	case q.Field == fulltext.Exact:
		return r.term(q.Field, q.Value, boostExact, only)
	case q.Field == fulltext.Prefix:
		return r.term(q.Field, q.Value, boostPrefix, only)
	case q.Field != "":
		return r.term(q.Field, q.Value, q.Boost, only)
	case len(q.All) > 0:
		return r.all(q.All, only)
	}
	return r.any(q.Any, q.Min, only)
}

func (r *reader) term(field, value string, boost float64, only []match) ([]match, error) {
	n, err := r.look(field, value)
	if err != nil || n == 0 {
		return nil, err
	}
	terms, err := r.snapshot.FieldCardinality(field)
	if err != nil {
		return nil, err
	}
	average := math.Ceil(float64(terms) / float64(r.docs))
	rarity := math.Log(1 + (float64(r.docs)-float64(n)+0.5)/(float64(n)+0.5))
	weight := boost * rarity * rarity * saturation
	room := int(n)
	if leaps(n, only) {
		room = len(only)
	}
	out := r.list(room)
	err = r.read(n, true, only, func(doc uint32, freq, length float64) {
		often := math.Sqrt(freq)
		out = append(out, match{doc, weight * often / (often + saturation*(1-lengthPart+lengthPart*length/average))})
	})
	return out, err
}

// all finds what every query finds; scores are added.
func (r *reader) all(qs []fulltext.Query, only []match) ([]match, error) {
	for i, q := range qs {
		found, err := r.find(q, only)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		if i > 0 {
			found = both(r.list(min(len(only), len(found))), only, found)
		}
		only = found
	}
	return only, nil
}

// both appends to out what is in two lists, scores added.
func both(out, a, b []match) []match {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].doc < b[0].doc:
			a = a[1:]
		case a[0].doc > b[0].doc:
			b = b[1:]
		default:
			out = append(out, match{a[0].doc, a[0].score + b[0].score})
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// any finds what at least so many of the queries find. Scores are added, and count in proportion to how many of all
// queries find a document.
func (r *reader) any(qs []fulltext.Query, least int, only []match) ([]match, error) {
	if len(qs) == 1 {
		return r.find(qs[0], only)
	}
	before := r.mark()
	lists := make([][]match, 0, len(qs))
	for _, q := range qs {
		found, err := r.find(q, only)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			lists = append(lists, found)
		}
	}
	return r.keep(before, r.union(lists, len(qs), least)), nil
}

// union joins lists of the given number of queries, of which some may have found nothing.
func (r *reader) union(lists [][]match, queries, least int) []match {
	n := 0
	for _, list := range lists {
		n += len(list)
		for _, m := range list {
			r.sums[m.doc] += m.score
			r.counts[m.doc]++
			r.seen.add(m.doc)
		}
	}
	out := r.list(n)
	for doc := range r.seen.all() {
		if count := r.counts[doc]; int(count) >= least {
			out = append(out, match{doc, r.sums[doc] * float64(count) / float64(queries)})
		}
		r.sums[doc], r.counts[doc] = 0, 0
	}
	clear(r.seen)
	return out
}

// better adds what qs are worth to the documents of list that they find.
func (r *reader) better(list []match, qs []fulltext.Query) error {
	if len(qs) == 0 || len(list) == 0 {
		return nil
	}
	more, err := r.any(qs, 1, list)
	if err != nil {
		return err
	}
	for i, j := 0, 0; i < len(list) && j < len(more); {
		switch {
		case list[i].doc < more[j].doc:
			i++
		case list[i].doc > more[j].doc:
			j++
		default:
			list[i].score += more[j].score
			i, j = i+1, j+1
		}
	}
	return nil
}
