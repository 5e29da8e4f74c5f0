package migratecmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/migrate"
)

const (
	npmServer = `"package": {"registryType": "npm", "identifier": "@a/db", "version": "1.0.0", "transport": {"type": "stdio"}%s}`
	dirs      = `, "packageArguments": [{"type": "positional", "valueHint": "directory", "isRequired": true, "isRepeated": true}]`
	flags     = `, "packageArguments": [{"type": "named", "name": "--mode", "valueHint": "mode"}, {"type": "named", "name": "--safe", "format": "boolean"}, {"type": "positional", "value": "serve"}, {"type": "positional", "valueHint": "path"}]`
	token     = `, "environmentVariables": [{"name": "TOKEN", "isRequired": true, "isSecret": true}]`
	ociServer = `"package": {"registryType": "oci", "identifier": "docker.io/a/db:1.0", "transport": {"type": "stdio"}%s}`
	mounted   = `, "runtimeArguments": [{"type": "named", "name": "-v", "value": "/data:/data"}]`
	farServer = `"transport": "streamable-http", "remote": {"type": "streamable-http", "url": "https://x.example/mcp"%s}`
	bearer    = `, "headers": [{"name": "Authorization", "value": "Bearer {token}", "isRequired": true, "variables": {"token": {"isRequired": true, "isSecret": true}}}]`
	plainKey  = `, "headers": [{"name": "X-Key", "isSecret": true}]`
)

// What an old entry did, the server of the hub must do as well, or it is not taken.
func TestFit(t *testing.T) {
	npx := func(args ...string) hosts.Entry {
		return hosts.Entry{Command: "npx", Args: append([]string{"-y", "@a/db"}, args...)}
	}
	docker := func(args ...string) hosts.Entry {
		return hosts.Entry{Command: "docker", Args: append([]string{"run", "-i", "--rm"}, args...)}
	}
	far := func(headers map[string]string) hosts.Entry {
		return hosts.Entry{URL: "https://x.example/mcp", Headers: headers}
	}
	with := func(e hosts.Entry, env map[string]string) hosts.Entry { e.Env = env; return e }
	for _, tt := range []struct {
		name, server string
		entry        hosts.Entry
		want         string // values, arguments, needs, what stays; or why not
	}{
		{"nothing", fmt.Sprintf(npmServer, ""), npx(), "map[] [] [] []"},
		{"directories", fmt.Sprintf(npmServer, dirs), npx("/a", "/b"), "map[directory:/a\n/b] [] [] []"},
		{"no directory", fmt.Sprintf(npmServer, dirs), npx(), otherArguments},
		{"options", fmt.Sprintf(npmServer, flags), npx("--mode", "ro", "--safe", "serve", "/x"), "map[mode:ro path:/x safe:true] [] [] []"},
		{"options in another order", fmt.Sprintf(npmServer, flags), npx("serve", "--mode=ro"), otherArguments},
		{"beyond what it declares", fmt.Sprintf(npmServer, ""), npx("--verbose", "x"), "map[] [--verbose x] [] []"},
		{"values", fmt.Sprintf(npmServer, token), with(npx(), map[string]string{"TOKEN": "t", "DEBUG": "1"}), "map[TOKEN:t] [] [] [DEBUG]"},
		{"a value that is kept elsewhere", fmt.Sprintf(npmServer, token), npx(), "map[] [] [TOKEN] []"},
		{"a value filled in by the application", fmt.Sprintf(npmServer, token), with(npx("--x"), map[string]string{"TOKEN": "${input:t}"}), "map[] [--x] [TOKEN] []"},
		{"image", fmt.Sprintf(ociServer, token), with(docker("-e", "TOKEN", "a/db", "--x"), map[string]string{"TOKEN": "t"}), "map[TOKEN:t] [--x] [] []"},
		{"a mount is lost", fmt.Sprintf(ociServer, ""), docker("-v", "/home:/home", "a/db"), "it is started with options that would be lost: -v /home:/home"},
		{"a mount is new", fmt.Sprintf(ociServer, mounted), docker("a/db"), "the server of the hub is started with options that yours was not"},
		{"the same mount", fmt.Sprintf(ociServer, mounted), docker("-v", "/data:/data", "--init", "a/db"), "map[] [] [] []"},
		{"address", fmt.Sprintf(farServer, ""), far(nil), "map[] [] [] []"},
		{"bearer", fmt.Sprintf(farServer, bearer), far(map[string]string{"authorization": "Bearer abc"}), "map[token:abc] [] [] []"},
		{"not a bearer", fmt.Sprintf(farServer, bearer), far(map[string]string{"Authorization": "Basic abc"}), "its header Authorization has another form than the server of the hub takes"},
		{"no bearer", fmt.Sprintf(farServer, bearer), far(nil), "map[] [] [token] []"},
		{"plain header", fmt.Sprintf(farServer, plainKey), far(map[string]string{"x-key": "k"}), "map[X-Key:k] [] [] []"},
		{"unknown header", fmt.Sprintf(farServer, ""), far(map[string]string{"X-Key": "k"}), "its header X-Key is none that the server of the hub takes"},
		{"key in the address", fmt.Sprintf(farServer, ""), hosts.Entry{URL: "https://x.example/mcp?key=abc"}, "its address carries settings or a key, which cannot be kept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, err := manifest.Parse([]byte(`{"name": "@a/db", "version": "1.0.0", "description": "A database of things", "servers": {"default": {` + tt.server + `}}}`))
			if err != nil {
				t.Fatal(err)
			}
			cursor, _ := hosts.ByID("claude-code")
			text, err := hosts.File(cursor, []string{"db"}, map[string]hosts.Entry{"db": tt.entry})
			if err != nil {
				t.Fatal(err)
			}
			found, err := migrate.FromHost(cursor, text)
			if err != nil || found[0].Why != "" {
				t.Fatalf("%+v %v", found, err)
			}
			key := entryOf(m, found[0])
			if key == "" {
				t.Fatalf("%+v is not the same as %s", found[0], tt.server)
			}
			f, got := fitTo(m, key, found[0])
			if got == "" {
				got = fmt.Sprintf("%v %v %v %v", f.values, f.args, f.needs, f.stays)
			}
			if got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "abc") && f == nil {
				t.Error("a reason quotes a secret")
			}
		})
	}
}

// The same package, never a similar name.
func TestEntryOf(t *testing.T) {
	m, _, err := manifest.Parse([]byte(`{"name": "@a/db", "version": "1.0.0", "description": "A database of things", "servers": {
		"npm": {` + fmt.Sprintf(npmServer, "") + `}, "oci": {` + fmt.Sprintf(ociServer, "") + `}, "far": {` + fmt.Sprintf(farServer, "") + `},
		"py": {"command": "uvx", "args": ["My_Db==1.0"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ kind, id, want string }{
		{"npm", "@a/db", "npm"}, {"npm", "db", ""}, {"npm", "@A/db", ""}, {"pypi", "@a/db", ""}, {"pypi", "my.db", "py"}, {"pypi", "mydb", ""},
		{"oci", "a/db", "oci"}, {"oci", "ghcr.io/a/db", ""}, {"remote", "https://x.example/mcp", "far"}, {"remote", "https://x.example/mcp2", ""}, {"remote", "http://x.example/mcp", ""},
	} {
		if got := entryOf(m, migrate.Server{Kind: tt.kind, Identifier: tt.id}); got != tt.want {
			t.Errorf("%s %s is %q, want %q", tt.kind, tt.id, got, tt.want)
		}
	}
}
