package hub_test

import (
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"A [protocol](https://x.example/) server": "A protocol server", "**Bold** and `code`": "Bold and code", "![x](y) z": "x z", "## Head\ntext": "Head\ntext",
		"a * b_c": "a * b_c", "[a](b": "[a](b", "": "", " x ": "x", "[![badge](a)](b) c": "badge c", "C# and F#": "C# and F#",
	} {
		if got := hub.Plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
