package bleveindex

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/hub"
)

// columns keep fieldLabels in memory, as numbers: the engine keeps it compressed, and to unpack it for every search
// takes longer than all else. Segments never change, so each is read once, when labels of it are first counted; a
// server takes some 50 bytes.
type columns struct {
	mu       sync.Mutex
	numbers  map[string]uint32
	labels   []label
	facets   []hub.Facet // by label.facet
	segments map[uint64]*column
}

type label struct {
	facet int
	value string
}

// known are all labels by number, and their facets.
type known struct {
	labels []label
	facets []hub.Facet
}

// column is the labels of one segment: those of document i are ids[starts[i]:starts[i+1]].
type column struct {
	starts []uint32
	ids    []uint32
}

// maxLabels is how many labels are known before all is read anew, without those that no document has any more.
const maxLabels = 4 << 20

// stretch is a segment of a snapshot, whose documents are numbered from base up to end.
type stretch struct {
	base, end uint64
	*column
}

// of returns the labels of a document of the stretch.
func (p stretch) of(doc uint64) []uint32 {
	i := doc - p.base
	return p.ids[p.starts[i]:p.starts[i+1]]
}

// of returns the columns of a snapshot, and all labels.
func (c *columns) of(r *scorch.IndexSnapshot) ([]stretch, known, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.segments == nil || len(c.labels) > maxLabels {
		c.numbers, c.labels, c.facets, c.segments = map[string]uint32{}, nil, nil, map[uint64]*column{}
	}
	var parts []stretch
	base, live := uint64(0), map[uint64]*column{}
	for _, s := range r.Segments() {
		end := base + uint64(s.FullSize())
		col := c.segments[s.Id()]
		if col == nil || len(col.starts) != int(s.FullSize())+1 {
			var err error
			if col, err = c.read(r, base, end); err != nil {
				return nil, known{}, err
			}
		}
		live[s.Id()] = col
		parts = append(parts, stretch{base, end, col})
		base = end
	}
	c.segments = live
	return parts, known{c.labels, c.facets}, nil
}

// read reads the labels of the documents from base up to end.
func (c *columns) read(r index.IndexReader, base, end uint64) (*column, error) {
	values, err := r.DocValueReader([]string{fieldLabels})
	if err != nil {
		return nil, err
	}
	col := &column{starts: make([]uint32, 0, end-base+1)}
	visit := func(_ string, term []byte) {
		n, ok := c.numbers[string(term)]
		if !ok {
			n = uint32(len(c.labels))
			c.numbers[string(term)] = n
			facet, value, _ := strings.Cut(string(term), labelCut)
			c.labels = append(c.labels, label{c.facet(hub.Facet(facet)), value})
		}
		col.ids = append(col.ids, n)
	}
	var id index.IndexInternalID
	for doc := base; doc < end; doc++ {
		col.starts = append(col.starts, uint32(len(col.ids)))
		id = index.NewIndexInternalID(id, doc)
		if err := values.VisitDocValues(id, visit); err != nil {
			return nil, fmt.Errorf("labels of document %d: %w", doc, err)
		}
	}
	col.starts = append(col.starts, uint32(len(col.ids)))
	return col, nil
}

// facet returns the number of a facet.
func (c *columns) facet(f hub.Facet) int {
	i := slices.Index(c.facets, f)
	if i < 0 {
		i = len(c.facets)
		c.facets = append(c.facets, f)
	}
	return i
}
