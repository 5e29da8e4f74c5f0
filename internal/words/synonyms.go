package words

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed synonyms.txt
var synonymText string

//go:embed languages.txt
var languageText string

// maxPhrase is the most words of a phrase that has synonyms.
const maxPhrase = 3

// thesaurus maps a phrase to phrases that mean the same. Phrases of English are known by their terms, with spaces
// between; those of other languages by their words as they are written, since an English ending taken off makes
// other words of them; those in writings without spaces by themselves.
type thesaurus struct {
	same, foreign, solid map[string][][]string
	english              map[string]string // of foreign and solid ones
}

var known = sync.OnceValue(func() thesaurus {
	t := thesaurus{map[string][][]string{}, map[string][][]string{}, map[string][][]string{}, map[string]string{}}
	add := func(from, to string) {
		if at := key(terms(from)); at != "" {
			t.same[at] = append(t.same[at], terms(to))
		}
	}
	for line := range strings.Lines(synonymText) {
		line, _, _ = strings.Cut(line, "#")
		if from, to, oneWay := strings.Cut(line, ">"); oneWay {
			add(from, to)
			continue
		}
		same := strings.Split(line, "=")
		for i, a := range same {
			for j, b := range same {
				if i != j {
					add(a, b)
				}
			}
		}
	}
	for line := range strings.Lines(languageText) {
		line, _, _ = strings.Cut(line, "#")
		english, others, _ := strings.Cut(line, ":")
		for from := range strings.SplitSeq(others, ",") {
			from = strings.ToLower(strings.TrimSpace(from))
			words := t.foreign
			if strings.ContainsFunc(from, ideograph) {
				words = t.solid
			} else {
				from = plainKey(Split(from, 16))
			}
			if from == "" {
				continue
			}
			words[from] = append(words[from], terms(english))
			if t.english[from] == "" {
				t.english[from] = english
			}
		}
	}
	return t
})

func key(terms []string) string { return strings.Join(terms, " ") }

func terms(text string) []string {
	var out []string
	for _, w := range Split(text, 16) {
		out = append(out, w.Term)
	}
	return out
}

// Phrase is one or more words of a query that stand for one thing.
type Phrase struct {
	Words    []Word
	Synonyms [][]string // terms of phrases that mean the same
	English  string     // what it is called in English, when it is known as a phrase of another language
}

// Phrases cuts a query, see Split, and puts words together that have synonyms only together.
func Phrases(text string, limit int) []Phrase {
	list := Split(text, limit)
	t := known()
	var out []Phrase
	for i := 0; i < len(list); {
		p := t.longest(list[i:])
		out = append(out, p)
		i += len(p.Words)
	}
	if !strings.ContainsFunc(text, ideograph) {
		return out
	}
	var solid []Phrase
	for _, from := range slices.Sorted(maps.Keys(t.solid)) {
		if strings.Contains(text, from) {
			solid = append(solid, Phrase{Words: Split(from, limit), Synonyms: t.solid[from], English: t.english[from]})
		}
	}
	if len(solid) > 0 { // what stands between the known words is most often grammar
		out = slices.DeleteFunc(out, func(p Phrase) bool { return strings.ContainsFunc(p.Words[0].Plain, ideograph) })
	}
	return append(out, solid...)
}

// longest returns the longest phrase at the start of a list that has synonyms; its first word when none has.
func (t thesaurus) longest(list []Word) Phrase {
	for n := min(maxPhrase, len(list)); ; n-- {
		plain := plainKey(list[:n])
		same, foreign := t.same[keyOf(list[:n])], t.foreign[plain]
		if n == 1 || same != nil || foreign != nil {
			return Phrase{Words: list[:n], Synonyms: slices.Concat(same, foreign), English: t.english[plain]}
		}
	}
}

func keyOf(list []Word) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Term
	}
	return key(out)
}

func plainKey(list []Word) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Plain
	}
	return key(out)
}

// English puts English words in the place of those of a text that are known as words of another language; the rest
// stays.
func English(text string, limit int) string {
	var out []string
	for _, p := range Phrases(text, limit) {
		if p.English != "" {
			out = append(out, p.English)
			continue
		}
		for _, w := range p.Words {
			out = append(out, w.Plain)
		}
	}
	return strings.Join(out, " ")
}
