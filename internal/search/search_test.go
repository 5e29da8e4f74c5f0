package search_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/localvec"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var errDown = hub.Errorf(hub.Unavailable, "the engine is down")

// brokenIndex fails while it is down, and counts how often it was filled anew.
type brokenIndex struct {
	hub.Index
	down  atomic.Bool
	fills atomic.Int64
}

func (i *brokenIndex) Search(ctx context.Context, q hub.SearchQuery) (hub.SearchResult, error) {
	if i.down.Load() {
		return hub.SearchResult{}, errDown
	}
	return i.Index.Search(ctx, q)
}

func (i *brokenIndex) Put(ctx context.Context, docs []hub.Document) error {
	if i.down.Load() {
		return errDown
	}
	return i.Index.Put(ctx, docs)
}

func (i *brokenIndex) Rebuild(ctx context.Context, fill func(func(context.Context, []hub.Document) error) error) error {
	if i.down.Load() {
		return errDown
	}
	i.fills.Add(1)
	return i.Index.Rebuild(ctx, fill)
}

// brokenVectors fail while they are down.
type brokenVectors struct {
	hub.Vectors
	down atomic.Bool
}

func (v *brokenVectors) Nearest(ctx context.Context, q hub.VectorQuery) ([]hub.Hit, error) {
	if v.down.Load() {
		return nil, errDown
	}
	return v.Vectors.Nearest(ctx, q)
}

// fixture is search over a store of its own, on the embedded engines.
type fixture struct {
	t       *testing.T
	store   *sqlstore.Store
	index   *brokenIndex
	vectors *brokenVectors
	*search.Service
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Log: quiet, Relaxed: true})
	must(t, err)
	t.Cleanup(func() { store.Close() })
	f := &fixture{t: t, store: store}
	f.Service, f.index, f.vectors = f.another("test")
	return f
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// another makes a second process on the same store, with engines of its own.
func (f *fixture) another(worker string) (*search.Service, *brokenIndex, *brokenVectors) {
	f.t.Helper()
	index, err := bleveindex.Open("")
	must(f.t, err)
	f.t.Cleanup(func() { index.Close() })
	vectors, err := localvec.Open("")
	must(f.t, err)
	model, err := embed.New()
	must(f.t, err)
	i, v := &brokenIndex{Index: index}, &brokenVectors{Vectors: vectors}
	return search.New(search.Config{Store: f.store, Index: i, Vectors: v, Embedder: model, Hosts: []string{"cursor", "vscode"}, Log: quiet, Worker: worker}), i, v
}

func (f *fixture) run(s *search.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) await(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	f.t.Fatalf("never happened: %s", what)
}

// add stores a server with one version; change may fill in more of both.
func (f *fixture) add(name, description string, change func(s *hub.Server, v *hub.Version)) {
	f.t.Helper()
	n := hub.Name(strings.TrimPrefix(name, "@"))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	srv := &hub.Server{ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String(), Name: n, Description: description, Origin: "https://catalogue.example"}
	v := &hub.Version{ID: uuid.NewSHA1(uuid.NameSpaceDNS, []byte(name)).String(), ServerID: srv.ID, Name: n, Version: "1.0.0", State: hub.Published,
		Format: hub.FormatMCP, Manifest: []byte(`{}`), ServerJSON: []byte("{}"), Mirrored: true, CreatedAt: at, PublishedAt: at}
	if change != nil {
		change(srv, v)
	}
	_, err := f.store.Import(f.t.Context(), srv, v, hub.Event{})
	must(f.t, err)
}

// set changes the state of a server's version.
func (f *fixture) set(name string, from, to hub.State) {
	f.t.Helper()
	_, err := f.store.Transition(f.t.Context(), hub.Transition{VersionID: uuid.NewSHA1(uuid.NameSpaceDNS, []byte(name)).String(), From: from, Steps: []hub.Step{{To: to}}})
	must(f.t, err)
}

func (f *fixture) page(q search.Query) *search.Page {
	f.t.Helper()
	if q.Limit == 0 {
		q.Limit = 20
	}
	p, err := f.Find(f.t.Context(), q)
	must(f.t, err)
	return p
}

// finds returns the names that a search finds by words.
func finds(t *testing.T, s *search.Service, text string) string {
	t.Helper()
	p, err := s.Find(t.Context(), search.Query{Text: text, Limit: 20, Sort: hub.ByName})
	must(t, err)
	return names(p)
}

