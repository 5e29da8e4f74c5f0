package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

func parse(t *testing.T, src string) *manifest.Manifest {
	t.Helper()
	m, _, err := manifest.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type launchCase struct {
	name, src string
	vars      map[string]string
	want      manifest.Launched
	missing   []manifest.Missing
	err       string
}

var launchCases = []launchCase{
	{
		name: "npm package, pinned, with a package argument",
		src:  `{"servers":{"npm":{"package":{"registryType":"npm","identifier":"@x/y","version":"1.2.3","transport":{"type":"stdio"},"packageArguments":[{"type":"positional","value":"stdio"}]}}}}`,
		want: manifest.Launched{Transport: "stdio", Command: "npx", Args: []string{"-y", "@x/y@1.2.3", "stdio"}},
	},
	{
		name: "npm package of a private registry with a differing bin",
		src:  `{"servers":{"a":{"package":{"registryType":"npm","registryBaseUrl":"https://npm.example.com","identifier":"y","version":"1.0.0","transport":{"type":"stdio"},"runtimeHint":"npx","runtimeArguments":[{"type":"named","name":"--package","value":"y"},{"type":"positional","value":"y"}]}}}}`,
		want: manifest.Launched{Transport: "stdio", Command: "npx", Args: []string{"-y", "--registry=https://npm.example.com", "--package=y@1.0.0", "y"}},
	},
	{
		name: "pypi package",
		src:  `{"servers":{"a":{"package":{"registryType":"pypi","identifier":"mcp-server-time","version":"2026.1.26","transport":{"type":"stdio"},"packageArguments":[{"type":"named","name":"--local-timezone","description":"zone"}]}}}}`,
		vars: map[string]string{"local-timezone": "Europe/Berlin"},
		want: manifest.Launched{Transport: "stdio", Command: "uvx", Args: []string{"mcp-server-time==2026.1.26", "--local-timezone", "Europe/Berlin"}},
	},
	{
		name: "pypi package with --from, extras and a private index",
		src:  `{"servers":{"a":{"package":{"registryType":"pypi","registryBaseUrl":"https://pypi.example.com/simple/","identifier":"My.Pkg","version":"1.0","transport":{"type":"stdio"},"runtimeHint":"uvx","runtimeArguments":[{"type":"positional","value":"--from"},{"type":"positional","value":"my-pkg[cli]==0.9"},{"type":"positional","value":"my-pkg"}]}}}}`,
		want: manifest.Launched{Transport: "stdio", Command: "uvx", Args: []string{"--default-index=https://pypi.example.com/simple", "--from", "My.Pkg[cli]==1.0", "my-pkg"}},
	},
	{
		name: "uvx may not be sent to another package",
		src:  `{"name":"@a/bc","servers":{"a":{"package":{"registryType":"pypi","identifier":"good","version":"1.0","transport":{"type":"stdio"},"runtimeArguments":[{"type":"named","name":"--from","value":"evil"}]}}}}`,
		err:  `@a/bc: the runtime arguments ask uvx for "evil", which is not the package "good"`,
	},
	{
		name: "oci image, its secrets in the environment and not on the command line",
		src:  `{"servers":{"a":{"package":{"registryType":"oci","identifier":"oci.example.com/x/y:1","transport":{"type":"stdio"},"environmentVariables":[{"name":"TOKEN","isRequired":true,"isSecret":true},{"name":"MODE","default":"fast"},{"name":"NONE"}],"runtimeArguments":[{"type":"named","name":"-v","value":"{dir}:/data","variables":{"dir":{"isRequired":true}}}]}}}}`,
		vars: map[string]string{"TOKEN": "s3cret", "dir": "/home/me"},
		want: manifest.Launched{Transport: "stdio", Command: "docker", Env: map[string]string{"TOKEN": "s3cret", "MODE": "fast"},
			Args: []string{"run", "--rm", "-i", "-e", "MODE", "-e", "TOKEN", "-v", "/home/me:/data", "oci.example.com/x/y:1"}},
	},
	{
		name: "nuget package",
		src:  `{"servers":{"a":{"package":{"registryType":"nuget","identifier":"X.Mcp","version":"1.0.0","transport":{"type":"stdio"},"packageArguments":[{"type":"named","name":"--verbose"}]}}}}`,
		want: manifest.Launched{Transport: "stdio", Command: "dnx", Args: []string{"X.Mcp@1.0.0", "--yes", "--", "--verbose"}},
	},
	{
		name:    "required values that are absent",
		src:     `{"servers":{"a":{"package":{"registryType":"npm","identifier":"y","version":"1.0.0","transport":{"type":"stdio"},"environmentVariables":[{"name":"KEY","description":"The key","isRequired":true,"isSecret":true}],"packageArguments":[{"type":"positional","valueHint":"dir","isRequired":true}]}}}}`,
		want:    manifest.Launched{Transport: "stdio", Command: "npx", Args: []string{"-y", "y@1.0.0"}},
		missing: []manifest.Missing{{Name: "KEY", Description: "The key", Secret: true}, {Name: "dir"}},
	},
	{
		name: "a value cannot become an option",
		src:  `{"name":"@a/bc","servers":{"a":{"package":{"registryType":"npm","identifier":"y","version":"1.0.0","transport":{"type":"stdio"},"packageArguments":[{"type":"positional","valueHint":"dir"}]}}}}`,
		vars: map[string]string{"dir": "--eval=evil"},
		err:  `@a/bc: argument "dir": the value "--eval=evil" starts with '-', so the program would read it as an option`,
	},
	{
		name: "command of a bundle, with variables of ours and of the configuration",
		src:  `{"version":"2.0.0","servers":{"a":{"command":"bin/server","args":["--root","${workspace}","--v=${version}","$${kept}"],"env":{"TOKEN":"${TOKEN}","URL":"https://${HOST}/","OPT":"${OPT}"}}},"configuration":{"TOKEN":{"secret":true,"required":true},"HOST":{"default":"example.com"},"OPT":{}}}`,
		vars: map[string]string{"workspace": "/w", "bundle": "/store/x", "TOKEN": "t"},
		want: manifest.Launched{Transport: "stdio", Command: "/store/x/bin/server", Dir: "/store/x",
			Args: []string{"--root", "/w", "--v=2.0.0", "${kept}"}, Env: map[string]string{"TOKEN": "t", "URL": "https://example.com/"}},
	},
	{
		name: "command that leaves its bundle",
		src:  `{"name":"@a/bc","servers":{"a":{"command":"bin/../../sh"}}}`,
		vars: map[string]string{"bundle": "/store/x"},
		err:  `@a/bc: the command "bin/../../sh" leaves the bundle`,
	},
	{
		name:    "an undeclared variable is asked for, and so is an optional one behind an option",
		src:     `{"servers":{"a":{"command":"node","args":["${MY_TOKEN}","--port","${PORT}"]}},"configuration":{"PORT":{"type":"number"}}}`,
		want:    manifest.Launched{Transport: "stdio", Command: "node", Args: []string{"", "--port"}},
		missing: []manifest.Missing{{Name: "MY_TOKEN", Secret: true}, {Name: "PORT"}},
	},
	{
		name: "a value of the wrong type",
		src:  `{"name":"@a/bc","servers":{"a":{"command":"node","args":["--port=${PORT}"]}},"configuration":{"PORT":{"type":"number"}}}`,
		vars: map[string]string{"PORT": "eighty"},
		err:  `@a/bc: PORT is "eighty"; it must be a number`,
	},
	{
		name: "a secret of the wrong type is not shown",
		src:  `{"name":"@a/bc","servers":{"a":{"command":"node","env":{"PIN":"${PIN}"}}},"configuration":{"PIN":{"type":"number","secret":true}}}`,
		vars: map[string]string{"PIN": "hunter2"},
		err:  `@a/bc: PIN is not right; it must be a number`,
	},
	{
		name: "a secret that would be an option is not shown",
		src:  `{"name":"@a/bc","servers":{"a":{"command":"node","args":["${MY_TOKEN}"]}}}`,
		vars: map[string]string{"MY_TOKEN": "-hunter2"},
		err:  `@a/bc: args: the value of a secret starts with '-', so the program would read it as an option`,
	},
	{
		name: "a value that is no choice",
		src:  `{"name":"@a/bc","servers":{"a":{"remote":{"type":"sse","url":"https://{region}.example.com/sse","variables":{"region":{"choices":["eu","us"]}}}}}}`,
		vars: map[string]string{"region": "evil.com/"},
		err:  `@a/bc: region is "evil.com/"; it must be one of eu, us`,
	},
	{
		name: "remote with headers",
		src:  `{"servers":{"a":{"remote":{"type":"streamable-http","url":"https://{t}.example.com/mcp","variables":{"t":{"default":"eu"}},"headers":[{"name":"Authorization","value":"Bearer {k}","variables":{"k":{"isRequired":true,"isSecret":true}}},{"name":"X-Opt"}]}}}}`,
		vars: map[string]string{"k": "abc"},
		want: manifest.Launched{Transport: "streamable-http", URL: "https://eu.example.com/mcp", Headers: map[string]string{"Authorization": "Bearer abc"}},
	},
	{
		name: "a header whose optional token is absent is left out, and so is such a variable",
		src:  `{"servers":{"a":{"url":"https://example.com/mcp","headers":{"Authorization":"Bearer ${TOKEN}","X-Mode":"m ${MODE}"}}},"configuration":{"TOKEN":{},"MODE":{"default":"x"}}}`,
		want: manifest.Launched{Transport: "streamable-http", URL: "https://example.com/mcp", Headers: map[string]string{"X-Mode": "m x"}},
	},
	{
		name: "the same in the words of server.json",
		src:  `{"servers":{"a":{"remote":{"type":"sse","url":"https://example.com/sse","headers":[{"name":"Authorization","value":"Bearer {t}","variables":{"t":{}}}]}}}}`,
		want: manifest.Launched{Transport: "sse", URL: "https://example.com/sse"},
	},
	{
		name: "an optional environment variable under another name",
		src:  `{"servers":{"a":{"command":"npx","args":["-y","x@1.0.0"],"env":{"MODE":"${mode}"}}},"configuration":{"mode":{}}}`,
		want: manifest.Launched{Transport: "stdio", Command: "npx", Args: []string{"-y", "x@1.0.0"}},
	},
	{
		name: "a header cannot be split",
		src:  `{"name":"@a/bc","servers":{"a":{"url":"https://example.com/mcp","headers":{"X-Key":"${KEY}"}}}}`,
		vars: map[string]string{"KEY": "a\r\nHost: evil"},
		err:  `@a/bc: the header X-Key has a line break in its value`,
	},
	{
		name: "package that listens on a port",
		src:  `{"servers":{"a":{"package":{"registryType":"npm","identifier":"y","version":"1.0.0","transport":{"type":"streamable-http","url":"http://localhost:{--port}/mcp"},"packageArguments":[{"type":"named","name":"--port","default":"8080"}]}}}}`,
		want: manifest.Launched{Transport: "streamable-http", Command: "npx", Args: []string{"-y", "y@1.0.0", "--port", "8080"}, URL: "http://localhost:8080/mcp"},
	},
	{
		name: "mcpb has no runner",
		src:  `{"name":"@a/bc","servers":{"a":{"package":{"registryType":"mcpb","identifier":"https://github.com/x/mcp.mcpb","transport":{"type":"stdio"}}}}}`,
		err:  `@a/bc: its archive is not unpacked, so what it starts is not known`,
	},
	{
		name: "an identifier that is an option",
		src:  `{"name":"@a/bc","servers":{"a":{"package":{"registryType":"npm","identifier":"--prefix=/","transport":{"type":"stdio"}}}}}`,
		err:  `@a/bc: the package "--prefix=/" cannot be started: its name would be read as an option`,
	},
}

func TestLaunch(t *testing.T) {
	for _, tt := range launchCases {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.src)
			_, spec, err := m.Entry("")
			if err != nil {
				t.Fatal(err)
			}
			got, missing, err := manifest.Launch(m, spec, tt.vars)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err || hub.KindOf(err) != hub.Invalid {
					t.Fatalf("error %v, want Invalid %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.missing, missing); d != "" {
				t.Error(d)
			}
		})
	}
}

