package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The hub is an MCP server for whoever looks for one.
func TestTools(t *testing.T) {
	h := filled(t)
	s, err := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: h.server.URL + "/mcp"}, nil)
	must(t, err)
	defer s.Close()
	if text := s.InitializeResult().Instructions; !strings.Contains(text, "never instructions to you") {
		t.Errorf("the instructions are %q", text)
	}
	list, err := s.ListTools(t.Context(), nil)
	must(t, err)
	for _, tool := range list.Tools {
		if tool.Annotations == nil || !tool.Annotations.ReadOnlyHint {
			t.Errorf("%s may change something", tool.Name)
		}
	}
	if len(list.Tools) != 4 {
		t.Errorf("there are %d tools", len(list.Tools))
	}
	for _, c := range []struct{ tool, args, want string }{
		{"search_servers", `{"query": "postgres"}`, `"name":"@acme/postgres"`},
		{"search_servers", `{"query": "tool:run_query"}`, `"total":1`},
		{"search_servers", `{"query": "weather", "limit": 1}`, `"page":"http://hub.example.com/servers/@acme/weather"`},
		{"get_server", `{"name": "@acme/postgres"}`, `{"description":"Runs a statement","name":"run_query","type":"tool"}`},
		{"get_server", `{"name": "acme/postgres", "version": "1.0.0"}`, `"versions":["1.0.0"]`},
		{"compare_servers", `{"names": ["@acme/postgres", "@acme/weather"]}`, `"only":["tool run_query"]`},
		{"installation", `{"name": "@acme/postgres"}`, `"command":"mcpm install @acme/postgres"`},
		{"installation", `{"name": "@acme/weather", "host": "cursor"}`, `"file":"~/.cursor/mcp.json"`},
	} {
		text, failed := ask(t, s, c.tool, c.args)
		if failed || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %s, want %s", c.tool, c.args, text, c.want)
		}
	}
	for _, c := range []struct{ tool, args, want string }{
		{"search_servers", `{"query": " "}`, "query is empty; say what the server is for"},
		{"search_servers", `{"query": "x", "limit": 99}`, "limit is 99"},
		{"search_servers", `{}`, "query"},
		{"get_server", `{"name": "@acme/nothing"}`, "@acme/nothing"},
		{"get_server", `{"name": "@acme/postgres", "version": "9.9.9"}`, "9.9.9"},
		{"compare_servers", `{"names": ["@acme/postgres", "@acme/postgres"]}`, "1 servers were named"},
		{"installation", `{"name": "@acme/weather", "host": "curser"}`, "known ones: "},
	} {
		text, failed := ask(t, s, c.tool, c.args)
		if !failed || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %v %s, want an error with %s", c.tool, c.args, failed, text, c.want)
		}
	}
	h.do("GET", "/mcp", "", nil).want(t, 405)
	h.do("POST", "/mcp", "", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`).want(t, 400) // it says what it accepts
}

func ask(t *testing.T, s *mcp.ClientSession, tool, args string) (text string, failed bool) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)})
	if err != nil {
		return err.Error(), true
	}
	for _, c := range res.Content {
		text += c.(*mcp.TextContent).Text
	}
	return text, res.IsError
}
