package prose

import (
	"html"
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// maxHighlight bounds the code that is coloured, in bytes: longer pieces are shown plain.
const maxHighlight = 32 << 10

// Highlight returns code as HTML with the classes of Chroma. An unknown language is only escaped.
func Highlight(code, language string) string {
	if language == "" || len(code) > maxHighlight {
		return html.EscapeString(code)
	}
	lexer := lexers.Get(language)
	if lexer == nil {
		return html.EscapeString(code)
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		return html.EscapeString(code)
	}
	var b strings.Builder
	for _, t := range tokens.Tokens() {
		class := chroma.StandardTypes[t.Type]
		if class == "" || class == "w" || class == "p" || class == "n" || class == "o" || class == "err" {
			b.WriteString(html.EscapeString(t.Value))
			continue
		}
		b.WriteString(`<span class="` + class + `">` + html.EscapeString(t.Value) + `</span>`)
	}
	return b.String()
}
