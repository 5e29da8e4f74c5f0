package api_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/prometheus/client_golang/prometheus"
)

func cursor(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }

// badCursors are refused with one message on every list, and never with a 500.
var badCursors = map[string]string{
	"words": "nonsense!", "not JSON": cursor("nope"), "an array": cursor("[]"), "a text for an object": cursor(`"x"`), "another type": cursor(`{"n":1,"k":"x","l":2}`),
	"padding": "e30=", "standard base64": "+/+/", "endless": strings.Repeat("A", 2049),
	"a NUL character": cursor(`{"n":"a/b\u0000","q":"\u0000","p":"\u0000"}`),
}

func TestBadCursors(t *testing.T) {
	h := newHub(t, nil)
	for _, path := range []string{"/v0.1/servers", "/v0/servers", "/api/v1/servers", "/api/v1/search", "/api/v1/capabilities"} {
		for rule, c := range badCursors {
			m := h.do("GET", path+"?cursor="+url.QueryEscape(c), "", nil).want(t, 400).json(t)
			if m["detail"] != "the cursor is not one of this hub's" || m["kind"] != "malformed" || m["hint"] == nil {
				t.Errorf("%s %s: %v", path, rule, m)
			}
		}
	}
	for path, c := range map[string]string{
		"/api/v1/search": `{"k":-1}`, "/api/v1/search?x": `{"k":1001}`, "/api/v1/search?y": `{"k":99999999999}`,
	} {
		path, _, _ = strings.Cut(path, "?")
		h.do("GET", path+"?cursor="+cursor(c), "", nil).want(t, 400)
	}
	for _, c := range []string{`{}`, `null`, `{"n":"a/b"}`, `{"o":"nonsense","n":"a/b"}`, `{"n":"zzz/zz","v":"9"}`, `{"o":"updated","n":"a/b","t":-9223372036854775808,"a":9223372036854775807}`, `{"o":"name","n":"a/b","f":{"m":"maybe"}}`} {
		for _, path := range []string{"/v0.1/servers", "/api/v1/servers", "/api/v1/search", "/api/v1/capabilities"} {
			if r := h.do("GET", path+"?cursor="+cursor(c), "", nil); r.StatusCode >= 500 {
				t.Errorf("%s with %s: %d %s", path, c, r.StatusCode, r.body)
			}
		}
	}
}

// TestNUL guards: no string with a NUL character, which PostgreSQL cannot store, comes through the door.
func TestNUL(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	for path, body := range map[string]string{
		"/api/v1/auth/login": `{"user":"a\u0000b","password":"correct horse battery"}`, "/api/v1/keys": `{"name":"a\u0000b"}`, "/v0.1/publish": `{"name":"a\u0000"}`,
	} {
		if m := h.do("POST", path, token, body).want(t, 400).json(t); !strings.Contains(m["detail"].(string), "NUL character") {
			t.Errorf("%s: %v", path, m)
		}
	}
	h.do("POST", "/api/v1/auth/login", "", `{"user":"a\\u0000b","password":"correct horse battery"}`).want(t, 401) // a backslash, and no NUL
	h.do("GET", "/api/v1/search?q=%5Cu0000&limit=1", "", nil).want(t, 200)
}

