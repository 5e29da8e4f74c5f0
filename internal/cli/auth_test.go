package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// protected is a remote server that wants a token, and its authorization server, which agrees to everything.
type protected struct {
	*httptest.Server
	resource  func(string) string // what it says the token is for, for a server that lies
	iss       string              // of the answer, for one that is mixed up
	pkce      []string
	scope     string // that a call wants
	elsewhere string // where the tool is, for a server that sends one away

	mu       sync.Mutex
	codes    map[string]url.Values // what was asked for when they were given
	access   string                // the one good token
	refresh  string
	given    int
	seen     []string // headers Authorization that came
	answered string   // where the browser was sent back to
}

func newProtected(t *testing.T) *protected {
	p := &protected{codes: map[string]url.Values{}, pkce: []string{"S256"}, resource: func(s string) string { return s }}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/mcp", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, 200, map[string]any{"resource": p.resource(p.URL + "/mcp"), "authorization_servers": []string{p.URL}, "scopes_supported": []string{"read"}})
	})
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, 200, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "registration_endpoint": p.URL + "/register",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": p.pkce, "authorization_response_iss_parameter_supported": true})
	})
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]any
		_ = json.NewDecoder(r.Body).Decode(&asked)
		asked["client_id"] = "mcpm-1"
		answerJSON(w, 201, asked)
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.given++
		code := fmt.Sprint("code-", p.given)
		p.codes[code] = q
		iss := p.URL
		if p.iss != "" {
			iss = p.iss
		}
		p.answered = q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {iss}}.Encode()
		http.Redirect(w, r, p.answered, http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.mu.Lock()
		defer p.mu.Unlock()
		f := r.PostForm
		good := f.Get("resource") == p.URL+"/mcp" && f.Get("client_id") == "mcpm-1"
		switch f.Get("grant_type") {
		case "authorization_code":
			asked := p.codes[f.Get("code")]
			delete(p.codes, f.Get("code"))
			sum := sha256.Sum256([]byte(f.Get("code_verifier")))
			good = good && asked != nil && asked.Get("code_challenge") == base64.RawURLEncoding.EncodeToString(sum[:]) && asked.Get("redirect_uri") == f.Get("redirect_uri")
		case "refresh_token":
			good = good && f.Get("refresh_token") == p.refresh
		}
		if !good {
			answerJSON(w, 400, map[string]string{"error": "invalid_grant"})
			return
		}
		p.given++
		p.access, p.refresh = fmt.Sprint("access-", p.given), fmt.Sprint("refresh-", p.given)
		answerJSON(w, 200, map[string]any{"access_token": p.access, "refresh_token": p.refresh, "token_type": "Bearer", "expires_in": 3600})
	})
	p.serve(mux)
	return p
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// serve is the server itself.
func (p *protected) serve(mux *http.ServeMux) {
	far := mcp.NewServer(&mcp.Implementation{Name: "far", Version: "1"}, nil)
	mcp.AddTool(far, &mcp.Tool{Name: "where"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "far away"}}}, nil, nil
	})
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return far }, nil)
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Header.Get("Authorization"))
		good, scope, elsewhere := p.access != "" && r.Header.Get("Authorization") == "Bearer "+p.access, p.scope, p.elsewhere
		p.mu.Unlock()
		switch {
		case elsewhere != "":
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		case !good:
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+p.URL+`/.well-known/oauth-protected-resource/mcp"`)
			answerJSON(w, 401, map[string]string{"error": "invalid_token"})
		case scope != "":
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
			answerJSON(w, 403, map[string]string{"error": "insufficient_scope"})
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// withProtected is a world in which the server is installed, whose browser signs in at once.
func withProtected(t *testing.T, p *protected) *world {
	t.Helper()
	w := newWorld(t)
	w.ring = &ring{values: map[string]string{}}
	w.hub.add(t, protectedManifest("1.0.0", p.URL), nil)
	w.mcpm("install", "@acme/far", "--yes", "--no-hosts")
	w.browse = func(address string) error {
		go func() {
			if resp, err := http.Get(address); err == nil {
				resp.Body.Close()
			}
		}()
		return nil
	}
	return w
}

func protectedManifest(version, at string) string {
	return fmt.Sprintf(`{"name": "@acme/far", "version": %q, "description": "Somewhere else",
		"servers": {"default": {"transport": "streamable-http", "url": "%s/mcp", "capabilities": {"tools": ["where"]}}}}`, version, at)
}

// where calls the tool as a host application does, and returns its answer or what went wrong.
func (w *world) where(t *testing.T) string {
	t.Helper()
	inR, inW, err1 := os.Pipe()
	outR, outW, err2 := os.Pipe()
	said, err3 := os.CreateTemp(t.TempDir(), "stderr")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	env := w.env(&term.IO{In: inR, Out: outW, Err: said})
	env.Files = [3]*os.File{inR, outW, said}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cli.Main(context.Background(), env, []string{"run", "@acme/far"})
		outW.Close()
	}()
	answer := ""
	session, err := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, nil).Connect(t.Context(), &mcp.IOTransport{Reader: outR, Writer: inW}, nil)
	if err == nil {
		var res *mcp.CallToolResult
		if res, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "where"}); err == nil {
			answer = res.Content[0].(*mcp.TextContent).Text
		}
		session.Close()
	}
	inW.Close()
	<-ended
	if err == nil {
		return answer
	}
	log, _ := os.ReadFile(said.Name())
	return fmt.Sprint(err, "\n", string(log))
}

