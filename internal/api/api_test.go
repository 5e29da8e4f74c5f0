package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// hubUnderTest is a whole hub in process, on the embedded backends.
type hubUnderTest struct {
	t        testing.TB
	server   *httptest.Server
	auth     *auth.Service
	registry *registry.Service
	store    *sqlstore.Store
}

func newHub(t testing.TB, change func(*api.Config)) *hubUnderTest {
	t.Helper()
	h := &hubUnderTest{t: t}
	clock := func() time.Time { return time.Now().UTC() }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Now: clock, Log: log})
	must(t, err)
	blobs, err := blobstore.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	must(t, err)
	index, err := bleveindex.Open("")
	must(t, err)
	h.store = store
	h.registry = registry.New(registry.Config{Store: store, Blobs: blobs, Log: log, Now: clock, Worker: "test"})
	find := search.New(search.Config{Store: store, Index: index, Log: log, Worker: "test", Changed: h.registry.Changed})
	h.auth, err = auth.New(t.Context(), store, clock)
	must(t, err)
	c := api.Config{Registry: h.registry, Search: find, Auth: h.auth, Cache: memcache.NewCache(8<<20, time.Now), Limiter: memcache.NewLimiter(1000, time.Now),
		Log: log, Now: clock, Metrics: prometheus.NewRegistry(), Checks: map[string]hub.Pinger{"database": store}, BaseURL: "http://hub.example.com", Version: "test", AllowAnonymous: true,
		ImageUsage: func(_ context.Context, actor hub.Actor, namespace string) (*wire.ImageUsage, error) {
			return &wire.ImageUsage{Namespace: namespace, Bytes: 7, Quota: 10}, h.registry.MayPushImages(actor, namespace)
		}}
	if change != nil {
		change(&c)
	}
	handler, err := api.New(c)
	must(t, err)
	h.server = httptest.NewServer(handler)
	done, found := make(chan struct{}), make(chan struct{})
	ctx, stop := contextWithCancel(t)
	go func() { find.Run(ctx); close(found) }()
	go func() { h.registry.Run(ctx, true); close(done) }()
	t.Cleanup(func() { h.server.Close(); stop(); <-done; index.Close(); store.Close() })
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// account makes an account and returns an API key of the given scope.
func (h *hubUnderTest) account(name string, role hub.Role, scope hub.Scope) string {
	h.t.Helper()
	a, err := h.auth.CreateAccount(h.t.Context(), hub.System("test"), auth.NewAccount{Name: name, Email: name + "@example.com", Password: "correct horse battery", Role: role})
	must(h.t, err)
	_, secret, err := h.auth.IssueKey(h.t.Context(), hub.System("test"), a.ID, "test", []hub.Scope{scope}, 0)
	must(h.t, err)
	return secret
}

type reply struct {
	*http.Response
	body []byte
}

func (r *reply) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("not JSON (%v): %s", err, r.body)
	}
	return m
}

// do sends a request; body may be nil, a string, or anything that is marshalled.
func (h *hubUnderTest) do(method, path, token string, body any, header ...string) *reply {
	h.t.Helper()
	var rd io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		rd = strings.NewReader(b)
	case []byte:
		rd = bytes.NewReader(b)
	default:
		data, err := json.Marshal(b)
		must(h.t, err)
		rd = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, rd)
	must(h.t, err)
	if rd != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	must(h.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(h.t, err)
	return &reply{resp, data}
}

// want fails unless the status is as wanted.
func (r *reply) want(t testing.TB, status int) *reply {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, status, r.body)
	}
	return r
}

const schemaURL = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

func serverJSON(name, version string) map[string]any {
	return map[string]any{
		"$schema": schemaURL, "name": name, "version": version, "description": "Tells the weather of a place.",
		"packages": []any{map[string]any{"registryType": "npm", "identifier": "@acme/weather", "version": "1.0.0", "transport": map[string]any{"type": "stdio"}}},
	}
}

const anonymous = "io.modelcontextprotocol.anonymous/"

func (h *hubUnderTest) anonymousToken() string {
	h.t.Helper()
	m := h.do("POST", "/v0.1/auth/none", "", nil).want(h.t, 200).json(h.t)
	return m["registry_token"].(string)
}
