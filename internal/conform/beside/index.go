package beside

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
	indexWords(run)
	indexPages(run)
	indexFilters(run)
	indexFacets(run)
	indexTyping(run)
	indexSorts(run)
	indexRebuild(run)
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
		d.Title, d.Keywords, d.Readme = "The Great Copier", []string{"data-warehouse"}, "# Copy\n\nBack up *photographs* at midnight."
		d.Labels = hub.Labels{hub.FacetCategory: {"storage"}}
		d.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "list_tables", Description: "shows schemas"}, {Type: hub.Prompt, Name: "explainQuery", Schema: json.RawMessage(`[{"name":"dialect"}]`)},
			{Type: hub.Tool, Name: "z", Schema: json.RawMessage(`{"type":"object","properties":{"maxRows":{"type":"integer"}}}`)}}
		f.put(d, doc("2", "beta/nothing", "unrelated"))
		for _, text := range []string{"read", "file", "db", "readfile2db", "acme", "copier", "warehouse", "data warehouse", "storage", "tables", "list_tables",
			"schema", "schemas", "explain", "explainQuery", "query", "document", "copying", "COPIES", "documents quickly",
			"photograph", "dialect", "maxRows", "rows"} {
			f.want(hub.SearchQuery{Text: text}, "1")
		}
		f.want(hub.SearchQuery{Text: "zebra"}, "")
	})
	run("words that mean the same are found", func(f *indexFix) {
		f.put(doc("1", "acme/a", "talks to a kubernetes cluster"), doc("2", "acme/b", "reviews a pull request"), doc("3", "acme/c", "queries any database"))
		for text, want := range map[string]string{"k8s": "1", "merge request": "2", "datenbank": "3", "base de datos": "3", "数据库": "3", "Datenbank abfragen": "3"} {
			f.want(hub.SearchQuery{Text: text}, want)
		}
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
		for _, q := range []hub.SearchQuery{{Limit: -1}, {Limit: 1001}, {Limit: 1, Offset: 1000}, {Limit: 10, Offset: -1}, {Limit: 1, Sort: "x"}, {Filter: hub.Labels{"x": {"y"}}}, {Facets: []hub.Facet{"x"}}} {
			if _, err := f.Search(f.ctx, q); hub.KindOf(err) != hub.Invalid {
				f.Errorf("%+v: %v", q, err)
			}
		}
		if _, err := f.Search(f.ctx, hub.SearchQuery{Limit: 10, Offset: 990}); err != nil {
			f.Error(err)
		}
	})
}

