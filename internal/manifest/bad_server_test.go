package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

const (
	current = `"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"`
	npmPkg  = `{"registryType":"npm","identifier":"x","version":"1.0.0","transport":{"type":"stdio"}}`
)

// server returns a good server.json with one part of it replaced or added.
func server(part string) string {
	fields := map[string]string{"$schema": current, "name": `"name":"io.github.a/bb"`, "description": `"description":"d"`, "version": `"version":"1.0.0"`, "packages": `"packages":[` + npmPkg + `]`}
	key, _, _ := strings.Cut(strings.TrimPrefix(part, `"`), `"`)
	delete(fields, key)
	out := "{"
	for _, k := range []string{"$schema", "name", "description", "version", "packages"} {
		if f := fields[k]; f != "" {
			out += f + ","
		}
	}
	return out + part + "}"
}

func pkg(body string) string {
	return `"packages":[{"identifier":"x","transport":{"type":"stdio"},` + body + `}]`
}

func arg(body string) string {
	return pkg(`"registryType":"npm","version":"1.0.0","packageArguments":[` + body + `]`)
}

func remote(body string) string { return `"remotes":[{"type":"streamable-http",` + body + `}]` }

var badServers = []struct{ part, typ, reference, path, message string }{
	{`"$schema":""`, "semantic", "schema-field-required", "$schema", `$schema is required; write "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"`},
	{`"$schema":"https://example.com/x.json"`, "schema", "schema-version-extraction-error", "$schema", `"https://example.com/x.json" is not the URL of a server.json schema; write "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"`},
	{`"$schema":"https://static.modelcontextprotocol.io/schemas/2031-01-01/server.schema.json"`, "schema", "schema-version-not-available", "$schema", `the schema version "2031-01-01" is not known; the current one is 2025-12-11`},
	{`"$schema":"https://static.modelcontextprotocol.io/schemas/2025-10-17/server.schema.json"`, "semantic warning", "schema-version-deprecated", "$schema", `the schema version 2025-10-17 is old; the current one is 2025-12-11`},
	{`"name":""`, "schema", "name-required", "name", "a name is required"},
	{`"name":"bbb"`, "schema", "name-pattern", "name", `the name "bbb" must be namespace/name of letters, digits, '.', '-' (and '_' after the slash)`},
	{`"name":"a/b/c"`, "semantic", "invalid-server-name", "name", `the name "a/b/c" has more than one slash`},
	{`"name":"io.github.a/b_"`, "semantic", "invalid-server-name", "name", `in the name "io.github.a/b_", "b_" must have at least 2 characters and start and end with a letter or digit`},
	{`"name":"io.github.a/b"`, "semantic", "invalid-server-name", "name", `in the name "io.github.a/b", "b" must have at least 2 characters and start and end with a letter or digit`},
	{`"description":""`, "schema", "description-required", "description", "a description is required"},
	{`"description":"` + strings.Repeat("é", 101) + `"`, "schema", "description-length", "description", "the description has 101 characters; it needs 1 to 100"},
	{`"title":"  "`, "semantic", "title-whitespace-only", "title", "the title is only whitespace"},
	{`"version":""`, "schema", "version-required", "version", "a version is required"},
	{`"version":"latest"`, "semantic", "reserved-version-string", "version", `"latest" is not a version; write the number`},
	{`"version":"^1.2.3"`, "semantic", "version-looks-like-range", "version", `"^1.2.3" is a range; write one version`},
	{`"version":"1.2.x"`, "semantic", "version-looks-like-range", "version", `"1.2.x" is a range; write one version`},
	{`"version":"1.2.3 - 2.0.0"`, "semantic", "version-looks-like-range", "version", `"1.2.3 - 2.0.0" is a range; write one version`},
	{`"version":"1.2 || 1.3"`, "semantic", "version-looks-like-range", "version", `"1.2 || 1.3" is a range; write one version`},
	{`"websiteUrl":"http://example.com"`, "semantic", "website-url-invalid-scheme", "websiteUrl", `"http://example.com" must start with https://`},
	{`"websiteUrl":"example"`, "semantic", "website-url-must-be-absolute", "websiteUrl", `"example" must be an absolute URL, with https:// and a host`},
	{`"websiteUrl":"https://example.com/\"x"`, "semantic", "website-url-invalid-characters", "websiteUrl", `the URL "https://example.com/\"x" has the character '"', which must be percent-encoded`},
	{`"repository":{"url":"https://github.com/a/b"}`, "semantic", "repository-source-required", "repository.source", `a repository needs a source, such as "github"`},
	{`"repository":{"url":"https://github.com/a/b/tree/x","source":"github"}`, "semantic", "invalid-repository-url", "repository.url", `"https://github.com/a/b/tree/x" is not the root of a GitHub repository`},
	{`"repository":{"url":"https://gitlab.com/a/-/b","source":"gitlab"}`, "semantic", "invalid-repository-url", "repository.url", `"https://gitlab.com/a/-/b" is not the root of a GitLab repository`},
	{`"repository":{"url":"https://git.acme.example/a","source":"acme"}`, "semantic warning", "repository-source-unknown", "repository.source", `the source "acme" is not known to the official registry, which takes github and gitlab`},
	{`"repository":{"url":"https://github.com/a/b","source":"github","subfolder":"a/../b"}`, "semantic", "invalid-subfolder-path", "repository.subfolder", `"a/../b" is not a clean relative path`},
	{`"icons":[{"src":"http://example.com/i.png"}]`, "semantic", "icon-src-invalid-scheme", "icons[0].src", `"http://example.com/i.png" must start with https://`},
	{`"icons":[{"src":"https://example.com/i.png","sizes":["48"]}]`, "schema", "icon-size", "icons[0].sizes[0]", `"48" is neither WxH, such as 48x48, nor "any"`},
	{`"icons":[{"src":"https://example.com/i.png","theme":"blue"}]`, "schema", "icon-theme", "icons[0].theme", `"blue" is neither light nor dark`},
	{pkg(`"registryType":"apt","version":"1.0.0"`), "semantic", "unsupported-registry-type", "packages[0].registryType", `the registryType "apt" is not one of npm, pypi, nuget, cargo, oci, mcpb`},
	{pkg(`"registryType":"npm"`), "semantic", "package-version-required", "packages[0].version", "a package of type npm needs an exact version"},
	{pkg(`"registryType":"npm","version":"~1.0"`), "semantic", "version-looks-like-range", "packages[0].version", `"~1.0" is a range; write one version`},
	{pkg(`"registryType":"npm","version":"1.0.0","registryBaseUrl":"https://npm.acme.example"`), "semantic warning", "private-registry", "packages[0].registryBaseUrl", `the package comes from "https://npm.acme.example", not from the public registry`},
	{pkg(`"registryType":"npm","version":"1.0.0","fileSha256":"` + strings.Repeat("a", 64) + `"`), "semantic", "file-sha256-not-allowed", "packages[0].fileSha256", "only mcpb packages have a fileSha256"},
	{`"packages":[{"registryType":"npm","identifier":"a b","version":"1.0.0","transport":{"type":"stdio"}}]`, "semantic", "package-name-has-spaces", "packages[0].identifier", `the identifier "a b" has spaces`},
	{`"packages":[{"registryType":"npm","identifier":"--x","version":"1.0.0","transport":{"type":"stdio"}}]`, "semantic", "identifier-is-flag", "packages[0].identifier", `the identifier "--x" starts with '-', which a package runner reads as an option`},
	{`"packages":[{"registryType":"oci","identifier":"a/b:1","version":"1","transport":{"type":"stdio"}}]`, "semantic", "oci-version", "packages[0].version", "an oci package has its version in the identifier, as in oci.example.com/owner/image:1.0.0"},
	{`"packages":[{"registryType":"oci","identifier":"a:5000/b","transport":{"type":"stdio"}}]`, "linter warning", "oci-untagged", "packages[0].identifier", `the image "a:5000/b" has neither tag nor digest, so it changes without notice`},
	{`"packages":[{"registryType":"mcpb","identifier":"https://github.com/a/b/releases/download/v1/mcp.mcpb","transport":{"type":"stdio"}}]`, "semantic", "file-sha256-required", "packages[0].fileSha256", "an mcpb package needs the fileSha256 of its file"},
	{`"packages":[{"registryType":"npm","identifier":"x","version":"1.0.0","transport":{"type":"pigeon"}}]`, "semantic", "unsupported-transport-type", "packages[0].transport.type", `the transport "pigeon" is not one of stdio, streamable-http, sse`},
	{`"packages":[{"registryType":"npm","identifier":"x","version":"1.0.0","transport":{"type":"stdio","url":"https://a.example"}}]`, "semantic", "stdio-transport-url-not-empty", "packages[0].transport.url", `a stdio transport has no url, but "https://a.example" is given`},
	{`"packages":[{"registryType":"npm","identifier":"x","version":"1.0.0","transport":{"type":"sse","url":"http://localhost:{port}/sse"}}]`, "semantic", "invalid-templated-url", "packages[0].transport.url", "the URL uses {port}, which is not declared; declared are: none"},
	{arg(`{"type":"positional"}`), "semantic", "positional-argument-value-or-hint-required", "packages[0].packageArguments[0]", "a positional argument needs a value or a valueHint"},
	{arg(`{"type":"named"}`), "semantic", "named-argument-name-required", "packages[0].packageArguments[0]", "a named argument needs a name, with its dashes"},
	{arg(`{"type":"named","name":"--port 80"}`), "semantic", "invalid-named-argument-name", "packages[0].packageArguments[0].name", `the name "--port 80" may not hold spaces, <, > or $; put the value into value`},
	{arg(`{"type":"named","name":"--port","value":"--port=80"}`), "semantic", "argument-value-starts-with-name", "packages[0].packageArguments[0].value", `the value "--port=80" repeats the name --port`},
	{arg(`{"type":"flag"}`), "semantic", "invalid-argument-type", "packages[0].packageArguments[0].type", `the argument type "flag" is neither positional nor named`},
	{arg(`{"type":"named","name":"--x","format":"date"}`), "schema", "input-format", "packages[0].packageArguments[0].format", `"date" is not one of string, number, boolean, filepath`},
	{pkg(`"registryType":"npm","version":"1.0.0","runtimeArguments":[{"type":"named","name":"--x"}]`), "linter warning", "runtime-hint-missing", "packages[0].runtimeHint", "runtimeArguments are given, so runtimeHint should be too"},
	{pkg(`"registryType":"npm","version":"1.0.0","environmentVariables":[{"name":"A=B"}]`), "semantic", "invalid-name", "packages[0].environmentVariables[0].name", `the name "A=B" may not hold '=', spaces or line breaks`},
	{`"remotes":[{"type":"stdio"}]`, "semantic", "unsupported-remote-transport-type", "remotes[0].type", `the transport "stdio" of a remote is neither streamable-http nor sse`},
	{remote(`"url":""`), "semantic", "transport-url-required", "remotes[0].url", "a streamable-http transport needs a url"},
	{remote(`"url":"http://a.example"`), "semantic", "invalid-remote-url", "remotes[0].url", "the URL of a remote must start with https://, not http://"},
	{remote(`"url":"https://localhost/mcp"`), "semantic", "invalid-remote-url", "remotes[0].url", "the URL of a remote cannot be on this machine (localhost)"},
	{remote(`"url":"https://a.example/{b}"`), "semantic", "invalid-templated-url", "remotes[0].url", "the URL uses {b}, which is not declared; declared are: none"},
	{remote(`"url":"https://me:pw@a.example"`), "semantic", "url-userinfo", "remotes[0].url", "a URL must not hold a user name or password; use a header"},
	{`"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"x":"` + strings.Repeat("x", 4096) + `"}}`, "semantic", "publisher-meta-size", `_meta["io.modelcontextprotocol.registry/publisher-provided"]`, "the publisher's metadata has 4104 bytes; at most 4096 are allowed"},
	{`"packages":[]`, "linter warning", "no-packages-or-remotes", "", "there is neither a package nor a remote, so nobody can start the server"},
}

