package migrate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/migrate"
)

// brief is what of a server is looked up, or why it is not.
func brief(s migrate.Server) string {
	out := s.Key + ": "
	if s.Why != "" {
		out += "! " + s.Why
	} else {
		out += strings.TrimSpace(s.Kind + " " + s.Identifier + " " + s.Version)
	}
	if len(s.Groups) > 0 {
		out += fmt.Sprint(" in ", s.Groups)
	}
	if len(s.Env)+len(s.Headers) > 0 {
		out += fmt.Sprint(" has ", s.Env, s.Headers)
	}
	if len(s.Elsewhere) > 0 {
		out += fmt.Sprint(" elsewhere ", s.Elsewhere)
	}
	return out
}

func briefs(all []migrate.Server) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(brief(s) + "\n")
	}
	return b.String()
}

// One entry each of what people have, in the words of one host.
func TestEntries(t *testing.T) {
	for _, tt := range []struct{ entry, want string }{
		{`{"command": "npx", "args": ["-y", "@acme/db@1.2.3", "--x"]}`, "npm @acme/db 1.2.3"},
		{`{"command": "npx", "args": ["-y", "@acme/db@latest"]}`, "npm @acme/db"},
		{`{"command": "cmd", "args": ["/c", "npx", "-y", "db"]}`, "npm db"},
		{`{"command": "C:\\Program Files\\nodejs\\npx.cmd", "args": ["-y", "db"]}`, "npm db"},
		{`{"command": "/usr/bin/env", "args": ["uvx", "mcp-server-time"]}`, "pypi mcp-server-time"},
		{`{"command": "uvx", "args": ["--from", "acme-tools==2.0", "acme-mcp"]}`, "pypi acme-tools 2.0"},
		{`{"command": "uv", "args": ["tool", "run", "mcp-server-git@1.0"]}`, "pypi mcp-server-git 1.0"},
		{`{"command": "docker", "args": ["run", "-i", "--rm", "-e", "A=b", "ghcr.io/acme/db:1.4"]}`, "oci ghcr.io/acme/db 1.4 has map[A:b] map[]"},
		{`{"command": "podman", "args": ["run", "-i", "docker.io/mcp/time@sha256:` + strings.Repeat("0", 64) + `"]}`, "oci mcp/time"},
		{`{"url": "https://MCP.Acme.example/mcp/"}`, "remote https://mcp.acme.example/mcp"},
		{`{"url": "https://mcp.acme.example/mcp?key=abc#x", "headers": {"Authorization": "Bearer t"}}`, "remote https://mcp.acme.example/mcp has map[] map[Authorization:Bearer t]"},
		{`{"command": "npx", "args": ["-y", "mcp-remote", "https://mcp.acme.example/sse", "--header", "X-Key: k"]}`, "remote https://mcp.acme.example/sse has map[] map[X-Key:k]"},
		{`{"command": "uvx", "args": ["mcp-proxy", "https://mcp.acme.example/sse"]}`, "remote https://mcp.acme.example/sse"},
		{`{"command": "npx", "args": ["-y", "@smithery/cli@latest", "run", "@acme/db", "--key", "k"]}`, "remote https://server.smithery.ai/@acme/db/mcp"},
		{`{"command": "mcpm", "args": ["guard", "run", "--", "npx", "-y", "db"]}`, "npm db"},
		{`{"command": "npx", "args": ["-y", "db"], "env": {"TOKEN": "t", "KEY": "${input:key}"}}`, "npm db has map[TOKEN:t] map[] elsewhere [KEY]"},

		{`{"command": "/home/me/server"}`, "! it starts server, a program of this machine, which no registry has"},
		{`{"command": "node", "args": ["/home/me/index.js"]}`, "! it starts node, a program of this machine, which no registry has"},
		{`{"command": "npx", "args": ["-y", "--token=s3cret", "db"]}`, "! its command line is not one that is understood: npx is given something beside a package"},
		{`{"command": "npx", "args": ["-y", "--registry", "https://u:p@npm.acme.example", "db"]}`, "! its command line is not one that is understood: npx is given something beside a package"},
		{`{"command": "npx", "args": ["github:acme/db"]}`, "! its command line is not one that is understood: npx is given something beside a package"},
		{`{"command": "npx", "args": ["-y", "db", "${workspaceFolder}"]}`, "! its arguments are filled in by the application"},
		{`{"command": "uvx", "args": ["--from", "git+https://github.com/acme/db", "db"]}`, "! its command line is not one that is understood: uvx is given something beside a package"},
		{`{"command": "docker", "args": ["compose", "up"]}`, "! its command line is not one that is understood: docker is given something beside a package"},
		{`{"command": "docker", "args": ["mcp", "gateway", "run"]}`, "! it is Docker's gateway, which stands for a whole profile: docker mcp profile export PROFILE FILE.yaml, then mcpm migrate --from FILE.yaml"},
		{`{"command": "npx", "args": ["-y", "@smithery/cli", "install", "x"]}`, "! it is Smithery's own program, not a server"},
		{`{"command": "mcpm", "args": ["run", "db"]}`, "! mcpm.sh runs it: its own list is read instead"},
		{`{"command": "/usr/bin/mcpm", "args": ["run", "@acme/db"]}`, "! mcpm runs it already"},
		{`{"command": "/usr/bin/mcpm", "args": ["run", "db2"]}`, "! mcpm runs it already"},
		{`{"command": "mcpm", "args": ["run", "db2", "-C", "/home/me/shop"]}`, "! mcpm runs it already"},
		{`{"url": "http://127.0.0.1:4483/sse"}`, "! it is reached on this machine (127.0.0.1:4483); what runs there is not told"},
		{`{"url": "https://${env:HOST}/mcp"}`, "! its address is no http or https URL"},
		{`{"url": "https://x.example/${env:KEY}"}`, "! its address is filled in by the application"},
		{`{"url": "https://u:p@x.example/mcp"}`, "! its address holds a password"},
		{`{"url": "ftp://x.example"}`, "! its address is no http or https URL"},
		{`{}`, "! its entry has neither a command nor an address"},
		{`[]`, "! its entry is not of the form Cursor uses"},
		{`{"command": "npx", "args": "-y db"}`, "! its entry is not of the form Cursor uses"},
		{`{"command": "npx", "args": ["` + strings.Repeat("x", 40<<10) + `"]}`, "! its entry is too large to be one"},
	} {
		cursor, _ := hosts.ByID("cursor")
		all, err := migrate.FromHost(cursor, []byte(`{"mcpServers": {"a": `+tt.entry+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(brief(all[0]), "a: "); got != tt.want {
			t.Errorf("%.120s\n got %s\nwant %s", tt.entry, got, tt.want)
		}
		if strings.Contains(all[0].Why, "s3cret") || strings.Contains(all[0].Why, "u:p@") {
			t.Errorf("a reason quotes a secret: %s", all[0].Why)
		}
	}
}

// Every host's own words for the same two servers come out alike.
func TestEveryHost(t *testing.T) {
	for _, h := range hosts.All() {
		local := hosts.Entry{Command: "npx", Args: []string{"-y", "@acme/db@1.2.3"}, Env: map[string]string{"TOKEN": "t"}}
		names, entries := []string{"db"}, map[string]hosts.Entry{"db": local}
		want := "db: npm @acme/db 1.2.3 has map[TOKEN:t] map[]\n"
		if h.Remote() {
			names = append(names, "far")
			entries["far"] = hosts.Entry{URL: "https://mcp.acme.example/mcp", Headers: map[string]string{"X": "y"}}
			want += "far: remote https://mcp.acme.example/mcp has map[] map[X:y]\n"
		}
		text, err := hosts.File(h, names, entries)
		if err != nil {
			t.Fatal(err)
		}
		all, err := migrate.FromHost(h, text)
		if diff := cmp.Diff(want, briefs(all)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s%s", h.ID, err, diff, text)
		}
	}
}

// The files of other tools, by their content alone.
var foreign = []struct {
	format     migrate.Format
	text, want string
}{
	{migrate.MCPMServers, `{"time": {"name": "time", "command": "uvx", "args": ["mcp-server-time"], "env": {"N": 1}, "profile_tags": ["work"]},
		"far": {"name": "far", "url": "https://x.example/mcp", "headers": {"A": "b"}}}`,
		"far: remote https://x.example/mcp has map[] map[A:b]\ntime: pypi mcp-server-time in [work] has map[N:1] map[]\n"},
	{migrate.MCPMProfiles, `{"work": [{"name": "time", "command": "uvx", "args": ["mcp-server-time"]}], "home": [{"name": "time", "command": "uvx", "args": ["mcp-server-time"]}, {"name": "git", "command": "uvx", "args": ["mcp-server-git"]}]}`,
		"git: pypi mcp-server-git in [home]\ntime: pypi mcp-server-time in [home work]\n"},
	{migrate.Getmcpm, "version: \"1\"\nservers:\n  io.github.acme/db:\n    version: 1.2.0\n    profiles: [dev]\n    env: {TOKEN: {secret: true}}\n  range:\n    version: ^1\n  far:\n    url: https://x.example/mcp\n",
		"far: remote https://x.example/mcp\nio.github.acme/db: name io.github.acme/db 1.2.0 in [dev] elsewhere [TOKEN]\nrange: ! its name is not one of the official registry\n"},
	{migrate.DockerProfile, "version: 1\nid: dev\nname: Dev\nservers:\n  - type: image\n    image: mcp/github:1.0@sha256:00\n    config: {path: /x}\n    snapshot: {server: {name: github, secrets: [{name: github.token, env: GITHUB_TOKEN}]}}\n" +
		"  - type: registry\n    source: https://r.example/v0/servers/io.github.acme%2Fdb/versions/2.0.0\n  - type: registry\n    source: https://r.example/v0/servers/71de5a2a\n  - type: remote\n",
		": ! its type in Docker's profile is remote in [Dev]\ngithub: oci mcp/github 1.0 in [Dev] elsewhere [GITHUB_TOKEN path]\nhttps://r.example/v0/servers/71de5a2a: ! its source names it by a number, not by its name in [Dev]\nio.github.acme/db: name io.github.acme/db 2.0.0 in [Dev]\n"},
	{migrate.DockerRegistry, "registry:\n  duckduckgo:\n    ref: \"\"\n", "duckduckgo: name com.docker.mcp/duckduckgo\n"},
	{migrate.ToolHive, `{"schema_version": "v0.1.0", "name": "gh", "image": "ghcr.io/acme/gh:1", "cmd_args": ["stdio"], "env_vars": {"MCP_TRANSPORT": "stdio", "H": "x", "T": "y"}, "secrets": ["gh,target=T"], "group": "dev"}`,
		"gh: oci ghcr.io/acme/gh 1 in [dev] has map[H:x] map[] elsewhere [T]\n"},
	{migrate.ToolHive, `{"schema_version": "v0.1.0", "name": "t", "image": "uvx://mcp-server-time@1.0"}`, "t: pypi mcp-server-time 1.0\n"},
	{migrate.ToolHive, `{"schema_version": "v0.1.0", "name": "t", "image": "go://github.com/acme/x"}`, "t: ! ToolHive builds it from go://, which is not read\n"},
	{migrate.ToolHive, `{"schema_version": "v0.1.0", "name": "t", "image": "", "remote_url": "https://x.example/mcp"}`, "t: remote https://x.example/mcp\n"},
}

func TestForeign(t *testing.T) {
	for _, tt := range foreign {
		if got := migrate.Detect([]byte(tt.text)); got != tt.format {
			t.Errorf("%s is taken for %q", tt.format, got)
		}
		all, err := migrate.Read(tt.format, []byte(tt.text))
		if diff := cmp.Diff(tt.want, briefs(all)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.format, err, diff)
		}
	}
}

func TestForeignRefused(t *testing.T) {
	many := `{"registry": {` + strings.TrimSuffix(strings.Repeat(`"x%d": {},`, 501), ",") + `}}`
	for i := range 501 {
		many = strings.Replace(many, "%d", fmt.Sprint(i), 1)
	}
	for _, tt := range []struct {
		format     migrate.Format
		text, want string
	}{
		{migrate.DockerRegistry, many, "it holds 501 servers; at most 500 are read"},
		{migrate.Getmcpm, "version: \"2\"\nservers: {}\n", "not a file of getmcpm: its version is \"2\", and 1 is read"},
		{migrate.Getmcpm, "a: &x 1\nb: *x\n", "line 1: YAML anchors and aliases are not read"},
		{migrate.Getmcpm, strings.Repeat("[", 100000), "line 1: nested deeper than 64 levels"},
		{migrate.ToolHive, `{}`, "not a file of toolhive: it has no schema_version or no name"},
		{migrate.DockerProfile, `{}`, "not a file of docker-profile: it has no servers"},
		{migrate.MCPMServers, strings.Repeat(" ", migrate.MaxFile+1), fmt.Sprintf("the file has %d bytes; at most %d are read", migrate.MaxFile+1, migrate.MaxFile)},
		{"other", `{}`, `"other" is no format that is known`},
	} {
		if _, err := migrate.Read(tt.format, []byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("%s %.40q: %v", tt.format, tt.text, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	vars := map[string]string{"LOCALAPPDATA": `C:\Users\ana\AppData\Local`}
	for os, want := range map[string]string{
		"linux":   "/h/.local/state/toolhive/runconfigs",
		"darwin":  "/h/Library/Application Support/toolhive/runconfigs",
		"windows": `C:\Users\ana\AppData\Local\toolhive\runconfigs`,
	} {
		found := false
		for _, p := range migrate.Places(hosts.Env{OS: os, Home: "/h", Project: "/p", Getenv: func(k string) string { return vars[k] }}) {
			found = found || p.Path == want
			if os == "windows" && strings.Contains(p.Path, "/") {
				t.Errorf("%s", p.Path)
			}
		}
		if !found {
			t.Errorf("%s: no %s", os, want)
		}
	}
	if got := migrate.Places(hosts.Env{OS: "linux"}); got != nil {
		t.Errorf("without a home: %v", got)
	}
}

// Whatever a file holds, every server is either looked up by something or told with a reason.
func FuzzRead(f *testing.F) {
	for _, tt := range foreign {
		f.Add(string(tt.format), tt.text)
	}
	f.Add("cursor", `{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}}}`)
	f.Add("goose", "extensions:\n  a:\n    cmd: uvx\n    args: [x]\n")
	f.Add("codex", "[mcp_servers.a]\ncommand = \"docker\"\nargs = [\"run\", \"x\"]\n")
	f.Fuzz(func(t *testing.T, format, text string) {
		_ = migrate.Detect([]byte(text))
		all, err := migrate.Read(migrate.Format(format), []byte(text))
		if h, ok := hosts.ByID(format); ok {
			all, err = migrate.FromHost(h, []byte(text))
		}
		if err != nil {
			return
		}
		for _, s := range all {
			if (s.Kind == "") == (s.Why == "") || s.Kind != "" && s.Identifier == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}
