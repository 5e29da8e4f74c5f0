package web_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/source"
)

func TestHome(t *testing.T) {
	s := newSite(t)
	has(t, "an empty hub", s.page("GET", "/", nil, 200), "<strong>0</strong> servers", "This hub is empty", "export MCPM_REGISTRY="+base)
	s.publish("@acme/notes", "1.0.0", "Keeps notes for an assistant.", "")
	has(t, "with a server", s.page("GET", "/", nil, 200), "<strong>1</strong> server<", "mcphub 1.2.3", `<label class="sr-only" for="q">`, "Best described", "NOTES", "/tools/start/cursor")
	must(t, s.registry.Feature(t.Context(), hub.System("test"), []string{"@acme/notes"}))
	has(t, "with a choice", s.page("GET", "/", nil, 200), ">Featured<")
	must(t, s.store.Close())
	has(t, "a lost database is told", s.page("GET", "/?page=2", nil, 503), "The hub cannot answer")
}

// TestSearchEscapes guards: whatever publishers and callers write is shown as text.
func TestSearchEscapes(t *testing.T) {
	s := newSite(t)
	evil := `<script>alert(1)</script><img src=x onerror="alert(2)">`
	s.publish("@acme/notes", "1.0.0", "Keeps notes. "+evil, `, "keywords": ["<b>x</b>"], "servers": {"x": {"url": "https://x.example", "capabilities": {"tools": [{"name": "</script><b>", "description": "<i>y</i>"}]}}}`)
	must(t, s.search.Reindex(t.Context()))
	page := s.page("GET", "/search?q=notes", nil, 200)
	has(t, "results", page, "1 server<", "&lt;script&gt;alert(1)&lt;/script&gt;", "mcpm install @acme/notes", `href="/tools/servers/@acme/notes"`, "matched: name, title, description")
	for _, tab := range []string{"", "/capabilities", "/documentation", "/security", "/versions", "/dependencies"} {
		hasNot(t, "tab "+tab, s.page("GET", "/servers/@acme/notes"+tab, nil, 200), "<b>", "<i>", "onerror=\"")
	}
	has(t, "the query", s.page("GET", "/search?q="+url.QueryEscape(evil), nil, 200), "&lt;script&gt;")
	hasNot(t, "the query in an attribute", s.page("GET", "/search?q="+url.QueryEscape(`"><b>x`), nil, 200), "<b>x")
	for _, target := range []string{"/nothing%3Cb%3E", "/docs/%3Cb%3E", "/start/%22%3E%3Cb%3E", "/publishers/@%3Cb%3E", "/servers/%3Cb%3E/x", "/categories/%3Cb%3E", "/capabilities/tool/%3Cb%3E"} {
		hasNot(t, target, s.page("GET", target, nil, 404), "<b>")
	}
	has(t, "nothing found", s.page("GET", "/search?q=zzzzqqq", nil, 200), "0 servers", "Nothing matches")
	has(t, "with a filter", s.page("GET", "/search?q=zzzzqqq&package=npm", nil, 200), "Without “Package: npm”", `href="/tools/search?q=zzzzqqq"`)
	s.page("GET", "/search?q="+strings.Repeat("%C3%A4", 3000), nil, 200)
	s.page("GET", "/search?q=notes&page=999999", nil, 200)
	if w := s.send("GET", "/search?q=%ff%fe", nil); w.Code != 303 {
		t.Errorf("a query of no text: %d", w.Code)
	}
}

// TestMarkdown guards: what is one line of text shows no marks of Markdown.
func TestMarkdown(t *testing.T) {
	s := newSite(t)
	s.publish("@acme/orm", "1.0.0", "A **next-generation ORM** for [databases](https://x.example/).", "")
	must(t, s.search.Reindex(t.Context()))
	for _, target := range []string{"/", "/search?q=databases", "/search?q=orm", "/servers", "/servers/@acme/orm", "/feed.atom"} {
		page := s.send("GET", target, nil).Body.String()
		hasNot(t, target, page, "**", "](", "x.example/)")
		has(t, target, page, "next-")
	}
}

