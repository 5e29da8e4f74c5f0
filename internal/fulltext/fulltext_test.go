package fulltext_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/fulltext"
	"github.com/mcphub/mcphub/internal/hub"
)

// clauses counts the terms of a query.
func clauses(q fulltext.Query) int {
	n := 0
	if q.Field != "" {
		n = 1
	}
	for _, sub := range slices.Concat(q.All, q.Any) {
		n += clauses(sub)
	}
	return n
}

// TestBounded guards: no text makes a query of more terms than engines take (1024), and none of an empty condition.
func TestBounded(t *testing.T) {
	for _, text := range []string{"postgres", strings.Repeat("aB1", 3000), strings.Repeat("aB ", 3000), strings.Repeat("a1b2c3 ", 100), strings.Repeat("k8s db pr ", 50),
		strings.Repeat("数据库", 100), strings.Repeat("x", 9000), "it is", "@a/b/c"} {
		for _, typing := range []bool{false, true} {
			q := fulltext.Ask(fulltext.Cut(text), typing)
			if q == nil {
				t.Errorf("%.20q asks for nothing", text)
				continue
			}
			if n := clauses(*q); n > 1000 {
				t.Errorf("%.20q, typing %v: %d terms", text, typing, n)
			}
		}
	}
	for _, text := range []string{"", "  ", "?!", "\x00"} {
		if q := fulltext.Ask(fulltext.Cut(text), false); q != nil {
			t.Errorf("%q: %+v", text, q)
		}
	}
}

func TestFields(t *testing.T) {
	d := hub.Document{ID: "1", Name: "acme/read-files", Title: "Reader", Labels: hub.Labels{hub.FacetTool: {"a b", "", "c\x00d"}}}
	got := map[string]string{}
	for _, f := range fulltext.Fields(d) {
		got[f.Name] = fmt.Sprintf("%q", f.List())
	}
	for field, want := range map[string]string{
		fulltext.Exact: `["acme/readfiles" "readfiles"]`, fulltext.Name: `["read" "file" "read" "file" "acm" "reader"]`,
		fulltext.Spell: `["read" "files" "acme" "reader"]`, "f.tool": `["a b" "cd"]`, fulltext.Readme: "",
	} {
		if got[field] != want {
			t.Errorf("%s: %s, want %s", field, got[field], want)
		}
	}
}

func TestNameIn(t *testing.T) {
	for text, want := range map[string]string{"@Acme/Read_Files": "acme/readfiles", " read files ": "readfiles", "a/b/c": "a/bc", "": ""} {
		if got := fulltext.NameIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
