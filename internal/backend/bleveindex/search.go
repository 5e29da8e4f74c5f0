package bleveindex

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// maxTies is how many documents beyond a page are read to settle which of those that match alike come first. Where more
// are alike, it is settled among so many.
const maxTies = 2000

// Search implements hub.Index.
func (x *Index) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if err := fulltext.Check(q); err != nil {
		return hub.SearchResult{}, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	r, err := x.open(ctx)
	if err != nil {
		return hub.SearchResult{}, failed("searched", err)
	}
	defer x.close(r)
	out, err := x.search(r, q)
	if err != nil {
		return hub.SearchResult{}, failed("searched", err)
	}
	return out, nil
}

func (x *Index) search(r *reader, q hub.SearchQuery) (out hub.SearchResult, err error) {
	docs, err := x.filtered(r, q)
	if err != nil {
		return out, err
	}
	var a answer
	switch ask := fulltext.Ask(fulltext.Cut(q.Text), q.Typing); {
	case ask != nil:
		if a, err = x.answer(r, *ask, q.Also); err != nil {
			return out, err
		}
		if docs != nil {
			a.found = slices.DeleteFunc(a.found, func(m match) bool { return !docs.has(m.doc) })
		}
		docs = newSet(r.size)
		for _, m := range a.found {
			docs.add(m.doc)
		}
	case docs == nil:
		docs = r.live()
	}
	out.Total = docs.count()
	switch {
	case q.Limit == 0:
	case a.asked && q.Sort == hub.ByRelevance:
		out.Hits, err = r.ranked(a, q.Offset, q.Limit)
	default:
		out.Hits, err = x.sorted(r, docs, sortFields[q.Sort], q.Offset, q.Limit)
	}
	if err == nil {
		out.Facets, err = x.count(r, docs, q.Facets)
	}
	return out, err
}

// filtered returns the documents that the filters of a query let through; nil when it has none.
func (x *Index) filtered(r *reader, q hub.SearchQuery) (docSet, error) {
	var docs docSet
	narrow := func(fill func(set docSet) error) error {
		set := newSet(r.size)
		if err := fill(set); err != nil {
			return err
		}
		if docs == nil {
			docs = set
		} else {
			docs.and(set)
		}
		return nil
	}
	for facet, values := range q.Filter {
		if len(values) == 0 {
			continue
		}
		err := narrow(func(set docSet) error {
			for _, v := range values {
				n, err := r.look(fulltext.FacetPrefix+string(facet), fulltext.Label(v))
				if err == nil && n > 0 {
					err = r.read(n, false, nil, func(doc uint32, _, _ float64) { set.add(doc) })
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Among != nil {
		if err := narrow(func(set docSet) error { return x.numbers.add(r, q.Among, set) }); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// answer is what a text finds, and which of that has its name.
type answer struct {
	asked         bool
	found         []match
	exact, prefix []match // have the name, or one that begins with it
}

// answer finds what a query asks for, and the documents with the IDs of also.
func (x *Index) answer(r *reader, ask fulltext.Query, also []string) (answer, error) {
	var lists [][]match
	for _, q := range ask.Any {
		var found []match
		var err error
		if q.Field != "" {
			found, err = r.find(q, nil)
		} else {
			found, err = x.phrases(r, q)
		}
		if err != nil {
			return answer{}, err
		}
		lists = append(lists, found)
	}
	a := answer{asked: true, exact: lists[0], prefix: lists[1], found: r.union(lists, len(lists), 1)}
	if len(also) == 0 {
		return a, nil
	}
	set := newSet(r.size)
	if err := x.numbers.add(r, also, set); err != nil {
		return answer{}, err
	}
	var more []match
	for doc := range set.all() {
		more = append(more, match{doc: doc})
	}
	a.found = r.union([][]match{a.found, more}, 2, 1)
	return a, nil
}

// ranked returns a page by score, ties by ID.
func (r *reader) ranked(a answer, offset, limit int) ([]hub.Hit, error) {
	end := offset + limit
	best := append(r.list(len(a.found)), a.found...)
	if len(best) > end {
		first(best, end)
		least := slices.MinFunc(best[:end], byScore).score
		n := end
		for i := end; i < len(best) && n < end+maxTies; i++ {
			if best[i].score == least {
				best[n], best[i] = best[i], best[n]
				n++
			}
		}
		best = best[:n]
	}
	hits := make([]hub.Hit, len(best))
	for i, m := range best {
		id, err := r.id(m.doc)
		if err != nil {
			return nil, err
		}
		hits[i] = hub.Hit{ID: id, Score: m.score, Tier: a.tier(m.doc)}
	}
	slices.SortFunc(hits, func(a, b hub.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return hits[min(offset, len(hits)):min(end, len(hits))], nil
}

func byScore(a, b match) int { return cmp.Compare(a.score, b.score) }

// first moves the n matches with the highest scores to the front of list, in any order (Hoare's selection).
func first(list []match, n int) {
	for lo, hi := 0, len(list)-1; lo < hi; {
		pivot := list[lo+(hi-lo)/2].score
		i, j := lo, hi
		for i <= j {
			for list[i].score > pivot {
				i++
			}
			for list[j].score < pivot {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			hi = j
		case n >= i:
			lo = i
		default:
			return
		}
	}
}

// tier says how the name of a document matches.
func (a answer) tier(doc uint32) hub.Tier {
	has := func(list []match) bool {
		_, ok := slices.BinarySearchFunc(list, doc, func(m match, doc uint32) int { return int(m.doc) - int(doc) })
		return ok
	}
	switch {
	case has(a.exact):
		return hub.TierExact
	case has(a.prefix):
		return hub.TierPrefix
	}
	return hub.TierWords
}
