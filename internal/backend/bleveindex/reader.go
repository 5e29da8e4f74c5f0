package bleveindex

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// reader reads one snapshot of the index for one search. Bleve's own searchers make an object of every match of every
// term, which takes ten times as long as all the rest; so the postings are read here, and added up by document number.
type reader struct {
	ctx      context.Context
	snapshot *scorch.IndexSnapshot
	parts    []part
	docs     uint64 // that are there
	size     uint32 // numbers that were given to documents; some are of documents that were removed
	*scratch
}

// part is a segment; its documents are numbered from base.
type part struct {
	*scorch.SegmentSnapshot
	base, end uint32
	terms     map[string]segment.TermDictionary
	list      segment.PostingsList // of the term that was looked up last
	iter      segment.PostingsIterator
}

const checkEvery = 4096 // documents between two looks at whether anybody still waits

// open begins to read. The caller holds x.mu until it has closed the reader.
func (x *Index) open(ctx context.Context) (*reader, error) {
	advanced, err := x.index.Advanced()
	if err != nil {
		return nil, err
	}
	opened, err := advanced.Reader()
	if err != nil {
		return nil, err
	}
	snapshot, ok := opened.(*scorch.IndexSnapshot)
	if !ok {
		return nil, fmt.Errorf("the index is a %T", opened)
	}
	r := &reader{ctx: ctx, snapshot: snapshot}
	for _, s := range snapshot.Segments() {
		base := r.size
		r.size += uint32(s.FullSize())
		r.parts = append(r.parts, part{SegmentSnapshot: s, base: base, end: r.size, terms: map[string]segment.TermDictionary{}})
	}
	if r.docs, err = snapshot.DocCount(); err == nil {
		r.scratch, err = x.scratch.take(ctx, int(r.size))
	}
	if err != nil {
		_ = snapshot.Close()
		return nil, err
	}
	return r, nil
}

func (x *Index) close(r *reader) {
	x.scratch.give(r.scratch)
	_ = r.snapshot.Close() // nothing was written
}

// look finds the documents of a term, for read, and returns how many there are.
func (r *reader) look(field, value string) (n uint64, err error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	for i := range r.parts {
		p := &r.parts[i]
		terms := p.terms[field]
		if terms == nil {
			if terms, err = p.Segment().Dictionary(field); err != nil {
				return 0, err
			}
			p.terms[field] = terms
		}
		if p.list, err = terms.PostingsList([]byte(value), p.Deleted(), p.list); err != nil {
			return 0, err
		}
		n += p.list.Count()
	}
	return n, nil
}

// read calls each for the documents that were looked for last, in the order of their numbers. freqs: with how often
// the term is in them and how long the field is; else both are 0. only, when not nil, are documents in that
// order: no others need be told of.
func (r *reader) read(n uint64, freqs bool, only []match, each func(doc uint32, freq, length float64)) error {
	few := leaps(n, only)
	seen := 0
	tell := func(p *part, posting segment.Posting) error {
		freq, length := 0.0, 0.0
		if freqs {
			norm := posting.Norm()
			freq, length = float64(posting.Frequency()), 1/(norm*norm)
		}
		each(p.base+uint32(posting.Number()), freq, length)
		if seen++; seen%checkEvery == 0 {
			return r.ctx.Err()
		}
		return nil
	}
	for i := range r.parts {
		p := &r.parts[i]
		if p.list.Count() == 0 {
			continue
		}
		p.iter = p.list.Iterator(freqs, freqs, false, p.iter)
		if few {
			for len(only) > 0 && only[0].doc < p.base {
				only = only[1:]
			}
			for next := uint32(0); len(only) > 0 && only[0].doc < p.end; only = only[1:] {
				doc := only[0].doc
				if doc < next {
					continue
				}
				posting, err := p.iter.Advance(uint64(doc - p.base))
				if err != nil {
					return err
				}
				if posting == nil {
					break
				}
				if err := tell(p, posting); err != nil {
					return err
				}
				next = p.base + uint32(posting.Number()) + 1
			}
			continue
		}
		for {
			posting, err := p.iter.Next()
			if err != nil {
				return err
			}
			if posting == nil {
				break
			}
			if err := tell(p, posting); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaps reports whether to leap from one of some documents to the next is worth it among n.
func leaps(n uint64, only []match) bool { return only != nil && uint64(len(only))*8 < n }

// id returns the ID of a document.
func (r *reader) id(doc uint32) (string, error) {
	for i := range r.parts {
		if p := &r.parts[i]; doc < p.end {
			id, err := p.DocID(uint64(doc - p.base))
			return string(id), err
		}
	}
	return "", fmt.Errorf("there is no document %d", doc)
}

// live returns all documents.
func (r *reader) live() docSet {
	set := newSet(r.size)
	for i := range r.parts {
		p := &r.parts[i]
		for it := p.DocNumbersLive().Iterator(); it.HasNext(); {
			set.add(p.base + it.Next())
		}
	}
	return set
}