func TestServerJSONRules(t *testing.T) {
	check := func(src string) []manifest.Finding {
		sj, issues, err := manifest.ParseServerJSON([]byte(src))
		if err != nil || len(issues) > 0 {
			t.Fatalf("%s: %v %v", src, err, issues)
		}
		return manifest.CheckServerJSON(sj)
	}
	if found := check(server(`"title":"T"`)); len(found) > 0 {
		t.Fatalf("a good one: %+v", found)
	}
	for _, tt := range badServers {
		found := check(server(tt.part))
		if len(found) != 1 {
			t.Errorf("%s: %+v", tt.part, found)
			continue
		}
		f, typ := found[0], strings.TrimSuffix(tt.typ, " warning")
		if f.Type != typ || f.Code != typ || f.Reference != tt.reference || f.Path != tt.path || f.Message != tt.message {
			t.Errorf("%s: %+v", tt.part, f)
		}
		if (f.Severity == hub.SeverityWarning) != strings.HasSuffix(tt.typ, "warning") {
			t.Errorf("%s: severity %s", tt.part, f.Severity)
		}
	}
}

func TestParseServerJSONRefuses(t *testing.T) {
	tests := []struct {
		src, message string
		kind         hub.Kind
	}{
		{"", "server.json is empty", hub.Malformed},
		{"{\n// no\n}", "server.json line 2: comments and trailing commas are not allowed here", hub.Malformed},
		{`{"name":"a","name":"b"}`, `server.json line 1: the key "name" is given twice; the first is on line 1`, hub.Malformed},
		{"{\n\"packages\": [{\"identifier\": 5}]}", "server.json line 2: packages[0].identifier: expected a string, got a number (5)", hub.Invalid},
		{`{"packages":[{"packageArguments":[{"type":"positional","value":1}]}]}`, "server.json line 1: packages[0].packageArguments[0].value: expected a string, got a number (1)", hub.Invalid},
	}
	for _, tt := range tests {
		if _, _, err := manifest.ParseServerJSON([]byte(tt.src)); err == nil || err.Error() != tt.message || hub.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.src, err)
		}
	}
	_, issues, err := manifest.ParseServerJSON([]byte(`{"packages":[{"registry_name":"npm"}]}`))
	if err != nil || len(issues) != 1 || issues[0].Message != `unknown field "registry_name" is ignored; did you mean "registryType"?` {
		t.Error(issues, err)
	}
}

