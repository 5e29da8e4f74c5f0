package bleveindex

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

const (
	maxWord   = 64 // longest term, in bytes; longer ones are cut
	maxPrefix = 32 // longest beginning of a name that is indexed, in characters
)

// word is one word of a text: its term and, when it has inner borders ("readFile", "s3"), its parts.
type word struct {
	whole string
	parts []string
}

// stop are words that say nothing; a text of nothing else keeps them.
var stop = setOf("a an and are as at be but by for if in into is it its no not of on or such that the their " +
	"then there these they this to was were will with from you your can")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// split cuts a text into words at everything that is neither letter nor digit, and words into parts where
// case or digits change. Writing without spaces becomes characters and pairs
// of them. At most limit words.
func split(text string, limit int) []word {
	var out []word
	var run []rune
	flush := func() {
		if len(run) > 0 {
			out = append(out, newWord(run))
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
			out = append(out, word{whole: string(r)})
			if before != 0 {
				out = append(out, word{whole: string([]rune{before, r})})
			}
			before = r
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r):
			run = append(run, r)
		default:
			flush()
		}
		before = 0
	}
	flush()
	return out[:min(len(out), limit)]
}

func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

func newWord(run []rune) word {
	w := word{whole: stem(string(run))}
	start := 0
	for i := 1; i < len(run); i++ {
		a, b := run[i-1], run[i]
		inner := unicode.IsDigit(a) != unicode.IsDigit(b) ||
			unicode.IsLower(a) && unicode.IsUpper(b) ||
			i+1 < len(run) && unicode.IsUpper(a) && unicode.IsUpper(b) && unicode.IsLower(run[i+1])
		if inner {
			w.parts = append(w.parts, stem(string(run[start:i])))
			start = i
		}
	}
	if start > 0 {
		w.parts = append(w.parts, stem(string(run[start:])))
	}
	return w
}

// stem lowers, cuts and takes English endings off.
func stem(s string) string {
	s = strings.ToLower(s)
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord], "")
	}
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

// squeeze is the form of a name's last part in which names are compared: letters and digits only.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
