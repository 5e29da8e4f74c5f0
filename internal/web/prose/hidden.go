package prose

import (
	"fmt"
	"unicode"
)

// Piece is a part of a text: words as they are, or the name of a character that cannot be seen.
type Piece struct {
	Text   string
	Hidden bool
}

// Reveal parts a text so that characters which cannot be seen are: a model reads them, and a person who
// judges a tool has to as well.
func Reveal(s string) []Piece {
	var out []Piece
	start := 0
	for i, r := range s {
		if !hidden(r) {
			continue
		}
		if i > start {
			out = append(out, Piece{Text: s[start:i]})
		}
		out = append(out, Piece{Text: fmt.Sprintf("U+%04X", r), Hidden: true})
		start = i + len(string(r))
		if r == unicode.ReplacementChar {
			start = i + 1
		}
	}
	if start < len(s) {
		out = append(out, Piece{Text: s[start:]})
	}
	return out
}

// Hidden reports how many characters of s cannot be seen.
func Hidden(s string) int {
	n := 0
	for _, r := range s {
		if hidden(r) {
			n++
		}
	}
	return n
}

func hidden(r rune) bool {
	switch r {
	case '\n', '\t', '\r', 0x200D: // the last joins parts of emoji
		return false
	case 0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800:
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) || (r >= 0xFE00 && r <= 0xFE0E) || (r >= 0xE0100 && r <= 0xE01EF)
}
