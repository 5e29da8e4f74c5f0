package api_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithoutCancel(t.Context()))
}

// items returns names and versions of a list answer, and its cursor.
func items(t *testing.T, m map[string]any) (out []string, next string) {
	t.Helper()
	for _, it := range m["servers"].([]any) {
		item := it.(map[string]any)
		if item["_meta"] == nil {
			t.Errorf("an item has no _meta: %v", item)
		}
		s := item["server"].(map[string]any)
		out = append(out, fmt.Sprint(s["name"], " ", s["version"]))
	}
	meta := m["metadata"].(map[string]any)
	if int(meta["count"].(float64)) != len(out) {
		t.Errorf("count %v, and %d items", meta["count"], len(out))
	}
	next, _ = meta["nextCursor"].(string)
	return out, next
}

func official(m map[string]any) map[string]any {
	return m["_meta"].(map[string]any)["io.modelcontextprotocol.registry/official"].(map[string]any)
}

func TestOfficialPublishAndRead(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	name := anonymous + "weather"
	m := h.do("POST", "/v0.1/publish", token, serverJSON(name, "1.0.0")).want(t, 200).json(t)
	if o := official(m); o["status"] != "active" || o["isLatest"] != true {
		t.Errorf("_meta of a new version: %v", o)
	}
	h.do("POST", "/v0/publish", token, serverJSON(name, "1.10.0")).want(t, 200)
	h.do("POST", "/v0/publish", token, serverJSON(name, "1.2.0")).want(t, 200)

	got, _ := items(t, h.do("GET", "/v0.1/servers", "", nil).want(t, 200).json(t))
	if want := []string{name + " 1.0.0", name + " 1.10.0", name + " 1.2.0"}; strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("list order (name, then version as text): %v", got)
	}
	for _, path := range []string{"/v0.1/servers/", "/v0/servers/"} {
		latest := h.do("GET", path+url.PathEscape(name)+"/versions/latest", "", nil).want(t, 200).json(t)
		if v := latest["server"].(map[string]any)["version"]; v != "1.10.0" {
			t.Errorf("latest is %v", v)
		}
	}
	versions, _ := items(t, h.do("GET", "/v0.1/servers/"+url.PathEscape(name)+"/versions", "", nil).want(t, 200).json(t))
	if want := name + " 1.2.0"; len(versions) != 3 || versions[0] != want {
		t.Errorf("versions are listed newest publication first: %v", versions)
	}
	h.do("GET", "/v0.1/servers/"+url.PathEscape(name)+"/versions/9.9.9", "", nil).want(t, 404)
	h.do("GET", "/v0.1/servers/nothing%2Fhere/versions", "", nil).want(t, 404)
}

