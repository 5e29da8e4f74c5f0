package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// until repeats a call until its answer is as wanted: search follows a publish within a second.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// filled is a hub with a few servers that can be found.
func filled(t *testing.T) *hubUnderTest {
	t.Helper()
	h := newHub(t, nil)
	token := h.account("acme", hub.RoleUser, hub.ScopePublish)
	for i, s := range []string{
		`"name": "@acme/postgres", "title": "Postgres", "license": "MIT", "description": "Runs SQL", "servers": {"main": {"command": "npx", "args": ["-y", "@acme/postgres@1.0.0"], "capabilities": {"tools": [{"name": "run_query", "description": "Runs a statement", "schema": {"type": "object", "properties": {"statement": {"type": "string"}}}}]}}}`,
		`"name": "@acme/postgres-backup", "description": "Saves databases", "servers": {"main": {"command": "uvx", "args": ["postgres-backup==1.0.0"]}}`,
		`"name": "@acme/weather", "description": "Forecasts", "servers": {"main": {"transport": "streamable-http", "url": "https://weather.example.com/mcp"}}`,
	} {
		_, rest, _ := strings.Cut(s, `"@acme/`)
		name, _, _ := strings.Cut(rest, `"`)
		h.publish("acme/"+name, token, fmt.Sprintf(`{%s, "version": "1.0.%d"}`, s, i), nil, "").want(t, 201)
	}
	until(t, "all are found", func() bool {
		return h.do("GET", "/api/v1/search?exact=true&limit="+fmt.Sprint(1+time.Now().UnixNano()%90), "", nil).json(t)["total"] == 3.0
	})
	return h
}

func (h *hubUnderTest) names(path string) string {
	h.t.Helper()
	list, _ := h.do("GET", path, "", nil).want(h.t, 200).json(h.t)["servers"].([]any)
	var out []string
	for _, s := range list {
		out = append(out, s.(map[string]any)["name"].(string))
	}
	return strings.Join(out, " ")
}

func TestSearch(t *testing.T) {
	h := filled(t)
	for query, want := range map[string]string{
		"q=postgres":                               "@acme/postgres @acme/postgres-backup",
		"q=postgres+lang:python":                   "@acme/postgres-backup",
		"q=postgres&lang=py":                       "@acme/postgres-backup",
		"q=license:mit":                            "@acme/postgres",
		"q=tool:run_query":                         "@acme/postgres",
		"tool=run_query":                           "@acme/postgres",
		"transport=http":                           "@acme/weather",
		"sort=name&scope=@acme":                    "@acme/postgres @acme/postgres-backup @acme/weather",
		"q=a+tool+that+takes+a+%60statement%60":    "@acme/postgres",
		"q=nothing+of+the+kind+qqqq&package=cargo": "",
	} {
		if got := h.names("/api/v1/search?" + query); got != want {
			t.Errorf("%s finds %q, want %q", query, got, want)
		}
	}
	m := h.do("GET", "/api/v1/search?q=postgers+package:npm&facets=package,lang", "", nil).want(t, 200).json(t)
	if m["corrected"] != "postgres" || m["query"] != "postgers" || fmt.Sprint(m["filters"]) != "[map[name:package values:[npm]]]" {
		t.Errorf("%v", m)
	}
	if got := fmt.Sprint(m["facets"]); got != "[map[name:lang values:[map[count:1 value:javascript]]] map[name:package values:[map[count:1 selected:true value:npm] map[count:1 value:pypi]]]]" {
		t.Error(got)
	}
	why := m["servers"].([]any)[0].(map[string]any)["why"].([]any)[0].(map[string]any)
	if why["field"] != "name" || why["value"] != "acme/postgres" {
		t.Errorf("%v", why)
	}
	for query, status := range map[string]int{"facets=nonsense": 422, "sort=nonsense": 422, "limit=0": 422, "limit=101": 422, "cursor=nonsense": 400, "q=%00": 400} {
		h.do("GET", "/api/v1/search?"+query, "", nil).want(t, status)
	}
}

// TestSearchCursor guards: a cursor carries the question, and pages hold each server once.
func TestSearchCursor(t *testing.T) {
	h := filled(t)
	var all []string
	path := "/api/v1/search?limit=1&sort=name&scope=acme&q="
	for {
		m := h.do("GET", path, "", nil).want(t, 200).json(t)
		all = append(all, m["servers"].([]any)[0].(map[string]any)["name"].(string))
		next, ok := m["nextCursor"].(string)
		if !ok {
			break
		}
		path = "/api/v1/search?limit=1&cursor=" + next
	}
	if got := strings.Join(all, " "); got != "@acme/postgres @acme/postgres-backup @acme/weather" {
		t.Error(got)
	}
}

func TestSuggestAndRelated(t *testing.T) {
	h := filled(t)
	for query, want := range map[string]string{"pos": "server @acme/postgres, server @acme/postgres-backup", "run": "tool run_query", "zzz": "", "": "",
		"%40acm": "server @acme/postgres, server @acme/postgres-backup, server @acme/weather"} {
		var got []string
		for _, s := range h.do("GET", "/api/v1/suggest?q="+query, "", nil).want(t, 200).json(t)["suggestions"].([]any) {
			got = append(got, s.(map[string]any)["kind"].(string)+" "+s.(map[string]any)["value"].(string))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q suggests %q, want %q", query, got, want)
		}
	}
	if got := h.names("/api/v1/servers/%40acme%2Fpostgres/related?limit=1"); got != "@acme/postgres-backup" {
		t.Errorf("related: %q", got)
	}
	h.do("GET", "/api/v1/servers/%40acme%2Fnone/related", "", nil).want(t, 404)
}

// TestQuality guards: each part with its evidence, and no figure for what was not measured.
func TestQuality(t *testing.T) {
	h := filled(t)
	m := h.do("GET", "/api/v1/servers/%40acme%2Fpostgres/quality", "", nil).want(t, 200).json(t)
	parts := map[string]map[string]any{}
	for _, p := range m["parts"].([]any) {
		parts[p.(map[string]any)["name"].(string)] = p.(map[string]any)
	}
	for name, measured := range map[string]bool{"documentation": true, "maintenance": true, "conformance": true, "popularity": false, "security": false} {
		if _, ok := parts[name]["points"]; ok != measured || len(parts[name]["evidence"].([]any)) == 0 {
			t.Errorf("%s: %v", name, parts[name])
		}
	}
	h.do("GET", "/api/v1/servers/%40acme%2Fnone/quality", "", nil).want(t, 404)
	d := h.do("GET", "/api/v1/servers/%40acme%2Fpostgres/installs", "", nil).want(t, 200).json(t)
	if d["total"] != 0.0 || len(d["days"].([]any)) != 0 {
		t.Errorf("%v", d)
	}
}
