package guard_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcphub/mcphub/internal/guard"
	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
	"github.com/mcphub/mcphub/internal/guard/policy"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// sdk connects the SDK's client with a server of the SDK through a guard: both speak the newest protocol, without initialize.
func sdk(t *testing.T, p *policy.Policy, client *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	fromGuard, toServer := io.Pipe()
	fromServer, toGuard := io.Pipe()
	s := mcp.NewServer(&mcp.Implementation{Name: "db", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "add", Description: "Adds a row"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "added"}}}, nil, nil
	})
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
			if v, _ := r.GetParams().GetMeta()[mcp.MetaKeyProtocolVersion].(string); v < "2026-07-28" && !strings.HasPrefix(method, "notifications/") {
				t.Errorf("%s came without its protocol version", method)
			}
			return next(ctx, method, r)
		}
	})
	go func() { _ = s.Run(t.Context(), &mcp.IOTransport{Reader: fromGuard, Writer: toGuard}) }() // it ends with the test
	dir := t.TempDir()
	c := guard.Config{Server: "@acme/db", Version: "1.0.0", Policy: p, Vault: &guard.Vault{}, Log: &audit.Log{Dir: filepath.Join(dir, "log")},
		Pins: pins.Open(filepath.Join(dir, "guard"), pins.Key{Server: "@acme/db", Version: "1.0.0"}, nil), Accept: "mcpm accept @acme/db"}
	t.Cleanup(func() { _ = c.Log.Close() })
	in, out := guard.New(c).Wrap(t.Context(), toServer, fromServer)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, client).Connect(t.Context(), &mcp.IOTransport{Reader: out, Writer: in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// TestNewestProtocol: a tool may be called before any is listed, in a session that begins without initialize.
func TestNewestProtocol(t *testing.T) {
	s := sdk(t, policy.Default(), nil)
	if v := s.InitializeResult().ProtocolVersion; v < "2026-07-28" {
		t.Fatalf("they speak %s", v)
	}
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "add"})
	if err != nil || r.IsError || len(r.Content) == 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

// TestAskInTheNewestProtocol: the person is asked through the answer to the call, which the client repeats with what they said.
func TestAskInTheNewestProtocol(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".mcpmrc"), []byte(`{"guard": {"*": {"tools": {"add": "ask"}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(home, install.Project{Dir: t.TempDir()}, []hub.Name{"acme/db"}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	asked, answer := "", &mcp.ElicitResult{Action: "decline"}
	s := sdk(t, p, &mcp.ClientOptions{ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		asked = r.Params.Message
		return answer, nil
	}})
	if r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: map[string]any{"b": 1, "a": "x"}}); err == nil {
		t.Errorf("declined: %+v", r)
	}
	if !strings.Contains(asked, "may the tool add of @acme/db be called?") {
		t.Errorf("the person was asked %q", asked)
	}
	answer = &mcp.ElicitResult{Action: "accept", Content: map[string]any{"allow": false}}
	if r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "add"}); err == nil {
		t.Errorf("not allowed: %+v", r)
	}
	answer.Content["allow"] = true
	for range 2 { // each call is asked about
		asked = ""
		r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: map[string]any{}})
		if err != nil || r.IsError || asked == "" {
			t.Errorf("allowed: %+v %v, asked %q", r, err, asked)
		}
	}
	for _, forged := range []string{"mcpm-guard-x-1", "mcpm-guard-"} { // an answer that nobody gave
		asked = ""
		r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: map[string]any{}, RequestState: forged,
			InputResponses: mcp.InputResponseMap{"mcpm-guard": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"allow": true}}}})
		if asked == "" {
			t.Errorf("with the state %s nobody was asked: %+v %v", forged, r, err)
		}
	}
	without := sdk(t, p, nil)
	if r, err := without.CallTool(t.Context(), &mcp.CallToolParams{Name: "add"}); err == nil || !strings.Contains(err.Error(), "cannot ask") {
		t.Errorf("a client that cannot ask: %+v %v", r, err)
	}
}

// TestOlderServer: a client that tried the newest protocol and was refused introduces itself once, and so does the guard.
func TestOlderServer(t *testing.T) {
	r := newRig(t, t.TempDir(), tools(query))
	r.ask(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
	r.ask(`{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)
	if got := r.ask(callOf(3, "query", "{}")); !strings.Contains(got, "done") {
		t.Error(got)
	}
	if !r.reached(`"method":"tools/list","params":{}`) {
		t.Errorf("the server got %q", r.seen)
	}
}
