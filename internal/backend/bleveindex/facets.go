package bleveindex

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/blevesearch/bleve/v2/index/scorch"
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
	counts, all, err := x.labelCounts(ctx, ask)
	if err != nil {
		return nil, failed("counted", err)
	}
	lists, asked := make([][]hub.FacetCount, len(all.facets)), make([]bool, len(all.facets))
	for i, f := range all.facets {
		asked[i] = slices.Contains(facets, f)
	}
	for i, n := range counts {
		if l := all.labels[i]; n > 0 && asked[l.facet] {
			lists[l.facet] = insert(lists[l.facet], hub.FacetCount{Value: l.value, Count: n})
		}
	}
	out := make(map[hub.Facet][]hub.FacetCount, len(facets))
	for _, f := range facets {
		out[f] = nil
		if i := slices.Index(all.facets, f); i >= 0 {
			out[f] = lists[i]
		}
	}
	return out, nil
}

// labelCounts returns how many of what a query finds have each label.
func (x *Index) labelCounts(ctx context.Context, ask query.Query) ([]int, known, error) {
	advanced, err := x.index.Advanced()
	if err != nil {
		return nil, known{}, err
	}
	reader, err := advanced.Reader()
	if err != nil {
		return nil, known{}, err
	}
	defer reader.Close()
	snapshot, ok := reader.(*scorch.IndexSnapshot)
	if !ok {
		return nil, known{}, fmt.Errorf("the index is a %T", reader)
	}
	parts, all, err := x.columns.of(snapshot)
	if err != nil {
		return nil, known{}, err
	}
	found, err := ask.Searcher(ctx, reader, x.index.Mapping(), search.SearcherOptions{Score: "none"})
	if err != nil {
		return nil, known{}, err
	}
	defer found.Close()
	counts := make([]int, len(all.labels))
	pool := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(found.DocumentMatchPoolSize()+1, 0), IndexReader: reader}
	for seen, at := 0, 0; ; seen++ {
		if seen%checkEvery == 0 && ctx.Err() != nil {
			return nil, known{}, ctx.Err()
		}
		m, err := found.Next(pool)
		if err != nil || m == nil {
			return counts, all, err
		}
		doc := m.IndexInternalID.Value()
		if doc < parts[at].base { // matches come in the order of their numbers; if ever not, begin again
			at = 0
		}
		for doc >= parts[at].end {
			at++
		}
		for _, n := range parts[at].of(doc) {
			counts[n]++
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
