package opensearch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/opensearch"
	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// cluster returns the addresses of a real cluster, with commas between.
func cluster(t *testing.T) string {
	t.Helper()
	hosts := strings.ReplaceAll(os.Getenv("MCPHUB_TEST_OPENSEARCH"), "http://", "")
	if hosts == "" {
		if os.Getenv("MCPHUB_TEST_ALL") == "1" {
			t.Fatal("MCPHUB_TEST_OPENSEARCH is not set: run make services")
		}
		t.Skip("MCPHUB_TEST_OPENSEARCH is not set: run make services")
	}
	return hosts
}

// open makes an index of its own, which is removed after the test.
func open(t *testing.T, settings string) *opensearch.Index {
	t.Helper()
	hosts, name := cluster(t), "test-"+uuid.NewString()
	x, err := opensearch.Open("opensearch://" + hosts + "/" + name + settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		first, _, _ := strings.Cut(hosts, ",")
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+first+"/"+name+"-*", nil)
		if res, err := http.DefaultClient.Do(req); err != nil {
			t.Log(err)
		} else {
			res.Body.Close()
		}
	})
	return x
}

func TestIndex(t *testing.T) {
	beside.Index(t, func(t *testing.T) hub.Index { return open(t, "") })
}

func TestShards(t *testing.T) {
	beside.Index(t, func(t *testing.T) hub.Index { return open(t, "?shards=3") })
}

// stand starts a stand-in for an engine that introduces itself so.
func stand(t *testing.T, about string, rest http.HandlerFunc) *opensearch.Index {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s@cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/" {
			_, _ = io.WriteString(w, about)
			return
		}
		rest(w, r)
	}))
	t.Cleanup(s.Close)
	x, err := opensearch.Open("elasticsearch://me:s%40cret@" + strings.TrimPrefix(s.URL, "http://") + "/x")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// TestIntroduction guards: OpenSearch and Elasticsearch are known by what they say of themselves, and too old ones refused.
func TestIntroduction(t *testing.T) {
	for about, want := range map[string]string{
		`{"version":{"number":"2.19.3","distribution":"opensearch"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`: "",
		`{"version":{"number":"3.1.0","distribution":"opensearch"}}`:                                                              "",
		`{"version":{"number":"8.15.0","build_flavor":"default"},"tagline":"You Know, for Search"}`:                               "",
		`{"version":{"number":"9.0.1"},"tagline":"You Know, for Search"}`:                                                         "",
		`{"version":{"number":"1.3.0","distribution":"opensearch"}}`:                                                              "OpenSearch 1.3.0",
		`{"version":{"number":"7.17.0"},"tagline":"You Know, for Search"}`:                                                        "Elasticsearch 7.17.0",
		`{"version":"1.0"}`: "search index cannot be counted",
		`{}`:                "neither",
		`<html>`:            "search index cannot be counted",
	} {
		x := stand(t, about, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			_, _ = io.WriteString(w, `{"count":7}`)
		})
		n, err := x.Count(t.Context())
		if want == "" && (err != nil || n != 7) || want != "" && (hub.KindOf(err) != hub.Unavailable || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d, %v, want %q", about, n, err, want)
		}
	}
}

// TestRejected guards: one document that the engine refuses fails the whole Put.
func TestRejected(t *testing.T) {
	x := stand(t, `{"version":{"number":"8.15.0"},"tagline":"You Know, for Search"}`, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "_bulk") {
			_, _ = io.WriteString(w, `{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}]}`)
		}
	})
	if err := x.Put(t.Context(), []hub.Document{{ID: "1"}, {ID: "2"}}); hub.KindOf(err) != hub.Unavailable {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, bad := range []string{"opensearch:", "opensearch://h:9200", "opensearch://h:9200/UP", "opensearch://h/x?shards=0", "opensearch://h/x?replicas=2"} {
		if _, err := opensearch.Open(bad); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestShare guards: two hubs see the same index, also after one has rebuilt it, and the next Rebuild removes what one
// that was cut off left.
func TestShare(t *testing.T) {
	one := open(t, "")
	alias, hosts := strings.TrimPrefix(one.Name(), "opensearch."), cluster(t)
	name := alias[:strings.LastIndex(alias, "-v")]
	first, others, _ := strings.Cut(hosts, ",")
	two, err := opensearch.Open("opensearch://127.0.0.1:1," + others + "," + first + "/" + name) // its first node is down
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	ctx := t.Context()
	count := func(x *opensearch.Index, want int64) {
		t.Helper()
		if n, err := x.Count(ctx); err != nil || n != want {
			t.Errorf("%d %v, want %d", n, err, want)
		}
	}
	if err := one.Put(ctx, []hub.Document{{ID: "1", Name: "acme/one"}}); err != nil {
		t.Fatal(err)
	}
	count(two, 1)
	left, _ := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+first+"/"+alias+"-12345", nil)
	if res, err := http.DefaultClient.Do(left); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	err = two.Rebuild(ctx, func(put func(context.Context, []hub.Document) error) error {
		return put(ctx, []hub.Document{{ID: "2", Name: "acme/two"}, {ID: "3", Name: "acme/three"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	count(one, 2)
	if err := one.Put(ctx, []hub.Document{{ID: "4", Name: "acme/four"}}); err != nil {
		t.Fatal(err)
	}
	count(two, 3)
	res, err := http.Get("http://" + first + "/_cat/indices/" + name + "-*?h=index")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); len(strings.Fields(string(b))) != 1 {
		t.Errorf("there are %s", b)
	}
}

// TestGone guards: an index that was taken away is not made anew without our mappings; the error says what to do, and
// Rebuild mends it.
func TestGone(t *testing.T) {
	x := open(t, "")
	ctx := t.Context()
	docs := []hub.Document{{ID: "1", Name: "acme/one"}}
	if err := x.Put(ctx, docs); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(cluster(t), ",")
	req, _ := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+first+"/"+strings.TrimPrefix(x.Name(), "opensearch.")+"-*", nil)
	if _, err := http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	var e *hub.Error
	if err := x.Put(ctx, docs); !errors.As(err, &e) || e.Kind != hub.Unavailable || !strings.Contains(e.Hint, "reindex") {
		t.Fatal(err)
	}
	err := x.Rebuild(ctx, func(put func(context.Context, []hub.Document) error) error { return put(ctx, docs) })
	if n, countErr := x.Count(ctx); err != nil || countErr != nil || n != 1 {
		t.Error(n, err, countErr)
	}
}

func TestDown(t *testing.T) {
	x, err := opensearch.Open("opensearch://127.0.0.1:1,127.0.0.1:2/x")
	if err != nil {
		t.Fatal(err)
	}
	var e *hub.Error
	if _, err := x.Search(t.Context(), hub.SearchQuery{Limit: 1}); !errors.As(err, &e) || e.Kind != hub.Unavailable || !strings.Contains(e.Hint, "--search") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Search(ctx, hub.SearchQuery{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
