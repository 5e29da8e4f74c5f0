package hub

import (
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

var (
	imageMark = lazyregexp.New(`!\[([^\]\n]*)\]\([^)\n]*\)`)
	linkMark  = lazyregexp.New(`\[([^\]\n]*)\]\([^)\n]*\)`)
	otherMark = lazyregexp.New("\\*\\*|__|`|(?m)^#+ ")
)

// Plain takes the marks of Markdown out of a description, which is one text in lists, in a terminal and where a
// page is shared.
func Plain(s string) string {
	if !strings.ContainsAny(s, "*_`[#") {
		return strings.TrimSpace(s)
	}
	s = linkMark.ReplaceAllString(imageMark.ReplaceAllString(s, "$1"), "$1")
	return strings.TrimSpace(otherMark.ReplaceAllString(s, ""))
}
