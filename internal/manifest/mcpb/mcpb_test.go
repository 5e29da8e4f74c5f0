package mcpb_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

const whole = `{
	"manifest_version": "0.3", "name": "files", "version": "1.0.0", "description": "d", "author": {"name": "A"},
	"server": {"type": "node", "entry_point": "server/index.js", "mcp_config": {
		"command": "node", "args": ["${__dirname}${/}server${/}index.js", "", "--dirs", "${user_config.dirs}", "--limit", "${user_config.limit}", "--note=${user_config.note}", "{literal}", "${UNKNOWN}"],
		"env": {"KEY": "${user_config.api_key}", "AT": "${DESKTOP}", "NOTE": "${user_config.note}"},
		"platform_overrides": {"win32": {"command": "node.exe"}, "darwin": {"args": ["${__dirname}/mac.js"]}}}},
	"compatibility": {"platforms": ["linux", "darwin", "win32"], "runtimes": {"node": ">=18"}},
	"user_config": {
		"dirs": {"type": "directory", "title": "Dirs", "description": "Where to look", "multiple": true, "default": ["${HOME}/a", "/b"]},
		"limit": {"type": "number", "title": "Limit", "description": "How many", "min": 1, "max": 9},
		"note": {"type": "string", "title": "Note"},
		"api_key": {"type": "string", "title": "Key", "description": "Key", "sensitive": true, "required": true}
	}
}`

// launch starts the archive as mcpm does, from a package whose arguments were filled in.
func launch(t *testing.T, s *mcpb.Start, goos string, vars map[string]string) (manifest.Launched, []manifest.Missing, error) {
	t.Helper()
	command, args, env, err := s.Launch(mcpb.Machine{OS: goos, Home: "/home/ann", Dir: "/store/x"})
	if err != nil {
		t.Fatal(err)
	}
	spec := manifest.ServerSpec{Command: command, Package: &model.Package{
		RegistryType: model.RegistryTypeMCPB, Identifier: "https://example.com/x.mcpb", PackageArguments: args, EnvironmentVariables: env,
	}}
	return manifest.Launch(&manifest.Manifest{Name: "@a/b", Version: "1.0.0", Servers: map[string]manifest.ServerSpec{"s": spec}}, spec, vars)
}

func TestLaunch(t *testing.T) {
	s, err := mcpb.Parse([]byte("\xef\xbb\xbf" + whole))
	if err != nil {
		t.Fatal(err)
	}
	_, missing, err := launch(t, s, "linux", nil)
	var names []string
	for _, m := range missing {
		names = append(names, m.Name)
		if m.Name == "api_key" && !m.Secret {
			t.Error("the key is no secret")
		}
	}
	if err != nil || !slices.Equal(names, []string{"api_key", "limit"}) { // --limit would take the next word
		t.Errorf("missing %v %v", names, err)
	}
	l, missing, err := launch(t, s, "linux", map[string]string{"api_key": "k", "limit": "3"})
	want := []string{"/store/x/server/index.js", "", "--dirs", "/home/ann/a", "/b", "--limit", "3", "--note=", "{literal}", "${UNKNOWN}"}
	if err != nil || len(missing) > 0 || l.Command != "node" || !slices.Equal(l.Args, want) {
		t.Errorf("%s %q\nwant %q\n%v %v", l.Command, l.Args, want, missing, err)
	}
	if got, _ := json.Marshal(l.Env); string(got) != `{"AT":"/home/ann/Desktop","KEY":"k"}` {
		t.Errorf("env %s", got)
	}
	if _, _, err := launch(t, s, "linux", map[string]string{"api_key": "k", "limit": "many"}); err == nil || !strings.Contains(err.Error(), "must be a number") {
		t.Errorf("a number that is none: %v", err)
	}
	if l, _, _ := launch(t, s, "darwin", map[string]string{"api_key": "k"}); !slices.Equal(l.Args, []string{"/store/x/mac.js"}) {
		t.Errorf("on a Mac %q", l.Args)
	}
	if _, _, _, err := s.Launch(mcpb.Machine{OS: "linux", Dir: "/x"}); err == nil || !strings.Contains(err.Error(), "no home directory") {
		t.Errorf("without a home: %v", err)
	}
}

