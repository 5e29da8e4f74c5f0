package beside

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

// indexFix is an index and what the tests do with it again and again.
type indexFix struct {
	*testing.T
	hub.Index
	ctx context.Context
}

func (f *indexFix) put(docs ...hub.Document) {
	f.Helper()
	if err := f.Put(f.ctx, docs); err != nil {
		f.Fatal(err)
	}
}

// search returns the IDs found, best first, with spaces between.
func (f *indexFix) search(q hub.SearchQuery) string {
	f.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	res, err := f.Search(f.ctx, q)
	if err != nil {
		f.Fatalf("%+v: %v", q, err)
	}
	var ids []string
	for _, h := range res.Hits {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

func (f *indexFix) want(q hub.SearchQuery, want string) {
	f.Helper()
	if got := f.search(q); got != want {
		f.Errorf("%+v: got %q, want %q", q, got, want)
	}
}

func (f *indexFix) count(want int64) {
	f.Helper()
	if n, err := f.Count(f.ctx); err != nil || n != want {
		f.Errorf("Count: %d %v, want %d", n, err, want)
	}
}

func doc(id, name, description string) hub.Document {
	return hub.Document{ID: id, Name: hub.Name(name), Description: description}
}

// Index runs the suite of hub.Index.
func Index(t *testing.T, open func(t *testing.T) hub.Index) {
	run := func(promise string, test func(f *indexFix)) {
		t.Run(promise, func(t *testing.T) { test(&indexFix{T: t, Index: open(t), ctx: context.Background()}) })
	}
	run("Put adds documents, which are found when it returns, or replaces them", func(f *indexFix) {
		f.put(doc("1", "acme/db", "stores rows"))
		f.want(hub.SearchQuery{Text: "rows"}, "1")
		f.put(doc("1", "acme/db", "keeps columns"))
		f.want(hub.SearchQuery{Text: "rows"}, "")
		f.want(hub.SearchQuery{Text: "columns"}, "1")
		f.count(1)
	})
	run("Delete removes documents; unknown IDs are no error", func(f *indexFix) {
		f.put(doc("1", "acme/aa", "x"), doc("2", "acme/bb", "x"))
		if err := f.Delete(f.ctx, []string{"1", "unknown"}); err != nil {
			f.Fatal(err)
		}
		f.want(hub.SearchQuery{}, "2")
		f.count(1)
	})
	run("Reset removes everything", func(f *indexFix) {
		f.put(doc("1", "acme/aa", "x"))
		if err := f.Reset(f.ctx); err != nil {
			f.Fatal(err)
		}
		f.count(0)
		f.want(hub.SearchQuery{}, "")
		f.put(doc("2", "acme/bb", "x"))
		f.want(hub.SearchQuery{Text: "bb"}, "2")
	})
	run("an empty text matches everything, by score and installs, ties by ID", func(f *indexFix) {
		var docs []hub.Document
		for i, s := range []struct {
			score    int
			installs int64
		}{{10, 5}, {90, 0}, {10, 5}, {10, 1000}, {100, 0}} {
			d := doc(fmt.Sprint(9-i), fmt.Sprintf("acme/s%d", i), "x")
			d.Score, d.Installs = s.score, s.installs
			docs = append(docs, d)
		}
		f.put(docs...)
		f.want(hub.SearchQuery{}, "5 8 6 7 9")
		f.want(hub.SearchQuery{Text: "  ", Limit: 2, Offset: 1}, "8 6")
	})
	indexRanks(run)
	indexPages(run)
	indexFilters(run)
	indexHostile(run)
}

func indexRanks(run func(string, func(f *indexFix))) {
	run("exact name first, then prefix of the name, then words", func(f *indexFix) {
		f.put(
			doc("words", "zeta/tools", "postgres postgres postgres postgres"),
			doc("prefix", "zeta/postgres-backup", "saves"),
			doc("exact", "io.github.someone/postgres", "talks to a database, in many words that make the text long and its weight low"),
			doc("other", "acme/mysql", "another database"),
		)
		for _, text := range []string{"postgres", "Postgres", " postgres "} {
			f.want(hub.SearchQuery{Text: text}, "exact prefix words")
		}
		for _, text := range []string{"io.github.someone/postgres", "IO.github.someone/Post_gres"} {
			if got := f.search(hub.SearchQuery{Text: text}); !strings.HasPrefix(got, "exact") {
				f.Errorf("%s: %s", text, got)
			}
		}
		for _, text := range []string{"@zeta/postgres-backup", "zeta/postgres-backup", "postgres-backup", "postgres backup", "post", "postgresb"} {
			if got := f.search(hub.SearchQuery{Text: text}); !strings.Contains(got, "prefix") {
				f.Errorf("%s: %q", text, got)
			}
		}
	})
	run("words are found in name, title, keywords, capabilities and description", func(f *indexFix) {
		d := doc("1", "acme/readFile2db", "Copies documents, quickly")
		d.Title, d.Keywords, d.Categories = "The Great Copier", []string{"data-warehouse"}, []string{"storage"}
		d.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "list_tables", Description: "shows schemas"}, {Type: hub.Prompt, Name: "explainQuery"}}
		f.put(d, doc("2", "beta/nothing", "unrelated"))
		for _, text := range []string{"read", "file", "db", "readfile2db", "acme", "copier", "warehouse", "data warehouse", "storage", "tables", "list_tables",
			"schema", "schemas", "explain", "explainQuery", "query", "document", "copying", "COPIES", "documents quickly"} {
			f.want(hub.SearchQuery{Text: text}, "1")
		}
		f.want(hub.SearchQuery{Text: "zebra"}, "")
	})
	run("a word in the name weighs more than one in the description", func(f *indexFix) {
		f.put(doc("text", "acme/files", "reads mail"), doc("name", "acme/the-mail", "reads files"))
		f.want(hub.SearchQuery{Text: "mail"}, "name text")
	})
	run("text in other writings is found", func(f *indexFix) {
		f.put(doc("1", "acme/cn", "数据库查询工具"), doc("2", "acme/ru", "Поиск файлов"), doc("3", "acme/de", "Übersicht über Daten"))
		f.want(hub.SearchQuery{Text: "数据库"}, "1")
		f.want(hub.SearchQuery{Text: "查询"}, "1")
		f.want(hub.SearchQuery{Text: "ПОИСК"}, "2")
		f.want(hub.SearchQuery{Text: "übersicht"}, "3")
	})
	run("a query of common words alone still finds", func(f *indexFix) {
		f.put(doc("1", "acme/it-is", "x"))
		f.want(hub.SearchQuery{Text: "it is"}, "1")
	})
}

