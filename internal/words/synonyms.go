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

// maxPhrase is the most words of a phrase that has synonyms.
const maxPhrase = 3

// thesaurus maps a phrase to phrases that mean the same: by its terms with spaces between, or, in writings
// without spaces, by itself.
type thesaurus struct{ spaced, solid map[string][][]string }

var known = sync.OnceValue(func() thesaurus {
	t := thesaurus{map[string][][]string{}, map[string][][]string{}}
	add := func(from, to string) {
		from = strings.ToLower(strings.TrimSpace(from))
		if strings.ContainsFunc(from, ideograph) {
			t.solid[from] = append(t.solid[from], terms(to))
		} else if from != "" {
			t.spaced[key(terms(from))] = append(t.spaced[key(terms(from))], terms(to))
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
}

// Phrases cuts a query, see Split, and puts words together that have synonyms only together.
func Phrases(text string, limit int) []Phrase {
	list := Split(text, limit)
	t := known()
	var out []Phrase
	for i := 0; i < len(list); {
		n := min(maxPhrase, len(list)-i)
		for ; n > 1; n-- {
			if t.spaced[keyOf(list[i:i+n])] != nil {
				break
			}
		}
		out = append(out, Phrase{Words: list[i : i+n], Synonyms: t.spaced[keyOf(list[i:i+n])]})
		i += n
	}
	if !strings.ContainsFunc(text, ideograph) {
		return out
	}
	var solid []Phrase
	for _, from := range slices.Sorted(maps.Keys(t.solid)) {
		if strings.Contains(text, from) {
			solid = append(solid, Phrase{Words: Split(from, limit), Synonyms: t.solid[from]})
		}
	}
	if len(solid) > 0 { // what stands between the known words is most often grammar
		out = slices.DeleteFunc(out, func(p Phrase) bool { return strings.ContainsFunc(p.Words[0].Plain, ideograph) })
	}
	return append(out, solid...)
}

func keyOf(list []Word) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Term
	}
	return key(out)
}
