package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// promised are the operations that clients are told of, by path.
var promised = map[string]string{
	"/api/v1/servers":                                      "get",
	"/api/v1/servers/{id}":                                 "get put",
	"/api/v1/servers/{id}/versions":                        "get post",
	"/api/v1/servers/{id}/versions/{version}":              "get delete",
	"/api/v1/servers/{id}/capabilities":                    "get",
	"/api/v1/servers/{id}/config":                          "get",
	"/api/v1/servers/{id}/bundle/{version}":                "get",
	"/api/v1/search":                                       "get",
	"/api/v1/capabilities":                                 "get",
	"/api/v1/config/{host}":                                "get",
	"/api/v1/mcpm":                                         "get",
	"/api/v1/auth/login":                                   "post",
	"/api/v1/auth/token":                                   "post",
	"/api/v1/keys":                                         "get post",
	"/api/v1/keys/{id}":                                    "delete",
	"/api/v1/me":                                           "get",
	"/api/v1/namespaces/{namespace}/images":                "get",
	"/v0.1/servers":                                        "get",
	"/v0.1/servers/{serverName}/versions":                  "get",
	"/v0.1/servers/{serverName}/versions/{version}":        "get delete put",
	"/v0.1/servers/{serverName}/versions/{version}/status": "patch",
	"/v0.1/servers/{serverName}/status":                    "patch",
	"/v0.1/publish":                                        "post",
	"/v0.1/validate":                                       "post",
	"/v0.1/health":                                         "get",
	"/v0.1/ping":                                           "get",
	"/v0.1/version":                                        "get",
	"/v0.1/auth/{method}":                                  "post",
}

type operation struct {
	ID         string   `json:"operationId"`
	Summary    string   `json:"summary"`
	Tags       []string `json:"tags"`
	Parameters []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Responses map[string]struct {
		Description string `json:"description"`
	} `json:"responses"`
	Security []map[string][]string `json:"security"`
}

type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version, Description string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]operation
	Tags    []struct{ Name string }
}

var inPath = regexp.MustCompile(`\{([^}]+)\}`)

// TestOpenAPI guards: the document is OpenAPI 3.1, has every promised operation, and each operation an id of its own,
// a summary, a known tag, its path's parameters and an answer for failure; every reference leads somewhere.
func TestOpenAPI(t *testing.T) {
	h := newHub(t, nil)
	body := h.do("GET", "/openapi.json", "", nil).want(t, 200).body
	var doc document
	must(t, json.Unmarshal(body, &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title != "mcphub" || doc.Info.Version != "test" || len(doc.Servers) != 1 || doc.Servers[0].URL != "http://hub.example.com" {
		t.Errorf("openapi %q, info %+v, servers %+v", doc.OpenAPI, doc.Info, doc.Servers)
	}
	for path, methods := range promised {
		for _, method := range strings.Fields(methods) {
			if _, ok := doc.Paths[path][method]; !ok {
				t.Errorf("%s %s is not in the document", method, path)
			}
		}
	}
	tags, ids := map[string]bool{}, map[string]string{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	for path, methods := range doc.Paths {
		if strings.HasPrefix(path, "/v0/") {
			t.Errorf("the alias %s is in the document", path)
		}
		for method, op := range methods {
			where := method + " " + path
			if op.ID == "" || op.Summary == "" || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s: id %q, summary %q, tags %v", where, op.ID, op.Summary, op.Tags)
			}
			if first, twice := ids[op.ID]; twice {
				t.Errorf("%s and %s have the id %s", first, where, op.ID)
			}
			ids[op.ID] = where
			named := map[string]bool{}
			for _, p := range op.Parameters {
				named[p.In+" "+p.Name] = true
			}
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				if !named["path "+m[1]] {
					t.Errorf("%s does not document %s", where, m[1])
				}
			}
			if _, ok := op.Responses["default"]; !ok {
				t.Errorf("%s does not document failure", where)
			}
			if len(op.Responses) < 2 {
				t.Errorf("%s does not document success", where)
			}
		}
	}
	var all map[string]any
	must(t, json.Unmarshal(body, &all))
	for _, m := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(string(body), -1) {
		if !leads(all, m[1]) {
			t.Errorf("%s leads nowhere", m[1])
		}
	}
	for _, path := range []string{"/openapi.yaml", "/openapi-3.0.json"} {
		h.do("GET", path, "", nil).want(t, 200)
	}
}

// leads reports whether a reference is to something in the document.
func leads(doc map[string]any, ref string) bool {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := at.(map[string]any)
		if !ok || m[part] == nil {
			return false
		}
		at = m[part]
	}
	return strings.HasPrefix(ref, "#/")
}

// TestSecretsNeedSomebody guards: what the document marks as needing a credential refuses nobody and a wrong one.
func TestSecretsNeedSomebody(t *testing.T) {
	h := newHub(t, nil)
	var doc document
	must(t, json.Unmarshal(h.do("GET", "/openapi.json", "", nil).want(t, 200).body, &doc))
	n := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if len(op.Security) == 0 {
				if method != "get" && !strings.Contains(path, "/auth/") && path != "/v0.1/validate" {
					t.Errorf("%s %s changes something and asks for no credential", method, path)
				}
				continue
			}
			n++
			target := inPath.ReplaceAllStringFunc(path, func(p string) string {
				if path == "/api/v1/keys/{id}" {
					return "0198f000-0000-7000-8000-000000000001"
				}
				return map[string]string{"{serverName}": "acme%2Fweather", "{id}": "acme%2Fweather", "{version}": "1.0.0", "{tag}": "beta", "{namespace}": "acme"}[p]
			})
			var body any
			switch {
			case strings.HasSuffix(path, "/status"):
				body = map[string]any{"status": "deleted"}
			case path == "/v0.1/publish":
				body = serverJSON("acme/weather", "1.0.0")
			case strings.HasSuffix(path, "/tags/{tag}") && method == "put":
				body = map[string]any{"version": "1.0.0"}
			case method == "put":
				body = map[string]any{"title": "x"}
			case method == "post":
				body = map[string]any{"name": "x"}
			}
			if strings.HasPrefix(path, "/v0.1/servers/{serverName}/versions/{version}") && method == "put" {
				body = nil
			}
			for _, token := range []string{"", "mcph_nonsense"} {
				r := h.do(strings.ToUpper(method), target, token, body)
				if bad := r.StatusCode < 400 || r.StatusCode >= 500; bad || token != "" && r.StatusCode != 401 {
					t.Errorf("%s %s with the credential %q: %d %s", method, path, token, r.StatusCode, r.body)
				}
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d operations need a credential", n)
	}
}
