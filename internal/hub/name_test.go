package hub_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

var goodNames = []struct{ in, stored, shown, claim string }{
	{"@acme/postgres", "acme/postgres", "@acme/postgres", "acme/postgres"},
	{"acme/postgres", "acme/postgres", "@acme/postgres", "acme/postgres"},
	{"@acme-corp/my.db_2-x", "acme-corp/my.db_2-x", "@acme-corp/my.db_2-x", "acme-corp/mydb2x"},
	{"io.github.acme/postgres", "io.github.acme/postgres", "io.github.acme/postgres", "io.github.acme/postgres"},
	{"io.github.acme-corp/a-b", "io.github.acme-corp/a-b", "io.github.acme-corp/a-b", "io.github.acme-corp/ab"},
	{"a1/bb", "a1/bb", "@a1/bb", "a1/bb"},
}

func TestParseName(t *testing.T) {
	for _, c := range goodNames {
		n, err := hub.ParseName(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if string(n) != c.stored || n.String() != c.shown || n.Claim() != c.claim {
			t.Errorf("%s: stored %q, shown %q, claim %q", c.in, string(n), n, n.Claim())
		}
	}
}

const nameHint = "write @scope/name, such as @acme/postgres, or a reverse domain, such as io.github.acme/postgres"

var badNames = []struct{ in, message string }{
	{"", `server name "": it must be one scope and one name with one slash between`},
	{"postgres", `server name "postgres": it must be one scope and one name with one slash between`},
	{"@acme/", `server name "@acme/": it must be one scope and one name with one slash between`},
	{"a/b/c", `server name "a/b/c": it must be one scope and one name with one slash between`},
	{"@io.github.acme/db", `server name "@io.github.acme/db": a reverse-DNS namespace is written without the @`},
	{"@a/db", `server name "@a/db": the scope "a" is 1 long; it needs 2 to 39 characters`},
	{"@" + strings.Repeat("a", 40) + "/db", `server name "@` + strings.Repeat("a", 40) + `/db": the scope "` + strings.Repeat("a", 40) + `" is 40 long; it needs 2 to 39 characters`},
	{"@Acme/db", `server name "@Acme/db": the scope "Acme" may hold a-z, 0-9 and single hyphens between them`},
	{"@ac--me/db", `server name "@ac--me/db": the scope "ac--me" may hold a-z, 0-9 and single hyphens between them`},
	{"@-acme/db", `server name "@-acme/db": the scope "-acme" may hold a-z, 0-9 and single hyphens between them`},
	{"io..acme/db", `server name "io..acme/db": the namespace "io..acme" is not a reverse domain name in lower case`},
	{"io.GitHub.acme/db", `server name "io.GitHub.acme/db": the namespace "io.GitHub.acme" is not a reverse domain name in lower case`},
	{"@acme/d", `server name "@acme/d": "d" is 1 long; it needs 2 to 100 characters`},
	{"@acme/DB", `server name "@acme/DB": "DB" may hold a-z, 0-9, '.', '_' and '-', and starts and ends with a letter or digit`},
	{"@acme/.db", `server name "@acme/.db": ".db" may hold a-z, 0-9, '.', '_' and '-', and starts and ends with a letter or digit`},
	{"@acme/d\x00b", `server name "@acme/d\x00b": "d\x00b" may hold a-z, 0-9, '.', '_' and '-', and starts and ends with a letter or digit`},
	{"@acme/../../etc", `server name "@acme/../../etc": it must be one scope and one name with one slash between`},
}

func TestParseNameRefuses(t *testing.T) {
	for _, c := range badNames {
		_, err := hub.ParseName(c.in)
		if err == nil || err.Error() != c.message || hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q: %v\nwant %s", c.in, err, c.message)
			continue
		}
		if e, ok := err.(*hub.Error); !ok || e.Hint != nameHint {
			t.Errorf("%q: no hint", c.in)
		}
	}
}

// TestParseMirrorName: what comes from elsewhere keeps its capitals, within the official rule.
func TestParseMirrorName(t *testing.T) {
	for in, ok := range map[string]bool{
		"io.github.GLips/Figma-Context-MCP": true, "com.Example/x": true, "no-slash": false, "a b/c": false,
		"x/" + strings.Repeat("y", 198): true, "x/" + strings.Repeat("y", 199): false, ".x/y": false, "x/y.": false, "x/../y": false,
	} {
		if _, err := hub.ParseMirrorName(in); (err == nil) != ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestParseScope(t *testing.T) {
	for in, want := range map[string]string{"@acme": "acme", "acme": "acme", "io.github.acme": "io.github.acme", "": "", "a b": "", "@io.github.acme": "io.github.acme", "a/b": ""} {
		got, err := hub.ParseScope(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, c := range goodNames {
		f.Add(c.in)
	}
	for _, c := range badNames {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := hub.ParseName(s)
		if err != nil {
			if hub.KindOf(err) != hub.Invalid {
				t.Errorf("%q: kind %q", s, hub.KindOf(err))
			}
			return
		}
		again, err := hub.ParseName(n.String())
		if err != nil || again != n || again.Claim() != n.Claim() {
			t.Errorf("%q -> %q -> %q %v", s, string(n), string(again), err)
		}
		if _, err := hub.ParseMirrorName(string(n)); err != nil {
			t.Errorf("%q is a name here and not elsewhere: %v", s, err)
		}
	})
}