func seed(f *testing.F, patterns ...string) {
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func FuzzParse(f *testing.F) {
	seed(f, "testdata/mcp/*.json")
	for _, tt := range unreadable {
		if len(tt.src) < 1000 {
			f.Add([]byte(tt.src))
		}
	}
	for _, tt := range launchCases {
		f.Add([]byte(tt.src))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, issues, err := manifest.Parse(data)
		if err != nil {
			if hub.KindOf(err) == "" {
				t.Fatalf("an error without kind: %v", err)
			}
			return
		}
		if hub.HasErrors(issues) {
			t.Fatalf("errors, and yet no error: %v", issues)
		}
		m.Validate(manifest.ForPublish)
		m.Validate(manifest.ForProject)
		canon := m.Canonical()
		again, issues, err := manifest.Parse(canon)
		if err != nil || len(issues) > 0 || !bytes.Equal(again.Canonical(), canon) {
			t.Fatalf("not stable: %v %v\n%s", err, issues, canon)
		}
		manifest.Facts(m, false)
		m.ServerJSON()
		if _, spec, err := m.Entry(""); err == nil {
			_, _, _ = manifest.Launch(m, spec, map[string]string{"workspace": "-x", "HOME": "-x"})
		}
	})
}

func FuzzParseServerJSON(f *testing.F) {
	seed(f, "testdata/server/*.json")
	for _, tt := range badServers {
		f.Add([]byte(server(tt.part)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sj, _, err := manifest.ParseServerJSON(data)
		if err != nil {
			if hub.KindOf(err) == "" {
				t.Fatalf("an error without kind: %v", err)
			}
			return
		}
		if hub.HasErrors(manifest.ValidateServerJSON(sj)) {
			return
		}
		want := jsonc.Encode(sj)
		back, _ := manifest.FromServerJSON(sj).ServerJSON()
		if got := jsonc.Encode(back); !bytes.Equal(got, want) {
			t.Fatalf("lost on the way:\n%s\n%s", want, got)
		}
	})
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"", "*", "^1.2.0", ">=1 <3", "1.2.0 - 1.4.0", "^1 || ^3", "latest", "1.x", "~>1", "||"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := manifest.ParseRange(s); (c == nil) == (err == nil) || err != nil && hub.KindOf(err) != hub.Invalid {
			t.Fatalf("%q: %v %v", s, c, err)
		}
	})
}