func start(server, rest string) string {
	return `{"manifest_version":"0.2","server":` + server + rest + `}`
}

func TestProgram(t *testing.T) {
	tests := []struct{ server, rest, file, program, err string }{
		{server: `{"type":"node","entry_point":"a.js"}`, program: "node"},
		{server: `{"type":"python","entry_point":"a.py"}`, program: "python3"},
		{server: `{"type":"python","entry_point":"a.py","mcp_config":{"command":"python3.12"}}`, program: "python3.12"},
		{server: `{"type":"binary","entry_point":"bin/x"}`, file: "bin/x"},
		{server: `{"type":"binary","entry_point":"server","mcp_config":{"command":"server"}}`, file: "server"},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"${__dirname}${/}bin${/}x"}}`, file: "bin/x"},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"./bin/x"}}`, file: "bin/x"},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"x","platform_overrides":{"linux":{"command":"${__dirname}/lin"}}}}`, file: "lin"},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"${__dirname}/../../bin/sh"}}`, err: "no file of its own"},
		{server: `{"type":"binary","entry_point":"../x"}`, err: "no file of its own"},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"${__dirname}"}}`, err: "no file of its own"},
		{server: `{"type":"node","entry_point":"a.js","mcp_config":{"command":"npx"}}`, err: `it starts "npx"`},
		{server: `{"type":"python","entry_point":"a.py","mcp_config":{"command":"uv"}}`, err: `it starts "uv"`},
		{server: `{"type":"binary","entry_point":"x","mcp_config":{"command":"/bin/sh"}}`, err: `it starts "/bin/sh"`},
		{server: `{"type":"node","entry_point":"a.js","mcp_config":{"command":"${HOME}/x"}}`, err: "what that runs cannot be locked"},
		{server: `{"type":"node","entry_point":"a.js"}`, rest: `,"compatibility":{"platforms":["darwin","win32"]}`, err: "it is for darwin, win32, and this machine is linux"},
	}
	for _, tt := range tests {
		s, err := mcpb.Parse([]byte(start(tt.server, tt.rest)))
		if err != nil {
			t.Errorf("%s: %v", tt.server, err)
			continue
		}
		file, program, err := s.Program("linux")
		if tt.err != "" && (hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), tt.err)) || tt.err == "" && (err != nil || file != tt.file || program != tt.program) {
			t.Errorf("%s: %q %q %v", tt.server, file, program, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	node := `{"type":"node","entry_point":"a.js","mcp_config":{"command":"node","args":["${user_config.a}"]}}`
	tests := []struct {
		text, message string
		kind          hub.Kind
	}{
		{`[]`, "not readable", hub.Malformed},
		{`{"server":1}`, "not readable", hub.Malformed},
		{strings.Repeat(" ", mcpb.MaxManifest+1), "at most", hub.TooLarge},
		{`{"manifest_version":"1.0","server":` + node + `}`, `manifest_version is "1.0"`, hub.Invalid},
		{`{"server":` + node + `}`, "manifest_version", hub.Invalid},
		{`{"manifest_version":"0.4","server":{"type":"uv","entry_point":"a.py"}}`, "of the type uv", hub.Invalid},
		{start(`{"type":"deno","entry_point":"a"}`, ""), `server.type is "deno"`, hub.Invalid},
		{start(`{"type":"node"}`, ""), "neither a command nor an entry_point", hub.Invalid},
		{start(node, ""), `takes the value "a", which it does not ask for`, hub.Invalid},
		{start(`{"type":"node","mcp_config":{"command":"${user_config.a}"}}`, `,"user_config":{"a":{"type":"string"}}`), "is made from a value", hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"color"}}`), `the type "color"`, hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"string"},"b c":{"type":"string"}}`), "which is no name", hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"string"},"HOME":{"type":"string"},"config_HOME":{"type":"string"}}`), "would have one name", hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"string","default":{"x":1}}}`), "neither text, number", hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"string","default":["x\ny"]}}`), "what is no text", hub.Invalid},
		{start(node, `,"user_config":{"a":{"type":"string"}},"compatibility":{"platforms":["beos"]}`), `platform "beos"`, hub.Invalid},
		{start(`{"type":"node","mcp_config":{"command":"node","args":["`+strings.Repeat("x", 9000)+`"]}}`, ""), "no program can be given", hub.Invalid},
	}
	for _, tt := range tests {
		_, err := mcpb.Parse([]byte(tt.text))
		if hub.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%.200s: %v, want %s %q", tt.text, err, tt.kind, tt.message)
		}
	}
}