func indexPages(run func(string, func(f *indexFix))) {
	run("ties are broken by ID, so that pages do not overlap", func(f *indexFix) {
		var docs []hub.Document
		var want []string
		for i := range 150 {
			docs = append(docs, doc(fmt.Sprintf("%03d", (i*67)%150), fmt.Sprintf("scope%03d/tool", i), "same words"))
			want = append(want, fmt.Sprintf("%03d", i))
		}
		for part := range slices.Chunk(docs, 40) { // several batches, so that inner numbers are not in order
			f.put(part...)
		}
		for _, text := range []string{"same", "tool", "too", ""} {
			var got []string
			for offset := 0; ; offset += 20 {
				res, err := f.Search(f.ctx, hub.SearchQuery{Text: text, Limit: 20, Offset: offset})
				if err != nil {
					f.Fatal(err)
				}
				if res.Total != 150 {
					f.Fatalf("%q: total %d", text, res.Total)
				}
				if len(res.Hits) == 0 {
					break
				}
				for _, h := range res.Hits {
					got = append(got, h.ID)
				}
			}
			if !slices.Equal(got, want) {
				f.Errorf("%q: %v", text, got)
			}
		}
	})
	run("Search refuses a limit or offset out of range", func(f *indexFix) {
		for _, q := range []hub.SearchQuery{{Limit: 0}, {Limit: 101}, {Limit: 10, Offset: 1001}, {Limit: 10, Offset: -1}} {
			if _, err := f.Search(f.ctx, q); hub.KindOf(err) != hub.Invalid {
				f.Errorf("%+v: %v", q, err)
			}
		}
		if _, err := f.Search(f.ctx, hub.SearchQuery{Limit: 100, Offset: 1000}); err != nil {
			f.Error(err)
		}
	})
}