// TestAuth guards: a remote server that wants a sign-in says so, with the command; after it the token is sent, to that server
// alone, is kept in the keychain and nowhere else, and is renewed with a refresh token that changes each time.
func TestAuth(t *testing.T) {
	p := newProtected(t)
	w := withProtected(t, p)
	if got := w.where(t); !strings.Contains(got, "@acme/far wants you to sign in") || !strings.Contains(got, "mcpm auth @acme/far") {
		t.Errorf("without a sign-in: %s", got)
	}
	if code, _, errw := w.mcpm("test", "@acme/far", "--allow-http"); code != 4 || !strings.Contains(errw, "wants you to sign in\nhint: mcpm auth @acme/far") {
		t.Errorf("tested without a sign-in: %d %s", code, errw)
	}
	code, out, errw := w.mcpm("auth", "@acme/far")
	if code != 0 || out != "" || !strings.Contains(errw, "Signed in to @acme/far; kept in the system keychain.") || !strings.Contains(errw, "Sign in at ") {
		t.Fatalf("exit %d, %s%s", code, out, errw)
	}
	if got := w.where(t); got != "far away" {
		t.Fatal(got)
	}
	if code, out, errw := w.mcpm("test", "@acme/far", "--allow-http"); code != 0 || !strings.Contains(out, "answers as") {
		t.Errorf("tested with one: %d %s%s", code, out, errw)
	}
	w.noFileHolds(p.access)
	w.noFileHolds(p.refresh)
	for range 2 { // the token was withdrawn
		p.mu.Lock()
		was := p.refresh
		p.access = "another"
		p.mu.Unlock()
		if got := w.where(t); got != "far away" {
			t.Fatal(got)
		}
		if p.refresh == was {
			t.Error("the token was not renewed")
		}
	}
	p.scope = "write"
	if got := w.where(t); !strings.Contains(got, "mcpm auth @acme/far --scope write") {
		t.Errorf("more scopes: %s", got)
	}
	p.scope = ""
	p.access, p.refresh = "another", "another"
	if got := w.where(t); !strings.Contains(got, "the sign-in of @acme/far is over") {
		t.Errorf("nothing is good any more: %s", got)
	}
	if code, _, errw := w.mcpm("auth", "@acme/far", "--scope", "write", "--json"); code != 0 {
		t.Fatal(errw)
	}
	if got := w.where(t); got != "far away" {
		t.Error(got)
	}
	if code, _, errw := w.mcpm("auth", "@acme/far", "--remove"); code != 0 || len(w.ring.(*ring).values) != 0 {
		t.Errorf("%s, the keychain still has %d", errw, len(w.ring.(*ring).values))
	}
}

// TestTokenStays guards: the token goes to the address it was given for and to no other: not to a new address of the server,
// and not where it redirects to.
func TestTokenStays(t *testing.T) {
	p, thief := newProtected(t), newProtected(t)
	w := withProtected(t, p)
	if code, _, errw := w.mcpm("auth", "@acme/far"); code != 0 {
		t.Fatal(errw)
	}
	p.elsewhere = thief.URL + "/mcp"
	w.where(t)
	p.elsewhere = ""
	w.hub.add(t, protectedManifest("1.1.0", thief.URL), nil)
	if code, _, errw := w.mcpm("update", "@acme/far", "--yes", "--accept-permissions"); code != 0 {
		t.Fatal(errw)
	}
	w.where(t)
	if len(thief.seen) == 0 {
		t.Fatal("the other server was never asked")
	}
	for _, h := range thief.seen {
		if h != "" {
			t.Errorf("it got %q", h)
		}
	}
}

// TestAuthRefuses guards: an answer of another issuer, an authorization server without PKCE and an answer that does not know
// the state end the sign-in without a token.
func TestAuthRefuses(t *testing.T) {
	for name, change := range map[string]func(*protected){
		"the issuer of another": func(p *protected) { p.iss = "https://evil.example" },
		"no PKCE":               func(p *protected) { p.pkce = nil },
	} {
		p := newProtected(t)
		change(p)
		w := withProtected(t, p)
		if code, _, errw := w.mcpm("auth", "@acme/far"); code == 0 || len(w.ring.(*ring).values) != 0 {
			t.Errorf("%s: exit %d, %s", name, code, errw)
		}
		if p.access != "" {
			t.Errorf("%s: a token was given", name)
		}
	}
	p := newProtected(t)
	p.resource = func(string) string { return "https://bank.example/mcp" }
	w := withProtected(t, p)
	if code, _, errw := w.mcpm("auth", "@acme/far"); code != 0 || strings.Contains(w.shown[0], "bank.example") {
		t.Errorf("a token for the resource of another was asked for, or none: exit %d, %s", code, errw)
	}
	w.browse = func(address string) error {
		u, _ := url.Parse(address)
		back := u.Query().Get("redirect_uri")
		resp, err := http.Get(back + "?code=forged&state=guessed")
		if err != nil || resp.StatusCode != 400 {
			t.Errorf("a forged answer: %v, %v", resp, err)
		}
		go func() {
			_, _ = http.Get(back + "?error=access_denied&state=" + url.QueryEscape(u.Query().Get("state")))
		}()
		return nil
	}
	if code, _, errw := w.mcpm("auth", "@acme/far"); code == 0 || !strings.Contains(errw, "the sign-in was refused: access_denied") {
		t.Errorf("exit %d, %s", code, errw)
	}
	w.hub.add(t, clock(t, "1.0.0", `["now"]`), nil)
	w.mcpm("install", "@acme/clock", "--yes", "--no-hosts")
	if code, _, errw := w.mcpm("auth", "@acme/clock"); code == 0 || !strings.Contains(errw, "runs on this machine") {
		t.Errorf("a server of this machine: exit %d, %s", code, errw)
	}
}
