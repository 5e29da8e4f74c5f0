//lint:file-ignore SA1019 sampling and roots are deprecated in the protocol of 2026-07-28, and passed on for those who have them

package aggregate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// told counts what a client is told.
type told struct{ tools, updated, progress atomic.Int32 }

func client(n *told) *mcp.Client {
	c := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, &mcp.ClientOptions{
		CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Model: "m", Role: "assistant", Content: &mcp.TextContent{Text: "made of " + r.Params.Messages[0].Content.(*mcp.TextContent).Text}}, nil
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept"}, nil
		},
		ToolListChangedHandler:      func(context.Context, *mcp.ToolListChangedRequest) { n.tools.Add(1) },
		ResourceUpdatedHandler:      func(context.Context, *mcp.ResourceUpdatedNotificationRequest) { n.updated.Add(1) },
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { n.progress.Add(1) },
	})
	c.AddRoots(&mcp.Root{URI: "file:///work", Name: "work"})
	return c
}

// overLines connects a client to a gateway on lines.
func overLines(t *testing.T, g *aggregate.Gateway, n *told) *mcp.ClientSession {
	t.Helper()
	fromClient, toGateway := io.Pipe()
	fromGateway, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- g.ServeLines(context.Background(), fromClient, toClient); toClient.Close() }()
	s, err := client(n).Connect(within(t), &mcp.IOTransport{Reader: fromGateway, Writer: toGateway}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		toGateway.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// overHTTP connects a client to a gateway over streamable HTTP.
func overHTTP(t *testing.T, g *aggregate.Gateway, n *told) *mcp.ClientSession {
	t.Helper()
	h := aggregate.NewHandler(context.Background(), g, "secret")
	srv := httptest.NewServer(h)
	t.Cleanup(func() { h.Close(); srv.CloseClientConnections(); srv.Close() })
	s, err := client(n).Connect(within(t), &mcp.StreamableClientTransport{Endpoint: srv.URL, HTTPClient: &http.Client{Transport: bearer("secret")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func call(t *testing.T, s *mcp.ClientSession, tool, arg string) string {
	t.Helper()
	res, err := s.CallTool(within(t), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": arg}})
	if err != nil {
		return "error: " + err.Error()
	}
	return res.Content[0].(*mcp.TextContent).Text
}

func TestGateway(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, *aggregate.Gateway, *told) *mcp.ClientSession{"lines": overLines, "http": overHTTP} {
		t.Run(name, func(t *testing.T) { speaks(t, connect) })
	}
}

// speaks goes through the protocol with two servers that have everything of one name, and one that does not start.
func speaks(t *testing.T, connect func(*testing.T, *aggregate.Gateway, *told) *mcp.ClientSession) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	g.SetMembers(members(t, "one", "two", "broken"))
	n := &told{}
	s := connect(t, g, n)
	ctx := within(t)

	if got := call(t, s, "two__echo", "before any list"); got != "two before any list" {
		t.Error(got)
	}
	tools, err := s.ListTools(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range tools.Tools {
		names = append(names, tool.Name)
		if len(tool.Name) > 64 {
			t.Errorf("%s has %d characters", tool.Name, len(tool.Name))
		}
	}
	if len(names) != 16 || !slices.Contains(names, "one__echo") || !slices.Contains(names, "two__echo") || slices.Contains(names, "echo") {
		t.Errorf("the tools are %q", names)
	}
	long := names[slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "one__long") })]
	for tool, want := range map[string]string{"one__echo": "one hi", long: "long", "one__ask": "made of hi file:///work accept", "one__nothing": "error:", "three__echo": "error:", "broken__x": "error:"} {
		if got := call(t, s, tool, "hi"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", tool, got, want)
		}
	}

	for _, prompt := range []string{"one__greet", "two__greet"} {
		res, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: prompt})
		if err != nil || res.Description != prompt[:3] {
			t.Errorf("%s: %v %v", prompt, res, err)
		}
	}
	for uri, want := range map[string]string{"shared://one": "one", "mcpm:two:shared://one": "two", "two://own": "two", "two://t/7": "two"} {
		res, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri})
		if err != nil || res.Contents[0].Text != want {
			t.Errorf("%s: %v %v, want %s", uri, res, err, want)
		}
	}
	if res, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: "file:///etc/passwd"}); err == nil {
		t.Errorf("nobody has it: %v", res)
	}
	done, err := s.Complete(ctx, &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "two__greet"}, Argument: mcp.CompleteParamsArgument{Name: "x"}})
	if err != nil || done.Completion.Values[0] != "two:greet" {
		t.Errorf("%v %v", done, err)
	}
	notifications(t, s, n)
	restarts(t, s)
}