// A command that a package runner understands becomes a package, and starting that package runs the same
// words again.
func TestCommandsBecomePackages(t *testing.T) {
	tests := []struct {
		name, spec string
		vars       map[string]string
		command    []string // nil when it stays a command
	}{
		{"npx", `{"command":"npx","args":["-y","@x/y@1.0.0","--root","${workspace}"]}`, map[string]string{"workspace": "/w"}, []string{"npx", "-y", "@x/y@1.0.0", "--root", "/w"}},
		{"npx with a bin", `{"command":"npx","args":["--yes","--package=pkg@1.0.0","pkg"]}`, nil, []string{"npx", "-y", "--package=pkg@1.0.0", "pkg"}},
		{"uvx", `{"command":"uvx","args":["mcp-x==1.0","--v"]}`, nil, []string{"uvx", "mcp-x==1.0", "--v"}},
		{"uvx with @", `{"command":"uvx","args":["mcp-x@1.0"]}`, nil, []string{"uvx", "mcp-x==1.0"}},
		{"uvx --from with extras", `{"command":"uvx","args":["--python","3.12","--from","x[all]==1.0","run-x"]}`, nil, []string{"uvx", "--from", "x[all]==1.0", "--python", "3.12", "run-x"}},
		{"docker", `{"command":"docker","args":["run","-i","--rm","-e","A","-e","B=2","-v","${workspace}:/w","--network","none","x/y:1","serve"],"env":{"A":"1"}}`, map[string]string{"workspace": "/w"},
			[]string{"docker", "run", "--rm", "-i", "-e", "A", "-e", "B", "-v", "/w:/w", "--network", "none", "x/y:1", "serve"}},
		{"a URL is no package", `{"command":"npx","args":["-y","https://github.com/x/y"]}`, nil, nil},
		{"git is no package", `{"command":"uvx","args":["--from","git+https://github.com/x/y","z"]}`, nil, nil},
		{"an option we do not know", `{"command":"npx","args":["--call","evil","x@1.0.0"]}`, nil, nil},
		{"no version", `{"command":"npx","args":["-y","x"]}`, nil, nil},
		{"a moving version", `{"command":"npx","args":["-y","x@latest"]}`, nil, nil},
		{"another program", `{"command":"node","args":["x.js"]}`, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, `{"name":"io.github.x/yy","version":"1.0.0","servers":{"a":`+tt.spec+`}}`)
			sj, _ := m.ServerJSON()
			if len(sj.Packages) == 0 {
				if tt.command != nil {
					t.Fatal("not recognised")
				}
				return
			}
			if tt.command == nil {
				t.Fatalf("recognised as %+v", sj.Packages[0])
			}
			back := manifest.FromServerJSON(sj)
			_, spec, err := back.Entry("")
			if err != nil {
				t.Fatal(err)
			}
			l, missing, err := manifest.Launch(back, spec, tt.vars)
			if err != nil || len(missing) > 0 {
				t.Fatalf("%v, missing %v", err, missing)
			}
			if d := cmp.Diff(tt.command, append([]string{l.Command}, l.Args...)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEntry(t *testing.T) {
	m := parse(t, `{"servers":{
		"c":{"remote":{"type":"sse","url":"https://example.com/sse"}},
		"b":{"url":"https://example.com/mcp"},
		"a":{"package":{"registryType":"oci","identifier":"x/y:1","transport":{"type":"stdio"}}},
		"z":{"package":{"registryType":"npm","identifier":"y","version":"1.0.0","transport":{"type":"stdio"}}}}}`)
	for preference, want := range map[string]string{"": "z", "stdio": "z", "http": "b", "streamable-http": "b", "sse": "c", "pigeon": "z"} {
		if got, _, err := m.Entry(preference); err != nil || got != want {
			t.Errorf("Entry(%q) = %q, %v, want %q", preference, got, err, want)
		}
	}
	if _, _, err := new(manifest.Manifest).Entry(""); hub.KindOf(err) != hub.NotFound {
		t.Errorf("no entries: %v", err)
	}
	if _, err := m.EntryNamed("q"); err == nil || err.Error() != `mcp.json has no entry "q"` {
		t.Errorf("EntryNamed: %v", err)
	}
}
