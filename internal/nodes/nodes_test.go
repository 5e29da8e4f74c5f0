package nodes_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/nodes"
)

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		address string
		hosts   string
		tls     bool
		user    string
		name    string
	}{
		{"opensearch://127.0.0.1:9201/mcphub", "127.0.0.1:9201", false, "", "mcphub"},
		{"opensearchs://a,b:1,[::1]/x-y_z?shards=2", "a:9200 b:1 [::1]:9200", true, "", "x-y_z"},
		{"elasticsearch://me:s%40c%2Fret@a:9200/n", "a:9200", false, "me:s%40c%2Fret", "n"},
		{"weaviate://u:p@ss@a/n/", "a:9200", false, "u:p%40ss", "n"},
	} {
		got, err := nodes.ParseTarget(tt.address, "9200", "a form")
		user := ""
		if got.User != nil {
			user = got.User.String()
		}
		if err != nil || strings.Join(got.Hosts, " ") != tt.hosts || got.TLS != tt.tls || user != tt.user || got.Name != tt.name {
			t.Errorf("%s: %+v %s %v", tt.address, got, user, err)
		}
	}
	for _, bad := range []string{"", "opensearch:", "opensearch:dir", "opensearch://", "opensearch://a", "opensearch://a/", "opensearch:///n", "opensearch://a,/n",
		"opensearch://a/Upper", "opensearch://a/n/m", "opensearch://a/..", "opensearch://a/*", "opensearch://secret:x y@a/n#f", "opensearch://a?b/n", "opensearch://a:99999x/n"} {
		_, err := nodes.ParseTarget(bad, "9200", "a form")
		if hub.KindOf(err) != hub.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// stand starts stand-ins for nodes and returns a client of them.
func stand(t *testing.T, handlers ...http.HandlerFunc) *nodes.Client {
	t.Helper()
	target := nodes.Target{}
	for _, h := range handlers {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		target.Hosts = append(target.Hosts, strings.TrimPrefix(s.URL, "http://"))
	}
	c := nodes.New(target, nil)
	t.Cleanup(func() { c.Close() })
	return c
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestNextNode(t *testing.T) {
	var down, up atomic.Int64
	c := stand(t, func(w http.ResponseWriter, r *http.Request) {
		down.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}, func(w http.ResponseWriter, r *http.Request) {
		up.Add(1)
		_, _ = io.WriteString(w, `{"n": 7}`)
	})
	for range 20 {
		var out struct{ N int }
		if err := c.Read(context.Background(), http.MethodGet, "/", nil, &out); err != nil || out.N != 7 {
			t.Fatal(out, err)
		}
	}
	if down.Load() != 1 || up.Load() != 20 {
		t.Errorf("the node that is down was asked %d times, the other %d", down.Load(), up.Load())
	}
}

func TestFailures(t *testing.T) {
	ctx := context.Background()
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		hint    string
	}{
		"busy":      {answer(503, ""), "--search names"},
		"forbidden": {answer(403, `{"error":{"type":"security_exception","reason":"no permissions"}}`), "user or key"},
		"gone":      {answer(404, `{"error":{"type":"index_not_found_exception","reason":"no such index"}}`), "reindex"},
		"no JSON":   {answer(200, `<html>`), "--search names"},
		"redirect":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, ""},
		"too much":  {answer(200, `"`+strings.Repeat("x", 65<<20)+`"`), "--search names"},
		"hangs up":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "--search names"},
	} {
		t.Run(name, func(t *testing.T) {
			var out any
			err := nodes.Failed("the index cannot be read", "--search", stand(t, tt.handler).Read(ctx, http.MethodGet, "/", nil, &out))
			var e *hub.Error
			if hub.KindOf(err) != hub.Unavailable || !errors.As(err, &e) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%v, hint %q, want one of %q", err, e.Hint, tt.hint)
			}
		})
	}
}

func TestCaller(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	c := stand(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not noticed
		<-r.Context().Done()
	})
	err := nodes.Failed("the index cannot be read", "--search", c.Read(ctx, http.MethodPost, "/", map[string]int{}, nil))
	if !errors.Is(err, context.DeadlineExceeded) || hub.KindOf(err) != "" {
		t.Errorf("the caller's deadline became %v", err)
	}
}
