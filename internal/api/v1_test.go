package api_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

func mcpJSON(name, version string) string {
	return fmt.Sprintf(`{
  // comments are welcome
  "name": %q, "version": %q, "title": "Weather", "license": "MIT",
  "description": "Tells the weather of a place, today and for the days to come.",
  "servers": {"weather": {"transport": "stdio", "command": "bin/weather", "args": ["--units", "metric"],
    "capabilities": {"tools": ["forecast", {"name": "now", "description": "The weather now", "inputSchema": {"type": "object"}}], "prompts": ["packing-list"]}}}
}`, name, version)
}

func targz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for name, text := range files {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, err := w.Write([]byte(text))
		must(t, err)
	}
	must(t, w.Close())
	must(t, zip.Close())
	return b.Bytes()
}

// publish sends a form; a nil bundle sends none.
func (h *hubUnderTest) publish(name, token, manifest string, bundle []byte, digest string, header ...string) *reply {
	h.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormField("manifest")
	must(h.t, err)
	_, err = part.Write([]byte(manifest))
	must(h.t, err)
	if bundle != nil {
		head := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="bundle"; filename="b.tgz"`}, "Content-Type": {"application/gzip"}}
		if digest != "" {
			head.Set("Content-Digest", digest)
		}
		part, err = w.CreatePart(head)
		must(h.t, err)
		_, err = part.Write(bundle)
		must(h.t, err)
	}
	must(h.t, w.Close())
	return h.do("POST", "/api/v1/servers/"+url.PathEscape(name)+"/versions", token, b.Bytes(), append(header, "Content-Type", w.FormDataContentType())...)
}

func contentDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// settled follows a publish to its end.
func (h *hubUnderTest) settled(name, version, token string) map[string]any {
	h.t.Helper()
	for range 200 {
		m := h.do("GET", "/api/v1/servers/"+url.PathEscape(name)+"/versions/"+version+"/publication", token, nil).want(h.t, 200).json(h.t)
		if s := hub.State(m["state"].(string)); !s.Pending() {
			return m
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Fatalf("%s %s never settled", name, version)
	return nil
}

func TestPublishWithBundle(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	manifest := mcpJSON("@acme/weather", "1.0.0")
	archive := targz(t, map[string]string{"mcp.json": manifest, "bin/weather": "#!/bin/sh\n", "README.md": "# Weather"})
	h.publish("@acme/weather", token, manifest, nil, "").want(t, 422) // its command is a file of its own
	h.publish("@acme/weather", token, manifest, archive, "sha-256=:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+":").want(t, 422)
	h.publish("@acme/weather", token, manifest, archive, contentDigest(archive)).want(t, 202)
	m := h.settled("@acme/weather", "1.0.0", token)
	if m["state"] != "published" {
		t.Fatalf("publication: %v", m)
	}
	var states []string
	for _, s := range m["stages"].([]any) {
		states = append(states, s.(map[string]any)["state"].(string))
	}
	if got := strings.Join(states, " "); got != "submitted validating scanning published" {
		t.Errorf("stages: %s", got)
	}
	d := h.do("GET", "/api/v1/servers/%40acme%2Fweather/versions/latest", "", nil).want(t, 200).json(t)
	if d["name"] != "@acme/weather" || d["tools"].(float64) != 2 || d["prompts"].(float64) != 1 || d["readme"] != "# Weather" {
		t.Errorf("version: %v", d)
	}
	r := h.do("GET", "/api/v1/servers/acme%2Fweather/versions/1.0.0", "", nil).want(t, 200)
	var raw struct {
		Manifest json.RawMessage `json:"manifest"`
		Digest   string          `json:"manifestDigest"`
	}
	must(t, json.Unmarshal(r.body, &raw))
	if got := trust.SHA256(raw.Manifest); got != raw.Digest {
		t.Errorf("the manifest's bytes have digest %s, not %s", got, raw.Digest)
	}
	b := h.do("GET", "/api/v1/servers/%40acme%2Fweather/bundle/1.0.0", "", nil).want(t, 200)
	if !bytes.Equal(b.body, archive) || !strings.Contains(b.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("bundle: %d bytes of %d, %v", len(b.body), len(archive), b.Header)
	}
	part := h.do("GET", "/api/v1/servers/%40acme%2Fweather/bundle/1.0.0", "", nil, "Range", "bytes=10-19").want(t, 206)
	if !bytes.Equal(part.body, archive[10:20]) {
		t.Errorf("range: %x", part.body)
	}
	h.do("GET", "/api/v1/servers/%40acme%2Fweather/bundle/1.0.0", "", nil, "If-None-Match", b.Header.Get("ETag")).want(t, 304)
}

func TestPublishRejectsBadBundles(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	manifest := mcpJSON("@acme/weather", "1.0.0")
	for rule, files := range map[string]map[string]string{
		"no mcp.json in it":      {"bin/weather": "x"},
		"another mcp.json in it": {"mcp.json": mcpJSON("@acme/weather", "1.0.1")},
		"a path that escapes":    {"mcp.json": manifest, "../evil": "x"},
	} {
		archive := targz(t, files)
		h.publish("@acme/weather", token, manifest, archive, contentDigest(archive)).want(t, 202)
		if m := h.settled("@acme/weather", "1.0.0", token); m["state"] != "rejected" || m["message"] == "" {
			t.Errorf("%s: %v", rule, m)
		}
	}
	h.do("GET", "/api/v1/servers/%40acme%2Fweather", "", nil).want(t, 404)
	if got, _ := items(t, h.do("GET", "/v0.1/servers", "", nil).want(t, 200).json(t)); len(got) != 0 {
		t.Errorf("a rejected version is listed: %v", got)
	}
	archive := targz(t, map[string]string{"mcp.json": manifest, "bin/weather": "x"})
	h.publish("@acme/weather", token, manifest, archive, contentDigest(archive)).want(t, 202)
	if m := h.settled("@acme/weather", "1.0.0", token); m["state"] != "published" {
		t.Errorf("a rejected number can be used again: %v", m)
	}
}

func TestIdempotencyKey(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	manifest := mcpJSON("@acme/weather", "1.0.0")
	archive := targz(t, map[string]string{"mcp.json": manifest, "bin/weather": "x"})
	one := h.publish("@acme/weather", token, manifest, archive, contentDigest(archive), "Idempotency-Key", "abc").want(t, 202)
	two := h.publish("@acme/weather", token, manifest, archive, contentDigest(archive), "Idempotency-Key", "abc").want(t, 202)
	if !bytes.Equal(one.body, two.body) {
		t.Errorf("two answers under one key:\n%s\n%s", one.body, two.body)
	}
	h.publish("@acme/weather", token, mcpJSON("@acme/weather", "1.0.1"), archive, contentDigest(archive), "Idempotency-Key", "abc").want(t, 422)
	h.settled("@acme/weather", "1.0.0", token)
	h.publish("@acme/weather", token, manifest, archive, contentDigest(archive)).want(t, 409)
	h.publish("@acme/weather", token, manifest, archive, contentDigest(archive), "Idempotency-Key", "def").want(t, 409)
}

func TestWithdraw(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	reader := h.account("reader", hub.RoleUser, hub.ScopeRead)
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		manifest := mcpJSON("@acme/weather", v)
		archive := targz(t, map[string]string{"mcp.json": manifest, "bin/weather": "x"})
		h.publish("@acme/weather", token, manifest, archive, "").want(t, 202)
		h.settled("@acme/weather", v, token)
	}
	base := "/api/v1/servers/%40acme%2Fweather"
	h.do("DELETE", base+"/versions/1.0.0", "", nil).want(t, 401)
	h.do("DELETE", base+"/versions/1.0.0", reader, nil).want(t, 403)
	m := h.do("DELETE", base+"/versions/1.0.0?message=old", token, nil).want(t, 200).json(t)
	if m["state"] != "deprecated" || m["message"] != "old" {
		t.Errorf("deprecate: %v", m)
	}
	h.do("DELETE", base+"/versions/1.2.0?yank=true&message=broken", token, nil).want(t, 200)
	if v := h.do("GET", base, "", nil).want(t, 200).json(t)["version"]; v != "1.1.0" {
		t.Errorf("latest after a yank: %v", v)
	}
	h.do("GET", base+"/bundle/1.2.0", "", nil).want(t, 200) // lock holders still get it
	h.do("DELETE", base+"/versions/1.1.0?unpublish=true", token, nil).want(t, 200)
	h.do("GET", base+"/versions/1.1.0", "", nil).want(t, 410)
	h.do("GET", base+"/bundle/1.1.0", "", nil).want(t, 410)
	manifest := mcpJSON("@acme/weather", "1.1.0")
	h.publish("@acme/weather", token, manifest, targz(t, map[string]string{"mcp.json": manifest}), "", "Idempotency-Key", "again").want(t, 409)
	h.do("PUT", base+"/tags/beta", token, map[string]any{"version": "1.0.0"}).want(t, 200)
	if v := h.do("GET", base+"/versions/beta", "", nil).want(t, 200).json(t)["version"]; v != "1.0.0" {
		t.Errorf("dist-tag: %v", v)
	}
	h.do("PUT", base+"/tags/latest", token, map[string]any{"version": "1.0.0"}).want(t, 422)
}

func TestAccounts(t *testing.T) {
	h := newHub(t, nil)
	h.account("acme", hub.RoleUser, hub.ScopePublish)
	h.do("POST", "/api/v1/auth/login", "", map[string]any{"user": "acme", "password": "wrong horse"}).want(t, 401)
	h.do("POST", "/api/v1/auth/login", "", map[string]any{"user": "nobody", "password": "wrong horse"}).want(t, 401)
	s := h.do("POST", "/api/v1/auth/login", "", map[string]any{"user": "ACME@example.com", "password": "correct horse battery"}).want(t, 200).json(t)
	access, refresh := s["accessToken"].(string), s["refreshToken"].(string)
	me := h.do("GET", "/api/v1/me", access, nil).want(t, 200).json(t)
	if me["name"] != "acme" || fmt.Sprint(me["namespaces"]) != "[@acme]" {
		t.Errorf("me: %v", me)
	}
	h.do("GET", "/api/v1/me", "", nil).want(t, 401)
	h.do("GET", "/api/v1/me", "mcph_nonsense", nil).want(t, 401)
	k := h.do("POST", "/api/v1/keys", access, map[string]any{"name": "ci", "scopes": []string{"publish"}}).want(t, 201).json(t)
	secret, id := k["secret"].(string), k["id"].(string)
	if !strings.HasPrefix(secret, "mcph_") {
		t.Errorf("secret %q", secret)
	}
	list := h.do("GET", "/api/v1/keys", secret, nil).want(t, 200)
	if strings.Contains(string(list.body), secret) || len(list.json(t)["keys"].([]any)) != 1 { // a key sees only itself
		t.Errorf("keys: %s", list.body)
	}
	h.do("POST", "/api/v1/keys", secret, map[string]any{"name": "more"}).want(t, 403)
	h.do("POST", "/api/v1/keys", access, map[string]any{"name": "ci", "scopes": []string{"admin"}}).want(t, 403)
	h.do("DELETE", "/api/v1/keys/"+id, access, nil).want(t, 204)
	h.do("GET", "/api/v1/me", secret, nil).want(t, 401)

	next := h.do("POST", "/api/v1/auth/token", "", map[string]any{"refreshToken": refresh}).want(t, 200).json(t)
	h.do("POST", "/api/v1/auth/token", "", map[string]any{"refreshToken": refresh}).want(t, 401) // stolen: the login ends
	h.do("POST", "/api/v1/auth/token", "", map[string]any{"refreshToken": next["refreshToken"]}).want(t, 401)
}

func TestListSearchAndConfig(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	for i := range 5 {
		h.do("POST", "/v0.1/publish", token, serverJSON(fmt.Sprintf("%sweather-%d", anonymous, i), "1.0.0")).want(t, 200)
	}
	seen := map[string]bool{}
	path := "/api/v1/servers?limit=2&sort=updated&package=npm"
	for range 5 {
		m := h.do("GET", path, "", nil).want(t, 200).json(t)
		for _, s := range m["servers"].([]any) {
			name := s.(map[string]any)["name"].(string)
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
		}
		// what is published between two pages must not disturb them
		h.do("POST", "/v0.1/publish", token, serverJSON(fmt.Sprintf("%snew-%d", anonymous, len(seen)), "1.0.0")).want(t, 200)
		next, _ := m["nextCursor"].(string)
		if next == "" {
			break
		}
		path = "/api/v1/servers?limit=2&cursor=" + next
	}
	if len(seen) != 5 {
		t.Errorf("pages brought %d servers, want the 5 that were there at first: %v", len(seen), seen)
	}
	var total float64
	for range 100 { // the index follows the store
		m := h.do("GET", "/api/v1/search?q=weather+place", "", nil).want(t, 200).json(t)
		if total = m["total"].(float64); total >= 5 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if total < 5 {
		t.Errorf("search finds %v", total)
	}
	h.do("GET", "/api/v1/config/cursor", "", nil).want(t, 200)
	h.do("GET", "/api/v1/config/emacs", "", nil).want(t, 404)
	c := h.do("GET", "/api/v1/servers/"+url.PathEscape(anonymous+"weather-1")+"/config?host=vscode", "", nil)
	if c.want(t, 200).json(t)["config"].(map[string]any)["servers"] == nil {
		t.Errorf("config: %s", c.body)
	}
	goose := h.do("GET", "/api/v1/servers/"+url.PathEscape(anonymous+"weather-1")+"/config?host=goose", "", nil).want(t, 200).json(t)
	if text := goose["text"].(string); goose["config"].(map[string]any)["extensions"] == nil || !strings.HasPrefix(text, "extensions:\n  weather-1:\n    name: weather-1\n") {
		t.Errorf("config of a host with YAML: %v", goose)
	}
	codex := h.do("GET", "/api/v1/config/codex", "", nil).want(t, 200).json(t)
	if codex["example"].(map[string]any)["mcp_servers"] == nil || !strings.HasPrefix(codex["text"].(string), "[mcp_servers.weather]\n") || codex["format"] != "toml" {
		t.Errorf("shape of a host with TOML: %v", codex)
	}
	if all := h.do("GET", "/api/v1/config", "", nil).want(t, 200).json(t)["hosts"].([]any); len(all) < 35 {
		t.Errorf("%d hosts", len(all))
	}
	h.do("GET", "/api/v1/capabilities?type=tool", "", nil).want(t, 200)
}

func TestAnswersAreKeptAndRenewed(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	name := anonymous + "weather"
	h.do("POST", "/v0.1/publish", token, serverJSON(name, "1.0.0")).want(t, 200)
	one := h.do("GET", "/v0.1/servers", "", nil).want(t, 200)
	two := h.do("GET", "/v0.1/servers", "", nil).want(t, 200)
	if !bytes.Equal(one.body, two.body) || one.Header.Get("ETag") == "" || one.Header.Get("ETag") != two.Header.Get("ETag") {
		t.Errorf("the kept answer differs: %v %v", one.Header, two.Header)
	}
	h.do("GET", "/v0.1/servers", "", nil, "If-None-Match", one.Header.Get("ETag")).want(t, 304)
	h.do("POST", "/v0.1/publish", token, serverJSON(name, "2.0.0")).want(t, 200)
	if got, _ := items(t, h.do("GET", "/v0.1/servers", "", nil, "If-None-Match", one.Header.Get("ETag")).want(t, 200).json(t)); len(got) != 2 {
		t.Errorf("a publish is not seen at once: %v", got)
	}
}

func TestRateLimitAndHealth(t *testing.T) {
	h := newHub(t, func(c *api.Config) { c.RateLimit = 3 })
	for range 3 {
		r := h.do("GET", "/v0.1/ping", "", nil).want(t, 200)
		if r.Header.Get("RateLimit-Limit") != "3" {
			t.Errorf("headers: %v", r.Header)
		}
	}
	r := h.do("GET", "/v0.1/ping", "", nil).want(t, 429)
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	h.do("GET", "/healthz", "", nil).want(t, 200)
	if m := h.do("GET", "/readyz", "", nil).want(t, 200).json(t); m["status"] != "ready" {
		t.Errorf("readyz: %v", m)
	}
	if m := h.do("GET", "/metrics", "", nil).want(t, 200); !bytes.Contains(m.body, []byte("mcphub_http_request_seconds")) {
		t.Error("no metrics")
	}
	h.store.Close()
	for range 100 { // the answer is kept for a moment
		if h.do("GET", "/readyz", "", nil).StatusCode == 503 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("readyz does not see that the database is gone")
}

func TestDocs(t *testing.T) {
	h := newHub(t, nil)
	m := h.do("GET", "/openapi.json", "", nil).want(t, 200).json(t)
	if m["openapi"] != "3.1.0" || m["paths"].(map[string]any)["/v0.1/servers"] == nil {
		t.Errorf("openapi: %v", m["openapi"])
	}
	page := h.do("GET", "/docs/api", "", nil).want(t, 200)
	for _, bad := range []string{"http://", "https://", "//unpkg"} {
		if bytes.Contains(page.body, []byte(bad)) {
			t.Errorf("the page names %s", bad)
		}
	}
	for _, back := range []string{`href="../"`, `href="../docs"`} { // relative: the hub may have a path prefix
		if !bytes.Contains(page.body, []byte(back)) {
			t.Errorf("no way back: no %s", back)
		}
	}
	for _, file := range []string{"swagger-ui-bundle.js", "swagger-ui.css", "docs.js", "theme.js", "docs.css"} {
		h.do("GET", "/docs/api/"+file, "", nil).want(t, 200)
	}
	h.do("GET", "/docs/api/../../etc/passwd", "", nil).want(t, 404)
}

// TestFirstPublishesAtOnce publishes several first versions of one new server at the same moment: all of
// them are versions of one server.
func TestFirstPublishesAtOnce(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := h.do("POST", "/v0.1/publish", token, serverJSON(anonymous+"weather", fmt.Sprintf("1.%d.0", i)))
			if r.StatusCode != 200 {
				t.Errorf("1.%d.0: %s", i, r.body)
			}
		})
	}
	wg.Wait()
	if got, _ := items(t, h.do("GET", "/v0.1/servers", "", nil).want(t, 200).json(t)); len(got) != 8 {
		t.Errorf("versions: %v", got)
	}
}