func TestServer(t *testing.T) {
	s := filled(t)
	page := s.page("GET", "/servers/@acme/db", nil, 200)
	has(t, "overview", page, "1.1.0", "mcpm install @acme/db", "It may open connections to db.example.com:5432 only.", "It wants the secrets DB_URL.", "It may start other programs.",
		"2 values, 1 required", `rel="nofollow noopener noreferrer" href="https://github.com/acme/db"`, `"@type":"SoftwareApplication"`, `property="og:image" content="`+base+`/servers/@acme/db/card.png"`,
		"1 hidden character", "published here", "&#34;mcpServers&#34;")
	has(t, "another host", s.page("GET", "/servers/@acme/db?host=vscode", nil, 200), "Add to VS Code", `href="vscode:mcp/install?%7B%22args%22:%5B%22run%22%2C%22@acme%2Fdb%22%5D`)
	has(t, "and another", s.page("GET", "/servers/@acme/db?host=cursor", nil, 200), `href="cursor://anysphere.cursor-deeplink/mcp/install?name=db&amp;config=`)
	has(t, "one in YAML", s.page("GET", "/servers/@acme/db?host=goose", nil, 200), "extensions:\n  db:\n", `id="use-Goose" href="/tools/servers/@acme/db?host=goose#use" aria-current`, "more applications")
	has(t, "one in TOML", s.page("GET", "/start/codex", nil, 200), "[mcp_servers.weather]", "http_headers = { Authorization", `href="/tools/start/tome"`)
	page = s.page("GET", "/servers/@acme/db/capabilities", nil, 200)
	has(t, "capabilities", page, `<span class="hid" title="a character that cannot be seen">U+200B</span>`, "What to run", "one of fast and slow", "db://schema", "Inputs of query")
	has(t, "documentation", s.page("GET", "/servers/@acme/db/documentation", nil, 200), "Where the database is", "secret", "curl "+base+"/api/v1/servers/@acme%2Fdb")
	has(t, "versions", s.page("GET", "/servers/@acme/db/versions", nil, 200), "2 versions", "/servers/@acme/db/v/1.0.0", "compare?from=1.0.0&amp;to=1.1.0")
	page = s.page("GET", "/servers/@acme/db/dependencies", nil, 200)
	has(t, "dependencies", page, "@elsewhere/gone", "not on this hub", "^1.0.0", `<svg class="graph"`)
	has(t, "dependents", s.page("GET", "/servers/@acme/notes/dependencies", nil, 200), "@acme/<wbr>db")
	has(t, "an old version", s.page("GET", "/servers/@acme/db/v/1.0.0", nil, 200), "You are looking at version 1.0.0", "mcpm install @acme/db@1.0.0")
	page = s.page("GET", "/servers/@acme/db/compare?from=1.0.0&to=1.1.0", nil, 200)
	has(t, "compare", page, "drop", "<ins>", "<del>", "added", "command: npx -y @acme/db@1.1.0 over stdio")
	has(t, "compare with itself", s.page("GET", "/servers/@acme/db/compare?from=1.0.0&to=1.0.0", nil, 200), "Nothing that is declared differs")
	s.page("GET", "/servers/@acme/notes/compare", nil, 404)
	s.page("GET", "/servers/@acme/db/v/9.9.9", nil, 404)
	has(t, "no such server", s.page("GET", "/servers/@acme/bd", nil, 404), "Where to go from here")
	has(t, "near names", s.page("GET", "/servers/@acme/note", nil, 404), "Perhaps one of these", "NOTES")
	s.page("GET", "/servers/@acme/db/nothing", nil, 404)
}

// TestBareCapabilities guards: what has only a name is not offered to be opened.
func TestBareCapabilities(t *testing.T) {
	s := newSite(t)
	s.publish("@acme/bare", "1.0.0", "Says little of itself.", `, "servers": {"x": {"url": "https://x.example", "capabilities": {"tools": ["read", "write"]}}}`)
	s.publish("@acme/half", "1.0.0", "Says more of itself.", `, "servers": {"x": {"url": "https://x.example", "capabilities": {"tools": ["read", {"name": "write", "description": "Writes."}]}}}`)
	bare := s.page("GET", "/servers/@acme/bare/capabilities", nil, 200)
	has(t, "only names", bare, `<div class="cap bare" id="tool-read">`, "Only their names are declared")
	hasNot(t, "only names", bare, "<details", "It is not described")
	hasNot(t, "the overview", s.page("GET", "/servers/@acme/bare", nil, 200), "Inputs and descriptions")
	half := s.page("GET", "/servers/@acme/half/capabilities", nil, 200)
	has(t, "one is described", half, `<div class="cap bare" id="tool-read">`, `<details class="cap" id="tool-write">`)
	hasNot(t, "one is described", half, "Only their names")
}