func notifications(t *testing.T, s *mcp.ClientSession, n *told) {
	t.Helper()
	ctx := within(t)
	p := &mcp.CallToolParams{Name: "one__wait", Arguments: map[string]any{"text": ""}}
	p.SetProgressToken("p1")
	if _, err := s.CallTool(ctx, p); err != nil {
		t.Error(err)
	}
	eventually(t, "three steps of progress", func() bool { return n.progress.Load() == 3 })

	if err := s.Subscribe(ctx, &mcp.SubscribeParams{URI: "shared://one"}); err != nil {
		t.Error(err)
	}
	call(t, s, "one__touch", "")
	eventually(t, "the resource was changed", func() bool { return n.updated.Load() == 1 })

	call(t, s, "one__grow", "")
	eventually(t, "the tools changed", func() bool { return n.tools.Load() > 0 })
	if got := call(t, s, "one__grown", ""); got != "yes" {
		t.Error(got)
	}
	tools, err := s.ListTools(ctx, nil)
	if err != nil || len(tools.Tools) != 17 {
		t.Errorf("%v, want 17 tools", err)
	}

	file := filepath.Join(t.TempDir(), "cancelled")
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := s.CallTool(short, &mcp.CallToolParams{Name: "one__wait", Arguments: map[string]any{"text": file}}); err == nil {
		t.Error("the call that was cancelled has a result")
	}
	eventually(t, "the server noticed that the call was cancelled", func() bool { _, err := os.Stat(file); return err == nil })
}

// restarts ends a server in the middle of a call.
func restarts(t *testing.T, s *mcp.ClientSession) {
	t.Helper()
	before := call(t, s, "two__pid", "")
	if got := call(t, s, "two__die", ""); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, "@acme/two") {
		t.Error(got)
	}
	if after := call(t, s, "two__pid", ""); after == before || strings.HasPrefix(after, "error") {
		t.Errorf("the pid is %s, and was %s", after, before)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("never: %s", what)
}

// Servers that nobody uses are ended, and start again when they are needed; what they listed is still listed.
func TestIdle(t *testing.T) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}, Idle: 300 * time.Millisecond}
	g.SetMembers(members(t, "one"))
	s := overLines(t, g, &told{})
	pid := call(t, s, "one__pid", "")
	eventually(t, "the server was ended", func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
	if again := call(t, s, "one__pid", ""); again == pid {
		t.Errorf("the server is still %s", pid)
	}
}

// Members change while a client is there.
func TestReload(t *testing.T) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	both := members(t, "one", "two")
	g.SetMembers(both[:1])
	n := &told{}
	s := overLines(t, g, n)
	pid := call(t, s, "one__pid", "")
	g.SetMembers(both)
	eventually(t, "the client was told", func() bool { return n.tools.Load() == 1 })
	if got := call(t, s, "two__echo", "new"); got != "two new" {
		t.Error(got)
	}
	if again := call(t, s, "one__pid", ""); again != pid {
		t.Errorf("the server that stayed the same was started anew: %s, %s", pid, again)
	}
	g.SetMembers(both[1:])
	if got := call(t, s, "one__pid", ""); !strings.HasPrefix(got, "error: ") {
		t.Errorf("what is gone answers %s", got)
	}
	eventually(t, "the server that went was ended", func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
}

// raw is a server that answers with what no library would.
func raw() {
	br := bufio.NewScanner(os.Stdin)
	for br.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		_ = json.Unmarshal(br.Bytes(), &m)
		switch m.Method {
		case "initialize":
			fmt.Printf("a line that is none\n"+`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}}`+"\n", m.ID)
		case "tools/call":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"hologram","a":"<&>"}],"structuredContent":{"n":12345678901234567890.10},"unknown": [1, 2],"asked":%s}}`+"\n", m.ID, m.Params)
		}
	}
}

// Bytes of results are passed on as they came, and what nobody knows stays in.
func TestUntouched(t *testing.T) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	g.SetMembers(members(t, "raw"))
	var out strings.Builder
	in := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}
{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"raw__x","arguments":{"n":1.10,"html":"<b>"}}}
not json
{"jsonrpc":"2.0","id":3,"method":"unheard/of"}
[]
`)
	if err := g.ServeLines(within(t), in, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"jsonrpc":"2.0","id":"two","result":{"content":[{"type":"hologram","a":"<&>"}],"structuredContent":{"n":12345678901234567890.10},"unknown": [1, 2],"asked":{"arguments":{"n":1.10,"html":"<b>"},"name":"x"}}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`,
		`{"jsonrpc":"2.0","id":3,"error":{"code":-32601,`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

// A server that never answers its greeting does not keep the gateway from ending.
func TestEndWhileStarting(t *testing.T) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	g.SetMembers(members(t, "hang"))
	ctx, cancel := context.WithCancel(t.Context())
	in, toGateway := io.Pipe()
	defer toGateway.Close()
	ended := make(chan error, 1)
	go func() { ended <- g.ServeLines(ctx, in, io.Discard) }()
	fmt.Fprintln(toGateway, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	time.Sleep(200 * time.Millisecond) // it starts
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it still waits for the server")
	}
}

// A server that cannot start says why, and what to do about it, to who calls it.
func TestCannotStart(t *testing.T) {
	g := &aggregate.Gateway{Version: "1", Log: testWriter{t}}
	g.SetMembers([]aggregate.Member{{Name: "@acme/db", Prefix: "db", Open: func(context.Context) (*gateway.Conn, error) {
		return nil, hub.Errorf(hub.Invalid, "@acme/db needs TOKEN").WithHint("mcpm config @acme/db --set TOKEN=...\n  or another way")
	}}})
	var out strings.Builder
	if err := g.ServeLines(within(t), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"db__x"}}`+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	if want := `"@acme/db: it needs TOKEN; mcpm config @acme/db --set TOKEN=... or another way"`; !strings.Contains(out.String(), want) {
		t.Errorf("no %s in %s", want, out.String())
	}
}
