package bleveindex_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/hub"
)

func open(t testing.TB, dir string) *bleveindex.Index {
	t.Helper()
	x, err := bleveindex.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func TestMemory(t *testing.T) {
	conform.Index(t, func(t *testing.T) hub.Index { return open(t, "") })
}

func TestDirectory(t *testing.T) {
	conform.Index(t, func(t *testing.T) hub.Index { return open(t, filepath.Join(t.TempDir(), "new", "index")) })
}

func count(t *testing.T, x *bleveindex.Index, want int64) {
	t.Helper()
	if n, err := x.Count(context.Background()); err != nil || n != want {
		t.Fatalf("Count: %d %v, want %d", n, err, want)
	}
}

func TestOpenAgain(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	if err := x.Put(context.Background(), []hub.Document{{ID: "1", Name: "acme/db"}}); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, dir)
	count(t, x, 1)
	if x.Rebuilt() {
		t.Error("a good index was rebuilt")
	}
}

// A broken index is replaced by an empty one, so that the hub starts and fills it again.
func TestOpenRebuilds(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	for name, breakIt := range map[string]func(dir string) error{
		"no meta": func(dir string) error { return os.Remove(filepath.Join(dir, "bleve", "index_meta.json")) },
		"broken meta": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bleve", "index_meta.json"), []byte("{"), 0o600)
		},
		"broken store": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bleve", "store", "root.bolt"), make([]byte, 70_000), 0o600)
		},
		"a file": func(dir string) error {
			if err := os.RemoveAll(filepath.Join(dir, "bleve")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "bleve"), []byte("x"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := open(t, dir)
			if err := x.Put(context.Background(), []hub.Document{{ID: "1", Name: "acme/db"}}); err != nil {
				t.Fatal(err)
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if err := breakIt(dir); err != nil {
				t.Fatal(err)
			}
			x = open(t, dir)
			count(t, x, 0)
			if !x.Rebuilt() {
				t.Error("Rebuilt does not tell")
			}
			if err := x.Put(context.Background(), []hub.Document{{ID: "1", Name: "acme/db"}}); err != nil {
				t.Fatal(err)
			}
			count(t, x, 1)
		})
	}
}

