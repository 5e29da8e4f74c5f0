package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/mcphub/mcphub/internal/wire"
)

// stubHub answers /api/v1 from memory with the types of the wire.
type stubHub struct {
	*httptest.Server
	mu       sync.Mutex
	versions map[hub.Name][]*stubVersion // oldest first
	tags     map[hub.Name]map[string]string
	refresh  string   // the refresh token that is good
	requests []string // "GET /api/v1/search"
	installs int
	broken   int // answers so many requests with 503 first
	clock    time.Time
	home     map[string]string // homepages
	ready    string            // what /readyz answers instead of being ready
}

func (h *stubHub) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Date", h.clock.UTC().Format(http.TimeFormat))
	if h.ready != "" {
		_, _ = io.WriteString(w, h.ready)
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "ready", "parts": map[string]string{"store": "ok"}})
}

func (h *stubHub) suggest(w http.ResponseWriter, r *http.Request) {
	out := wire.SuggestResult{Suggestions: []wire.Suggestion{{Kind: "tool", Value: "query"}, {Kind: "server", Value: "no name\n\x1b[31m", Title: "hostile"}}}
	for name := range h.versions {
		if strings.HasPrefix(name.Base(), r.URL.Query().Get("q")) {
			out.Suggestions = append(out.Suggestions, wire.Suggestion{Kind: "server", Value: name.String(), Title: "about\t" + name.Base()})
		}
	}
	answer(w, http.StatusOK, out)
}

