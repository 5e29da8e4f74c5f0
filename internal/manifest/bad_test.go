package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

var unreadable = []struct {
	name, src, message string
	kind               hub.Kind
}{
	{"empty", "", "mcp.json is empty", hub.Malformed},
	{"only space", " \n\t", "mcp.json is empty", hub.Malformed},
	{"cut short", "{\n  \"name\": ", "mcp.json line 2, column 11: the text ends in the middle of a value", hub.Malformed},
	{"no quotes", "{\n  name: 1\n}", "mcp.json line 2, column 3: invalid literal: name", hub.Malformed},
	{"two documents", "{} {}", "mcp.json line 1, column 4: invalid character '{' after top-level value", hub.Malformed},
	{"open comment", "{} /* x", "mcp.json line 1, column 4: the text ends in the middle of a value", hub.Malformed},
	{"not UTF-8", "{\n\"name\": \"a\xff\"}", "mcp.json line 2: the byte 0xff is not UTF-8", hub.Malformed},
	{"NUL", "{\"name\": \"a\\u0000b\"}", "mcp.json line 1: a string holds the NUL character", hub.Malformed},
	{"key twice", "{\"name\": \"a\",\n\"version\": \"1\",\n\"name\": \"b\"}", `mcp.json line 3: the key "name" is given twice; the first is on line 1`, hub.Malformed},
	{"key twice, escaped", `{"name": "a", "\u006eame": "b"}`, `mcp.json line 1: the key "name" is given twice; the first is on line 1`, hub.Malformed},
	{"too deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), "mcp.json line 1: nested deeper than 64 levels", hub.TooLarge},
	{"much too deep", strings.Repeat("[", 1<<20), "mcp.json line 1: nested deeper than 64 levels", hub.TooLarge},
	{"too long", strings.Repeat(" ", 1<<20+1), "mcp.json has 1048577 bytes; at most 1048576 are allowed", hub.TooLarge},
	{"long list", `{"keywords": [` + strings.Repeat("1,", 10001) + "]}", "mcp.json line 1: 10001 items in one list; at most 10000 are allowed", hub.TooLarge},
	{"a list", "[]", "mcp.json line 1: expected an object, got a list", hub.Invalid},
	{"wrong type", "{\n\"name\": 5}", "mcp.json line 2: name: expected a string, got a number (5)", hub.Invalid},
	{"wrong types", "{\n\"name\": true,\n\"keywords\": \"sql\", \"servers\": []}", "mcp.json line 2: name: expected a string, got a boolean (true) (and 2 more)", hub.Invalid},
	{"wrong type inside", `{"servers": {"a": {"args": ["x", 5]}}}`, "mcp.json line 1: servers.a.args[1]: expected a string, got a number (5)", hub.Invalid},
	{"null in a list", `{"keywords": [null]}`, "mcp.json line 1: keywords[0]: expected a value, got null", hub.Invalid},
	{"wrong capability", `{"servers": {"a": {"capabilities": {"tools": [1]}}}}`, "mcp.json line 1: servers.a.capabilities.tools[0]: expected a name or an object, got a number (1)", hub.Invalid},
	{"dotted key", `{"dependencies": {"io.github.x/yy": 1}}`, `mcp.json line 1: dependencies["io.github.x/yy"]: expected a string, got a number (1)`, hub.Invalid},
	{"half a process", `{"permissions": {"resources": {"pids": 1.5}}}`, "mcp.json line 1: permissions.resources.pids: expected a whole number, got a number (1.5)", hub.Invalid},
	{"infinite", `{"permissions": {"resources": {"cpus": 1e999}}}`, "mcp.json line 1: permissions.resources.cpus: expected a number, got a number (1e999)", hub.Invalid},
	{"wrong package", `{"servers": {"a": {"package": "npm:x"}}}`, `mcp.json line 1: servers.a.package: expected an object, got a string ("npm:x")`, hub.Invalid},
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range unreadable {
		t.Run(tt.name, func(t *testing.T) {
			m, _, err := manifest.Parse([]byte(tt.src))
			if m != nil || err == nil || err.Error() != tt.message || hub.KindOf(err) != tt.kind {
				t.Errorf("got %v (%s)\nwant %s (%s)", err, hub.KindOf(err), tt.message, tt.kind)
			}
		})
	}
}

func TestParseWarns(t *testing.T) {
	src := `{
  "naem": "@a/bb", "licence": "MIT", "mcpServers": {}, "x-mine": 1,
  "scripts": {"postinstall": "evil"},
  "servers": {"a": {"comand": "x", "type": "stdio", "capabilities": {"tool": [], "tools": [{"name": "t", "type": "prompt", "colour": "red"}]}}}
}`
	_, issues, err := manifest.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := []hub.Issue{
		{Path: "naem", Line: 2, Code: "unknown-field", Message: `unknown field "naem" is ignored; did you mean "name"?`},
		{Path: "licence", Line: 2, Code: "unknown-field", Message: `unknown field "licence" is ignored; did you mean "license"?`},
		{Path: "mcpServers", Line: 2, Code: "unknown-field", Message: `unknown field "mcpServers" is ignored; did you mean "servers"?`},
		{Path: "scripts", Line: 3, Code: "scripts", Message: "scripts are never run: nothing in a package is executed when it is installed"},
		{Path: "servers.a.comand", Line: 4, Code: "unknown-field", Message: `unknown field "comand" is ignored; did you mean "command"?`},
		{Path: "servers.a.type", Line: 4, Code: "unknown-field", Message: `unknown field "type" is ignored; did you mean "transport"?`},
		{Path: "servers.a.capabilities.tools[0].colour", Line: 4, Code: "unknown-field", Message: `unknown field "colour" is ignored`},
		{Path: "servers.a.capabilities.tools[0].type", Line: 4, Code: "type", Message: `type "prompt" in a list of tools is ignored`},
		{Path: "servers.a.capabilities.tool", Line: 4, Code: "unknown-field", Message: `unknown field "tool" is ignored; did you mean "tools"?`},
	}
	for i := range want {
		want[i].Severity = hub.SeverityWarning
	}
	if d := cmp.Diff(want, issues); d != "" {
		t.Error(d)
	}
}

// A publishable manifest, to be spoilt in one place.
const fine = `{"name":"@acme/xx","version":"1.0.0","description":"d","servers":{"a":{"command":"node"}}}`

var invalid = []struct{ name, patch, path, message string }{
	{"name", `"name":"XX"`, "name", `server name "XX": it must be one scope and one name with one slash between; write @scope/name, such as @acme/postgres, or a reverse domain, such as io.github.acme/postgres`},
	{"no name", `"name":""`, "name", "a name is needed, such as @acme/postgres or io.github.acme/postgres"},
	{"version", `"version":"v1"`, "version", `version "v1" is not SemVer 2.0.0; write MAJOR.MINOR.PATCH, such as 1.4.2 or 2.0.0-beta.1`},
	{"no version", `"version":""`, "version", "a version is needed, such as 1.0.0"},
	{"no description", `"description":""`, "description", "a description is needed: one or two sentences on what the server does"},
	{"long description", `"description":"` + strings.Repeat("x", 4097) + `"`, "description", "4097 characters; at most 4096 are allowed"},
	{"no servers", `"servers":{}`, "servers", "at least one entry is needed, which says how the server is started or reached"},
	{"nothing to start", `"servers":{"a":{}}`, "servers.a", "exactly one of command, package, remote and url must say how to start it; none is given"},
	{"two ways", `"servers":{"a":{"command":"x","url":"https://a.example"}}`, "servers.a", "exactly one of command, package, remote and url must say how to start it; given are command and url"},
	{"transport", `"servers":{"a":{"url":"https://a.example","transport":"http"}}`, "servers.a.transport", `"http" is not one of stdio, streamable-http, sse; did you mean "streamable-http"?`},
	{"typing mistake", `"servers":{"a":{"command":"x","transport":"stido"}}`, "servers.a.transport", `"stido" is not one of stdio, streamable-http, sse; did you mean "stdio"?`},
	{"command over http", `"servers":{"a":{"command":"x","transport":"sse"}}`, "servers.a.transport", "a command speaks over stdio, not sse"},
	{"words in the command", `"servers":{"a":{"command":"npx -y x"}}`, "servers.a.command", `"npx -y x" has a space: put the words after the program into args`},
	{"path of one machine", `"servers":{"a":{"command":"/home/me/server"}}`, "servers.a.command", `"/home/me/server" is a path on your machine; name a program, or a file of the bundle`},
	{"URL", `"servers":{"a":{"url":"ftp://a.example"}}`, "servers.a.url", `"ftp://a.example" is not an http or https URL`},
	{"password in a URL", `"servers":{"a":{"url":"https://me:pw@a.example"}}`, "servers.a.url", "a URL must not hold a user name or password"},
	{"environment", `"servers":{"a":{"command":"x","env":{"A B":"1"}}}`, `servers.a.env.A B`, `"A B" is not the name of an environment variable`},
	{"header", `"servers":{"a":{"url":"https://a.example","headers":{"X":"a\nb"}}}`, "servers.a.headers.X", `"X" is not a header, or its value has a line break`},
	{"package version", `"servers":{"a":{"package":{"registryType":"npm","identifier":"x","transport":{"type":"stdio"}}}}`, "servers.a.package.version", "a package of type npm needs an exact version"},
	{"tool twice", `"servers":{"a":{"command":"x","capabilities":{"tools":["t","t"]}}}`, "servers.a.capabilities.tools[1].name", `"t" is declared twice`},
	{"schema of a tool", `"servers":{"a":{"command":"x","capabilities":{"tools":[{"name":"t","inputSchema":[]}]}}}`, "servers.a.capabilities.tools[0].schema", "the input schema of a tool must be an object"},
	{"homepage", `"homepage":"example.com"`, "homepage", `"example.com" is not an http or https URL`},
	{"runtime", `"runtime":"perl"`, "runtime", `"perl" is not one of docker, node, python, go, binary, remote`},
	{"configuration", `"configuration":{"A":{"type":"int"}}`, "configuration.A.type", `"int" is not one of string, number, boolean, filepath`},
	{"default", `"configuration":{"A":{"choices":["x"],"default":"y"}}`, "configuration.A.default", `the default "y" is not among the choices`},
	{"host", `"permissions":{"network":{"outbound":["https://a.example"]}}`, "permissions.network.outbound[0]", `"https://a.example": write host:port, such as api.example.com:443`},
	{"port", `"permissions":{"network":{"outbound":["a.example:99999"]}}`, "permissions.network.outbound[0]", `"a.example:99999": the port is a number from 1 to 65535, or *`},
	{"path", `"permissions":{"filesystem":[{"path":"data","access":"read"}]}`, "permissions.filesystem[0].path", `"data" is relative; start it with ${workspace}, ~ or /`},
	{"memory", `"permissions":{"resources":{"memory":"lots"}}`, "permissions.resources.memory", `"lots" is not an amount such as 512Mi`},
	{"range", `"dependencies":{"@a/bb":"^^1"}`, "dependencies.@a/bb", `version range "^^1": it is not in the syntax of npm; write a range such as ^1.2.0, ~1.2, >=1.0.0 <3.0.0, or an exact version`},
	{"itself", `"dependencies":{"@acme/x-x":"1"}`, "dependencies.@acme/x-x", "@acme/x-x depends on itself"},
	{"engines", `"engines":{"mcp":"3"}`, "engines.mcp", `"3" is not a version of the protocol, such as >=2025-06-18`},
	{"workspace", `"workspaces":["../x"]`, "workspaces[0]", `"../x" is not a path below the project`},
	{"licence (warning)", `"license":"MIT/Apache-2.0"`, "license", `"MIT/Apache-2.0" is not an SPDX expression: "/" does not belong in a licence expression`},
	{"unknown licence (warning)", `"license":"Acme-1.0"`, "license", `"Acme-1.0" is not a licence of the SPDX list we know; a licence of your own is written LicenseRef-name`},
	{"variable (warning)", `"servers":{"a":{"command":"x","args":["${HOEM}"]}}`, "servers.a.args[0]", "${HOEM} is not declared in configuration; did you mean ${HOME}?"},
	{"shell (warning)", `"servers":{"a":{"command":"bash","args":["-c","x"]}}`, "servers.a.command", "bash is a shell; what it runs cannot be pinned or checked"},
	{"unpinned (warning)", `"servers":{"a":{"command":"npx","args":["-y","x"]}}`, "servers.a", `the package "x" is not pinned to a version, so users get whatever is newest`},
}

func TestValidateRefuses(t *testing.T) {
	if issues := parse(t, fine).Validate(manifest.ForPublish); len(issues) > 0 {
		t.Fatalf("the fine one: %v", issues)
	}
	for _, tt := range invalid {
		t.Run(tt.name, func(t *testing.T) {
			key, _, _ := strings.Cut(tt.patch, ":")
			src := "{" + tt.patch
			for _, part := range strings.Split(strings.Trim(strings.Replace(fine, `"servers"`, "\n\"servers\"", 1), "{}"), ",") {
				part = strings.TrimSpace(part)
				if !strings.HasPrefix(part, key+":") {
					if strings.HasPrefix(part, `"servers"`) {
						part = `"servers":{"a":{"command":"node"}}`
					}
					src += ",\n" + part
				}
			}
			src += "}"
			issues := parse(t, src).Validate(manifest.ForPublish)
			if len(issues) != 1 || issues[0].Path != tt.path || issues[0].Message != tt.message {
				t.Fatalf("got %+v\nwant %s: %s", issues, tt.path, tt.message)
			}
			if warning := issues[0].Severity == hub.SeverityWarning; warning != strings.Contains(tt.name, "warning") {
				t.Errorf("severity %s", issues[0].Severity)
			}
			if manifest.Locate([]byte(src), issues); issues[0].Line == 0 {
				t.Error("no line found")
			}
		})
	}
}

func TestRanges(t *testing.T) {
	good := map[string][2]string{ // a version in it, and one out of it
		"^1.2.0": {"1.9.9", "2.0.0"}, "~1.2": {"1.2.9", "1.3.0"}, "1.x": {"1.5.0", "2.0.0"}, ">=1 <3": {"2.9.0", "3.0.0"}, "1.2.0 - 1.4.0": {"1.4.0", "1.4.1"},
		"^1 || ^3": {"3.1.0", "2.0.0"}, "1.2.3": {"1.2.3", "1.2.4"}, "v1.2.3": {"1.2.3", "1.2.4"}, ">= 1.0.0, < 2.0.0": {"1.0.0", "2.0.0"}, "": {"0.0.1", ""}, "*": {"9.9.9", ""},
	}
	for s, versions := range good {
		c, err := manifest.ParseRange(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		for i, v := range versions {
			if v == "" {
				continue
			}
			parsed, err := hub.ParseVersion(v)
			if err != nil {
				t.Fatal(err)
			}
			if c.Check(parsed) != (i == 0) {
				t.Errorf("%q and %s", s, v)
			}
		}
	}
	bad := map[string]string{
		"latest": `version range "latest": it is a tag, not a range`, "1.0.0 ||": `version range "1.0.0 ||": nothing stands on one side of ||`,
		"^one": `version range "^one": it is not in the syntax of npm`, strings.Repeat("1", 257): `version range "` + strings.Repeat("1", 80) + `...": 257 characters; at most 256 are allowed`,
	}
	for s, message := range bad {
		if _, err := manifest.ParseRange(s); err == nil || err.Error() != message || hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}
