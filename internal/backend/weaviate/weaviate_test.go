package weaviate_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/weaviate"
	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// open makes a collection of its own in a real engine, which is removed after the test.
func open(t *testing.T) *weaviate.Vectors {
	t.Helper()
	base := os.Getenv("MCPHUB_TEST_WEAVIATE")
	if base == "" {
		if os.Getenv("MCPHUB_TEST_ALL") == "1" {
			t.Fatal("MCPHUB_TEST_WEAVIATE is not set: run make services")
		}
		t.Skip("MCPHUB_TEST_WEAVIATE is not set: run make services")
	}
	name := "test" + strings.ReplaceAll(uuid.NewString(), "-", "")
	x, err := weaviate.Open(strings.Replace(base, "http", "weaviate", 1) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		remove(t, base, strings.TrimPrefix(x.Name(), "weaviate."))
	})
	return x
}

// remove removes an alias and its collections.
func remove(t *testing.T, base, alias string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ask := func(method, path string, out any) {
		req, err := http.NewRequestWithContext(ctx, method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := req.URL.User.Password(); ok {
			req.URL.User = nil
			req.Header.Set("Authorization", "Bearer "+key)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Log(err)
			return
		}
		defer res.Body.Close()
		_ = json.NewDecoder(res.Body).Decode(out)
	}
	var all struct{ Classes []struct{ Class string } }
	ask(http.MethodGet, "/v1/schema", &all)
	ask(http.MethodDelete, "/v1/aliases/"+alias, nil)
	for _, c := range all.Classes {
		if strings.HasPrefix(c.Class, alias) {
			ask(http.MethodDelete, "/v1/schema/"+c.Class, nil)
		}
	}
}

func TestVectors(t *testing.T) {
	beside.Vectors(t, func(t *testing.T) hub.Vectors { return open(t) })
}

func vector(n int) []float32 {
	v := make([]float32, 8)
	v[n%8], v[(n/8)%8] = 1, v[(n/8)%8]+0.5
	return v
}

// TestManyParts guards: a server whose many parts are all nearest leaves room for the others.
func TestManyParts(t *testing.T) {
	x, ctx := open(t), t.Context()
	many := hub.VectorDoc{ID: "many"}
	for i := range 100 {
		many.Parts = append(many.Parts, vector(0))
		many.Parts[i][7] = float32(i/2) / 10_000
	}
	docs := []hub.VectorDoc{many}
	for i := range 9 {
		docs = append(docs, hub.VectorDoc{ID: string(rune('a' + i)), Parts: [][]float32{vector(1 + i), vector(9)}})
	}
	if err := x.Put(ctx, docs); err != nil {
		t.Fatal(err)
	}
	hits, err := x.Nearest(ctx, hub.VectorQuery{Vector: vector(0), Limit: 10})
	if err != nil || len(hits) != 10 || hits[0].ID != "many" {
		t.Errorf("%v %v", hits, err)
	}
	if err := x.Put(ctx, []hub.VectorDoc{{ID: "many", Parts: [][]float32{vector(3)}}}); err != nil {
		t.Fatal(err)
	}
	if hits, err := x.Nearest(ctx, hub.VectorQuery{Vector: vector(0), Limit: 1}); err != nil || hits[0].ID == "many" {
		t.Errorf("the parts that were replaced are found: %v %v", hits, err)
	}
	if n, err := x.Count(ctx); err != nil || n != 10 {
		t.Error(n, err)
	}
}

// TestShare guards: two hubs see the same vectors, also after one has rebuilt them with another length.
func TestShare(t *testing.T) {
	one := open(t)
	alias := strings.TrimSuffix(strings.TrimPrefix(one.Name(), "weaviate."), "_v2")
	two, err := weaviate.Open(strings.Replace(os.Getenv("MCPHUB_TEST_WEAVIATE"), "http", "weaviate", 1) + "/" + strings.ToLower(alias[:1]) + alias[1:])
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	ctx := t.Context()
	finds := func(x *weaviate.Vectors, v []float32, want int) {
		t.Helper()
		if hits, err := x.Nearest(ctx, hub.VectorQuery{Vector: v, Limit: 9}); err != nil || len(hits) != want {
			t.Errorf("%v %v, want %d", hits, err, want)
		}
	}
	if err := one.Put(ctx, []hub.VectorDoc{{ID: "1", Parts: [][]float32{vector(1)}}}); err != nil {
		t.Fatal(err)
	}
	finds(one, vector(1), 1)
	finds(two, vector(1), 1)
	err = two.Rebuild(ctx, func(put func(context.Context, []hub.VectorDoc) error) error {
		return put(ctx, []hub.VectorDoc{{ID: "1", Parts: [][]float32{{1, 0}}}, {ID: "2", Parts: [][]float32{{0, 1}}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	finds(one, []float32{1, 0}, 2)
	if n, err := one.Count(ctx); err != nil || n != 2 {
		t.Error(n, err)
	}
	if err := one.Put(ctx, []hub.VectorDoc{{ID: "3", Parts: [][]float32{{1, 1}}}}); err != nil {
		t.Fatal(err)
	}
	finds(two, []float32{1, 0}, 3)
}

// TestHostile guards: labels of any text are kept, and found by themselves alone.
func TestHostile(t *testing.T) {
	x, ctx := open(t), t.Context()
	labels := []string{`"`, `\`, "a\nb", "}){x", "\x00", "\xff", strings.Repeat("l", 100_000), strings.Repeat("l", 99_999) + "k", "🙂", "\u2028"}
	var docs []hub.VectorDoc
	for i, l := range labels {
		docs = append(docs, hub.VectorDoc{ID: string(rune('a' + i)), Parts: [][]float32{vector(i)}, Labels: hub.Labels{hub.FacetTool: {l}}})
	}
	if err := x.Put(ctx, docs); err != nil {
		t.Fatal(err)
	}
	for i, l := range labels {
		hits, err := x.Nearest(ctx, hub.VectorQuery{Vector: vector(0), Limit: 20, Filter: hub.Labels{hub.FacetTool: {l}}})
		if err != nil || len(hits) != 1 || hits[0].ID != string(rune('a'+i)) {
			t.Errorf("%.20q: %v %v", l, hits, err)
		}
	}
}

func TestIntroduction(t *testing.T) {
	for about, want := range map[string]string{`{"version":"1.31.4"}`: "Weaviate 1.31.4", `{}`: "not Weaviate", `[]`: "cannot be counted"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer k@y" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, about)
		}))
		t.Cleanup(s.Close)
		x, err := weaviate.Open("weaviate://any:k%40y@" + strings.TrimPrefix(s.URL, "http://") + "/x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Count(t.Context()); hub.KindOf(err) != hub.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", about, err, want)
		}
	}
}

func TestDown(t *testing.T) {
	x, err := weaviate.Open("weaviate://127.0.0.1:1/x")
	if err != nil {
		t.Fatal(err)
	}
	var e *hub.Error
	if _, err := x.Count(t.Context()); !errors.As(err, &e) || e.Kind != hub.Unavailable || !strings.Contains(e.Hint, "--vectors") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Count(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, bad := range []string{"weaviate:", "weaviate://h", "weaviate://h/a-b", "weaviate://h/x?a=b", "weaviate://h/1x"} {
		if _, err := weaviate.Open(bad); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