func TestOfficialPublishRefuses(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	name := anonymous + "weather"
	h.do("POST", "/v0.1/publish", token, serverJSON(name, "1.0.0")).want(t, 200)
	with := func(key string, value any) map[string]any {
		m := serverJSON(name, "2.0.0")
		m[key] = value
		return m
	}
	for _, c := range []struct {
		rule   string
		token  string
		body   any
		status int
	}{
		{"no Authorization header", "", serverJSON(name, "2.0.0"), 422},
		{"a wrong token", "nonsense", serverJSON(name, "2.0.0"), 401},
		{"somebody else's namespace", token, serverJSON("io.github.other/weather", "1.0.0"), 403},
		{"the same version again", token, serverJSON(name, "1.0.0"), 400},
		{"no $schema", token, with("$schema", ""), 422},
		{"an unknown schema", token, with("$schema", "https://static.modelcontextprotocol.io/schemas/2020-01-01/server.schema.json"), 422},
		{"a description over 100 characters", token, with("description", strings.Repeat("x", 101)), 422},
		{"a version range", token, with("version", "^1.0.0"), 422},
		{"the version latest", token, with("version", "latest"), 422},
		{"an unknown field", token, with("surprise", 1), 422},
		{"no JSON", token, "{", 400},
		{"deep JSON", token, `{"name":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 400},
	} {
		r := h.do("POST", "/v0.1/publish", c.token, c.body).want(t, c.status)
		m := r.json(t)
		if ct := r.Header.Get("Content-Type"); ct != "application/problem+json" || m["error"] == nil || m["detail"] == nil || m["kind"] == nil || m["requestId"] == nil {
			t.Errorf("%s: %s %v", c.rule, ct, m)
		}
	}
}

// TestVSCode makes the requests VS Code makes: probe, browse with a cursor that it does not escape and
// without the search on later pages, look-up.
func TestVSCode(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	for i := range 7 {
		h.do("POST", "/v0.1/publish", token, serverJSON(fmt.Sprintf("%sweather-%d", anonymous, i), "1.0.0")).want(t, 200)
		h.do("POST", "/v0.1/publish", token, serverJSON(fmt.Sprintf("%sother-%d", anonymous, i), "1.0.0")).want(t, 200)
	}
	h.do("GET", "/v0.1/servers?limit=1", "", nil, "Origin", "vscode-file://vscode-app").want(t, 200)
	var all []string
	path := "/v0.1/servers?limit=3&version=latest&search=WEATHER"
	for range 10 {
		r := h.do("GET", path, "", nil, "Origin", "vscode-file://vscode-app").want(t, 200)
		if r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error("no CORS header")
		}
		page, next := items(t, r.json(t))
		all = append(all, page...)
		if next == "" {
			break
		}
		if url.QueryEscape(next) != next {
			t.Errorf("the cursor %q needs escaping", next)
		}
		path = "/v0.1/servers?limit=3&version=latest&cursor=" + next
	}
	if len(all) != 7 {
		t.Errorf("a search over pages found %d, want 7: %v", len(all), all)
	}
	h.do("GET", "/v0.1/servers/"+url.PathEscape(anonymous+"weather-3")+"/versions/latest", "", nil).want(t, 200)
	r := h.do("OPTIONS", "/v0.1/servers", "", nil, "Origin", "https://example.com", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if r.StatusCode != 204 || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", r.StatusCode, r.Header)
	}
}

func TestOfficialListParameters(t *testing.T) {
	h := newHub(t, nil)
	for query, status := range map[string]int{
		"limit=0": 422, "limit=101": 422, "limit=x": 422, "search=ab": 422, "updated_since=yesterday": 400,
		"updated_since=2026-01-01T00:00:00Z&include_deleted=false": 400, "cursor=%21%21": 400, "cursor=bm9wZQ": 400,
		"limit=100": 200, "search=abc": 200, "updated_since=2026-01-01T00:00:00Z": 200, "search=": 200, "x=%00": 400,
	} {
		h.do("GET", "/v0.1/servers?"+query, "", nil).want(t, status)
	}
	r := h.do("GET", "/v0.1/servers/?limit=3", "", nil).want(t, 308)
	if l := r.Header.Get("Location"); l != "/v0.1/servers?limit=3" {
		t.Errorf("trailing slash goes to %q", l)
	}
	if l := h.do("GET", "//evil.example/", "", nil).Header.Get("Location"); strings.HasPrefix(l, "//") {
		t.Errorf("open redirect to %q", l)
	}
}

func TestOfficialStatus(t *testing.T) {
	h := newHub(t, nil)
	token := h.anonymousToken()
	name := anonymous + "weather"
	before := time.Now().UTC().Format(time.RFC3339Nano)
	h.do("POST", "/v0.1/publish", token, serverJSON(name, "1.0.0")).want(t, 200)
	h.do("POST", "/v0.1/publish", token, serverJSON(name, "2.0.0")).want(t, 200)
	base := "/v0.1/servers/" + url.PathEscape(name)
	status := func(version, s string, message any) *reply {
		body := map[string]any{"status": s}
		if message != nil {
			body["statusMessage"] = message
		}
		return h.do("PATCH", base+"/versions/"+version+"/status", token, body)
	}
	m := status("2.0.0", "deprecated", "use 3").want(t, 200).json(t)
	if o := official(m); o["status"] != "deprecated" || o["statusMessage"] != "use 3" || o["isLatest"] != true {
		t.Errorf("deprecated versions can be latest: %v", o)
	}
	status("2.0.0", "deprecated", "use 3").want(t, 400)
	status("2.0.0", "active", "why").want(t, 400)
	status("2.0.0", "gone", nil).want(t, 422)
	status("2.0.0", "deleted", nil).want(t, 200)
	h.do("GET", base+"/versions/2.0.0", "", nil).want(t, 404)
	h.do("GET", base+"/versions/2.0.0?include_deleted=true", "", nil).want(t, 200)
	if v := h.do("GET", base+"/versions/latest", "", nil).want(t, 200).json(t)["server"].(map[string]any)["version"]; v != "1.0.0" {
		t.Errorf("latest after a delete: %v", v)
	}
	all, _ := items(t, h.do("GET", "/v0.1/servers?updated_since="+url.QueryEscape(before), "", nil).want(t, 200).json(t))
	if len(all) != 2 {
		t.Errorf("updated_since has to bring deleted versions too: %v", all)
	}
	if got, _ := items(t, h.do("GET", "/v0.1/servers", "", nil).want(t, 200).json(t)); len(got) != 1 {
		t.Errorf("a deleted version is listed: %v", got)
	}
	status("2.0.0", "active", nil).want(t, 200)
	m = h.do("PATCH", base+"/status", token, map[string]any{"status": "deprecated", "statusMessage": "moved"}).want(t, 200).json(t)
	if m["updatedCount"].(float64) != 2 || len(m["servers"].([]any)) != 2 {
		t.Errorf("status of all versions: %v", m)
	}
	h.do("PATCH", base+"/status", token, map[string]any{"status": "deprecated", "statusMessage": "moved"}).want(t, 400)
	h.do("PUT", base+"/versions/1.0.0", token, serverJSON(name, "1.0.0")).want(t, 501)
}

func TestOfficialValidate(t *testing.T) {
	h := newHub(t, nil)
	ok := h.do("POST", "/v0.1/validate", "", serverJSON("io.github.acme/weather", "1.0.0")).want(t, 200).json(t)
	if ok["valid"] != true {
		t.Errorf("a good server.json: %v", ok)
	}
	bad := serverJSON("io.github.acme/weather", "^1.0.0")
	bad["remotes"] = []any{map[string]any{"type": "sse", "url": "http://localhost/x"}}
	m := h.do("POST", "/v0.1/validate", "", bad).want(t, 200).json(t)
	if m["valid"] != false || len(m["issues"].([]any)) < 2 {
		t.Errorf("a bad server.json: %v", m)
	}
	for _, path := range []string{"/v0.1/health", "/v0.1/ping", "/v0.1/version", "/v0/ping"} {
		h.do("GET", path, "", nil).want(t, 200)
	}
}
