package bleveindex

import (
	"context"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/fulltext"
)

// In a large index a word that every tenth document has finds more than can be ranked in time, and nothing that
// anybody looks for. So the rare phrases of a text are looked for, and the common ones only rank what these find.
const (
	largeIndex = 100_000 // documents
	rareShare  = 50      // a phrase is rare when at most one of so many documents has it
)

// large makes the query of a large index.
func (x *Index) large(ctx context.Context, q fulltext.Query) (query.Query, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	advanced, err := x.index.Advanced()
	if err != nil {
		return nil, failed("read", err)
	}
	r, err := advanced.Reader()
	if err != nil {
		return nil, failed("read", err)
	}
	defer r.Close()
	docs, err := r.DocCount()
	if err != nil {
		return nil, failed("read", err)
	}
	last := len(q.Any) - 1 // the phrases; before them are the exact name and its beginning
	if last < 0 || len(q.Any[last].Any) < 2 || docs < x.largeFrom {
		return translate(q), nil
	}
	must, should, err := part(ctx, r, q.Any[last].Any, docs/rareShare)
	if err != nil {
		return nil, failed("read", err)
	}
	b := bleve.NewBooleanQuery()
	b.AddMust(bleve.NewDisjunctionQuery(translateAll(must)...))
	b.AddShould(translateAll(should)...)
	return bleve.NewDisjunctionQuery(append(translateAll(q.Any[:last]), b)...), nil
}

// part divides phrases into the rare and the common ones; when all are common, the rarest counts as rare.
func part(ctx context.Context, r index.IndexReader, phrases []fulltext.Query, rare uint64) (must, should []fulltext.Query, err error) {
	counts := make([]uint64, len(phrases))
	for i, p := range phrases {
		if counts[i], err = often(ctx, r, p); err != nil {
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

// often is about how many documents a query finds.
func often(ctx context.Context, r index.IndexReader, q fulltext.Query) (uint64, error) {
	switch {
	case q.Field != "":
		t, err := r.TermFieldReader(ctx, []byte(q.Value), q.Field, false, false, false)
		if err != nil {
			return 0, err
		}
		defer t.Close()
		return t.Count(), nil
	case len(q.All) > 0:
		least := uint64(1 << 62)
		for _, sub := range q.All {
			n, err := often(ctx, r, sub)
			if err != nil {
				return 0, err
			}
			least = min(least, n)
		}
		return least, nil
	}
	var sum uint64
	for _, sub := range q.Any {
		n, err := often(ctx, r, sub)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