func TestMethods(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	manifest := mcpJSON("@acme/weather", "1.0.0")
	h.publish("@acme/weather", token, manifest, targz(t, map[string]string{"mcp.json": manifest, "bin/weather": "x"}), "").want(t, 202)
	h.settled("@acme/weather", "1.0.0", token)
	for _, path := range []string{"/healthz", "/readyz", "/v0.1/servers", "/v0.1/ping", "/api/v1/servers", "/api/v1/servers/%40acme%2Fweather", "/api/v1/servers/%40acme%2Fweather/bundle/1.0.0", "/openapi.json", "/docs/api"} {
		get := h.do("GET", path, "", nil).want(t, 200)
		head := h.do("HEAD", path, "", nil)
		if head.StatusCode != 200 || len(head.body) != 0 || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("HEAD %s: %d, %d bytes, %v", path, head.StatusCode, len(head.body), head.Header)
		}
	}
	h.do("HEAD", "/v0.1/servers/nothing%2Fhere/versions/latest", "", nil).want(t, 404)
	for path, methods := range map[string]string{"/v0.1/servers": "POST PUT DELETE PATCH", "/v0.1/publish": "GET PUT", "/api/v1/search": "POST", "/healthz": "POST", "/api/v1/auth/login": "GET"} {
		for _, method := range strings.Fields(methods) {
			r := h.do(method, path, "", nil).want(t, 405)
			m := r.json(t)
			if m["detail"] != method+" is not possible on "+path || r.Header.Get("Allow") == "" || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: %v, Allow %q", method, path, m, r.Header.Get("Allow"))
			}
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	h := newHub(t, nil)
	for path, hint := range map[string]string{
		"/nothing":      "the API is described at http://hub.example.com/docs/api",
		"/servers":      "did you mean http://hub.example.com/v0.1/servers or http://hub.example.com/api/v1/servers?",
		"/servers/x":    "did you mean http://hub.example.com/v0.1/servers/x or http://hub.example.com/api/v1/servers/x?",
		"/v0.2/servers": "the API is described at http://hub.example.com/docs/api",
		"/api/v2/me":    "the API is described at http://hub.example.com/docs/api",
		"/.git/config":  "the API is described at http://hub.example.com/docs/api",
	} {
		if m := h.do("GET", path, "", nil).want(t, 404).json(t); m["detail"] != "there is nothing at "+path || m["hint"] != hint {
			t.Errorf("%s: %v", path, m)
		}
	}
	r := h.do("GET", "/v0.1/servers/?limit=1", "", nil).want(t, 308)
	if to := r.Header.Get("Location"); to != "/v0.1/servers?limit=1" {
		t.Errorf("a slash at the end leads to %q", to)
	}
	for _, path := range []string{"//evil.example.com/", "//evil.example.com/%2e%2e/"} {
		if to := h.do("GET", path, "", nil).Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://") {
			t.Errorf("%s leads away, to %q", path, to)
		}
	}
}

// TestNamesInPaths guards: a name is one segment in any spelling, a version's + is %2B or +, and what is no name is
// not found.
func TestNamesInPaths(t *testing.T) {
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	body := serverJSON("acme/weather", "1.0.0+build.7")
	h.do("POST", "/v0.1/publish", token, body).want(t, 200)
	id, _ := h.do("GET", "/api/v1/servers/acme%2Fweather", "", nil).want(t, 200).json(t)["id"].(string)
	for _, ref := range []string{"%40acme%2Fweather", "@acme%2Fweather", "acme%2Fweather", "acme%2fweather", "%61cme%2Fweather", "ACME%2FWeather", "acme%2Fwea-ther", id} {
		for _, version := range []string{"1.0.0%2Bbuild.7", "1.0.0+build.7", "latest"} {
			m := h.do("GET", "/api/v1/servers/"+ref+"/versions/"+version, "", nil).want(t, 200).json(t)
			if m["version"] != "1.0.0+build.7" || m["name"] != "@acme/weather" {
				t.Errorf("%s %s: %v", ref, version, m)
			}
		}
	}
	h.do("GET", "/v0.1/servers/acme%2Fweather/versions/1.0.0%2Bbuild.7", "", nil).want(t, 200)
	for _, ref := range []string{"..%2F..%2Fetc%2Fpasswd", "%2e%2e", "..", "%2F", "acme%2F..", "acme%2F%2e%2e%2Fx", "acme%5Cweather", "acme%2Fweather%2Fx", "acme%2F", "%2Fweather", "%ff%fe", "acme%2Fweather%0a", "acme%252Fweather", "'%20OR%201=1--", strings.Repeat("a", 240)} {
		for _, path := range []string{"/api/v1/servers/" + ref, "/api/v1/servers/" + ref + "/versions/latest", "/api/v1/servers/" + ref + "/bundle/1.0.0", "/v0.1/servers/" + ref + "/versions", "/v0.1/servers/" + ref + "/versions/latest"} {
			if r := h.do("GET", path, "", nil); r.StatusCode != 404 && r.StatusCode != 308 && r.StatusCode != 422 && r.StatusCode != 400 {
				t.Errorf("%s: %d %.200s", path, r.StatusCode, r.body)
			}
		}
	}
	for _, path := range []string{"/api/v1/servers/acme%00", "/v0.1/servers/x%00y/versions"} {
		if m := h.do("GET", path, "", nil).want(t, 400).json(t); m["detail"] != "the address has a NUL byte in it" {
			t.Errorf("%s: %v", path, m)
		}
	}
}

