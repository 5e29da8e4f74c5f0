package bleveindex

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// fieldLabels holds the labels of a document for all facets, each as the facet, labelCut and the label: reading one
// column for every match takes a fraction of the time of reading one for each facet.
const (
	fieldLabels = "labels"
	labelCut    = "\x01"
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

// count returns the most frequent values of facets among documents.
func (x *Index) count(r *reader, docs docSet, facets []hub.Facet) (map[hub.Facet][]hub.FacetCount, error) {
	if len(facets) == 0 {
		return nil, nil
	}
	counts, all, err := x.labelCounts(r, docs)
	if err != nil {
		return nil, err
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

// labelCounts returns how many of the documents have each label.
func (x *Index) labelCounts(r *reader, docs docSet) ([]int, known, error) {
	parts, all, err := x.columns.of(r.snapshot)
	if err != nil {
		return nil, known{}, err
	}
	counts := r.labelled(len(all.labels))
	seen, at := 0, 0
	for doc := range docs.all() {
		if seen++; seen%checkEvery == 0 && r.ctx.Err() != nil {
			return nil, known{}, r.ctx.Err()
		}
		for uint64(doc) >= parts[at].end {
			at++
		}
		for _, n := range parts[at].of(uint64(doc)) {
			counts[n]++
		}
	}
	return counts, all, nil
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
