package pin_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source/pin"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fake puts programs on a PATH of their own: each is a shell script.
func fake(t *testing.T, scripts map[string]string) pin.Tools {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body), 0o755))
	}
	return pin.Tools{Environ: append(os.Environ(), "FAKE="+dir), LookPath: func(name string) (string, error) {
		if _, ok := scripts[name]; ok {
			return filepath.Join(dir, name), nil
		}
		return "", exec.ErrNotFound
	}}
}

const sri = "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

func npmWrites(packages string) map[string]string {
	return map[string]string{"npm": `cat > package-lock.json <<'EOF'
{"lockfileVersion": 3, "packages": {"": {}, ` + packages + `}}
EOF`}
}

func TestResolveNPM(t *testing.T) {
	tools := fake(t, npmWrites(`"node_modules/x": {"version": "1.0.0", "license": "MIT", "integrity": "`+sri+`", "hasInstallScript": true, "dependencies": {"@a/b": "^2"}},
		"node_modules/@a/b": {"version": "2.1.0", "integrity": "`+sri+`", "hasInstallScript": true, "optional": true}`))
	d, err := tools.Resolve(t.Context(), pin.Package{Type: "npm", Name: "x", Version: "1.0.0"})
	must(t, err)
	raw, err := d.Canonical()
	must(t, err)
	want := `{"name":"x","packages":{"node_modules/@a/b":{"hasInstallScript":true,"integrity":"` + sri + `","optional":true,"version":"2.1.0"},` +
		`"node_modules/x":{"dependencies":{"@a/b":"^2"},"hasInstallScript":true,"integrity":"` + sri + `","version":"1.0.0"}},"type":"npm","version":"1.0.0"}`
	if string(raw) != want {
		t.Errorf("%s", raw)
	}
	if got := d.Scripts(); len(got) != 1 || got[0] != "x 1.0.0" {
		t.Errorf("scripts of %q", got)
	}
	var spread any
	must(t, json.Unmarshal(raw, &spread))
	indented, err := json.MarshalIndent(spread, "", "  ")
	must(t, err)
	same, err := pin.ParseDocument(indented)
	must(t, err)
	a, _ := d.Integrity()
	if b, _ := same.Integrity(); a != b || !strings.HasPrefix(a, "sha512-") {
		t.Errorf("%s, and spread over lines %s", a, b)
	}
}