func indexFilters(run func(string, func(f *indexFix))) {
	run("filters keep what has any value of each facet", func(f *indexFix) {
		a, b := doc("a", "acme/aa", "word"), doc("b", "io.github.x/bb", "word")
		a.Labels = hub.Labels{hub.FacetPackage: {"npm", "oci"}, hub.FacetTransport: {"stdio"}, hub.FacetLicense: {"MIT OR Apache-2.0"}, hub.FacetTool: {"run_query"}}
		b.Labels = hub.Labels{hub.FacetPackage: {"pypi"}, hub.FacetTransport: {"sse"}, hub.FacetPublisher: {"io.github.x"}}
		f.put(a, b)
		for _, text := range []string{"", "word"} {
			for want, filters := range map[string][]hub.Labels{
				"a": {{hub.FacetPackage: {"npm"}}, {hub.FacetPackage: {"oci", "cargo"}}, {hub.FacetLicense: {"MIT OR Apache-2.0"}}, {hub.FacetTool: {"run_query"}},
					{hub.FacetPackage: {"npm"}, hub.FacetTransport: {"stdio"}}},
				"b":   {{hub.FacetPackage: {"pypi"}}, {hub.FacetPublisher: {"io.github.x"}}},
				"a b": {{hub.FacetPackage: {"npm", "pypi"}}, {hub.FacetPackage: {}}},
				"":    {{hub.FacetPackage: {"np"}}, {hub.FacetLicense: {"MIT"}}, {hub.FacetPackage: {"npm"}, hub.FacetTransport: {"sse"}}},
			} {
				for _, filter := range filters {
					f.want(hub.SearchQuery{Text: text, Filter: filter}, want)
				}
			}
			f.want(hub.SearchQuery{Text: text, Among: []string{"b", "unknown"}}, "b")
			f.want(hub.SearchQuery{Text: text, Among: []string{}}, "")
		}
	})
	run("Also matches whatever the text, with a score of 0, and obeys the filter", func(f *indexFix) {
		a, b, c := doc("a", "acme/aa", "word"), doc("b", "acme/bb", "other"), doc("c", "acme/cc", "word word")
		a.Labels, b.Labels = hub.Labels{hub.FacetPackage: {"npm"}}, hub.Labels{hub.FacetPackage: {"npm"}}
		f.put(a, b, c)
		res, err := f.Search(f.ctx, hub.SearchQuery{Text: "word", Also: []string{"a", "b", "x"}, Limit: 9, Facets: []hub.Facet{hub.FacetPackage}})
		if err != nil {
			f.Fatal(err)
		}
		if len(res.Hits) != 3 || res.Total != 3 || res.Hits[2].ID != "b" || res.Hits[2].Score != 0 || res.Hits[1].Score <= 0 || res.Facets[hub.FacetPackage][0].Count != 2 {
			f.Errorf("%+v", res)
		}
		f.want(hub.SearchQuery{Text: "word", Also: []string{"b", "c"}, Filter: hub.Labels{hub.FacetPackage: {"npm"}}}, "a b")
	})
}

func indexFacets(run func(string, func(f *indexFix))) {
	run("facets count the values of all matches, most frequent first, ties by value", func(f *indexFix) {
		var docs []hub.Document
		for i := range 30 {
			d := doc(fmt.Sprint(i), fmt.Sprintf("acme/d%d", i), []string{"even", "odd"}[i%2])
			d.Labels = hub.Labels{hub.FacetLanguage: {[]string{"go", "python", "rust"}[i%3]}, hub.FacetTool: {fmt.Sprintf("t%02d", i), fmt.Sprintf("u%02d", i), fmt.Sprintf("v%02d", i)}}
			docs = append(docs, d)
		}
		docs[0].Labels[hub.FacetLanguage] = []string{"python"}
		f.put(docs...)
		res, err := f.Search(f.ctx, hub.SearchQuery{Facets: []hub.Facet{hub.FacetLanguage, hub.FacetTool, hub.FacetLicense}})
		if err != nil {
			f.Fatal(err)
		}
		if got, want := fmt.Sprint(res.Facets[hub.FacetLanguage]), "[{python 11} {rust 10} {go 9}]"; got != want {
			f.Errorf("%s, want %s", got, want)
		}
		if got := res.Facets[hub.FacetTool]; len(got) != hub.MaxFacetValues || got[0].Value != "t00" {
			f.Errorf("%v", got)
		}
		if len(res.Hits) != 0 || res.Total != 30 || len(res.Facets[hub.FacetLicense]) != 0 {
			f.Errorf("%+v", res)
		}
		res, err = f.Search(f.ctx, hub.SearchQuery{Text: "odd", Limit: 1, Facets: []hub.Facet{hub.FacetLanguage}, Filter: hub.Labels{hub.FacetLanguage: {"go", "rust"}}})
		if got, want := fmt.Sprint(res.Facets), "map[lang:[{go 5} {rust 5}]]"; err != nil || got != want {
			f.Errorf("%s %v, want %s", got, err, want)
		}
	})
}

