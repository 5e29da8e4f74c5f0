package hosts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
)

func TestPaths(t *testing.T) {
	env := func(vars ...string) func(string) string {
		return func(key string) string {
			for i := 0; i+1 < len(vars); i += 2 {
				if vars[i] == key {
					return vars[i+1]
				}
			}
			return ""
		}
	}
	linux := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: env(), Project: "/home/ana/shop"}
	xdg := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: env("XDG_CONFIG_HOME", "/cfg", "CLAUDE_CONFIG_DIR", "/cc")}
	relative := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: env("XDG_CONFIG_HOME", "cfg")}
	mac := hosts.Env{OS: "darwin", Home: "/Users/ana", Getenv: env(), Project: "/Users/ana/shop"}
	win := hosts.Env{OS: "windows", Home: `C:\Users\ana`, Getenv: env("APPDATA", `D:\Roaming`), Project: `C:\shop`}
	bare := hosts.Env{OS: "windows", Home: `C:\Users\ana`}
	for _, tt := range []struct {
		name, host string
		env        hosts.Env
		want       []string
	}{
		{"linux", "claude-desktop", linux, []string{"user /home/ana/.config/Claude/claude_desktop_config.json"}},
		{"xdg", "claude-desktop", xdg, []string{"user /cfg/Claude/claude_desktop_config.json"}},
		{"a relative XDG is ignored", "claude-desktop", relative, []string{"user /home/ana/.config/Claude/claude_desktop_config.json"}},
		{"mac", "claude-desktop", mac, []string{"user /Users/ana/Library/Application Support/Claude/claude_desktop_config.json"}},
		{"windows", "claude-desktop", win, []string{`user D:\Roaming\Claude\claude_desktop_config.json`}},
		{"windows without APPDATA", "claude-desktop", bare, []string{`user C:\Users\ana\AppData\Roaming\Claude\claude_desktop_config.json`}},
		{"linux", "claude-code", linux, []string{"user /home/ana/.claude.json", "project /home/ana/shop/.mcp.json"}},
		{"CLAUDE_CONFIG_DIR", "claude-code", xdg, []string{"user /cc/.claude.json"}},
		{"windows", "claude-code", win, []string{`user C:\Users\ana\.claude.json`, `project C:\shop\.mcp.json`}},
		{"linux", "cursor", linux, []string{"user /home/ana/.cursor/mcp.json", "project /home/ana/shop/.cursor/mcp.json"}},
		{"mac", "cursor", mac, []string{"user /Users/ana/.cursor/mcp.json", "project /Users/ana/shop/.cursor/mcp.json"}},
		{"windows", "cursor", win, []string{`user C:\Users\ana\.cursor\mcp.json`, `project C:\shop\.cursor\mcp.json`}},
		{"linux", "vscode", linux, []string{"user /home/ana/.config/Code/User/mcp.json", "project /home/ana/shop/.vscode/mcp.json"}},
		{"mac", "vscode", mac, []string{"user /Users/ana/Library/Application Support/Code/User/mcp.json", "project /Users/ana/shop/.vscode/mcp.json"}},
		{"windows", "vscode", win, []string{`user D:\Roaming\Code\User\mcp.json`, `project C:\shop\.vscode\mcp.json`}},
		{"no home", "cursor", hosts.Env{OS: "linux"}, nil},
	} {
		t.Run(tt.host+"/"+tt.name, func(t *testing.T) {
			h, ok := hosts.ByID(tt.host)
			if !ok {
				t.Fatal("no such host")
			}
			var got []string
			for _, p := range h.Paths(tt.env) {
				got = append(got, string(p.Scope)+" "+p.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTraces(t *testing.T) {
	for _, tt := range []struct {
		host string
		env  hosts.Env
		want []string
	}{
		{"claude-desktop", hosts.Env{OS: "windows", Home: `C:\u`}, []string{
			`C:\u\AppData\Roaming\Claude\claude_desktop_config.json`, `C:\u\AppData\Roaming\Claude`}},
		{"claude-code", hosts.Env{OS: "linux", Home: "/h"}, []string{"/h/.claude.json", "/h/.claude"}},
		{"cursor", hosts.Env{OS: "darwin", Home: "/h"}, []string{"/h/.cursor/mcp.json", "/h/.cursor"}},
		{"vscode", hosts.Env{OS: "linux", Home: "/h"}, []string{"/h/.config/Code/User/mcp.json", "/h/.config/Code"}},
	} {
		h, _ := hosts.ByID(tt.host)
		if diff := cmp.Diff(tt.want, h.Traces(tt.env)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.host, diff)
		}
	}
}

func TestRender(t *testing.T) {
	local := hosts.Entry{Command: "npx", Args: []string{"-y", "a&b"}, Env: map[string]string{"B": "2", "A": "1"}}
	http := hosts.Entry{URL: "https://x.example/mcp", Headers: map[string]string{"Authorization": "Bearer <t>"}}
	sse := hosts.Entry{URL: "https://x.example/sse", Transport: "sse"}
	for _, tt := range []struct {
		host  string
		entry hosts.Entry
		want  string
	}{
		{"claude-desktop", local, `{"command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"claude-desktop", http, `error: Claude Desktop cannot name a remote server (streamable-http) in its configuration file`},
		{"claude-code", local, `{"type":"stdio","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"claude-code", http, `{"type":"http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"claude-code", sse, `{"type":"sse","url":"https://x.example/sse"}`},
		{"cursor", local, `{"command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"cursor", http, `{"url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"cursor", sse, `{"url":"https://x.example/sse"}`},
		{"vscode", local, `{"type":"stdio","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"vscode", http, `{"type":"http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"vscode", sse, `{"type":"sse","url":"https://x.example/sse"}`},
	} {
		h, _ := hosts.ByID(tt.host)
		got, err := hosts.Render(h, tt.entry)
		if err != nil {
			got = []byte("error: " + err.Error())
		}
		if string(got) != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.host, got, tt.want)
		}
	}
}

// The example of each host holds what it says, under the host's key, and is what Entries reads.
func TestExample(t *testing.T) {
	for _, h := range hosts.All() {
		got, err := h.Entries(hosts.Example(h))
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if h.Remote() {
			want = 2
		}
		if len(got) != want {
			t.Errorf("%s: %d servers, want %d:\n%s", h.ID, len(got), want, hosts.Example(h))
		}
	}
	h, _ := hosts.ByID("vscode")
	want := "{\n  \"servers\": {\n    \"weather\": {\n      \"type\": \"stdio\",\n      \"command\": \"mcpm\",\n      \"args\": [\n        \"run\",\n        \"@acme/weather\"\n      ]\n    },\n    \"tickets\": {\n      \"type\": \"http\",\n      \"url\": \"https://mcp.example.com/mcp\",\n      \"headers\": {\n        \"Authorization\": \"Bearer TOKEN\"\n      }\n    }\n  }\n}\n"
	if diff := cmp.Diff(want, string(hosts.Example(h))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