// TestForwardedFor guards: an address in X-Forwarded-For counts only when a trusted proxy says it.
func TestForwardedFor(t *testing.T) {
	for _, c := range []struct {
		rule    string
		proxies []string
		last    int // status of the fourth call, each from another claimed address
	}{{"no proxy is trusted", nil, 429}, {"another proxy is trusted", []string{"10.0.0.0/8"}, 429}, {"this proxy is trusted", []string{"127.0.0.1"}, 200}} {
		h := newHub(t, func(c2 *api.Config) { c2.RateLimit, c2.TrustedProxies = 3, c.proxies })
		var r *reply
		for i := range 4 {
			r = h.do("GET", "/v0.1/ping", "", nil, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i), "X-Real-Ip", fmt.Sprintf("203.0.113.%d", i))
		}
		if r.StatusCode != c.last {
			t.Errorf("%s: the fourth call is answered with %d, want %d", c.rule, r.StatusCode, c.last)
		}
	}
	var c api.Config
	newHub(t, func(given *api.Config) { c = *given })
	c.Metrics, c.TrustedProxies = prometheus.NewRegistry(), []string{"nonsense"}
	if _, err := api.New(c); err == nil {
		t.Error("a proxy that is no network is believed")
	}
}

// TestKeyRateLimit guards: a key has a limit of its own, apart from its address, from other keys, and from those
// that are wrong.
func TestKeyRateLimit(t *testing.T) {
	h := newHub(t, func(c *api.Config) { c.RateLimit, c.KeyRateLimit = 2, 4 })
	one, two := h.account("acme", hub.RoleUser, hub.ScopeRead), h.account("other", hub.RoleUser, hub.ScopeRead)
	for _, c := range []struct {
		token, limit string
		calls        int
	}{{one, "4", 4}, {two, "4", 4}, {"", "2", 2}} {
		for range c.calls {
			if r := h.do("GET", "/v0.1/ping", c.token, nil).want(t, 200); r.Header.Get("RateLimit-Limit") != c.limit {
				t.Errorf("limit %q, want %q", r.Header.Get("RateLimit-Limit"), c.limit)
			}
		}
		r := h.do("GET", "/v0.1/ping", c.token, nil).want(t, 429)
		if m := r.json(t); m["detail"] != "more than "+c.limit+" calls in 1m0s" || m["kind"] != "rate_limited" || r.Header.Get("RateLimit-Remaining") != "0" {
			t.Errorf("%v %v", m, r.Header)
		}
	}
	h.do("GET", "/v0.1/ping", "mcph_nonsense", nil).want(t, 429) // a wrong key is no way around the address's limit
	h.do("GET", "/healthz", "", nil).want(t, 200)
}

func TestHealthOnly(t *testing.T) {
	h := newHub(t, func(c *api.Config) { c.HealthOnly = true })
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/v0.1/servers": 404, "/api/v1/servers": 404, "/": 404, "/docs/api": 404, "/openapi.json": 404} {
		h.do("GET", path, "", nil).want(t, status)
	}
}

// TestHugeHeader guards: a header over the server's limit is answered with 431 and nothing is done.
func TestHugeHeader(t *testing.T) {
	h := newHub(t, nil)
	conn, err := net.Dial("tcp", h.server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	go func() {
		_, _ = io.WriteString(conn, "GET /v0.1/servers HTTP/1.1\r\nHost: hub\r\nX-Big: "+strings.Repeat("x", 2<<20)+"\r\n\r\n") // it is cut off while it is sent
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
	h.do("GET", "/v0.1/servers?search="+strings.Repeat("x", 10_000), "", nil).want(t, 422)
}
