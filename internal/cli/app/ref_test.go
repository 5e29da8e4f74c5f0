package app_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
)

func TestParseRef(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"@acme/db", "acme/db latest"},
		{"acme/db", "acme/db latest"},
		{"@acme/db@1.2.3", "acme/db 1.2.3"},
		{"acme/db@^1.2", "acme/db ^1.2"},
		{"@acme/db@>=1 <2", "acme/db >=1 <2"},
		{"io.github.acme/db@beta", "io.github.acme/db beta"},
		{"acme/db@>>1", `error: ">>1" is not a version range`},
		{"@acme/db@", `error: "@acme/db@" ends with an @`},
		{"db", `error: "db" is not a server's name: the scope is missing`},
		{"@db", `error: "@db" is not a server's name: the scope is missing`},
		{"", `error: server name "": it must be one scope and one name with one slash between`},
		{"./db", `error: server name "./db": it must be namespace/name of letters, digits, '.', '_' and '-', at most 200 characters`},
		{"a/b/c", `error: server name "a/b/c": it must be one scope and one name with one slash between`},
		{"@io.github.x/db", `error: server name "@io.github.x/db": a reverse-DNS namespace is written without the @`},
		{"acme/db@=>1", "acme/db =>1"},
		{strings.Repeat("x", 700), `error: the argument "` + strings.Repeat("x", 40) + `"... has 700 characters; at most 600 are read`},
	} {
		r, err := app.ParseRef(tt.in)
		got := string(r.Name) + " " + r.Rng.String()
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"@acme/db@1.2.3", "a/b", "@", "@@", "a/b@@", "@a/b@^1 || 2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := app.ParseRef(s)
		if err != nil {
			if hub.KindOf(err) != hub.Invalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := app.ParseRef(r.Name.String() + "@" + r.Rng.String())
		if err != nil || again.Name != r.Name || again.Rng.String() != r.Rng.String() {
			t.Errorf("%q was read as %s@%s, which is read as %v (%v)", s, r.Name, r.Rng, again, err)
		}
	})
}
