package hostcmd

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hosts"
)

func TestMasked(t *testing.T) {
	for _, tt := range []struct{ host, text, want string }{
		{"cursor", `{"mcpServers": {"a": {"command": "npx", "env": {"K": "hunter2hunter2", "MCPM_HOME": "/m"}}}}`,
			`{"mcpServers": {"a": {"command": "npx", "env": {"K": "********", "MCPM_HOME": "/m"}}}}`},
		{"cursor", `{"mcpServers": {"a": {"url": "https://u:pass-word@x.example/mcp?key=abcdefgh&n=1", "headers": {"X": "v"}}}}`,
			`{"mcpServers": {"a": {"url": "https://u:********@x.example/mcp?key=********&n=********", "headers": {"X": "********"}}}}`},
		{"cursor", `{"mcpServers": {"a": {"args": ["--api-key", "abc", "--token=long-secret", "-e", "DB_PASSWORD=pw", "plain"]}}}`,
			`{"mcpServers": {"a": {"args": ["--api-key", "********", "--token=********", "-e", "DB_PASSWORD=********", "plain"]}}}`},
		{"vscode", "{\n// glpat-AAAAAAAAAAAAAAAAAAAAAA\n\"servers\": {}}", "{\n// ********\n\"servers\": {}}"},
		{"codex", "[mcp_servers.a]\ncommand = \"x\"\n[mcp_servers.a.env]\nT = 'short'\nU = \"longer-than-six\"\n",
			"[mcp_servers.a]\ncommand = \"x\"\n[mcp_servers.a.env]\nT = '********'\nU = \"********\"\n"},
		{"goose", "extensions:\n  a:\n    cmd: x\n    envs:\n      T: abc\n      U: \"q\"\n", "extensions:\n  a:\n    cmd: x\n    envs:\n      T: ********\n      U: \"********\"\n"},
	} {
		h, _ := hosts.ByID(tt.host)
		got, err := masked(h, []byte(tt.text))
		if tt.host == "goose" { // eight asterisks are an alias in YAML: then nothing is shown
			if err == nil {
				t.Errorf("%s: shown as\n%s", tt.host, got)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.host, err, got, tt.want)
		}
	}
}

// What cannot be hidden is not shown.
func FuzzMasked(f *testing.F) {
	f.Add("ghp_x\"\\\n", "cursor")
	f.Add("multi\nline: yes", "goose")
	f.Add("'''", "codex")
	f.Fuzz(func(t *testing.T, secret, id string) {
		h, ok := hosts.ByID(id)
		if !ok || strings.Trim(secret, "*") == "" {
			return
		}
		value, err := hosts.Render(h, hosts.Entry{Command: "c", Env: map[string]string{"SECRET_THING": secret}})
		if err != nil {
			return
		}
		text, _, err := h.Insert(nil, "a", value)
		if err != nil {
			return
		}
		shown, err := masked(h, text)
		if err != nil {
			return
		}
		left, err := secretsIn(h, []byte(shown))
		if err != nil || len(left) != 1 || left[0] != mask {
			t.Errorf("%q in %s:\n%s", secret, id, shown)
		}
	})
}
