package bleveindex

import (
	"slices"
	"strings"
	"sync"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/hub"
)

// orders keep in which order the documents of each segment come, by field. Segments never change, so each is sorted once
// for a field, when somebody first asks for that order; a server takes 4 bytes for each.
type orders struct {
	mu   sync.Mutex
	kept map[orderKey][]uint32
}

type orderKey struct {
	segment uint64
	field   string
}

// of returns the documents of a segment in the order of a field, by their number in it.
func (o *orders) of(r *reader, p *part, field string) ([]uint32, error) {
	key := orderKey{p.Id(), field}
	o.mu.Lock()
	defer o.mu.Unlock()
	if have, ok := o.kept[key]; ok && len(have) == int(p.end-p.base) {
		return have, nil
	}
	if o.kept == nil {
		o.kept = map[orderKey][]uint32{}
	}
	for k := range o.kept { // of segments that were merged away
		if !slices.ContainsFunc(r.parts, func(p part) bool { return p.Id() == k.segment }) {
			delete(o.kept, k)
		}
	}
	values, err := r.snapshot.DocValueReader([]string{field})
	if err != nil {
		return nil, err
	}
	keys, list := make([]string, p.end-p.base), make([]uint32, p.end-p.base)
	for i := range list {
		list[i] = uint32(i)
		if keys[i], err = valueOf(values, p.base+uint32(i)); err != nil {
			return nil, err
		}
		if i%checkEvery == 0 && r.ctx.Err() != nil {
			return nil, r.ctx.Err()
		}
	}
	slices.SortFunc(list, func(a, b uint32) int { return strings.Compare(keys[a], keys[b]) })
	o.kept[key] = list
	return list, nil
}

// valueOf returns what a document has in the field of values.
func valueOf(values index.DocValueReader, doc uint32) (value string, err error) {
	err = values.VisitDocValues(index.NewIndexInternalID(nil, uint64(doc)), func(_ string, term []byte) { value = string(term) })
	return value, err
}

// run is the documents of one segment that are still to come.
type run struct {
	base uint32
	rest []uint32
	key  string // of the first one
}

// sorted returns a page of documents in the order of a field.
func (x *Index) sorted(r *reader, docs docSet, field string, offset, limit int) ([]hub.Hit, error) {
	values, err := r.snapshot.DocValueReader([]string{field})
	if err != nil {
		return nil, err
	}
	var runs []run
	// next leads a run to its next document of the set, and reports whether there is one.
	next := func(u *run) (bool, error) {
		for len(u.rest) > 0 && !docs.has(u.base+u.rest[0]) {
			u.rest = u.rest[1:]
		}
		if len(u.rest) == 0 {
			return false, nil
		}
		u.key, err = valueOf(values, u.base+u.rest[0])
		return err == nil, err
	}
	for i := range r.parts {
		p := &r.parts[i]
		list, err := x.orders.of(r, p, field)
		if err != nil {
			return nil, err
		}
		u := run{base: p.base, rest: list}
		if more, err := next(&u); err != nil {
			return nil, err
		} else if more {
			runs = append(runs, u)
		}
	}
	var hits []hub.Hit
	for n := 0; n < offset+limit && len(runs) > 0; n++ {
		first := 0
		for i := range runs {
			if runs[i].key < runs[first].key {
				first = i
			}
		}
		u := &runs[first]
		if n >= offset {
			id, err := r.id(u.base + u.rest[0])
			if err != nil {
				return nil, err
			}
			hits = append(hits, hub.Hit{ID: id})
		}
		u.rest = u.rest[1:]
		if more, err := next(u); err != nil {
			return nil, err
		} else if !more {
			runs = slices.Delete(runs, first, first+1)
		}
	}
	return hits, nil
}