func names(p *search.Page) string {
	var out []string
	for _, r := range p.Results {
		out = append(out, r.Server.Name.String())
	}
	return strings.Join(out, " ")
}

// TestFollows guards: the engines catch up with what was there, follow what comes, and forget what nobody may choose.
func TestFollows(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "An assistant for notes", nil)
	f.run(f.Service)
	f.await("what was there is found", func() bool { return finds(t, f.Service, "notes assistant") == "@acme/notes" })
	f.add("@acme/letters", "Writes letters", func(_ *hub.Server, v *hub.Version) {
		v.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "write_letter"}}
	})
	f.await("what comes is found", func() bool {
		lag := f.Lag()
		return finds(t, f.Service, "write_letter") == "@acme/letters" && lag["index"] == 0 && lag["vectors"] == 0
	})
	f.set("@acme/letters", hub.Published, hub.Quarantined)
	f.await("what is quarantined is not found", func() bool { return finds(t, f.Service, "letters") == "" })
	f.await("by meaning neither", func() bool { n, err := f.vectors.Count(t.Context()); return err == nil && n == 1 })
	f.set("@acme/letters", hub.Quarantined, hub.Published)
	f.await("what is back is found", func() bool { return finds(t, f.Service, "letters") == "@acme/letters" })
}

// TestSecondProcess guards: the engines of another process on the same store fill and follow by themselves.
func TestSecondProcess(t *testing.T) {
	f := newFixture(t)
	second, _, _ := f.another("second")
	f.run(f.Service)
	f.run(second)
	f.add("@acme/notes", "notes", nil)
	f.await("both find it", func() bool {
		return finds(t, f.Service, "notes") == "@acme/notes" && finds(t, second, "notes") == "@acme/notes"
	})
}

// TestEnginesDown guards: with the text engine down names are searched, with the vectors down words, and the answer
// says so; what happened meanwhile is found when they are back.
func TestEnginesDown(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "An assistant", nil)
	must(t, f.Reindex(t.Context()))
	f.index.down.Store(true)
	for text, want := range map[string]string{"notes": "@acme/notes", "@acme/no": "@acme/notes", "assistant": ""} {
		p := f.page(search.Query{Text: text})
		if names(p) != want || p.Notice != "the search engine is down; only names were searched" {
			t.Errorf("%s finds %q, notice %q", text, names(p), p.Notice)
		}
	}
	f.add("@acme/letters", "Writes", nil) // storing does not wait for the engine
	f.index.down.Store(false)
	f.run(f.Service)
	f.await("it catches up", func() bool { return finds(t, f.Service, "letters") == "@acme/letters" })
	f.vectors.down.Store(true)
	if p := f.page(search.Query{Text: "letters"}); p.Notice != "search by meaning is down; only words were searched" || len(p.Results) == 0 {
		t.Errorf("%q %d", p.Notice, len(p.Results))
	}
	f.vectors.down.Store(false)
	if p := f.page(search.Query{Text: "letters"}); p.Notice != "" {
		t.Error(p.Notice)
	}
}

// TestReindex guards: new engines hold everything that can be chosen, more than one page of it, and nothing else.
func TestReindex(t *testing.T) {
	f := newFixture(t)
	for i := range 120 {
		f.add(fmt.Sprintf("@acme/server-%d", i), "x", nil)
	}
	f.set("@acme/server-7", hub.Published, hub.Yanked)
	must(t, f.index.Put(t.Context(), []hub.Document{{ID: "0198f000-0000-7000-8000-00000000dead", Name: "acme/ghost"}}))
	must(t, f.Reindex(t.Context()))
	texts, err := f.index.Count(t.Context())
	must(t, err)
	vectors, err := f.vectors.Count(t.Context())
	must(t, err)
	if texts != 119 || vectors != 119 {
		t.Errorf("%d documents and %d vectors, want 119", texts, vectors)
	}
	if got := finds(t, f.Service, "ghost"); got != "" {
		t.Errorf("a ghost is found: %q", got)
	}
}

