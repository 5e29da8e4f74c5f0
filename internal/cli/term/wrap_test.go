package term

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	long := "io.github.a-long-organisation-name/a-server-for-postgres"
	for text, want := range map[string]string{
		"one two three four five six":                            "one two three four|five six",
		"a name such as " + long + " is whole":                   "a name such as|" + long + "|is whole",
		"X needs KEY: mcpm config " + long + " --set KEY":        "X needs KEY:|mcpm config " + long + " --set KEY",
		"2 results. mcpm info NAME for it, mcpm install NAME":    "2 results.|mcpm info NAME for it,|mcpm install NAME",
		"mcpm writes this long sentence about what it does here": "mcpm writes this long|sentence about what it|does here",
		"one   two":                  "one   two",
		"seventeen letters now   it": "seventeen letters now|it",
		"":                           "",
	} {
		io := &IO{Width: 22}
		if got := strings.ReplaceAll(io.Wrap(text, 0), "\n", "|"); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
	if got := (&IO{}).Wrap(strings.Repeat("word ", 100), 0); strings.Contains(got, "\n") {
		t.Error("a pipe got broken lines")
	}
}

func TestReflow(t *testing.T) {
	text := "One two three four\nfive six.\n\n  mcpm kept as it is, however wide\nSeven\n"
	want := "One two three four\nfive six.\n\n  mcpm kept as it is, however wide\nSeven\n"
	if got := (&IO{Width: 22}).Reflow(text); got != want {
		t.Errorf("%q", got)
	}
	for _, wide := range []int{0, 40} {
		if got := (&IO{Width: wide}).Reflow(text); got != text {
			t.Errorf("%d columns: %q", wide, got)
		}
	}
	if got, want := (&IO{Width: 25}).Reflow("a b c d e f g h i j k l m\nn o p q r s t u v w x y z\n"+strings.Repeat("z", 26)), "a b c d e f g h i j k l m\nn o p q r s t u v w x y z\n"+strings.Repeat("z", 26); got != want {
		t.Errorf("%q", got)
	}
}
