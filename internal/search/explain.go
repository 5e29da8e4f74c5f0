package search

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

// Reason says where a server matches: in its name, title, keyword, category, tool, resource, prompt, input,
// description or readme, or by its meaning alone.
type Reason struct {
	Field string
	Value string     // the name that matches, for what has one
	Text  []Fragment // the part of a text around the match
}

// Fragment is a piece of a text; Hit marks the words that match.
type Fragment struct {
	Text string
	Hit  bool
}

const (
	maxReasons = 4
	snippet    = 160  // characters of a text that are shown
	maxMarked  = 2000 // bytes of a text in which words are marked
)

// terms are the terms of a query and of what means the same, and their beginnings.
type terms struct {
	all, heads map[string]bool
	roots      []string // what every word with one of the terms has in it
}

func newTerms(text string) terms {
	t := terms{all: map[string]bool{}, heads: map[string]bool{}}
	for _, p := range words.Phrases(text, 24) {
		for _, w := range p.Words {
			if w.Empty() {
				continue
			}
			t.add(w.Term)
			for _, part := range w.Parts {
				t.add(part)
			}
		}
		for _, s := range p.Synonyms {
			for _, term := range s {
				t.add(term)
			}
		}
	}
	for term := range t.all {
		t.roots = append(t.roots, root(term))
	}
	return t
}

func (t terms) add(term string) {
	t.all[term], t.heads[words.Head(term)] = true, true
}

// root is what a term and the words that it stands for have in common: an ending that is taken off changes the last
// letter at most.
func root(term string) string {
	if n := len(term); n > 2 && term[n-1] < utf8.RuneSelf {
		return term[:n-1]
	}
	return term
}

// maybe reports whether a text can have a match in it. It is quick.
func (t terms) maybe(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(t.roots, func(r string) bool { return strings.Contains(text, r) })
}

func (t terms) has(w words.Word) bool {
	return t.all[w.Term] || slices.ContainsFunc(w.Parts, func(p string) bool { return t.all[p] })
}

func (t terms) in(text string) bool {
	return t.maybe(text) && slices.ContainsFunc(words.SplitIf(text, 100, t.heads), t.has)
}

// explain says why a server matches, the strongest reason first. It looks at the beginning of long texts only.
func (t terms) explain(srv *hub.Server, v hub.VersionTexts) []Reason {
	var out []Reason
	add := func(field, value string) {
		if len(out) < maxReasons && value != "" && t.in(value) {
			out = append(out, Reason{Field: field, Value: value})
		}
	}
	add("name", string(srv.Name))
	add("title", srv.Title)
	for _, k := range srv.Keywords {
		add("keyword", k)
	}
	for _, c := range srv.Categories {
		add("category", c)
	}
	for _, c := range v.Capabilities {
		add(string(c.Type), c.Name)
	}
	if f := t.mark(hub.Plain(srv.Description)); f != nil {
		out = append(out[:min(len(out), maxReasons-1)], Reason{Field: "description", Text: f})
	}
	for _, c := range v.Capabilities {
		if len(out) >= maxReasons || t.in(c.Name) {
			continue
		}
		if f := t.mark(c.Description); f != nil {
			out = append(out, Reason{Field: string(c.Type), Value: c.Name, Text: f})
		}
		if len(out) >= maxReasons || !t.maybe(string(c.Schema)) {
			continue
		}
		for _, input := range c.Inputs() {
			if len(out) < maxReasons && t.in(input) {
				out = append(out, Reason{Field: "input", Value: c.Name + "." + input})
			}
		}
	}
	if len(out) == 0 {
		if f := t.mark(v.Readme); f != nil {
			out = append(out, Reason{Field: "readme", Text: f})
		}
	}
	if len(out) == 0 {
		out = append(out, Reason{Field: "meaning"})
	}
	return out
}

// mark cuts a text around its first match and marks the words that match; nil when none does.
func (t terms) mark(text string) []Fragment {
	if len(text) > maxMarked {
		text = strings.ToValidUTF8(text[:maxMarked], "")
	}
	if !t.maybe(text) {
		return nil
	}
	var out []Fragment
	add := func(s string, hit bool) {
		if n := len(out); n > 0 && out[n-1].Hit == hit {
			out[n-1].Text += s
			return
		}
		out = append(out, Fragment{Text: s, Hit: hit})
	}
	chars, start := 0, 0
	for piece := range pieces(text) {
		hit := slices.ContainsFunc(words.SplitIf(piece, 8, t.heads), t.has)
		if hit && len(out) == 0 {
			if back := around(text, start); back > 0 {
				add("…"+text[back:start], false)
			} else if start > 0 {
				add(text[:start], false)
			}
		}
		start += len(piece)
		if !hit && len(out) == 0 {
			continue
		}
		if chars > snippet/2 {
			add("…", false)
			break
		}
		add(piece, hit)
		chars += utf8.RuneCountInString(piece)
	}
	return out
}

// around returns where a text is cut before a match, at a space; 0 when all before it is shown.
func around(text string, at int) int {
	if at <= snippet/2 {
		return 0
	}
	from := at - snippet/3
	if i := strings.IndexAny(text[from:at], " \n"); i >= 0 {
		return from + i + 1
	}
	return at
}

// pieces cuts a text into words and what stands between them; joined they are the text.
func pieces(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, inWord := 0, false
		for i, r := range text {
			letter := words.Letter(r)
			if i > start && letter != inWord {
				if !yield(text[start:i]) {
					return
				}
				start = i
			}
			inWord = letter
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}
