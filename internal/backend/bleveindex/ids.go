package bleveindex

import (
	"hash/maphash"
	"slices"
	"sync"
)

// numbers find documents by their IDs. Bleve walks through a tree for that, letter by letter, in every segment, which
// takes longer than to search. Segments never change, so the IDs of each are read once; a server takes 12 bytes.
type numbers struct {
	mu   sync.Mutex
	seed maphash.Seed
	kept map[uint64]*numbered // by segment
}

// numbered are the documents of a segment by the hash of their ID, sorted by it.
type numbered struct {
	hashes []uint64
	docs   []uint32
}

func newNumbers() *numbers { return &numbers{seed: maphash.MakeSeed(), kept: map[uint64]*numbered{}} }

// add adds the documents that have these IDs to set.
func (n *numbers) add(r *reader, ids []string, set docSet) error {
	for i := range r.parts {
		p := &r.parts[i]
		of, err := n.of(r, p)
		if err != nil {
			return err
		}
		gone := p.Deleted()
		for _, id := range ids {
			hash := maphash.String(n.seed, id)
			for at, _ := slices.BinarySearch(of.hashes, hash); at < len(of.hashes) && of.hashes[at] == hash; at++ {
				doc := of.docs[at]
				if gone != nil && gone.Contains(doc) {
					continue
				}
				have, err := p.DocID(uint64(doc))
				if err != nil {
					return err
				}
				if string(have) == id {
					set.add(p.base + doc)
				}
			}
		}
	}
	return nil
}

func (n *numbers) of(r *reader, p *part) (*numbered, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := int(p.end - p.base)
	if have := n.kept[p.Id()]; have != nil && len(have.docs) == count {
		return have, nil
	}
	for id := range n.kept { // of segments that were merged away
		if !slices.ContainsFunc(r.parts, func(p part) bool { return p.Id() == id }) {
			delete(n.kept, id)
		}
	}
	hashes, of := make([]uint64, count), &numbered{make([]uint64, count), make([]uint32, count)}
	for i := range of.docs {
		id, err := p.DocID(uint64(i))
		if err != nil {
			return nil, err
		}
		hashes[i], of.docs[i] = maphash.Bytes(n.seed, id), uint32(i)
		if i%checkEvery == 0 && r.ctx.Err() != nil {
			return nil, r.ctx.Err()
		}
	}
	slices.SortFunc(of.docs, func(a, b uint32) int {
		switch {
		case hashes[a] < hashes[b]:
			return -1
		case hashes[a] > hashes[b]:
			return 1
		}
		return 0
	})
	for i, doc := range of.docs {
		of.hashes[i] = hashes[doc]
	}
	n.kept[p.Id()] = of
	return of, nil
}
