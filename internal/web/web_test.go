package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web"
)

const base = "http://hub.example.com/tools"

// site is the pages under the path prefix /tools, as they come from internal/api: without it.
type site struct {
	t        *testing.T
	handler  http.Handler
	auth     *auth.Service
	registry *registry.Service
	search   *search.Service
	store    *sqlstore.Store
}

func newSite(t *testing.T) *site {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Log: log})
	must(t, err)
	blobs, err := blobstore.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	must(t, err)
	index, err := bleveindex.Open("")
	must(t, err)
	t.Cleanup(func() { index.Close(); store.Close() })
	s := &site{t: t, store: store, registry: registry.New(registry.Config{Store: store, Blobs: blobs, Log: log, Now: time.Now, Worker: "test"})}
	s.search = search.New(search.Config{Store: store, Index: index, Log: log, Worker: "test"})
	s.auth, err = auth.New(t.Context(), store, time.Now)
	must(t, err)
	s.handler = web.New(web.Config{Registry: s.registry, Search: s.search, Auth: s.auth, BaseURL: base, Prefix: "/tools", Version: "1.2.3", Log: log})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// page asks for a page, checks what holds for all of them, and returns its text.
func (s *site) page(method, target string, form url.Values, status int) string {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	text := w.Body.String()
	if w.Code != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, target, w.Code, status, text)
	}
	s.safe(target, w.Header(), text)
	return text
}

var (
	links    = regexp.MustCompile(`(?:href|src|action|srcset|poster|data)="([^"]*)"`)
	inline   = regexp.MustCompile(`(?i)<script|<style|<iframe|<object|<embed|<base| style=| on[a-z]+="|javascript:|@import`)
	required = map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
)

// safe guards: a page may load and run only what this hub serves, has no script and no style of its own, and all
// its links stay on this hub, under its prefix.
func (s *site) safe(target string, h http.Header, text string) {
	s.t.Helper()
	for name, want := range required {
		if h.Get(name) != want {
			s.t.Errorf("%s: %s is %q, want %q", target, name, h.Get(name), want)
		}
	}
	if m := inline.FindString(text); m != "" {
		s.t.Errorf("%s has %q in it:\n%s", target, m, text)
	}
	all := links.FindAllStringSubmatch(text, -1)
	if len(all) < 3 {
		s.t.Errorf("%s has %d links; are they written otherwise?", target, len(all))
	}
	for _, m := range all {
		if !strings.HasPrefix(m[1], "/tools/") && m[1] != "data:," {
			s.t.Errorf("%s links to %q", target, m[1])
		}
	}
	for _, want := range []string{`<html lang="en">`, "<title>", `<meta name="viewport"`, "<main>", "<h1"} {
		if !strings.Contains(text, want) {
			s.t.Errorf("%s has no %s", target, want)
		}
	}
}

func has(t *testing.T, rule, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("%s: no %q in\n%s", rule, w, page)
		}
	}
}

func (s *site) publish(name, description string) {
	s.t.Helper()
	_, err := s.registry.Publish(s.t.Context(), hub.System("test"), registry.Publish{Format: hub.FormatMCP, Manifest: fmt.Appendf(nil,
		`{"name": %q, "version": "1.0.0", "title": %q, "description": %q, "license": "MIT", "servers": {"notes": {"url": "https://notes.example.com/mcp", "transport": "streamable-http"}}}`, name, description, description)})
	must(s.t, err)
}

func TestHome(t *testing.T) {
	s := newSite(t)
	has(t, "an empty hub", s.page("GET", "/", nil, 200), "<strong>0</strong> servers", "<strong>0</strong> versions", "export MCPM_REGISTRY="+base)
	s.publish("@acme/notes", "Keeps notes for an assistant.")
	has(t, "with a server", s.page("GET", "/", nil, 200), "<strong>1</strong> servers", "mcphub 1.2.3", `<label for="q">`)
	must(t, s.store.Close())
	has(t, "a lost database is told", s.page("GET", "/", nil, 503), "The hub cannot answer")
}

