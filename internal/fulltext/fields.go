package fulltext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

// The fields. See the package comment.
const (
	Exact       = "exact"
	Prefix      = "prefix"
	Begin       = "begin"
	Owner       = "owner"
	Name        = "name"
	Tools       = "tools"
	Input       = "input"
	Text        = "text"
	Readme      = "readme"
	Spell       = "spell"
	FacetPrefix = "f."
)

const (
	// MinCorrect is the length of the shortest word that is corrected, in characters.
	MinCorrect = 4
	// MaxCorrect is the length of the longest.
	MaxCorrect = 32

	maxPrefix      = 32 // longest beginning of a name, in characters
	maxBegin       = 12 // longest beginning of a word
	maxLabel       = 200
	maxLabels      = 200
	maxTextWords   = 2000 // of one field, so that a text of megabytes cannot slow the index down
	maxReadmeWords = 1000
)

// Field is what a document has in one field.
type Field struct {
	Name  string
	Terms []byte // each followed by a zero byte
}

// Facet is the facet whose labels a field holds, "" for others.
func (f Field) Facet() hub.Facet {
	facet, ok := strings.CutPrefix(f.Name, FacetPrefix)
	if !ok {
		return ""
	}
	return hub.Facet(facet)
}

// List returns the terms one by one.
func (f Field) List() []string {
	return strings.Split(strings.TrimSuffix(string(f.Terms), "\x00"), "\x00")
}

// Fields returns the fields of a document that have a term.
func Fields(d hub.Document) []Field {
	var out []Field
	field := func(name string, limit int, fill func(*fieldMaker)) {
		f := fieldMaker{left: limit}
		fill(&f)
		if len(f.b) > 0 {
			out = append(out, Field{name, f.b})
		}
	}
	base := words.Squeeze(d.Name.Base())
	field(Exact, 0, func(f *fieldMaker) { f.add(d.Name.Claim()); f.add(base) })
	field(Prefix, 0, func(f *fieldMaker) { f.begins(base, maxPrefix) })
	field(Begin, 0, func(f *fieldMaker) {
		for _, w := range words.Split(d.Name.Base()+" "+d.Title, 40) {
			f.begins(w.Plain, maxBegin)
		}
	})
	field(Owner, 0, func(f *fieldMaker) {
		for _, w := range words.Split(owner(d.Name.Scope()), 10) {
			f.begins(w.Plain, maxBegin)
		}
	})
	field(Name, maxTextWords, func(f *fieldMaker) {
		f.words(d.Name.Base(), d.Name.Base(), d.Name.Scope(), d.Title) // the base counts twice
		f.words(d.Keywords...)
		f.words(d.Labels[hub.FacetCategory]...)
	})
	field(Tools, maxTextWords, func(f *fieldMaker) {
		for _, c := range d.Capabilities {
			f.words(c.Name, c.Title, c.Description)
		}
	})
	field(Input, maxTextWords, func(f *fieldMaker) {
		for _, c := range d.Capabilities {
			f.words(c.Inputs()...)
		}
	})
	field(Text, maxTextWords, func(f *fieldMaker) { f.words(d.Description) })
	field(Readme, maxReadmeWords, func(f *fieldMaker) { f.words(d.Readme) })
	field(Spell, maxTextWords, func(f *fieldMaker) {
		f.plain(d.Name.Base(), d.Name.Scope(), d.Title, d.Description)
		f.plain(d.Keywords...)
		for _, c := range d.Capabilities {
			f.plain(strings.ReplaceAll(c.Name, "_", " "))
		}
	})
	for facet, values := range d.Labels {
		field(FacetPrefix+string(facet), 0, func(f *fieldMaker) {
			for _, v := range values[:min(len(values), maxLabels)] {
				f.add(Label(v))
			}
		})
	}
	return out
}

// owner is what of a scope tells one publisher from another: of io.github.acme it is acme.
func owner(scope string) string {
	labels := strings.Split(scope, ".")
	if len(labels) > 1 {
		labels = labels[1:]
	}
	if len(labels) > 1 && slices.Contains([]string{"github", "gitlab", "bitbucket", "codeberg"}, labels[0]) {
		labels = labels[1:]
	}
	return strings.Join(labels, " ")
}

// Label bounds a value of a facet, in documents and filters alike, and keeps it one term.
func Label(v string) string {
	v = strings.ReplaceAll(v, "\x00", "")
	if len(v) > maxLabel {
		v = strings.ToValidUTF8(v[:maxLabel], "")
	}
	return v
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

// plain adds words as they are written.
func (f *fieldMaker) plain(texts ...string) {
	for _, text := range texts {
		found := words.Split(text, f.left)
		f.left -= len(found)
		for _, w := range found {
			if len(w.Plain) >= MinCorrect {
				f.add(w.Plain)
			}
		}
	}
}

// begins adds the beginnings of a word, up to most characters.
func (f *fieldMaker) begins(word string, most int) {
	n := 0
	for i, r := range word {
		if n++; n > most {
			return
		}
		f.add(word[:i+utf8.RuneLen(r)])
	}
}
