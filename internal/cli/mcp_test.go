package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// asHost is a host application that started mcpm mcp. answer is what its person does when they are asked; nil for an
// application that cannot ask.
func (w *world) asHost(answer func(text string) string, args ...string) *mcp.ClientSession {
	w.t.Helper()
	toMcpm, in := io.Pipe()
	out, fromMcpm := io.Pipe()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context())) // it ends with its input
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, w.env(&term.IO{In: toMcpm, Out: fromMcpm, Err: io.Discard}), append([]string{"mcp"}, args...))
	}()
	var o mcp.ClientOptions
	if answer != nil {
		o.ElicitationHandler = func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: answer(r.Params.Message)}, nil
		}
	}
	s, err := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, &o).Connect(ctx, &mcp.IOTransport{Reader: out, Writer: in}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = s.Close() // mcpm ends with it
		if code := <-ended; code != 0 {
			w.t.Errorf("mcpm mcp ended with %d", code)
		}
		cancel()
	})
	return s
}

// call returns what a tool answered, as text and as what is in it.
func (w *world) call(s *mcp.ClientSession, tool string, args map[string]any) (text string, failed bool, fields map[string]any) {
	w.t.Helper()
	r, err := s.CallTool(w.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		w.t.Fatalf("%s: %v", tool, err)
	}
	text = r.Content[0].(*mcp.TextContent).Text
	_ = json.Unmarshal([]byte(text), &fields) // an error is no JSON
	return text, r.IsError, fields
}

func TestMCP(t *testing.T) {
	w := newWorld(t)
	w.stock()
	asked, does := "", "decline"
	s := w.asHost(func(text string) string { asked = text; return does })

	if text, failed, fields := w.call(s, "search_servers", map[string]any{"query": "postgres"}); failed || len(fields["servers"].([]any)) == 0 {
		t.Errorf("search: %s", text)
	}
	if text, failed, fields := w.call(s, "get_server", map[string]any{"name": "@acme/postgres"}); failed || fields["name"] != "acme/postgres" && fields["name"] != "@acme/postgres" {
		t.Errorf("get: %s", text)
	}
	if text, failed, fields := w.call(s, "compare_servers", map[string]any{"names": []string{"@acme/postgres", "io.github.acme/tickets"}}); failed || len(fields["servers"].([]any)) != 2 {
		t.Errorf("compare: %s", text)
	}
	for _, bad := range []struct {
		tool string
		args map[string]any
		want string
	}{
		{"get_server", map[string]any{"name": "--help"}, "not a server's name"},
		{"search_servers", map[string]any{"query": "x", "limit": 1000}, "must be 1 to 20"},
		{"compare_servers", map[string]any{"names": []string{"@acme/postgres"}}, "compare 2 to 5"},
		{"install_server", map[string]any{"name": "--accept-permissions"}, "not a server's name"},
		{"install_server", map[string]any{"name": "@acme/postgres", "host": "--yes"}, "--yes"},
		{"installation", map[string]any{"name": "@acme/nobody"}, "@acme/nobody"},
	} {
		if text, failed, _ := w.call(s, bad.tool, bad.args); !failed || !strings.Contains(text, bad.want) {
			t.Errorf("%s %v: %s", bad.tool, bad.args, text)
		}
	}
	if asked != "" {
		t.Errorf("the person was asked: %s", asked)
	}

	const name = "io.github.acme/tickets"
	if text, failed, fields := w.call(s, "install_server", map[string]any{"name": name}); failed || fields["installed"] != false {
		t.Errorf("declined: %s", text)
	}
	if !strings.Contains(asked, name) || strings.Contains(asked, "Nothing was changed") {
		t.Errorf("the person was asked %q", asked)
	}
	if _, _, fields := w.call(s, "list_installed", nil); fields["servers"] != nil && len(fields["servers"].([]any)) > 0 {
		t.Errorf("it was installed without consent: %v", fields)
	}
	does = "accept"
	if text, failed, fields := w.call(s, "install_server", map[string]any{"name": name}); failed || fields["installed"] != true {
		t.Errorf("accepted: %s", text)
	}
	if text, _, fields := w.call(s, "list_installed", nil); len(fields["servers"].([]any)) != 1 || fields["global"] != true {
		t.Errorf("list: %s", text)
	}
}

// TestMCPCannotAsk: an application that cannot ask its person installs nothing, and says what the person can type.
func TestMCPCannotAsk(t *testing.T) {
	w := newWorld(t)
	w.stock()
	s := w.asHost(nil, "-C", w.path("shop"))
	text, failed, fields := w.call(s, "install_server", map[string]any{"name": "io.github.acme/tickets@>=0.9.0"})
	if failed || fields["installed"] != false || fields["command"] != "mcpm install 'io.github.acme/tickets@>=0.9.0'" {
		t.Errorf("it said %s", text)
	}
	if _, _, fields := w.call(s, "list_installed", nil); fields["global"] != false || fields["servers"] != nil && len(fields["servers"].([]any)) > 0 {
		t.Errorf("list: %v", fields)
	}
}
