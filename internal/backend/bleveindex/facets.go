package bleveindex

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// fieldLabels holds the labels of a document for all facets, each as the facet, labelCut and the label: reading one
// column for every match takes a fraction of the time of reading one for each facet.
const (
	fieldLabels = "labels"
	labelCut    = "\x01"
	checkEvery  = 4096 // matches between two looks at whether anybody still waits
)

// labelsOf returns the terms of fieldLabels.
func labelsOf(fields []fulltext.Field) []byte {
	var b []byte
	for _, f := range fields {
		facet := f.Facet()
		if facet == "" {
			continue
		}
		for _, label := range f.List() {
			b = append(append(append(append(b, facet...), labelCut...), label...), 0)
		}
	}
	return b
}

// count returns the most frequent values of facets among all that a query finds.
func (x *Index) count(ctx context.Context, ask query.Query, facets []hub.Facet) (map[hub.Facet][]hub.FacetCount, error) {
	if len(facets) == 0 {
		return nil, nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	counts, err := x.labels(ctx, ask)
	if err != nil {
		return nil, failed("counted", err)
	}
	out := map[hub.Facet][]hub.FacetCount{}
	for _, f := range facets {
		out[f] = nil
	}
	for label, n := range counts {
		name, value, _ := strings.Cut(label, labelCut)
		if list, asked := out[hub.Facet(name)]; asked {
			out[hub.Facet(name)] = insert(list, hub.FacetCount{Value: value, Count: *n})
		}
	}
	return out, nil
}

// labels counts the labels of all that a query finds.
func (x *Index) labels(ctx context.Context, ask query.Query) (map[string]*int, error) {
	advanced, err := x.index.Advanced()
	if err != nil {
		return nil, err
	}
	r, err := advanced.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	found, err := ask.Searcher(ctx, r, x.index.Mapping(), search.SearcherOptions{Score: "none"})
	if err != nil {
		return nil, err
	}
	defer found.Close()
	column, err := r.DocValueReader([]string{fieldLabels})
	if err != nil {
		return nil, err
	}
	counts := map[string]*int{}
	visit := func(_ string, label []byte) {
		n := counts[string(label)]
		if n == nil {
			n = new(int)
			counts[string(label)] = n
		}
		*n++
	}
	pool := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(found.DocumentMatchPoolSize()+1, 0), IndexReader: r}
	for seen := 0; ; seen++ {
		if seen%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		m, err := found.Next(pool)
		if err != nil || m == nil {
			return counts, err
		}
		if err := column.VisitDocValues(m.IndexInternalID, visit); err != nil {
			return nil, err
		}
		pool.DocumentMatchPool.Put(m)
	}
}

// insert puts a count in its place, most frequent first, ties by value, and keeps hub.MaxFacetValues.
func insert(list []hub.FacetCount, c hub.FacetCount) []hub.FacetCount {
	order := func(a, b hub.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	}
	full := len(list) == hub.MaxFacetValues
	if full && order(list[len(list)-1], c) < 0 {
		return list
	}
	i, _ := slices.BinarySearchFunc(list, c, order)
	if full {
		list = list[:len(list)-1]
	}
	return slices.Insert(list, i, c)
}