func TestOpenTwiceIsRefused(t *testing.T) {
	dir := t.TempDir()
	x := open(t, dir)
	if err := x.Put(context.Background(), []hub.Document{{ID: "1", Name: "acme/db"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := bleveindex.Open(dir); hub.KindOf(err) != hub.Unavailable {
		t.Fatalf("the second Open: %v", err)
	}
	count(t, x, 1)
}

// filled is an index of a size like the public registry's.
func filled(b *testing.B, n int) *bleveindex.Index {
	b.Helper()
	r := rand.New(rand.NewSource(1))
	words := make([]string, 3000)
	for i := range words {
		for range 3 + r.Intn(7) {
			words[i] += string(rune('a' + r.Intn(26)))
		}
	}
	zipf := rand.NewZipf(r, 1.1, 3, uint64(len(words)-1))
	word := func() string { return words[zipf.Uint64()] }
	docs := make([]hub.Document, n)
	for i := range docs {
		d := hub.Document{ID: fmt.Sprintf("id-%06d", i), Name: hub.Name(fmt.Sprintf("io.github.%s/%s-%s", word(), word(), word())), Title: word() + " " + word(),
			Labels: hub.Labels{hub.FacetPackage: {[]string{"npm", "pypi", "oci"}[i%3]}, hub.FacetTransport: {"stdio"}}, Score: i % 100}
		for range 15 {
			d.Description += word() + " "
		}
		for range i % 8 {
			d.Capabilities = append(d.Capabilities, hub.Capability{Type: hub.Tool, Name: word() + "_" + word(), Description: word() + " " + word()})
		}
		docs[i] = d
	}
	x := open(b, b.TempDir())
	if err := x.Put(context.Background(), docs); err != nil {
		b.Fatal(err)
	}
	queryWords = words
	return x
}

var queryWords []string

func BenchmarkSearch(b *testing.B) {
	x := filled(b, 27_000)
	for name, q := range map[string]func(i int) hub.SearchQuery{
		"rare":   func(i int) hub.SearchQuery { return hub.SearchQuery{Text: queryWords[500+i%2000]} },
		"common": func(i int) hub.SearchQuery { return hub.SearchQuery{Text: queryWords[i%10]} },
		"two": func(i int) hub.SearchQuery {
			return hub.SearchQuery{Text: queryWords[i%50] + " " + queryWords[100+i%500]}
		},
		"filter": func(i int) hub.SearchQuery {
			return hub.SearchQuery{Text: queryWords[100+i%500], Filter: hub.Labels{hub.FacetPackage: {"npm"}}}
		},
		"facets": func(i int) hub.SearchQuery {
			return hub.SearchQuery{Text: queryWords[i%10], Facets: []hub.Facet{hub.FacetPackage, hub.FacetTransport, hub.FacetTool}}
		},
		"typing": func(i int) hub.SearchQuery { return hub.SearchQuery{Text: queryWords[i%50][:2], Typing: true} },
		"empty":  func(i int) hub.SearchQuery { return hub.SearchQuery{} },
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				query := q(i)
				query.Limit = 20
				if _, err := x.Search(context.Background(), query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLarge guards: in a large index rare words are looked for and common ones rank what these find; a text of common
// words alone finds by the rarest of them, and a word that nobody has takes nothing away.
func TestLarge(t *testing.T) {
	x, err := bleveindex.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var docs []hub.Document
	for i := range 200 {
		d := hub.Document{ID: fmt.Sprintf("%03d", i), Name: hub.Name(fmt.Sprintf("acme/n%03dx", i)), Description: "Reads database rows " + []string{"quickly", "slowly"}[i%2]}
		if i == 7 || i == 8 {
			d.Description += " of zebras"
		}
		docs = append(docs, d)
	}
	if err := x.Put(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	for _, large := range []bool{false, true} {
		if large {
			x.SetLarge(100)
		}
		for text, want := range map[string]struct {
			total int64 // in a large index
			first string
		}{"quickly zebra database": {2, "008"}, "database quickly": {100, ""}, "zebra nobodyhasit": {2, ""}, "database": {200, ""}} {
			res, err := x.Search(t.Context(), hub.SearchQuery{Text: text, Limit: 5})
			if err != nil {
				t.Fatal(err)
			}
			if large && res.Total != want.total || want.first != "" && res.Hits[0].ID != want.first {
				t.Errorf("large %v: %q finds %d, first %s", large, text, res.Total, res.Hits[0].ID)
			}
		}
	}
}

// TestLargeNarrows guards: in a large index a word that very many documents have is looked for in names first, and
// those that have it elsewhere too come before the others.
func TestLargeNarrows(t *testing.T) {
	x, err := bleveindex.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var docs []hub.Document
	for i := range 3000 {
		d := hub.Document{ID: fmt.Sprintf("0198f000-0000-7000-8000-%012d", i), Name: hub.Name(fmt.Sprint("acme/s", i)), Description: "a database"}
		if i < 1200 {
			d.Name, d.Description = hub.Name(fmt.Sprint("acme/s", i, "-database")), "a thing"
		}
		if i == 77 {
			d.Description = "a database"
		}
		docs = append(docs, d)
	}
	if err := x.Put(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	x.SetLarge(100)
	for text, want := range map[string]int64{"database": 1200, "databases": 1200, "a database thing": 1200} {
		res, err := x.Search(t.Context(), hub.SearchQuery{Text: text, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		if res.Total != want || text == "database" && res.Hits[0].ID != docs[77].ID {
			t.Errorf("%q finds %d, first %s; want %d", text, res.Total, res.Hits[0].ID, want)
		}
	}
}

// TestFacetsFollow guards: counts are of the documents there are, however often they were replaced, removed, merged or
// filled anew since labels were last counted.
func TestFacetsFollow(t *testing.T) {
	ctx := t.Context()
	for _, dir := range []string{"", t.TempDir()} {
		x, err := bleveindex.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		doc := func(i int, labels ...string) hub.Document {
			return hub.Document{ID: fmt.Sprintf("0198f000-0000-7000-8000-%012d", i), Name: hub.Name(fmt.Sprint("acme/s", i)), Description: "words",
				Labels: hub.Labels{hub.FacetCategory: labels, hub.FacetTool: {"tool"}}}
		}
		counted := func(what, want string) {
			t.Helper()
			for _, q := range []hub.SearchQuery{{Limit: 1}, {Text: "words", Limit: 1}, {Text: "words"}} {
				q.Facets = []hub.Facet{hub.FacetCategory}
				res, err := x.Search(ctx, q)
				if got := fmt.Sprint(res.Facets); err != nil || got != "map[category:"+want+"]" {
					t.Errorf("%s: %q counts %s %v, want %s", what, q.Text, got, err, want)
				}
			}
		}
		put := func(docs ...hub.Document) {
			t.Helper()
			if err := x.Put(ctx, docs); err != nil {
				t.Fatal(err)
			}
		}
		put(doc(1, "ai", "files"), doc(2, "ai"))
		put(doc(3, "files"))
		counted("put", "[{ai 2} {files 2}]")
		put(doc(1, "maps"))
		counted("replaced", "[{ai 1} {files 1} {maps 1}]")
		if err := x.Delete(ctx, []string{doc(2).ID}); err != nil {
			t.Fatal(err)
		}
		counted("removed", "[{files 1} {maps 1}]")
		for i := range 40 { // the engine merges
			put(doc(100+i, "many"))
		}
		counted("merged", "[{many 40} {files 1} {maps 1}]")
		err = x.Rebuild(ctx, func(put func(context.Context, []hub.Document) error) error {
			return put(ctx, []hub.Document{doc(7, "new")})
		})
		if err != nil {
			t.Fatal(err)
		}
		counted("filled anew", "[{new 1}]")
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