// TestSearchEscapes guards: whatever publishers and callers write is shown as text.
func TestSearchEscapes(t *testing.T) {
	s := newSite(t)
	evil := `<script>alert(1)</script><img src=x onerror="alert(2)">`
	s.publish("@acme/notes", "Keeps notes. "+evil)
	must(t, s.search.Reindex(t.Context()))
	page := s.page("GET", "/search?q=notes", nil, 200)
	has(t, "results", page, "1 server for", "&lt;script&gt;alert(1)&lt;/script&gt;", "mcpm install @acme/notes", `href="/tools/api/v1/servers/@acme%2Fnotes"`)
	page = s.page("GET", "/search?q="+url.QueryEscape(evil), nil, 200)
	has(t, "the query", page, "&lt;script&gt;")
	page = s.page("GET", "/search?q="+url.QueryEscape(`"><b>x`), nil, 200)
	if strings.Contains(page, "<b>x") {
		t.Errorf("the query breaks out of its attribute:\n%s", page)
	}
	has(t, "nothing found", s.page("GET", "/search?q=zzzzqqq", nil, 200), "0 servers for", "Nothing matches")
	s.page("GET", "/search", nil, 200)
	s.page("GET", "/search?q="+strings.Repeat("%C3%A4", 3000), nil, 200)
	s.page("GET", "/search?q=%ff%fe", nil, 200)
}

// TestSetup guards: a mistake keeps what was typed but the password, the link makes one administrator, and is
// gone then.
func TestSetup(t *testing.T) {
	s := newSite(t)
	token, err := s.auth.SetupToken(t.Context())
	must(t, err)
	has(t, "the form", s.page("GET", "/setup?token="+token, nil, 200), `value="`+token+`"`, `action="/tools/setup"`, `autocomplete="new-password"`)
	form := func(name, email, password string) url.Values {
		return url.Values{"token": {token}, "name": {name}, "email": {email}, "password": {password}}
	}
	page := s.page("POST", "/setup", form("boss", "boss@example.com", "short"), 422)
	has(t, "a short password", page, `value="boss"`, `value="boss@example.com"`, `value="`+token+`"`, `role="alert"`, "the password has 5 characters; it needs 10 to 256")
	if strings.Contains(page, `value="short"`) {
		t.Error("the password is sent back")
	}
	has(t, "a hostile name", s.page("POST", "/setup", form(`"><script>`, "boss@example.com", "correct horse battery"), 422), "&lt;script&gt;")
	_, err = s.auth.CreateAccount(t.Context(), hub.System("test"), auth.NewAccount{Name: "acme", Email: "acme@example.com", Password: "correct horse battery"})
	must(t, err)
	has(t, "a name that is taken", s.page("POST", "/setup", form("acme", "boss@example.com", "correct horse battery"), 422), `value="acme"`, "exists")
	has(t, "done", s.page("POST", "/setup", form("boss", "boss@example.com", "correct horse battery"), 201), "Welcome, boss", "mcpm login --user boss")
	has(t, "used, looking", s.page("GET", "/setup?token="+token, nil, 410), "This link does not work any more")
	has(t, "used, sending", s.page("POST", "/setup", form("boss2", "boss2@example.com", "correct horse battery"), 410), "This link does not work any more")
	if a, err := s.store.Account(t.Context(), "boss"); err != nil || a.Role != hub.RoleAdmin {
		t.Errorf("account %+v %v", a, err)
	}
}

func TestSetupRefuses(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{"/setup", "/setup?token=", "/setup?token=mcphs_nonsense"} {
		s.page("GET", target, nil, 410)
	}
	s.page("POST", "/setup", url.Values{"token": {"mcphs_nonsense"}, "name": {"boss"}}, 410)
	token, err := s.auth.SetupToken(t.Context())
	must(t, err)
	s.page("POST", "/setup?token="+token+"&name=boss&email=boss@example.com&password=correct+horse+battery", url.Values{}, 410) // secrets in an address are not taken
	s.page("POST", "/setup", url.Values{"token": {token}, "name": {strings.Repeat("x", 20_000)}}, 400)
	must(t, s.store.Close())
	has(t, "a lost database is told", s.page("GET", "/setup?token="+token, nil, 503), "The hub cannot answer")
}

func TestAssets(t *testing.T) {
	s := newSite(t)
	for target, status := range map[string]int{"/assets/style.css": 200, "/assets/nothing.css": 404, "/assets/../web.go": 307, "/assets/%2e%2e/web.go": 404, "/nothing": 404} {
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", target, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d", target, w.Code, status)
		}
		if status == 200 && regexp.MustCompile(`url\(|@import|https?:`).MatchString(w.Body.String()) {
			t.Errorf("%s loads something", target)
		}
	}
}
