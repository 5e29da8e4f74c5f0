package bleveindex

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

// The fields. See the package comment.
const (
	fieldExact     = "exact"
	fieldPrefix    = "prefix"
	fieldBegin     = "begin"
	fieldName      = "name"
	fieldTools     = "tools"
	fieldInput     = "input"
	fieldText      = "text"
	fieldReadme    = "readme"
	fieldSpell     = "spell"
	fieldRank      = "rank"
	fieldInstalls  = "by.installs"
	fieldUpdated   = "by.updated"
	fieldOrder     = "by.name"
	facetPrefix    = "f."
	maxPrefix      = 32 // longest beginning of a name, in characters
	maxBegin       = 12 // longest beginning of a word
	maxLabel       = 200
	maxLabels      = 200
	maxTextWords   = 2000 // of one field, so that a text of megabytes cannot slow the index down
	maxReadmeWords = 1000
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

// fieldMaker collects the terms of one field.
type fieldMaker struct {
	b    []byte
	left int // words that may still be added
}

func (f *fieldMaker) add(term string) {
	if term != "" {
		f.b = append(append(f.b, term...), 0)
	}
}

// words adds the words of texts, whole and in parts.
func (f *fieldMaker) words(texts ...string) {
	for _, text := range texts {
		found := words.Split(text, f.left)
		f.left -= len(found)
		for _, w := range found {
			if w.Empty() {
				continue
			}
			f.add(w.Term)
			for _, p := range w.Parts {
				f.add(p)
			}
		}
	}
}

// plain adds words as they are written, and those between their inner borders.
func (f *fieldMaker) plain(texts ...string) {
	for _, text := range texts {
		found := words.Split(text, f.left)
		f.left -= len(found)
		for _, w := range found {
			if len(w.Plain) >= minCorrect {
				f.add(w.Plain)
			}
		}
	}
}

// begins adds the beginnings of a word, up to max characters.
func (f *fieldMaker) begins(word string, most int) {
	n := 0
	for i, r := range word {
		if n++; n > most {
			return
		}
		f.add(word[:i+utf8.RuneLen(r)])
	}
}

func newDocument(d hub.Document) *document.Document {
	doc := document.NewDocument(d.ID)
	field := func(name string, options index.FieldIndexingOptions, limit int, fill func(*fieldMaker)) {
		f := fieldMaker{left: limit}
		fill(&f)
		if len(f.b) > 0 {
			doc.AddField(document.NewTextFieldCustom(name, nil, f.b, options, terms{}))
		}
	}
	value := func(name, v string) {
		field(name, order, 0, func(f *fieldMaker) { f.add(v) })
	}
	base := words.Squeeze(d.Name.Base())
	field(fieldExact, freq, 0, func(f *fieldMaker) { f.add(d.Name.Claim()); f.add(base) })
	field(fieldPrefix, freq, 0, func(f *fieldMaker) { f.begins(base, maxPrefix) })
	field(fieldBegin, freq, 0, func(f *fieldMaker) {
		for _, w := range words.Split(d.Name.Base()+" "+d.Title, 40) {
			f.begins(w.Plain, maxBegin)
		}
	})
	field(fieldName, freq, maxTextWords, func(f *fieldMaker) {
		f.words(d.Name.Base(), d.Name.Base(), d.Name.Scope(), d.Title) // the base counts twice
		f.words(d.Keywords...)
		f.words(d.Labels[hub.FacetCategory]...)
	})
	field(fieldTools, freq, maxTextWords, func(f *fieldMaker) {
		for _, c := range d.Capabilities {
			f.words(c.Name, c.Title, c.Description)
		}
	})
	field(fieldInput, freq, maxTextWords, func(f *fieldMaker) {
		for _, c := range d.Capabilities {
			f.words(c.Inputs()...)
		}
	})
	field(fieldText, freq, maxTextWords, func(f *fieldMaker) { f.words(d.Description) })
	field(fieldReadme, freq, maxReadmeWords, func(f *fieldMaker) { f.words(d.Readme) })
	field(fieldSpell, freq, maxTextWords, func(f *fieldMaker) {
		f.plain(d.Name.Base(), d.Name.Scope(), d.Title, d.Description)
		f.plain(d.Keywords...)
		for _, c := range d.Capabilities {
			f.plain(strings.ReplaceAll(c.Name, "_", " "))
		}
	})
	for facet, values := range d.Labels {
		field(facetPrefix+string(facet), order, 0, func(f *fieldMaker) {
			for _, v := range values[:min(len(values), maxLabels)] {
				f.add(label(v))
			}
		})
	}
	value(fieldRank, rank(d))
	value(fieldInstalls, descending(d.Installs)+" "+d.ID)
	value(fieldUpdated, descending(d.UpdatedAt.UnixMicro())+" "+d.ID)
	value(fieldOrder, string(d.Name))
	return doc
}

// label bounds a value and keeps it one term.
func label(v string) string {
	v = strings.ReplaceAll(v, "\x00", "")
	if len(v) > maxLabel {
		v = strings.ToValidUTF8(v[:maxLabel], "")
	}
	return v
}

// rank sorts by score, then installs, then ID, ascending.
func rank(d hub.Document) string {
	return fmt.Sprintf("%03d %s %s", 100-max(0, min(d.Score, 100)), descending(d.Installs), d.ID)
}

func descending(n int64) string { return fmt.Sprintf("%019d", math.MaxInt64-max(0, n)) }

var sortFields = map[hub.SearchSort]string{hub.ByRelevance: fieldRank, hub.ByScore: fieldRank, hub.ByInstalls: fieldInstalls,
	hub.ByUpdated: fieldUpdated, hub.ByName: fieldOrder}

// known reports whether a facet is one of hub's.
func known(f hub.Facet) bool { return slices.Contains(hub.Facets, f) }
