package hosts_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
)

func vars(pairs ...string) func(string) string {
	return func(key string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// The user's own file of every host, on Linux, macOS and Windows; "" where the host has none.
func TestUserPaths(t *testing.T) {
	const as, roaming, local = "/Users/a/Library/Application Support", `D:\Roaming`, `C:\Users\a\AppData\Local`
	home := func(rest string) [3]string {
		return [3]string{"/home/a/" + rest, "/Users/a/" + rest, `C:\Users\a\` + strings.ReplaceAll(rest, "/", `\`)}
	}
	base := func(rest string) [3]string {
		return [3]string{"/home/a/.config/" + rest, as + "/" + rest, roaming + `\` + strings.ReplaceAll(rest, "/", `\`)}
	}
	dotConfig := func(rest, windows string) [3]string {
		return [3]string{"/home/a/.config/" + rest, "/Users/a/.config/" + rest, windows}
	}
	want := map[string][3]string{
		"claude-desktop":     base("Claude/claude_desktop_config.json"),
		"claude-code":        home(".claude.json"),
		"cursor":             home(".cursor/mcp.json"),
		"vscode":             base("Code/User/mcp.json"),
		"windsurf":           home(".codeium/windsurf/mcp_config.json"),
		"zed":                dotConfig("zed/settings.json", roaming+`\Zed\settings.json`),
		"codex":              home(".codex/config.toml"),
		"gemini-cli":         home(".gemini/settings.json"),
		"copilot-cli":        home(".copilot/mcp-config.json"),
		"cline":              base("Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"),
		"continue":           home(".continue/config.yaml"),
		"goose":              dotConfig("goose/config.yaml", roaming+`\Block\goose\config\config.yaml`),
		"opencode":           dotConfig("opencode/opencode.json", `C:\Users\a\.config\opencode\opencode.json`),
		"kiro":               home(".kiro/settings/mcp.json"),
		"amazon-q":           home(".aws/amazonq/default.json"),
		"vscode-insiders":    base("Code - Insiders/User/mcp.json"),
		"vscode-server":      home(".vscode-server/data/User/mcp.json"),
		"visual-studio":      {"", "", `C:\Users\a\.mcp.json`},
		"copilot-jetbrains":  {"", "", local + `\github-copilot\intellij\mcp.json`},
		"junie":              home(".junie/mcp/mcp.json"),
		"windsurf-jetbrains": home(".codeium/mcp_config.json"),
		"cline-cursor":       base("Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"),
		"cline-remote":       home(".cline/data/settings/cline_mcp_settings.json"),
		"roo-code":           base("Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"),
		"antigravity":        home(".gemini/antigravity/mcp_config.json"),
		"lm-studio":          home(".lmstudio/mcp.json"),
		"amp":                dotConfig("amp/settings.json", roaming+`\amp\settings.json`),
		"warp":               home(".warp/.mcp.json"),
		"trae":               base("Trae/User/mcp.json"),
		"qwen-code":          home(".qwen/settings.json"),
		"crush":              dotConfig("crush/crush.json", local+`\crush\crush.json`),
		"mistral-vibe":       home(".vibe/config.toml"),
		"kimi-cli":           home(".kimi/mcp.json"),
		"factory":            home(".factory/mcp.json"),
		"qoder":              {"/home/a/.qoder/mcp.json", "/Users/a/.qoder/mcp.json", roaming + `\Qoder\SharedClientCache\mcp.json`},
		"witsy":              base("Witsy/settings.json"),
		"enconvo":            {"", "/Users/a/.config/enconvo/mcp_config.json", ""},
		"boltai":             {"", "/Users/a/.boltai/mcp.json", ""},
		"tome":               home(".tome/mcp_config.json"),
	}
	envs := []hosts.Env{
		{OS: "linux", Home: "/home/a"}, {OS: "darwin", Home: "/Users/a"}, {OS: "windows", Home: `C:\Users\a`, Getenv: vars("APPDATA", roaming)},
	}
	got := map[string][3]string{}
	owners := map[string]string{}
	for _, h := range hosts.All() {
		var paths [3]string
		for i, env := range envs {
			paths[i] = h.UserPath(env)
			if other := owners[paths[i]]; paths[i] != "" && other != "" {
				t.Errorf("%s and %s share %s", other, h.ID, paths[i])
			}
			owners[paths[i]] = h.ID
			for _, trace := range h.Traces(env) {
				if trace == env.Home { // it is always there
					t.Errorf("%s is found on every machine", h.ID)
				}
			}
		}
		got[h.ID] = paths
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The files of a project, where a host reads one.
func TestProjectPaths(t *testing.T) {
	got := map[string]string{}
	for _, h := range hosts.All() {
		for _, p := range h.Paths(hosts.Env{OS: "windows", Home: `C:\u`, Project: `C:\shop`}) {
			if p.Scope == hosts.Project {
				got[h.ID] = p.Path
			}
		}
	}
	want := map[string]string{
		"claude-code": `C:\shop\.mcp.json`, "cursor": `C:\shop\.cursor\mcp.json`, "vscode": `C:\shop\.vscode\mcp.json`, "gemini-cli": `C:\shop\.gemini\settings.json`,
		"continue": `C:\shop\.continue\config.yaml`, "kiro": `C:\shop\.kiro\settings\mcp.json`, "amazon-q": `C:\shop\.amazonq\default.json`,
		"vscode-insiders": `C:\shop\.vscode\mcp.json`, "visual-studio": `C:\shop\.mcp.json`, "junie": `C:\shop\.junie\mcp\mcp.json`, "roo-code": `C:\shop\.roo\mcp.json`,
		"warp": `C:\shop\.warp\.mcp.json`, "crush": `C:\shop\.crush.json`, "mistral-vibe": `C:\shop\.vibe\config.toml`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a person chose wins over variables and defaults, for the user's file only, and shows that the host is there.
func TestOverride(t *testing.T) {
	for _, tt := range []struct {
		name, host string
		env        hosts.Env
		want       []string
		traces     []string
	}{
		{"home", "zed", hosts.Env{OS: "linux", Home: "/h", Override: map[string]string{"zed": "~/dot/zed.json"}},
			[]string{"user /h/dot/zed.json"}, []string{"/h/dot/zed.json", "/h/dot"}},
		{"over a variable", "claude-code", hosts.Env{OS: "darwin", Home: "/h", Project: "/p", Getenv: vars("CLAUDE_CONFIG_DIR", "/cc"), Override: map[string]string{"claude-code": "/x/c.json"}},
			[]string{"user /x/c.json", "project /p/.mcp.json"}, []string{"/x/c.json", "/x", "/cc", "/h/.claude"}},
		{"windows", "cursor", hosts.Env{OS: "windows", Home: `C:\u`, Override: map[string]string{"cursor": "~/c/mcp.json"}},
			[]string{`user C:\u\c\mcp.json`}, []string{`C:\u\c\mcp.json`, `C:\u\c`}},
		{"a host that has none here", "boltai", hosts.Env{OS: "linux", Home: "/h", Override: map[string]string{"boltai": "/b.json"}},
			[]string{"user /b.json"}, []string{"/b.json", "/"}},
		{"another host", "cursor", hosts.Env{OS: "linux", Home: "/h", Override: map[string]string{"zed": "/z"}},
			[]string{"user /h/.cursor/mcp.json"}, []string{"/h/.cursor/mcp.json", "/h/.cursor"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := host(t, tt.host)
			var got []string
			for _, p := range h.Paths(tt.env) {
				got = append(got, string(p.Scope)+" "+p.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.traces, h.Traces(tt.env)); diff != "" {
				t.Errorf("traces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	for id, want := range map[string][]string{
		"vscode": {`darwin user ~/Library/Application Support/Code/User/mcp.json`, `windows user %APPDATA%\Code\User\mcp.json`,
			`linux user ~/.config/Code/User/mcp.json`, `any project .vscode/mcp.json`},
		"codex":         {`any user $CODEX_HOME/config.toml`, `any user ~/.codex/config.toml`},
		"visual-studio": {`windows user ~\.mcp.json`, `windows project .mcp.json`},
	} {
		var got []string
		for _, p := range host(t, id).Places() {
			got = append(got, p.OS+" "+string(p.Scope)+" "+p.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

// The well-known come first, and no two rows are the same host.
func TestOrder(t *testing.T) {
	var ids, names []string
	for _, h := range hosts.All() {
		ids, names = append(ids, h.ID), append(names, h.Name)
		if h.Key == "" || h.Name == "" || len(h.Places()) == 0 || h.List && h.Format != hosts.YAML && h.Format != hosts.TOML {
			t.Errorf("%s: %+v", h.ID, h)
		}
	}
	if diff := cmp.Diff([]string{"claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "zed"}, ids[:6]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, list := range [][]string{ids, names} {
		slices.Sort(list)
		if got := slices.Compact(slices.Clone(list)); len(got) != len(list) {
			t.Errorf("twice: %v", list)
		}
	}
}
