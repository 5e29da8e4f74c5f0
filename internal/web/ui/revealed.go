package ui

import (
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/mcphub/mcphub/internal/web/prose"
)

// Revealed shows a text as a model reads it: characters that cannot be seen are named.
func Revealed(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		for _, p := range prose.Reveal(s) {
			text := templ.EscapeString(p.Text)
			if p.Hidden {
				text = `<span class="hid" title="a character that cannot be seen">` + text + `</span>`
			}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		}
		return nil
	})
}
