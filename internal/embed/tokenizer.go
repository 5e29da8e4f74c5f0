package embed

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// How much of a text counts.
const (
	MaxBytes  = 32 << 10 // of a text, read
	MaxTokens = 512      // pieces of words
	maxWord   = 100      // characters of a word; a longer one is unknown, as in BERT
)

// tokenizer splits texts as BERT's uncased tokenizer does: control characters go, accents go, letters
// become small, every punctuation mark and every Chinese character is a word of its own, and a word is the
// longest pieces that the vocabulary has, from its start on. A word that can't be pieced together is left
// out whole. It keeps its buffers between texts, and is not safe for use by many at once.
type tokenizer struct {
	vocab   *model
	cleaned []byte
	normed  []byte
	word    []byte
	ids     []int
}

// tokens returns the numbers of the tokens of text, in their order. The slice is good until the next call.
func (t *tokenizer) tokens(text string) []int {
	t.ids, t.word = t.ids[:0], t.word[:0]
	if len(text) > MaxBytes {
		text = text[:MaxBytes]
		for i := 0; i < utf8.UTFMax && len(text) > 0; i++ { // a character cut in two is left out
			if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size > 1 {
				break
			}
			text = text[:len(text)-1]
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			t.clean(text)
			t.split()
			return t.ids
		}
	}
	for i := 0; i < len(text) && len(t.ids) < MaxTokens; i++ {
		t.ascii(text[i])
	}
	t.flush()
	return t.ids
}

// ascii takes one character of a text that has no others.
func (t *tokenizer) ascii(c byte) {
	switch {
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		t.word = append(t.word, c)
	case 'A' <= c && c <= 'Z':
		t.word = append(t.word, c+'a'-'A')
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		t.flush()
	case c > ' ' && c < 0x7f:
		t.flush()
		t.word = append(t.word, c)
		t.flush()
	}
}

// clean drops control characters, puts blanks around Chinese characters and takes marks off their letters.
func (t *tokenizer) clean(text string) {
	t.cleaned = t.cleaned[:0]
	for _, r := range text {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			t.cleaned = append(t.cleaned, ' ')
		case r == 0 || r == utf8.RuneError || unicode.Is(unicode.C, r):
		case unicode.IsSpace(r):
			t.cleaned = append(t.cleaned, ' ')
		case isChinese(r):
			t.cleaned = append(utf8.AppendRune(append(t.cleaned, ' '), r), ' ')
		default:
			t.cleaned = utf8.AppendRune(t.cleaned, r)
		}
	}
	t.normed = norm.NFD.Append(t.normed[:0], t.cleaned...)
}

// split takes the cleaned text.
func (t *tokenizer) split() {
	for i := 0; i < len(t.normed) && len(t.ids) < MaxTokens; {
		r, size := utf8.DecodeRune(t.normed[i:])
		i += size
		switch {
		case r < utf8.RuneSelf:
			t.ascii(byte(r))
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			t.flush()
		case unicode.IsPunct(r):
			t.flush()
			t.word = utf8.AppendRune(t.word, r)
			t.flush()
		default:
			t.word = utf8.AppendRune(t.word, unicode.ToLower(r))
		}
	}
	t.flush()
}

// flush ends the word and appends its pieces, or nothing when one of them is unknown.
func (t *tokenizer) flush() {
	word, known := t.word, len(t.ids)
	t.word = t.word[:0]
	if len(word) > maxWord && utf8.RuneCount(word) > maxWord {
		return
	}
	for start := 0; start < len(word); {
		id, end := t.longest(word, start)
		if id == noToken {
			t.ids = t.ids[:known]
			return
		}
		t.ids = append(t.ids, id)
		start = end
	}
	if len(t.ids) > MaxTokens {
		t.ids = t.ids[:MaxTokens]
	}
}

// longest returns the longest token that word has at start, and where it ends. The hash of every beginning
// comes from one walk over the letters.
func (t *tokenizer) longest(word []byte, start int) (id, end int) {
	hash, inner := uint32(hashWord), start > 0
	if inner {
		hash = hashInner
	}
	id = noToken
	for i := start; i < len(word); i++ {
		hash = (hash ^ uint32(word[i])) * hashPrime
		if i+1 < len(word) && !utf8.RuneStart(word[i+1]) {
			continue
		}
		if got := t.vocab.find(hash, word[start:i+1], inner); got != noToken {
			id, end = got, i+1
		}
	}
	return id, end
}

// isChinese says whether r is in one of the blocks that BERT splits into single characters.
func isChinese(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2B73F ||
		r >= 0x2B740 && r <= 0x2B81F || r >= 0x2B920 && r <= 0x2CEAF || r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}