type stubVersion struct {
	wire.VersionDetail
	bundle []byte
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newStubHub(t *testing.T) *stubHub {
	h := &stubHub{clock: epoch, versions: map[hub.Name][]*stubVersion{}, tags: map[hub.Name]map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/search", h.search)
	mux.HandleFunc("GET /api/v1/servers/{id}", h.server)
	mux.HandleFunc("GET /api/v1/servers/{id}/versions", h.list)
	mux.HandleFunc("POST /api/v1/servers/{id}/versions", h.publish)
	mux.HandleFunc("GET /api/v1/servers/{id}/versions/{version}", h.version)
	mux.HandleFunc("GET /api/v1/servers/{id}/versions/{version}/publication", h.publication)
	mux.HandleFunc("DELETE /api/v1/servers/{id}/versions/{version}", h.withdraw)
	mux.HandleFunc("GET /api/v1/servers/{id}/bundle/{version}", h.bundle)
	mux.HandleFunc("POST /api/v1/auth/login", h.login)
	mux.HandleFunc("POST /api/v1/auth/token", h.token)
	mux.HandleFunc("POST /api/v1/auth/logout", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /api/v1/me", h.me)
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}/images", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, wire.ImageUsage{Namespace: r.PathValue("namespace"), Repositories: 1, Tags: 3, Bytes: 1_234_000_000, Quota: 10_000_000_000})
	})
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.HandleFunc("GET /api/v1/suggest", h.suggest)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.requests = append(h.requests, r.Method+" "+r.URL.EscapedPath())
		if h.broken > 0 {
			h.broken--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

// add publishes a manifest directly.
func (h *stubHub) add(t *testing.T, text string, bundle []byte) *stubVersion {
	t.Helper()
	m, _, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return h.store(m, bundle, hub.Published)
}

func (h *stubHub) store(m *manifest.Manifest, bundle []byte, state hub.State) *stubVersion {
	name, _ := hub.ParseMirrorName(m.Name)
	at := epoch.Add(time.Duration(len(h.versions[name])) * 24 * time.Hour)
	canonical := m.Canonical()
	v := &stubVersion{bundle: bundle}
	v.VersionDetail = wire.VersionDetail{
		Version: wire.Version{
			ID: "0190b5a0-0000-7000-8000-000000000000", Name: name.String(), Version: m.Version, State: state,
			ManifestDigest: trust.SHA256(canonical), CreatedAt: at, PublishedAt: &at,
		},
		Manifest: canonical, Capabilities: manifest.CapabilitiesOf(m), Description: m.Description,
	}
	for _, c := range v.Capabilities {
		switch c.Type {
		case hub.Tool:
			v.Tools++
		case hub.Resource:
			v.Resources++
		case hub.Prompt:
			v.Prompts++
		}
	}
	if bundle != nil {
		v.Bundle = &wire.Bundle{Digest: trust.SHA256(bundle), Integrity: trust.SRI512(bundle), Size: int64(len(bundle)), Files: 1}
	}
	h.versions[name] = append(h.versions[name], v)
	return v
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, err error) {
	p := wire.NewProblem(err, "req-1")
	answer(w, p.Status, p)
}

func idOf(r *http.Request) hub.Name {
	s, _ := url.PathUnescape(r.PathValue("id"))
	n, _ := hub.ParseMirrorName(s)
	return n
}

func (h *stubHub) latest(name hub.Name) *stubVersion {
	var best *stubVersion
	for _, v := range h.versions[name] {
		if best == nil || (v.State.Resolvable() && hub.CompareVersions(v.Version.Version, *v.PublishedAt, best.Version.Version, *best.PublishedAt) > 0) {
			best = v
		}
	}
	return best
}

func (h *stubHub) facts(name hub.Name) wire.Server {
	v := h.latest(name)
	m, _, _ := manifest.Parse(v.Manifest)
	return wire.Server{
		ID: v.ID, Name: name.String(), Title: m.Title, Description: m.Description, License: m.License,
		Version: v.Version.Version, State: v.State, Tools: v.Tools, Resources: v.Resources, Prompts: v.Prompts,
		Homepage: h.home[name.String()], Installs: 41_300, Score: 92, DistTags: h.tags[name], Transports: []string{"stdio"},
		CreatedAt: epoch, UpdatedAt: epoch,
	}
}

func (h *stubHub) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query().Get("q")
	res := wire.SearchResult{Query: q, Servers: []wire.SearchHit{}}
	for name := range h.versions {
		if scope := r.URL.Query().Get("scope"); scope != "" && scope != name.Scope() {
			continue
		}
		if s := h.facts(name); strings.Contains(strings.ToLower(s.Name+" "+s.Description), strings.ToLower(q)) {
			res.Servers = append(res.Servers, wire.SearchHit{Server: s})
		}
	}
	slices.SortFunc(res.Servers, func(a, b wire.SearchHit) int { return strings.Compare(a.Name, b.Name) })
	res.Total = int64(len(res.Servers))
	answer(w, 200, res)
}

func (h *stubHub) server(w http.ResponseWriter, r *http.Request) {
	name := idOf(r)
	v := h.latest(name)
	if v == nil {
		problem(w, hub.Errorf(hub.NotFound, "no server %s", name))
		return
	}
	answer(w, 200, wire.ServerDetail{Server: h.facts(name), LatestVersion: &v.VersionDetail})
}

func (h *stubHub) list(w http.ResponseWriter, r *http.Request) {
	name := idOf(r)
	if h.versions[name] == nil {
		problem(w, hub.Errorf(hub.NotFound, "no server %s", name))
		return
	}
	out := wire.VersionList{Name: name.String(), DistTags: h.tags[name]}
	for _, v := range slices.Backward(h.versions[name]) {
		out.Versions = append(out.Versions, v.Version)
	}
	answer(w, 200, out)
}

func (h *stubHub) find(w http.ResponseWriter, r *http.Request) *stubVersion {
	for _, v := range h.versions[idOf(r)] {
		if v.Version.Version == r.PathValue("version") {
			return v
		}
	}
	problem(w, hub.Errorf(hub.NotFound, "no version %s of %s", r.PathValue("version"), idOf(r)))
	return nil
}

func (h *stubHub) version(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(wire.CommandHeader) == "install" {
		h.installs++
	}
	if v := h.find(w, r); v != nil {
		answer(w, 200, v.VersionDetail)
	}
}

func (h *stubHub) bundle(w http.ResponseWriter, r *http.Request) {
	if v := h.find(w, r); v != nil {
		http.ServeContent(w, r, "bundle.tgz", epoch, bytes.NewReader(v.bundle))
	}
}

func (h *stubHub) publish(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer good" {
		problem(w, hub.Errorf(hub.Unauthenticated, "no credential"))
		return
	}
	form, err := r.MultipartReader()
	if err != nil {
		problem(w, hub.Errorf(hub.Malformed, "%v", err))
		return
	}
	text, err := readPart(form, "manifest")
	if err != nil {
		problem(w, hub.Errorf(hub.Malformed, "manifest: %v", err))
		return
	}
	data, _ := readPart(form, "bundle")
	m, _, err := manifest.Parse(text)
	if err != nil {
		problem(w, err)
		return
	}
	v := h.store(m, data, hub.Validating)
	answer(w, 202, wire.Publication{Version: v.Version, Stages: []wire.Stage{{State: hub.Submitted}, {State: hub.Validating}}})
}

