package bleveindex

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/hub"
)

// The fields. See the package comment.
const (
	fieldExact     = "exact"
	fieldPrefix    = "prefix"
	fieldName      = "name"
	fieldText      = "text"
	fieldRank      = "rank"
	fieldType      = "type"
	fieldTransport = "transport"
	fieldRuntime   = "runtime"
	fieldLicense   = "license"
	fieldCategory  = "category"
	fieldScope     = "scope"
	fieldMirrored  = "mirrored"
)

// maxWords bounds the words of one text, so that a document of megabytes cannot slow the index down.
const maxWords = 2000

const (
	plain = index.IndexField | index.SkipFreqNorm // there or not; has no score, so it may only be filtered by
	freq  = index.IndexField                      // often in a short text weighs more
	order = plain | index.DocValues               // can be sorted by; only indexed fields can
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

// fieldMaker collects the terms of one field.
type fieldMaker struct{ b []byte }

func (f *fieldMaker) add(term string) {
	if term != "" {
		f.b = append(append(f.b, term...), 0)
	}
}

// words adds the words of a text, whole and in parts.
func (f *fieldMaker) words(text string) {
	for _, w := range split(text, maxWords) {
		if stop[w.whole] {
			continue
		}
		f.add(w.whole)
		for _, p := range w.parts {
			f.add(p)
		}
	}
}

func newDocument(d hub.Document) *document.Document {
	doc := document.NewDocument(d.ID)
	field := func(name string, options index.FieldIndexingOptions, fill func(*fieldMaker)) {
		var f fieldMaker
		fill(&f)
		if len(f.b) > 0 {
			doc.AddField(document.NewTextFieldCustom(name, nil, f.b, options, terms{}))
		}
	}
	values := func(name string, options index.FieldIndexingOptions, vs ...string) {
		field(name, options, func(f *fieldMaker) {
			for _, v := range vs {
				f.add(v)
			}
		})
	}
	base := squeeze(d.Name.Base())
	values(fieldExact, freq, d.Name.Claim(), base)
	field(fieldPrefix, freq, func(f *fieldMaker) {
		n := 0
		for i, r := range base {
			if n++; n > maxPrefix {
				break
			}
			f.add(base[:i+utf8.RuneLen(r)])
		}
	})
	field(fieldName, freq, func(f *fieldMaker) {
		f.words(d.Name.Base())
		f.words(d.Name.Base()) // counts twice
		f.words(d.Name.Scope())
		f.words(d.Title)
		for _, s := range d.Keywords {
			f.words(s)
		}
		for _, s := range d.Categories {
			f.words(s)
		}
	})
	field(fieldText, freq, func(f *fieldMaker) {
		for _, c := range d.Capabilities {
			f.words(c.Name)
			f.words(c.Title)
			f.words(c.Description)
		}
		f.words(d.Description)
	})
	values(fieldType, plain, d.PackageTypes...)
	values(fieldTransport, plain, d.Transports...)
	values(fieldRuntime, plain, d.Runtime)
	values(fieldLicense, plain, d.License)
	values(fieldCategory, plain, d.Categories...)
	values(fieldScope, plain, d.Name.Scope())
	values(fieldMirrored, plain, yesNo(d.Mirrored))
	field(fieldRank, order, func(f *fieldMaker) { f.add(rank(d)) })
	return doc
}

// rank sorts by completeness, then installs, then ID, ascending.
func rank(d hub.Document) string {
	score := max(0, min(d.Score, 100))
	installs := max(0, d.Installs)
	return fmt.Sprintf("%03d %019d %s", 100-score, math.MaxInt64-installs, d.ID)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
