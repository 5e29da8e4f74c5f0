package hosts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
)

func TestPaths(t *testing.T) {
	linux := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: vars(), Project: "/home/ana/shop"}
	xdg := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: vars("XDG_CONFIG_HOME", "/cfg", "CLAUDE_CONFIG_DIR", "/cc")}
	relative := hosts.Env{OS: "linux", Home: "/home/ana", Getenv: vars("XDG_CONFIG_HOME", "cfg")}
	mac := hosts.Env{OS: "darwin", Home: "/Users/ana", Getenv: vars(), Project: "/Users/ana/shop"}
	win := hosts.Env{OS: "windows", Home: `C:\Users\ana`, Getenv: vars("APPDATA", `D:\Roaming`), Project: `C:\shop`}
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
		{"windsurf", http, `{"serverUrl":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"antigravity", sse, `{"serverUrl":"https://x.example/sse"}`},
		{"zed", local, `{"command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"cline", http, `{"type":"streamableHttp","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"roo-code", http, `{"type":"streamable-http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"gemini-cli", http, `{"httpUrl":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"gemini-cli", sse, `{"url":"https://x.example/sse"}`},
		{"codex", http, `{"url":"https://x.example/mcp","http_headers":{"Authorization":"Bearer <t>"}}`},
		{"codex", sse, `error: Codex cannot name a remote server (sse) in its configuration file`},
		{"goose", local, `{"type":"stdio","cmd":"npx","args":["-y","a&b"],"envs":{"A":"1","B":"2"},"enabled":true,"timeout":300}`},
		{"goose", http, `{"type":"streamable_http","uri":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"},"enabled":true,"timeout":300}`},
		{"opencode", local, `{"type":"local","command":["npx","-y","a&b"],"environment":{"A":"1","B":"2"},"enabled":true}`},
		{"opencode", http, `{"type":"remote","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"},"enabled":true}`},
		{"continue", local, `{"type":"stdio","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"continue", http, `{"type":"streamable-http","url":"https://x.example/mcp","requestOptions":{"headers":{"Authorization":"Bearer <t>"}}}`},
		{"continue", sse, `{"type":"sse","url":"https://x.example/sse"}`},
		{"mistral-vibe", local, `{"transport":"stdio","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"mistral-vibe", http, `{"transport":"streamable-http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
		{"copilot-cli", local, `{"type":"local","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"},"tools":["*"]}`},
		{"crush", local, `{"type":"stdio","command":"npx","args":["-y","a&b"],"env":{"A":"1","B":"2"}}`},
		{"junie", http, `error: Junie cannot name a remote server (streamable-http) in its configuration file`},
		{"factory", http, `{"type":"http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer <t>"}}`},
	} {
		h, _ := hosts.ByID(tt.host)
		got, err := hosts.Render(h, tt.entry)
		if err != nil {
			got = []byte("error: " + err.Error())
		}
		if tt.entry.URL == "" && !cmp.Equal(hosts.Runs(h, got), []string{"npx", "-y", "a&b"}) {
			t.Errorf("%s runs %q", tt.host, hosts.Runs(h, got))
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
	h, _ := hosts.ByID("continue")
	asJSON, err := h.JSON(hosts.Example(h))
	if want := `{"mcpServers":[{"args":["run","@acme/weather"],"command":"mcpm","name":"weather","type":"stdio"},{"name":"tickets","requestOptions":{"headers":{"Authorization":"Bearer TOKEN"}},"type":"streamable-http","url":"https://mcp.example.com/mcp"}],"name":"Local Agent","schema":"v1","version":"1.0.0"}`; err != nil || string(asJSON) != want {
		t.Errorf("%v\n got %s\nwant %s", err, asJSON, want)
	}
	h, _ = hosts.ByID("vscode")
	want := "{\n  \"servers\": {\n    \"weather\": {\n      \"type\": \"stdio\",\n      \"command\": \"mcpm\",\n      \"args\": [\n        \"run\",\n        \"@acme/weather\"\n      ]\n    },\n    \"tickets\": {\n      \"type\": \"http\",\n      \"url\": \"https://mcp.example.com/mcp\",\n      \"headers\": {\n        \"Authorization\": \"Bearer TOKEN\"\n      }\n    }\n  }\n}\n"
	if diff := cmp.Diff(want, string(hosts.Example(h))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