func readPart(form *multipart.Reader, name string) ([]byte, error) {
	p, err := form.NextPart()
	if err != nil {
		return nil, err
	}
	if p.FormName() != name {
		return nil, hub.Errorf(hub.Malformed, "part %q", p.FormName())
	}
	return io.ReadAll(p)
}

// publication moves on by one state each time it is asked.
func (h *stubHub) publication(w http.ResponseWriter, r *http.Request) {
	v := h.find(w, r)
	if v == nil {
		return
	}
	pub := wire.Publication{Stages: []wire.Stage{{State: hub.Submitted}, {State: hub.Validating}}}
	switch v.State {
	case hub.Validating:
		v.State = hub.Scanning
		pub.Stages = append(pub.Stages, wire.Stage{State: hub.Scanning, Reason: "structure and capabilities agree"})
	default:
		v.State = hub.Published
		pub.Stages = append(pub.Stages, wire.Stage{State: hub.Scanning, Reason: "structure and capabilities agree"},
			wire.Stage{State: hub.InReview}, wire.Stage{State: hub.Published})
	}
	pub.Version = v.Version
	answer(w, 200, pub)
}

func (h *stubHub) withdraw(w http.ResponseWriter, r *http.Request) {
	v := h.find(w, r)
	if v == nil {
		return
	}
	q := r.URL.Query()
	v.State, v.Message, v.Replacement = hub.Deprecated, q.Get("message"), q.Get("replacement")
	if q.Get("yank") == "true" {
		v.State = hub.Yanked
	}
	if q.Get("unpublish") == "true" {
		v.State = hub.Unpublished
	}
	answer(w, 200, v.Version)
}

var acme = wire.Account{ID: "0190b5a0-0000-7000-8000-000000000001", Name: "acme", Email: "ana@acme.example", Role: hub.RoleUser, Namespaces: []string{"acme"}, Scopes: hub.Scopes[:2]}

func (h *stubHub) login(w http.ResponseWriter, r *http.Request) {
	var in wire.Login
	_ = json.NewDecoder(r.Body).Decode(&in)
	if in.User != "acme" || in.Password != "correct horse" {
		problem(w, hub.Errorf(hub.Unauthenticated, "the name or the password is wrong"))
		return
	}
	h.refresh = "r1"
	answer(w, 200, wire.Session{AccessToken: "good", ExpiresAt: epoch.Add(15 * time.Minute), RefreshToken: "r1", Account: acme})
}

func (h *stubHub) token(w http.ResponseWriter, r *http.Request) {
	var in wire.Refresh
	_ = json.NewDecoder(r.Body).Decode(&in)
	if in.RefreshToken != h.refresh {
		problem(w, hub.Errorf(hub.Unauthenticated, "this session has ended"))
		return
	}
	h.refresh += "+"
	answer(w, 200, wire.Session{AccessToken: "good", ExpiresAt: epoch.Add(time.Hour), RefreshToken: h.refresh, Account: acme})
}

func (h *stubHub) me(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer good" {
		problem(w, hub.Errorf(hub.Unauthenticated, "this token is not known"))
		return
	}
	answer(w, 200, acme)
}
