package guarded

import "unicode"

// hidden reports whether a character is not seen as what it is: controls, marks that turn the direction, characters of no
// width, spaces that are none, tags, and what no font has.
func hidden(r rune) bool {
	switch {
	case r == ' ':
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Zs, unicode.Variation_Selector):
		return true
	case r == 0x034f || r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || r == unicode.ReplacementChar: // fillers that are letters
		return true
	}
	return !unicode.IsGraphic(r)
}