func indexTyping(run func(string, func(f *indexFix))) {
	run("while typing, words of name and title are found by their beginnings", func(f *indexFix) {
		d := doc("1", "acme/postgres-mcp", "postgres")
		d.Title = "Great Tables"
		f.put(d, doc("2", "acme/other", "postgres tables"))
		for _, text := range []string{"p", "pos", "postgres m", "great ta", "Tab", "postgresm"} {
			f.want(hub.SearchQuery{Text: text, Typing: true}, "1")
		}
		f.want(hub.SearchQuery{Text: "postgres x", Typing: true}, "")
	})
	run("while typing, the beginning of a publisher's name is enough, and what a server is called comes first", func(f *indexFix) {
		f.put(doc("1", "io.github.modelmakers/time", "clock"), doc("2", "modelmakers/clock", "clock"), doc("3", "io.github.other/model-viewer", "models"))
		for _, text := range []string{"modelm", "modelmakers"} {
			f.want(hub.SearchQuery{Text: text, Typing: true}, "1 2")
		}
		f.want(hub.SearchQuery{Text: "model", Typing: true}, "3 1 2")
		f.want(hub.SearchQuery{Text: "modelmakers tim", Typing: true}, "1")
		f.want(hub.SearchQuery{Text: "githu", Typing: true}, "")
	})
}

func indexSorts(run func(string, func(f *indexFix))) {
	run("an order is kept, ties by ID", func(f *indexFix) {
		var docs []hub.Document
		for i, name := range []string{"acme/b", "acme/c", "acme/a"} {
			d := doc(fmt.Sprint(i), name, "word")
			d.Installs, d.Score, d.UpdatedAt = []int64{7, 9, 7}[i], []int{1, 3, 2}[i], time.UnixMicro([]int64{5, 5, 6}[i])
			docs = append(docs, d)
		}
		f.put(docs...)
		for _, text := range []string{"", "word"} {
			for sort, want := range map[hub.SearchSort]string{hub.ByInstalls: "1 0 2", hub.ByScore: "1 2 0", hub.ByUpdated: "2 0 1", hub.ByName: "2 0 1"} {
				f.want(hub.SearchQuery{Text: text, Sort: sort}, want)
			}
		}
	})
	run("hits tell how their names match", func(f *indexFix) {
		f.put(doc("e", "acme/notes", "x"), doc("p", "acme/notes-pro", "x"), doc("w", "acme/other", "notes"))
		res, err := f.Search(f.ctx, hub.SearchQuery{Text: "notes", Limit: 10})
		if err != nil {
			f.Fatal(err)
		}
		got := ""
		for _, h := range res.Hits {
			got += fmt.Sprint(h.ID, h.Tier, " ")
		}
		if got != "e2 p1 w0 " {
			f.Error(got)
		}
	})
}

func indexWords(run func(string, func(f *indexFix))) {
	run("Correct returns the most frequent word that is spelled like an unknown one", func(f *indexFix) {
		f.put(doc("1", "acme/a", "talks to postgres and kubernetes"), doc("2", "acme/b", "postgres, form"), doc("3", "acme/c", "postgrey, from"))
		got, err := f.Correct(f.ctx, []string{"postgers", "Kuberntes", "postgres", "zzzzzz", "abc", "kubernetes", "frm", "fromm"})
		if err != nil {
			f.Fatal(err)
		}
		if want := map[string]string{"postgers": "postgres", "Kuberntes": "kubernetes", "fromm": "from"}; !maps.Equal(got, want) {
			f.Errorf("%v, want %v", got, want)
		}
		if _, err := f.Correct(f.ctx, []string{"", "\x00\xff", strings.Repeat("x", 10_000), "*.*(", "数据库数据库"}); err != nil {
			f.Error(err)
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
		d.Keywords, d.Labels = []string{"", "\x00", strings.Repeat("k", 100_000)}, hub.Labels{hub.FacetLicense: {"\x00", "", strings.Repeat("l", 100_000)}}
		d.Capabilities = []hub.Capability{{Schema: json.RawMessage("{")}, {Schema: json.RawMessage("[1]")}, {Name: strings.Repeat("n", 1<<20)}}
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
