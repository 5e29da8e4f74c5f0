package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/web"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type greeting struct {
	Name string `json:"name"`
}

// playable is a site on which tools can be tried, with a remote server and one that is a package.
func playable(t *testing.T, anyone bool) *site {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet"}, func(_ context.Context, _ *mcp.CallToolRequest, in greeting) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "<b>hello\u200b " + in.Name}}}, nil, nil
	})
	remote := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(remote.Close)
	s := newSite(t)
	play, err := playground.New(playground.Config{HTTP: http.DefaultClient, Dir: filepath.Join(t.TempDir(), "play"), Version: "1", AtOnce: 1})
	must(t, err)
	s.handler = web.New(web.Config{Registry: s.registry, Search: s.search, Auth: s.auth, Limiter: memcache.NewLimiter(1000, time.Now), BaseURL: base, Prefix: "/tools", Version: "1.2.3",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Playground: play, TryAnyone: anyone})
	tool := `"capabilities": {"tools": [{"name": "greet", "description": "Says\u200b hello.", "schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}]}`
	s.publish("@acme/greeter", "1.0.0", "Greets.", `, "servers": {"remote": {"url": "`+remote.URL+`", "transport": "streamable-http", `+tool+`}}`)
	s.publish("@acme/packed", "1.0.0", "Greets.", `, "servers": {"npm": {"command": "npx", "args": ["-y", "@acme/packed@1.0.0"], `+tool+`}}`)
	return s
}

const greet = "/servers/@acme/greeter/v/1.0.0/try/greet"

// TestTry guards: a tool can be tried from the page of its server, what it answers is shown as text with what is hidden in it,
// and too many tries are refused.
func TestTry(t *testing.T) {
	s := playable(t, true)
	has(t, "the link", s.page("GET", "/servers/@acme/greeter/capabilities", nil, 200), `href="/tools`+greet+`"`)
	has(t, "the form", s.page("GET", greet, nil, 200), `action="/tools`+greet+`"`, `name="arg.name"`, "string, required", "what you enter is sent to <strong>127.0.0.1:", "noindex")
	has(t, "the answer", s.page("POST", greet, url.Values{"arg.name": {`"Ann"`}}, 200), `&lt;b&gt;hello<span class="hid"`, `&#34;Ann&#34;`)
	has(t, "by hand", s.page("POST", greet, url.Values{"json": {`{"name": "Bo"}`}}, 200), "Bo")
	has(t, "no JSON", s.page("POST", greet, url.Values{"json": {`name`}}, 422), "The arguments are no JSON object.", ">name</textarea>")
	hasNot(t, "a package", s.page("GET", "/servers/@acme/packed/capabilities", nil, 200), "/try/")
	has(t, "why not", s.page("GET", "/servers/@acme/packed/v/1.0.0/try/greet", nil, 200), "it is started from a package")
	s.page("GET", "/servers/@acme/greeter/v/1.0.0/try/nothing", nil, 404)
	if w := s.send("POST", greet, url.Values{}, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("a form from another site: %d", w.Code)
	}
	for i := range 12 {
		if w := s.send("POST", greet, url.Values{"arg.name": {"x"}}); w.Code == 429 {
			return
		} else if i == 11 {
			t.Error("twelve tries are taken one after the other")
		}
	}
}

// TestTryAccounts guards: where only accounts may try tools, others are asked to sign in; and where nobody may, there is no
// page.
func TestTryAccounts(t *testing.T) {
	s := playable(t, false)
	has(t, "nobody", s.page("GET", greet, nil, 200), "Sign in to try it", `/tools/login?next=%2Fservers%2F`)
	s.page("POST", greet, url.Values{"arg.name": {"x"}}, 401)
	s.makeAccount("acme", hub.RoleUser)
	s.signIn("acme")
	has(t, "somebody", s.page("POST", greet, url.Values{"arg.name": {"Ann"}}, 200), "Ann")
	off := filled(t)
	off.page("GET", "/servers/@acme/db/v/1.0.0/try/query", nil, 404)
	hasNot(t, "off", off.page("GET", "/servers/@acme/db/capabilities", nil, 200), "/try/")
}
