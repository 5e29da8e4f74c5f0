// Package words makes terms of texts, the same way for documents and queries and for every search engine: it
// cuts names at case, digits and separators, takes English endings off, drops words that say nothing, and
// knows which words mean the same in this domain.
package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// maxWord is the longest term, in bytes; longer ones are cut.
const maxWord = 64

// Word is one word of a text.
type Word struct {
	Plain string   // as it is written, in lower case
	Term  string   // what it is indexed as: without its English ending
	Parts []string // terms of its parts, when it has inner borders ("readFile", "s3")
}

// stop are words that say nothing; a text of nothing else keeps them.
var stop = setOf("a an and are as at be but by for if in into is it its no not of on or such that the their " +
	"then there these they this to was were will with from you your can i me my we our us what which who how " +
	"do does did has have had get gets want wants need needs would could should let lets help please some any so " +
	"about when where whether using via able make makes give gives show something someone thing things take takes return returns mcp server servers tool tools")

// Empty reports whether a word says nothing by itself.
func (w Word) Empty() bool { return stop[w.Plain] }

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// Split cuts a text into words at everything that is neither letter nor digit, and words into parts where
// case or digits change. Writing without spaces becomes characters and pairs of them. At most limit words.
func Split(text string, limit int) []Word { return SplitIf(text, limit, nil) }

// SplitIf is Split for those words only whose beginnings are wanted, two bytes in lower case, or all of a shorter
// word: taking endings off is what costs, and leaves the beginning as it is. Words with inner borders are always there, and
// nil wants all.
func SplitIf(text string, limit int, heads map[string]bool) []Word {
	var out []Word
	var run []rune
	flush := func() {
		if len(run) > 0 {
			if heads == nil || wanted(run, heads) {
				out = append(out, newWord(run))
			}
			run = run[:0]
		}
	}
	var before rune // the character before, when both are ideographs
	for _, r := range text {
		if len(out) >= limit {
			break
		}
		switch {
		case ideograph(r):
			flush()
			out = append(out, Word{Plain: string(r), Term: string(r)})
			if before != 0 {
				pair := string([]rune{before, r})
				out = append(out, Word{Plain: pair, Term: pair})
			}
			before = r
			continue
		case Letter(r):
			run = append(run, r)
		default:
			flush()
		}
		before = 0
	}
	flush()
	return out[:min(len(out), limit)]
}

// Head is the beginning of a word by which SplitIf wants it.
func Head(word string) string { return word[:min(len(word), 2)] }

func wanted(run []rune, heads map[string]bool) bool {
	for i := 1; i < len(run); i++ {
		if border(run, i) {
			return true
		}
	}
	var head [2 * utf8.UTFMax]byte
	b := head[:0]
	for _, r := range run[:min(len(run), 2)] {
		b = utf8.AppendRune(b, unicode.ToLower(r))
	}
	return heads[string(b[:min(len(b), 2)])]
}

// Letter reports whether a character is part of a word.
func Letter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// firstIdeograph is the first character of Thai, the lowest of the scripts of ideograph.
const firstIdeograph = '\u0e01'

func ideograph(r rune) bool {
	return r >= firstIdeograph && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// border reports whether case or digits change before character i.
func border(run []rune, i int) bool {
	a, b := run[i-1], run[i]
	return unicode.IsDigit(a) != unicode.IsDigit(b) ||
		unicode.IsLower(a) && unicode.IsUpper(b) ||
		i+1 < len(run) && unicode.IsUpper(a) && unicode.IsUpper(b) && unicode.IsLower(run[i+1])
}

func newWord(run []rune) Word {
	plain := cut(strings.ToLower(string(run)))
	w := Word{Plain: plain, Term: Stem(plain)}
	start := 0
	for i := 1; i < len(run); i++ {
		if border(run, i) {
			w.Parts = append(w.Parts, Stem(string(run[start:i])))
			start = i
		}
	}
	if start > 0 {
		w.Parts = append(w.Parts, Stem(string(run[start:])))
	}
	return w
}

func cut(s string) string {
	if len(s) > maxWord {
		return strings.ToValidUTF8(s[:maxWord], "")
	}
	return s
}

// Stem lowers and cuts a word and takes its English ending off.
func Stem(s string) string {
	s = cut(strings.ToLower(s))
	if len(s) < 4 {
		return s
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return s
		}
	}
	env := snowballstem.NewEnv(s)
	english.Stem(env)
	return env.Current()
}

// Squeeze is the form of a name's last part in which names are compared: letters and digits only.
func Squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