// TestCopiedVersions guards: versions that were copied in any order stand by their numbers, each is compared with the
// one below it, and the time of the copy is called that.
func TestCopiedVersions(t *testing.T) {
	s := newSite(t)
	var list []string
	for _, v := range []string{"2.0.0", "1.0.0", "1.10.0", "1.9.0"} {
		list = append(list, fmt.Sprintf(`{"server": {"name": "io.github.acme/db", "description": "Reads databases.", "version": %q, "remotes": [{"type": "streamable-http", "url": "https://db.example.com/mcp"}]}}`, v))
	}
	file := filepath.Join(t.TempDir(), "list.json")
	must(t, os.WriteFile(file, []byte(`{"servers": [`+strings.Join(list, ",")+`]}`), 0o600))
	entries, err := source.ReadCatalog(file, "official")
	must(t, err)
	_, err = s.registry.Import(t.Context(), hub.System("test"), entries)
	must(t, err)
	page := s.page("GET", "/servers/io.github.acme/db/versions", nil, 200)
	has(t, "the order", page, "highest first", "compare?from=1.0.0&amp;to=1.9.0", "compare?from=1.9.0&amp;to=1.10.0", "compare?from=1.10.0&amp;to=2.0.0", "copied ")
	var at []int
	for _, v := range []string{"2.0.0", "1.10.0", "1.9.0", "1.0.0"} {
		at = append(at, strings.Index(page, `/v/`+v+`">`))
	}
	if at[0] < 0 || !slices.IsSorted(at) {
		t.Errorf("the versions are at %v", at)
	}
	if page := s.page("GET", "/servers/io.github.acme/db", nil, 200); !regexp.MustCompile(`copied\s+<time`).MatchString(page) || regexp.MustCompile(`published\s+<time`).MatchString(page) {
		t.Error("nobody knows when it was published, and the page does not say that it was copied")
	}
	has(t, "comparing", s.page("GET", "/servers/io.github.acme/db/compare", nil, 200), "What changed from 1.10.0 to 2.0.0")
	s.publish("@acme/db", "1.0.0", "Reads databases.", "")
	s.publish("@acme/db", "2.0.0", "Reads databases.", "")
	s.publish("@acme/db", "1.0.1", "Reads databases.", "")
	has(t, "a repair of an old version", s.page("GET", "/servers/@acme/db/versions", nil, 200), "compare?from=1.0.0&amp;to=1.0.1", "compare?from=1.0.1&amp;to=2.0.0")
}

