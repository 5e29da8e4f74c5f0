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
	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web"
)

const base = "http://hub.example.com/tools"

// site is the pages under the path prefix /tools, as they come from internal/api: without it.
type site struct {
	t        testing.TB
	handler  http.Handler
	auth     *auth.Service
	registry *registry.Service
	store    *sqlstore.Store
	index    hub.Index
	search   *search.Service
	cookies  map[string]string
}

func newSite(t testing.TB) *site {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Log: log})
	must(t, err)
	blobs, err := blobstore.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	must(t, err)
	index, err := bleveindex.Open("")
	must(t, err)
	t.Cleanup(func() { index.Close(); store.Close() })
	s := &site{t: t, store: store, index: index, cookies: map[string]string{}, registry: registry.New(registry.Config{Store: store, Blobs: blobs, Log: log, Now: time.Now, Worker: "test"})}
	s.search = search.New(search.Config{Store: store, Index: index, Log: log, Worker: "test"})
	s.auth, err = auth.New(t.Context(), store, time.Now)
	must(t, err)
	s.handler = web.New(web.Config{Registry: s.registry, Search: s.search, Auth: s.auth, Cache: memcache.NewCache(4<<20, time.Now), Searches: memcache.NewCache(4<<20, time.Now), Limiter: memcache.NewLimiter(1000, time.Now),
		BaseURL: base, Prefix: "/tools", Version: "1.2.3", Log: log})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send asks as a browser does that keeps cookies.
func (s *site) send(method, target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	for name, value := range s.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(s.cookies, c.Name)
			continue
		}
		s.cookies[c.Name] = c.Value
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/tools/" || c.Secure {
			s.t.Errorf("cookie %+v", c)
		}
	}
	return w
}

// page asks for a page, checks what holds for all of them, and returns its text.
func (s *site) page(method, target string, form url.Values, status int) string {
	s.t.Helper()
	w := s.send(method, target, form)
	if w.Code != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, target, w.Code, status, w.Body)
	}
	s.safe(target, w.Header(), w.Body.String())
	return w.Body.String()
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	links    = regexp.MustCompile(`(?:href|src|action|srcset|poster|data|hx-get)="([^"]*)"`)
	scripts  = regexp.MustCompile(`<script src="/tools/assets/[a-z]+\.[0-9a-f]{12}\.js"( defer)?></script>|<script type="application/ld\+json">[^<]*</script>`)
	inline   = regexp.MustCompile(`(?i)<script|<style|<iframe|<object|<embed|<base|<[a-z][^>]* style=|<[a-z][^>]* on[a-z]+="|href="javascript:|@import|hx-on|hx-vals="js:`)
	required = map[string]string{"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": policy}
	outside  = regexp.MustCompile(`rel="(ugc )?nofollow noopener noreferrer" href="https?://|href="(vscode:mcp/install\?|cursor://anysphere\.cursor-deeplink/mcp/install\?|#)|<link rel="canonical"`)
)

// safe guards: a page may load and run only what this hub serves, has no script and no style of its own, and
// its links stay on this hub, under its prefix, unless they are marked as a publisher's.
func (s *site) safe(target string, h http.Header, text string) {
	s.t.Helper()
	for name, want := range required {
		if h.Get(name) != want {
			s.t.Errorf("%s: %s is %q, want %q", target, name, h.Get(name), want)
		}
	}
	if m := inline.FindString(scripts.ReplaceAllString(text, "")); m != "" {
		s.t.Errorf("%s has %q in it", target, m)
	}
	all := links.FindAllStringSubmatchIndex(text, -1)
	if len(all) < 10 {
		s.t.Errorf("%s has %d links; are they written otherwise?", target, len(all))
	}
	for _, m := range all {
		link := text[m[2]:m[3]]
		start := strings.LastIndexByte(text[:m[0]], '<')
		tag := text[start : m[1]+60*b2i(m[1]+60 < len(text))]
		if !strings.HasPrefix(link, "/tools/") && !outside.MatchString(tag) && !strings.Contains(tag, `rel="ugc nofollow noopener noreferrer"`) {
			s.t.Errorf("%s links to %q", target, link)
		}
	}
	for _, want := range []string{`<html lang="en">`, "<title>", `<meta name="viewport"`, `<main id="main"`, "<h1", `class="skip"`} {
		if !strings.Contains(text, want) {
			s.t.Errorf("%s has no %s", target, want)
		}
	}
	if n := strings.Count(text, "<h1"); n != 1 {
		s.t.Errorf("%s has %d h1", target, n)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if ids[m[1]] {
			s.t.Errorf("%s has the id %q twice", target, m[1])
		}
		ids[m[1]] = true
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func has(t testing.TB, rule, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("%s: no %q in\n%s", rule, w, page)
		}
	}
}

func hasNot(t testing.TB, rule, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(page, w) {
			t.Errorf("%s: %q is there", rule, w)
		}
	}
}

// publish publishes a version; more is put into its manifest.
func (s *site) publish(name, version, description, more string) {
	s.t.Helper()
	if !strings.Contains(more, `"servers"`) {
		more += `, "servers": {"notes": {"url": "https://notes.example.com/mcp", "transport": "streamable-http"}}`
	}
	_, err := s.registry.Publish(s.t.Context(), hub.System("test"), registry.Publish{Format: hub.FormatMCP, Manifest: fmt.Appendf(nil,
		`{"name": %q, "version": %q, "title": %q, "description": %q, "license": "MIT"%s}`, name, version, strings.ToUpper(hub.Name(name).Base()), description, more)})
	must(s.t, err)
}

const richServer = `, "keywords": ["sql"], "categories": ["Databases"], "repository": "https://github.com/acme/db", "homepage": "https://db.example.com",
	"permissions": {"network": {"outbound": ["db.example.com:5432"]}, "filesystem": [{"path": "${workspace}", "access": "read"}], "secrets": ["DB_URL"], "subprocess": true, "resources": {"memory": "512Mi"}},
	"configuration": {"DB_URL": {"description": "Where the database is", "required": true, "secret": true}, "LIMIT": {"type": "number", "default": "100"}},
	"dependencies": {"@acme/notes": "^1.0.0", "@elsewhere/gone": "*"},
	"servers": {"db": {"command": "npx", "args": ["-y", "@acme/db@%s"], "capabilities": {"tools": [
		{"name": "query", "description": "%s", "schema": {"type": "object", "properties": {"sql": {"type": "string", "description": "What to run"}, "mode": {"enum": ["fast", "slow"]}}, "required": ["sql"]}},
		{"name": "tables"%s}], "resources": [{"name": "schema", "uri": "db://schema"}], "prompts": [{"name": "explain"}]}}}`

// filled is a site with servers that have something of everything.
func filled(t testing.TB) *site {
	s := newSite(t)
	s.publish("@acme/notes", "1.0.0", "Keeps notes for an assistant.", `, "keywords": ["notes"]`)
	s.publish("@acme/db", "1.0.0", "Reads databases.", fmt.Sprintf(richServer, "1.0.0", "Runs a query.", ""))
	s.publish("@acme/db", "1.1.0", "Reads and writes databases.", fmt.Sprintf(richServer, "1.1.0", "Runs any query, hidden \u200bthing.", `}, {"name": "drop"`))
	s.publish("io.github.someone/a-very-long-name-that-goes-on-and-on.and-on_with-separators-until-it-is-as-long-as-the-rules-allow-i", "0.1.0-beta.1", strings.TrimSpace(strings.Repeat("Long words everywhere. ", 40)), "")
	must(t, s.search.Reindex(t.Context()))
	return s
}
