package words_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/words"
)

func terms(list []words.Word) string {
	var out []string
	for _, w := range list {
		out = append(out, strings.Join(append([]string{w.Term}, w.Parts...), "/"))
	}
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"Reads files":              "read file",
		"readFile2db":              "readfile2db/read/file/2/db",
		"HTTPServer s3 k8s":        "httpserver/http/server s3/s/3 k8s/k/8/s",
		"list_tables, by-name!":    "list tabl by name",
		"数据库":                      "数 据 数据 库 据库",
		"Übersicht 🙂 Straße":       "übersicht straße",
		strings.Repeat("x", 100):   strings.Repeat("x", 64),
		"\xff\xfe a":               "a",
		"queries querying queried": "queri queri queri",
	} {
		if got := terms(words.Split(text, 50)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := words.Split(strings.Repeat("a ", 100), 7); len(got) != 7 {
		t.Errorf("%d words", len(got))
	}
}

// TestSplitIf guards: what is wanted is what Split gives, and nothing of it is missing.
func TestSplitIf(t *testing.T) {
	text := "Reads files and readFile2db, yes yYes été ÉTÉ i a 数据"
	for _, term := range words.Split(text, 50) {
		got := words.SplitIf(text, 50, map[string]bool{words.Head(term.Plain): true})
		if !slices.ContainsFunc(got, func(w words.Word) bool { return w.Plain == term.Plain && w.Term == term.Term }) {
			t.Errorf("%q is missing in %s", term.Plain, terms(got))
		}
	}
	if got := terms(words.SplitIf("one two three", 50, map[string]bool{"tw": true})); got != "two" {
		t.Error(got)
	}
}

func TestPhrases(t *testing.T) {
	phrases := func(text string) string {
		var out []string
		for _, p := range words.Phrases(text, 20) {
			out = append(out, fmt.Sprintf("%s=%d", terms(p.Words), len(p.Synonyms)))
		}
		return strings.Join(out, " | ")
	}
	for text, want := range map[string]string{
		"zebra":                 "zebra=0",
		"K8S cluster":           "k8s/k/8/s=1 | cluster=1",
		"merge request reviews": "merg request=2 | review=0",
		"Datenbank":             "datenbank=1",
		"terminal":              "termin=0", // not the German word with the same stem
	} {
		if got := phrases(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if p := words.Phrases("查询数据库", 20); len(p) != 2 || p[0].English == "" {
		t.Errorf("%+v", p)
	}
}

func TestEnglish(t *testing.T) {
	for text, want := range map[string]string{"Datenbank abfragen": "database query", "enviar un correo electrónico": "send un email", "搜索网页": "search website", "read files": "read files", "": ""} {
		if got := words.English(text, 20); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"postgers", "postgres", 1}, {"githbu", "github", 1}, {"kuberntes", "kubernetes", 1}, {"abc", "xyz", 3}, {"", "ab", 2}, {"übr", "über", 1}, {"ab", "ba", 1}} {
		if got := words.Edits(c.a, c.b); got != c.want || words.Edits(c.b, c.a) != c.want {
			t.Errorf("%q %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSlip(t *testing.T) {
	if swap, other := words.Slip("tiem", "time"), words.Slip("tiem", "them"); swap != 1 || other != 2 || words.Slip("abc", "abc") != 0 {
		t.Errorf("letters in another order: %d, another letter: %d", swap, other)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("readFile2db 数据库 Übersicht")
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range words.Split(text, 50) {
			if w.Plain == "" || len(w.Plain) > 64 || len(w.Term) > 64 {
				t.Fatalf("%q: %+v", text, w)
			}
		}
		words.Phrases(text, 50)
		words.English(text, 50)
	})
}