// TestSpellings guards: each server has one address; the others lead there.
func TestSpellings(t *testing.T) {
	s := filled(t)
	for target, want := range map[string]string{
		"/servers/acme/db": "/tools/servers/@acme/db", "/servers/acme/db/security?x=1": "/tools/servers/@acme/db/security?x=1", "/servers/@acme%2Fdb": "/tools/servers/@acme/db",
		"/servers/acme/db/v/1.0.0/versions": "/tools/servers/@acme/db/v/1.0.0/versions", "/servers/acme": "/tools/publishers/acme", "/publishers/acme": "/tools/publishers/@acme",
		"/servers/acme/db/compare?from=1.0.0": "/tools/servers/@acme/db/compare?from=1.0.0", "/search": "/tools/servers", "/servers?package=npm": "/tools/search?package=npm", "/search?publisher=acme": "/tools/publishers/acme",
	} {
		if w := s.send("GET", target, nil); w.Code < 300 || w.Code > 399 || w.Header().Get("Location") != want {
			t.Errorf("%s: %d %s, want %s", target, w.Code, w.Header().Get("Location"), want)
		}
	}
	for _, target := range []string{"//evil.example/x", "/servers//x", "/docs/../x", "/servers/../../etc"} {
		if w := s.send("GET", "http://hub.example.com"+target, nil); w.Code != 404 {
			t.Errorf("%s: %d %s", target, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestStates(t *testing.T) {
	s := filled(t)
	change := func(name, version string, c registry.Change) {
		_, err := s.registry.ChangeState(t.Context(), hub.System("test"), name, version, c)
		must(t, err)
	}
	change("@acme/notes", "1.0.0", registry.Change{To: hub.Deprecated, Message: "moved to @acme/db", Replacement: "@acme/db"})
	has(t, "deprecated", s.page("GET", "/servers/@acme/notes", nil, 200), "Deprecated.", "Moved to", `href="/tools/servers/@acme/db">@acme/db</a> instead`)
	change("@acme/db", "1.1.0", registry.Change{To: hub.Yanked, Message: "it deletes too much"})
	has(t, "yanked", s.page("GET", "/servers/@acme/db/v/1.1.0", nil, 200), "Yanked.", "It deletes too much.")
	has(t, "the latest is another", s.page("GET", "/servers/@acme/db", nil, 200), `data-copy="mcpm install @acme/db"`)
	has(t, "the security centre", s.page("GET", "/security", nil, 200), "It deletes too much.")
	change("@acme/db", "1.0.0", registry.Change{To: hub.Quarantined, Message: "it phones home"})
	has(t, "quarantined", s.page("GET", "/servers/@acme/db/v/1.0.0", nil, 200), "Quarantined.", "It phones home.")
	change("@acme/notes", "1.0.0", registry.Change{To: hub.Unpublished, Message: "a mistake"})
	has(t, "unpublished", s.page("GET", "/servers/@acme/notes", nil, 410), "It was taken back", "a mistake", "unpublished by its owner on 20")
	has(t, "the feed", s.send("GET", "/feeds/security.atom", nil).Body.String(), "@acme/notes 1.0.0 was unpublished", "@acme/db 1.0.0 was quarantined")
}

// TestCrawl guards: every link on every page that can be reached from the first one works, and no page is heavy.
func TestCrawl(t *testing.T) {
	s := filled(t)
	weights := map[string]int{}
	for _, m := range links.FindAllStringSubmatch(s.page("GET", "/", nil, 200), -1) {
		if path, ok := strings.CutPrefix(m[1], "/tools"); ok && strings.HasPrefix(path, "/assets/") && !strings.HasSuffix(path, ".txt") {
			weights[path] = s.send("GET", path, nil, "Accept-Encoding", "gzip").Body.Len()
		}
	}
	assets := 0
	for _, n := range weights {
		assets += n
	}
	elsewhere := regexp.MustCompile(`^/(docs/api|openapi\.json|v0\.1/servers|assets/|suggest)`)
	seen := map[string]bool{"/": true}
	queue := []string{"/", "/setup", "/login"}
	html5 := 0
	for len(queue) > 0 {
		target := queue[0]
		queue = queue[1:]
		w := s.send("GET", target, nil)
		if w.Code >= 400 && target != "/setup" {
			t.Errorf("%s: %d", target, w.Code)
			continue
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		if html5++; html5 > 2000 {
			t.Fatal("the pages have no end")
		}
		text := w.Body.String()
		s.safe(target, w.Header(), text)
		if total := assets + len(text); total > 150<<10 {
			t.Errorf("%s weighs %d bytes", target, total)
		}
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			path, ok := strings.CutPrefix(html.UnescapeString(m[1]), "/tools")
			path, _, _ = strings.Cut(path, "#")
			if ok && path != "" && !seen[path] && !elsewhere.MatchString(path) && path != "/logout" && (!strings.Contains(path, "&") || strings.Contains(path, "/compare?")) {
				seen[path] = true
				queue = append(queue, path)
			}
		}
	}
	if html5 < 60 {
		t.Errorf("only %d pages were reached", html5)
	}
	for _, path := range []string{"/search", "/servers/@acme/db/compare?from=1.0.0&to=1.1.0", "/docs/cli", "/start/cursor", "/categories/data", "/capabilities/tool/query", "/publishers/@acme", "/feed.atom"} {
		if !seen[path] {
			t.Errorf("nothing links to %s", path)
		}
	}
	t.Logf("%d pages, assets %d bytes compressed", html5, assets)
}

// TestAnchors guards: a link to a place in a page of the manual finds that place.
func TestAnchors(t *testing.T) {
	s := newSite(t)
	for _, m := range regexp.MustCompile(`href="/tools(/docs/[a-z-]+)"`).FindAllStringSubmatch(s.page("GET", "/docs", nil, 200), -1) {
		if m[1] == "/docs/api" {
			continue
		}
		text := s.page("GET", m[1], nil, 200)
		for _, a := range regexp.MustCompile(`href="(?:/tools(/docs/[a-z-]+))?#([^"]+)"`).FindAllStringSubmatch(text, -1) {
			on := text
			if a[1] != "" {
				on = s.page("GET", a[1], nil, 200)
			}
			if !strings.Contains(on, ` id="`+a[2]+`"`) {
				t.Errorf("%s links to %s#%s", m[1], a[1], a[2])
			}
		}
	}
	has(t, "searching the manual", s.page("GET", "/docs?q=lockfile", nil, 200), "places for “lockfile”")
	has(t, "finding nothing", s.page("GET", "/docs?q=zzzqqq", nil, 200), "0 places")
}

func TestMachines(t *testing.T) {
	s := filled(t)
	for _, target := range []string{"/feed.atom", "/feeds/new.atom", "/feeds/security.atom", "/servers/@acme/db/versions.atom", "/sitemap.xml", "/sitemaps/pages.xml", "/sitemaps/1.xml", "/opensearch.xml", "/servers/@acme/db/badge/version.svg", "/servers/@acme/db/badge/tools.svg", "/servers/@acme/db/badge/installs.svg", "/servers/@acme/db/badge/score.svg"} {
		w := s.send("GET", target, nil)
		if err := xml.Unmarshal(w.Body.Bytes(), new(struct{})); w.Code != 200 || err != nil {
			t.Errorf("%s: %d %v", target, w.Code, err)
		}
	}
	has(t, "site map", s.send("GET", "/sitemaps/1.xml", nil).Body.String(), base+"/servers/@acme/db", "<lastmod>20")
	has(t, "robots", s.send("GET", "/robots.txt", nil).Body.String(), "Sitemap: "+base+"/sitemap.xml", "Disallow: /tools/search")
	for _, target := range []string{"/card.png", "/servers/@acme/db/card.png"} {
		w := s.send("GET", target, nil)
		if _, err := png.Decode(w.Body); w.Code != 200 || w.Header().Get("Content-Type") != "image/png" || err != nil {
			t.Errorf("%s: %d %v", target, w.Code, err)
		}
	}
	for _, target := range []string{"/feeds/x.atom", "/sitemaps/0.xml", "/sitemaps/9.xml", "/sitemaps/x.xml", "/servers/@acme/db/badge/x.svg", "/servers/@acme/none/card.png"} {
		s.page("GET", target, nil, 404)
	}
	has(t, "suggestions", s.send("GET", "/suggest?q=db", nil).Body.String(), `<option value="@acme/db">`)
	if w := s.send("GET", "/suggest?q=d", nil); w.Code != 200 || w.Body.Len() > 2 {
		t.Errorf("one letter suggests %q", w.Body)
	}
}

// TestKept guards: a page is answered from memory until something changes, and not to those who are signed in.
func TestKept(t *testing.T) {
	s := filled(t)
	first := s.send("GET", "/servers/@acme/db", nil)
	tag := first.Header().Get("ETag")
	again := s.send("GET", "/servers/@acme/db", nil, "Accept-Encoding", "gzip")
	if tag == "" || again.Header().Get("ETag") != tag || again.Header().Get("Content-Encoding") != "gzip" || again.Body.Len() >= first.Body.Len() {
		t.Errorf("%q and %q, %d and %d bytes", tag, again.Header().Get("ETag"), first.Body.Len(), again.Body.Len())
	}
	if w := s.send("GET", "/servers/@acme/db", nil, "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("the same page again: %d", w.Code)
	}
	s.publish("@acme/db", "1.2.0", "Reads databases.", "")
	has(t, "after a change", s.page("GET", "/servers/@acme/db", nil, 200), "1.2.0")
	if cc := first.Header().Get("Cache-Control"); !strings.HasPrefix(cc, "public, max-age=30") || !slices.Contains(first.Header().Values("Vary"), "Cookie") {
		t.Errorf("%q %v", cc, first.Header().Values("Vary"))
	}
}

// TestKeptApart guards: what an address says beside its path makes another page, each value of it; what means
// nothing does not.
func TestKeptApart(t *testing.T) {
	s := newSite(t)
	s.publish("@acme/db", "1.0.0", "Reads databases.", "")
	seen := map[string]string{}
	for _, query := range []string{"", "&exact=1", "&sort=name", "&license=MIT", "&license=MIT&license=Apache-2.0", "&language=python",
		"&publisher=acme", "&permission=network", "&tool=query", "&host=cursor"} {
		page := s.page("GET", "/search?q=databasse"+query, nil, 200)
		if other, ok := seen[page]; ok {
			t.Errorf("%q and %q are one page", query, other)
		}
		seen[page] = query
	}
	if page := s.page("GET", "/search?q=databasse&utm_source=mail", nil, 200); seen[page] != "" {
		t.Errorf("a parameter that means nothing makes the page of %q", seen[page])
	}
}