// A value must not be mistaken for what mcpm itself fills in.
func TestNamesOfMachine(t *testing.T) {
	s, err := mcpb.Parse([]byte(start(`{"type":"node","entry_point":"a.js","mcp_config":{"command":"node","args":["${user_config.workspace}"]}}`, `,"user_config":{"workspace":{"type":"directory","required":true}}`)))
	if err != nil {
		t.Fatal(err)
	}
	_, missing, err := launch(t, s, "linux", map[string]string{"workspace": "/project"})
	if err != nil || len(missing) != 1 || missing[0].Name != "config_workspace" {
		t.Errorf("%v %v", missing, err)
	}
}

func document(t testing.TB, s *mcpb.Start) []byte {
	t.Helper()
	d := mcpb.Document{
		Type: "mcpb", URL: "https://example.com/mcp.mcpb", Integrity: "sha512-" + strings.Repeat("A", 86) + "==", SHA256: strings.Repeat("a", 64), Size: 1, Start: s,
	}
	raw, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDocument(t *testing.T) {
	s, err := mcpb.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	raw := document(t, s)
	d, err := mcpb.ParseDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.Canonical(); err != nil || string(again) != string(raw) {
		t.Errorf("%v\n%s\n%s", err, raw, again)
	}
	p := model.Package{Identifier: d.URL, FileSHA256: d.SHA256}
	if !d.Is(&p) {
		t.Error("it is not its own package")
	}
	if p.FileSHA256 = strings.Repeat("b", 64); d.Is(&p) {
		t.Error("it is another file")
	}
	for _, change := range [][2]string{
		{"https://", "http://"}, {"https://", "https://a:b@"}, {`"size":1`, `"size":-1`}, {`"mcpb"`, `"npm"`}, {`"type":"node"`, `"type":"uv"`}, {"sha512-", "sha1-"}, {`"start":{`, `"end":{`},
	} {
		if _, err := mcpb.ParseDocument([]byte(strings.Replace(string(raw), change[0], change[1], 1))); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%s: %v", change[1], err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(start(`{"type":"binary","entry_point":"bin/x"}`, `,"user_config":{"PATH":{"type":"file","default":"${HOME}"}}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := mcpb.Parse(raw)
		if err != nil {
			if hub.KindOf(err) == "" {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		for _, goos := range []string{"linux", "darwin", "windows"} {
			command, args, env, err := s.Launch(mcpb.Machine{OS: goos, Home: "/h", Dir: "/d"})
			if err != nil {
				continue
			}
			if command != "node" && !strings.HasPrefix(command, "python") && !strings.HasPrefix(command, "/d/") {
				t.Errorf("it starts %q", command)
			}
			spec := manifest.ServerSpec{Command: command, Package: &model.Package{RegistryType: "mcpb", Identifier: "https://x/mcp", PackageArguments: args, EnvironmentVariables: env}}
			_, _, _ = manifest.Launch(&manifest.Manifest{}, spec, nil) // it must not panic
		}
		d, err := mcpb.ParseDocument(document(t, s))
		if err != nil {
			t.Fatalf("what was locked is not read: %v", err)
		}
		if again, err := d.Canonical(); err != nil || string(again) != string(document(t, s)) {
			t.Errorf("the same archive is locked in two ways: %v", err)
		}
	})
}
