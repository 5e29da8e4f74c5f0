package bleveindex

import (
	"fmt"
	"math"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// The fields to sort by; the others are those of package fulltext.
const (
	fieldRank     = "rank"
	fieldInstalls = "by.installs"
	fieldUpdated  = "by.updated"
	fieldOrder    = "by.name"
)

const (
	plain = index.IndexField | index.SkipFreqNorm // there or not; has no score, so it may only be filtered by
	freq  = index.IndexField                      // often in a short text weighs more
	order = plain | index.DocValues               // can be sorted by and counted; only indexed fields can
)

// terms is an analyzer that was given its terms: they are separated by a zero byte.
type terms struct{}

func (terms) Analyze(b []byte) analysis.TokenStream {
	var out analysis.TokenStream
	start := 0
	for i := 0; i <= len(b); i++ {
		if i == len(b) || b[i] == 0 {
			if i > start {
				out = append(out, &analysis.Token{Term: b[start:i:i], Start: start, End: i, Position: len(out) + 1})
			}
			start = i + 1
		}
	}
	return out
}

// optionsOf says how a field is indexed.
func optionsOf(f fulltext.Field) index.FieldIndexingOptions {
	if f.Facet() != "" {
		return plain
	}
	return freq
}

func newDocument(d hub.Document) *document.Document {
	doc := document.NewDocument(d.ID)
	fields := fulltext.Fields(d)
	for _, f := range fields {
		doc.AddField(document.NewTextFieldCustom(f.Name, nil, f.Terms, optionsOf(f), terms{}))
	}
	doc.AddField(document.NewTextFieldCustom(fieldLabels, nil, labelsOf(fields), order, terms{}))
	value := func(name, v string) {
		doc.AddField(document.NewTextFieldCustom(name, nil, []byte(v), order, terms{}))
	}
	value(fieldRank, rank(d))
	value(fieldInstalls, descending(d.Installs)+" "+d.ID)
	value(fieldUpdated, descending(d.UpdatedAt.UnixMicro())+" "+d.ID)
	value(fieldOrder, string(d.Name))
	return doc
}

// rank sorts by score, then installs, then ID, ascending.
func rank(d hub.Document) string {
	return fmt.Sprintf("%03d %s %s", 100-max(0, min(d.Score, 100)), descending(d.Installs), d.ID)
}

func descending(n int64) string { return fmt.Sprintf("%019d", math.MaxInt64-max(0, n)) }

var sortFields = map[hub.SearchSort]string{hub.ByRelevance: fieldRank, hub.ByScore: fieldRank, hub.ByInstalls: fieldInstalls,
	hub.ByUpdated: fieldUpdated, hub.ByName: fieldOrder}