func TestRefusedNPM(t *testing.T) {
	own := `"node_modules/x": {"version": "1.0.0", "integrity": "` + sri + `"}, `
	for name, c := range map[string]struct{ packages, want string }{
		"from git":       {own + `"node_modules/y": {"version": "1.0.0", "resolved": "git+ssh://git@example.com/y.git#1", "integrity": "` + sri + `"}`, "which does not come from a registry"},
		"no digest":      {own + `"node_modules/y": {"version": "1.0.0"}`, "which does not come from a registry with a digest"},
		"a weak digest":  {own + `"node_modules/y": {"version": "1.0.0", "integrity": "sha1-abc="}`, "only the weak digest"},
		"a link":         {own + `"node_modules/y": {"link": true, "resolved": "../y"}`, "which does not come from a registry"},
		"another place":  {own + `"node_modules/../../y": {"version": "1.0.0", "integrity": "` + sri + `"}`, "is no place for a package"},
		"not in modules": {own + `"packages/y": {"version": "1.0.0", "integrity": "` + sri + `"}`, "is no place for a package"},
		"not itself":     {`"node_modules/y": {"version": "1.0.0", "integrity": "` + sri + `"}`, "is not among the packages"},
	} {
		_, err := fake(t, npmWrites(c.packages)).Resolve(t.Context(), pin.Package{Type: "npm", Name: "x", Version: "1.0.0"})
		if hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []pin.Package{{Type: "npm", Name: "--version", Version: "1"}, {Type: "npm", Name: "x", Version: "1 --global"}, {Type: "npm", Name: "../x", Version: "1"},
		{Type: "pypi", Name: "x y", Version: "1"}, {Type: "pypi", Name: "x", Version: "1", With: []string{"-r /etc/passwd"}}, {Type: "pypi", Name: "x", Version: "1", With: []string{"y @ https://example.com/y.whl"}},
		{Type: "oci", Name: "x", Version: "1"}} {
		if _, err := (pin.Tools{LookPath: func(string) (string, error) { t.Fatal("a program was looked for"); return "", nil }}).Resolve(t.Context(), p); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestResolvePyPI(t *testing.T) {
	h := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	uv := map[string]string{"uv": `cat > "$FAKE/asked"; echo "$@" > "$FAKE/args"; cat <<'EOF'
my.server[cli]==1.0.0 \
    --hash=` + h("b") + ` \
    --hash=` + h("a") + `
six==1.16.0 ; sys_platform == 'win32' \
    --hash=` + h("c") + `
EOF`}
	tools := fake(t, uv)
	d, err := tools.Resolve(t.Context(), pin.Package{Type: "pypi", Name: "my-server", Version: "1.0.0", Extras: "[cli]", With: []string{"six"}})
	must(t, err)
	raw, err := d.Canonical()
	must(t, err)
	want := `{"extras":"[cli]","name":"my-server","packages":{"my.server":{"hashes":["` + h("a") + `","` + h("b") + `"],"version":"1.0.0"},` +
		`"six":{"hashes":["` + h("c") + `"],"marker":"sys_platform == 'win32'","version":"1.16.0"}},"type":"pypi","version":"1.0.0","with":["six"]}`
	if string(raw) != want {
		t.Errorf("%s", raw)
	}
	pip := fake(t, map[string]string{"python3": `echo '{"install": [{"metadata": {"name": "my-server", "version": "1.0.0"}, "download_info": {"archive_info": {"hashes": {"sha256": "` + strings.Repeat("a", 64) + `"}}}}]}'`})
	d, err = pip.Resolve(t.Context(), pin.Package{Type: "pypi", Name: "my-server", Version: "1.0.0"})
	must(t, err)
	if len(d.Packages) != 1 {
		t.Errorf("%v", d.Packages)
	}
	if _, err := fake(t, nil).Resolve(t.Context(), pin.Package{Type: "pypi", Name: "x", Version: "1"}); hub.KindOf(err) != hub.NotFound || !strings.Contains(err.Error(), "needs uv, or Python with pip") {
		t.Error(err)
	}
}

// TestRefusedDocuments guards: a lockfile may come from anybody, and its lines become lines of requirements.
func TestRefusedDocuments(t *testing.T) {
	hash := `"sha256:` + strings.Repeat("a", 64) + `"`
	for name, raw := range map[string]string{
		"an option as a name": `{"type":"pypi","name":"x","version":"1","packages":{"--index-url=https://example.com":{"version":"1","hashes":[` + hash + `]}}}`,
		"a line break":        `{"type":"pypi","name":"x","version":"1","packages":{"x":{"version":"1\n--index-url=https://example.com","hashes":[` + hash + `]}}}`,
		"in a marker":         `{"type":"pypi","name":"x","version":"1","packages":{"x":{"version":"1","marker":"a\n-r b","hashes":[` + hash + `]}}}`,
		"no digest":           `{"type":"pypi","name":"x","version":"1","packages":{"x":{"version":"1","hashes":[]}}}`,
		"a weak digest":       `{"type":"pypi","name":"x","version":"1","packages":{"x":{"version":"1","hashes":["md5:00"]}}}`,
		"not itself":          `{"type":"pypi","name":"x","version":"1","packages":{"y":{"version":"1","hashes":[` + hash + `]}}}`,
		"another registry":    `{"type":"npm","name":"x","version":"1","registry":"file:///tmp","packages":{"node_modules/x":{"version":"1","integrity":"` + sri + `"}}}`,
		"an option":           `{"type":"npm","name":"x","version":"1","registry":"https://example.com --script-shell=/tmp/x","packages":{"node_modules/x":{"version":"1","integrity":"` + sri + `"}}}`,
		"of another type":     `{"type":"cargo","name":"x","version":"1","packages":{"x":{}}}`,
		"nothing":             `{"type":"npm","name":"x","version":"1","packages":{}}`,
		"not JSON":            `{`,
	} {
		if _, err := pin.ParseDocument([]byte(raw)); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailures(t *testing.T) {
	for said, want := range map[string]hub.Kind{
		"npm error code EINTEGRITY":                        hub.Integrity,
		"error: Hash mismatch for `six==1.16.0`":           hub.Integrity,
		"npm error code ENOTFOUND\nnpm error network":      hub.Unavailable,
		"npm error code E404\nnpm error 404 Not Found":     hub.NotFound,
		"error: Because there is no version of six==9":     hub.NotFound,
		"npm error code EWHATEVER \x1b[31mred\x1b[0m text": hub.Invalid,
	} {
		tools := fake(t, map[string]string{"npm": "cat >&2 <<'EOF'\n" + said + "\nEOF\nexit 1"})
		_, err := tools.Resolve(t.Context(), pin.Package{Type: "npm", Name: "x", Version: "1.0.0"})
		if hub.KindOf(err) != want || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q is %q: %v", said, hub.KindOf(err), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fake(t, map[string]string{"npm": "sleep 60"}).Resolve(ctx, pin.Package{Type: "npm", Name: "x", Version: "1.0.0"}); err == nil {
		t.Error("a cancelled call went on")
	}
}