// TestAskReindex guards: asking fills every running hub's engines anew, once.
func TestAskReindex(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "notes", nil)
	second, index, _ := f.another("second")
	f.run(f.Service)
	f.run(second)
	f.await("both are in step", func() bool { return finds(t, f.Service, "notes") != "" && finds(t, second, "notes") != "" })
	one, two := f.index.fills.Load(), index.fills.Load()
	must(t, search.AskReindex(t.Context(), f.store))
	f.await("both fill anew", func() bool { return f.index.fills.Load() == one+1 && index.fills.Load() == two+1 })
	f.add("@acme/letters", "letters", nil)
	f.await("both go on", func() bool { return finds(t, f.Service, "letters") != "" && finds(t, second, "letters") != "" })
	if f.index.fills.Load() != one+1 || index.fills.Load() != two+1 {
		t.Errorf("filled anew more than once: %d and %d", f.index.fills.Load()-one, index.fills.Load()-two)
	}
}

// TestLostEngine guards: an engine that was emptied behind the hub's back is filled at the next start.
func TestLostEngine(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "notes", nil)
	stop := f.run(f.Service)
	f.await("it is found", func() bool { return finds(t, f.Service, "notes") == "@acme/notes" })
	stop()
	again, _, vectors := f.another("test") // the same name, and so the same cursor, with empty engines
	f.run(again)
	f.await("it is found again", func() bool { return finds(t, again, "notes") == "@acme/notes" })
	f.await("and its vectors", func() bool { n, err := vectors.Count(t.Context()); return err == nil && n == 1 })
}

// otherModel is another model, of another length.
type otherModel struct{}

func (otherModel) Model() string { return "other" }
func (otherModel) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i := range out {
		out[i] = []float32{1, 0, 0}
	}
	return out, nil
}

// TestOtherModel guards: another model fills the vectors anew in the background; until then words are searched.
func TestOtherModel(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "notes", nil)
	stop := f.run(f.Service)
	f.await("it is in step", func() bool {
		n, err := f.vectors.Count(t.Context())
		return err == nil && n == 1 && finds(t, f.Service, "notes") != ""
	})
	stop()
	other := search.New(search.Config{Store: f.store, Index: f.index, Vectors: f.vectors, Embedder: otherModel{}, Log: quiet, Worker: "test"})
	p, err := other.Find(t.Context(), search.Query{Text: "notes", Limit: 5})
	if must(t, err); p.Notice != "" || names(p) != "@acme/notes" {
		t.Errorf("%q %q", p.Notice, names(p))
	}
	f.run(other)
	f.await("the vectors are of the other model", func() bool {
		hits, err := f.vectors.Nearest(t.Context(), hub.VectorQuery{Vector: []float32{1, 0, 0}, Limit: 1})
		return err == nil && len(hits) == 1
	})
}

func TestCanceled(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Find(ctx, search.Query{Text: "x", Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestKeywords(t *testing.T) {
	srv := &hub.Server{Categories: []string{"Files", "Dev Tools"}, Keywords: []string{"files", "dev-tools", "Database", "databases", " ", "x"}}
	if got := search.Keywords(srv); !slices.Equal(got, []string{"Files", "Dev Tools", "Database", "x"}) {
		t.Errorf("%q", got)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "|map[]",
		"query a database":                      "query a database|map[]",
		"tool:query lang:py license:mit":        "|map[lang:[python] license:[MIT] tool:[query]]",
		"db transport:http,stdio pkg:NPM":       "db|map[package:[npm] transport:[streamable-http stdio]]",
		`category:"data access" x publisher:@A`: "x|map[category:[data access] publisher:[a]]",
		"https://example.com time:now a: :b":    "https://example.com time:now a: :b|map[]",
		"lang:go LANG:go lang:rust":             "|map[lang:[go rust]]",
		`category:Database category:databases`:  "|map[category:[databases]]",
		`category:"Dev-Tools"`:                  "|map[category:[developer tools]]",
		`license:"`:                             `license:"|map[]`,
	} {
		rest, filter := search.Parse(text)
		if got := rest + "|" + fmt.Sprint(filter); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`tool:query "a b" lang:"x,y`)
	f.Fuzz(func(t *testing.T, text string) {
		rest, filter := search.Parse(text)
		for facet, values := range filter {
			if !slices.Contains(hub.Facets, facet) || len(values) == 0 || slices.Contains(values, "") {
				t.Errorf("%q: %v", text, filter)
			}
		}
		if again, more := search.Parse(rest); again != rest || len(more) > 0 {
			t.Errorf("%q leaves %q, which leaves %q and %v", text, rest, again, more)
		}
	})
}
