package bleveindex

import (
	"slices"

	"github.com/mcphub/mcphub/internal/fulltext"
)

// In a large index a word that every tenth document has finds more than can be ranked in time, and nothing that
// anybody looks for. So the rare phrases of a text are looked for, and the common ones only rank what these find. When
// that is much still, they are looked for where they weigh most, and elsewhere only rank.
const (
	largeIndex = 100_000 // documents
	rareShare  = 50      // a phrase is rare when at most one of so many documents has it
	muchShare  = 200     // more than one of so many documents is much
	enough     = 1000    // documents that are looked for at least
)

// strong are where a word weighs most, the fewest documents first.
var strong = []func(fulltext.Query) (fulltext.Query, bool){
	func(q fulltext.Query) (fulltext.Query, bool) { return fulltext.InName(q), q.Field == fulltext.Name },
	among(fulltext.Name), among(fulltext.Name, fulltext.Tools), among(fulltext.Name, fulltext.Tools, fulltext.Text),
}

func among(fields ...string) func(fulltext.Query) (fulltext.Query, bool) {
	return func(q fulltext.Query) (fulltext.Query, bool) { return q, slices.Contains(fields, q.Field) }
}

// phrases finds what has some of the phrases of a text.
func (x *Index) phrases(r *reader, q fulltext.Query) ([]match, error) {
	if len(q.Any) == 0 || r.docs < x.largeFrom {
		return r.find(q, nil)
	}
	must, should, err := r.rare(q.Any, r.docs/rareShare)
	if err != nil {
		return nil, err
	}
	if must, should, err = r.narrow(must, should, r.docs/muchShare); err != nil {
		return nil, err
	}
	found, err := r.any(must, 1, nil)
	if err != nil {
		return nil, err
	}
	return found, r.better(found, should)
}

// rare divides phrases into the rare and the common ones; when all are common, the rarest counts as rare.
func (r *reader) rare(phrases []fulltext.Query, rare uint64) (must, should []fulltext.Query, err error) {
	counts := make([]uint64, len(phrases))
	for i, p := range phrases {
		if counts[i], err = r.often(p); err != nil {
			return nil, nil, err
		}
	}
	rarest := uint64(1 << 62)
	for _, n := range counts {
		if n > 0 {
			rarest = min(rarest, n)
		}
	}
	for i, p := range phrases {
		switch {
		case counts[i] == 0: // no document has it
		case counts[i] <= max(rare, rarest):
			must = append(must, p)
		default:
			should = append(should, p)
		}
	}
	if len(must) == 0 {
		must = phrases[:1]
	}
	return must, should, nil
}

// narrow looks for phrases that find much where words weigh most, as long as enough is found there; elsewhere they rank.
func (r *reader) narrow(must, should []fulltext.Query, much uint64) (_, _ []fulltext.Query, err error) {
	all, err := r.often(fulltext.Query{Any: must})
	if err != nil || all <= max(much, enough) {
		return must, should, err
	}
	for _, place := range strong {
		var in []fulltext.Query
		for _, p := range must {
			if q, ok := within(p, place); ok {
				in = append(in, q)
			}
		}
		n, err := r.often(fulltext.Query{Any: in})
		if err != nil {
			return nil, nil, err
		}
		if len(in) > 0 && n >= enough {
			return in, append(must, should...), nil
		}
	}
	return must, should, nil
}

// within leaves of a query what looks in a place; false when nothing is left.
func within(q fulltext.Query, place func(fulltext.Query) (fulltext.Query, bool)) (fulltext.Query, bool) {
	if q.Field != "" {
		return place(q)
	}
	out := fulltext.Query{Min: q.Min}
	for _, sub := range q.All {
		kept, ok := within(sub, place)
		if !ok {
			return fulltext.Query{}, false
		}
		out.All = append(out.All, kept)
	}
	for _, sub := range q.Any {
		if kept, ok := within(sub, place); ok {
			out.Any = append(out.Any, kept)
		}
	}
	return out, len(out.All)+len(out.Any) > 0
}

// often is about how many documents a query finds.
func (r *reader) often(q fulltext.Query) (uint64, error) {
	switch {
	case q.Field != "":
		return r.look(q.Field, q.Value)
	case len(q.All) > 0:
		least := uint64(1 << 62)
		for _, sub := range q.All {
			n, err := r.often(sub)
			if err != nil {
				return 0, err
			}
			least = min(least, n)
		}
		return least, nil
	}
	var sum uint64
	for _, sub := range q.Any {
		n, err := r.often(sub)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