func indexFilters(run func(string, func(f *indexFix))) {
	run("filters keep what has the exact value", func(f *indexFix) {
		a, b := doc("a", "acme/aa", "word"), doc("b", "io.github.x/bb", "word")
		a.PackageTypes, a.Transports, a.Runtime, a.License, a.Categories = []string{"npm", "oci"}, []string{"stdio"}, "node", "MIT OR Apache-2.0", []string{"data base"}
		b.PackageTypes, b.Transports, b.Mirrored = []string{"pypi"}, []string{"sse"}, true
		f.put(a, b)
		yes, no := true, false
		for _, text := range []string{"", "word"} {
			for want, qs := range map[string][]hub.SearchQuery{
				"a": {{PackageType: "npm"}, {PackageType: "oci"}, {Transport: "stdio"}, {Runtime: "node"}, {License: "MIT OR Apache-2.0"}, {Category: "data base"},
					{Scope: "acme"}, {Mirrored: &no}, {PackageType: "npm", Transport: "stdio", Mirrored: &no}},
				"b": {{PackageType: "pypi"}, {Scope: "io.github.x"}, {Mirrored: &yes}},
				"":  {{PackageType: "np"}, {License: "MIT"}, {Scope: "acm"}, {PackageType: "npm", Mirrored: &yes}},
			} {
				for _, q := range qs {
					q.Text = text
					f.want(q, want)
				}
			}
		}
	})
}

func indexHostile(run func(string, func(f *indexFix))) {
	run("hostile text never fails", func(f *indexFix) {
		f.put(doc("1", "acme/db", "word"))
		for _, text := range []string{`"`, `word"`, "(", "+word -db", "name:word", "*", "?", "~2", "word~", "^", "a^1e9", `\`, "\x00", "\xff\xfe", "/re.*/", "@", "/", "//", "@/",
			"a/b/c", strings.Repeat("word ", 5000), strings.Repeat("x", 100_000), strings.Repeat("字", 5000), strings.Repeat("aB1", 3000), "\u202e", "🙂"} {
			if _, err := f.Search(f.ctx, hub.SearchQuery{Text: text, Limit: 10}); err != nil {
				f.Errorf("%.40q: %v", text, err)
			}
		}
		f.want(hub.SearchQuery{Text: strings.Repeat("word ", 5000)}, "1")
	})
	run("hostile documents never fail", func(f *indexFix) {
		d := doc("1", "acme/"+strings.Repeat("n", 200), strings.Repeat("x", 1<<20)+"\x00\xff")
		d.Keywords, d.License = []string{"", "\x00", strings.Repeat("k", 100_000)}, "\x00"
		f.put(d, hub.Document{ID: "2"})
		f.count(2)
	})
	run("many may search while others put", func(f *indexFix) {
		got := Together(6, func(i int) error {
			for j := range 15 {
				if i == 0 {
					if err := f.Put(f.ctx, []hub.Document{doc(fmt.Sprint(j), fmt.Sprintf("acme/d%d", j), "word")}); err != nil {
						return err
					}
				} else if _, err := f.Search(f.ctx, hub.SearchQuery{Text: "word", Limit: 10}); err != nil {
					return err
				}
			}
			return nil
		})
		if got[""] != 6 {
			f.Fatal(got)
		}
	})
}
