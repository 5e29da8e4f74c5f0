package cli_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/secret"
)

// ring is a keychain in memory; with an error it does not answer.
type ring struct {
	values map[string]string
	err    error
}

func (r *ring) Get(_ context.Context, keys []string) (map[string]string, error) {
	out := maps.Clone(r.values)
	maps.DeleteFunc(out, func(k, _ string) bool {
		for _, key := range keys {
			if key == k {
				return false
			}
		}
		return true
	})
	return out, r.err
}

func (r *ring) Put(_ context.Context, set map[string]string, remove []string) error {
	if r.err != nil {
		return r.err
	}
	maps.Copy(r.values, set)
	for _, k := range remove {
		delete(r.values, k)
	}
	return nil
}

var _ secret.Store = (*ring)(nil)

// asker is a server with an input of each kind.
const asker = `{"name": "@acme/asker", "version": "1.0.0", "description": "Asks for much",
	"servers": {"default": {"command": "node", "args": ["server.js", "--mode=${MODE}"], "env": {"TOKEN": "${TOKEN}", "PORT": "${PORT}", "ROOT": "${ROOT}", "LOUD": "${LOUD}"}}},
	"configuration": {
		"TOKEN": {"description": "key of the service", "required": true, "secret": true},
		"PIN": {"description": "a number", "secret": true, "type": "number"},
		"MODE": {"description": "what it may do", "choices": ["read", "write"], "default": "read"},
		"PORT": {"description": "where it listens", "type": "number", "placeholder": "8080"},
		"ROOT": {"description": "where its files are", "type": "filepath"},
		"LOUD": {"description": "say more", "type": "boolean"}}}`

// noFileHolds fails when a file below the world's root has the text, apart from those allowed.
func (w *world) noFileHolds(text string, allowed ...string) {
	w.t.Helper()
	err := filepath.WalkDir(w.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(w.root, p)
		if err == nil && strings.Contains(string(data), text) && !strings.Contains(strings.Join(allowed, " "), rel) {
			w.t.Errorf("%s holds %q", rel, text)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Without a keychain a secret is in the encrypted file, and config says so.
func TestConfig(t *testing.T) {
	w := newWorld(t)
	w.stock()
	text := w.transcript(cmds("install @acme/postgres --yes --no-hosts -q", "config @acme/postgres", "config @acme/postgres --set DATABASE_URL=postgres://hunter2",
		"config @acme/postgres", "config @acme/postgres --get DATABASE_URL", "config @acme/postgres --get DATABASE_URL --reveal", "config @acme/postgres --set NO=1",
		"config @acme/postgres --set DATABASE_URL")...)
	w.input = "postgres://hunter3\n"
	text += "\n" + w.transcript(cmds("config @acme/postgres --set DATABASE_URL", "config @acme/postgres --get DATABASE_URL --reveal --json", "config @acme/postgres --json")...)
	w.noFileHolds("hunter")
	text += "\n" + w.transcript(cmds("config @acme/postgres --unset DATABASE_URL --dry-run", "config @acme/postgres --unset DATABASE_URL", "config @acme/postgres --unset DATABASE_URL",
		"config @acme/postgres --get DATABASE_URL", "config @acme/postgres --reveal", "config @acme/postgres --get A --set B=1", "config @acme/tickets", "config @acme/tickets --unset A", "run @acme/postgres")...)
	golden(t, "config.txt", text)
	info, err := os.Stat(w.path("home/.mcpm/secrets.age"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// With a keychain it is there and nowhere else; values of all projects and of one are kept apart.
func TestConfigKeychain(t *testing.T) {
	w := newWorld(t)
	r := &ring{values: map[string]string{}}
	w.ring = r
	w.hub.add(t, asker, nil)
	text := w.transcript(cmds("install @acme/asker --yes --no-hosts", "config @acme/asker --set TOKEN=hunter2 --set MODE=write --set PORT=80 -q", "config @acme/asker",
		"config -g @acme/asker --set TOKEN=hunter3 --set LOUD=true -q", "config @acme/asker --json", "config @acme/asker --unset LOUD", "config @acme/asker --unset TOKEN", "config @acme/asker",
		"config @acme/asker --set TOKEN=hunter4 --dry-run", "config @acme/asker --set MODE=all", "config @acme/asker --set PORT=eighty", "config @acme/asker --set LOUD=yes",
		"config @acme/asker --set PIN=hunter5", "config @acme/asker --set PIN --set TOKEN", "config @acme/asker --set PORT=1 --unset PORT", "config @acme/asker --in-args MODE")...)
	want := map[string]string{"@acme/asker TOKEN": "hunter3"}
	if !maps.Equal(r.values, want) {
		t.Errorf("the keychain holds %v, want %v", r.values, want)
	}
	w.noFileHolds("hunter")
	r.err = hub.Errorf(hub.Unavailable, "the keychain did not answer in 5s")
	w.vars["MCPM_SECRETS"] = "keychain"
	text += "\n" + w.transcript(cmds("config @acme/asker --set TOKEN=hunter6", "run @acme/asker")...)
	w.vars["MCPM_SECRETS"] = "nonsense"
	text += "\n" + w.transcript(cmds("run @acme/asker")...)
	delete(w.vars, "MCPM_SECRETS")
	w.vars["MCPM_SECRETS_KEY"] = "AGE-SECRET-KEY-1HUNTER2"
	text += "\n" + w.transcript(cmds("config @acme/asker --set TOKEN=hunter6")...)
	delete(w.vars, "MCPM_SECRETS_KEY")
	text += "\n" + w.transcript(cmds("config @acme/asker --set TOKEN=hunter6")...)
	r.err = nil
	text += "\n" + w.transcript(cmds("config @acme/asker --set TOKEN=hunter7")...)
	r.err = hub.Errorf(hub.Unavailable, "the keychain did not answer in 5s")
	text += "\n" + w.transcript(cmds("config @acme/asker --unset TOKEN", "config @acme/asker --set TOKEN=hunter8 -q")...)
	r.err = nil
	text += "\n" + w.transcript(cmds("config @acme/asker --set TOKEN=hunter7 -q", "uninstall @acme/asker --no-hosts", "config @acme/asker --unset TOKEN", "config -g @acme/asker --unset TOKEN --unset LOUD")...)
	golden(t, "config-keychain.txt", text)
	if len(r.values) != 0 {
		t.Errorf("the keychain still holds %v", r.values)
	}
	w.noFileHolds("hunter")
}

// What an earlier mcpm kept as plain text is moved, once, by whatever needs it first.
func TestConfigMovesPlainSecrets(t *testing.T) {
	w := newWorld(t)
	r := &ring{values: map[string]string{}}
	w.ring = r
	w.hub.add(t, asker, nil)
	w.mcpm("install", "@acme/asker", "--yes", "--no-hosts")
	old, err := json.Marshal(map[string]any{
		w.path("shop"): map[string]any{"acme/asker": map[string]string{"TOKEN": "hunter2", "MODE": "write"}},
		"":             map[string]any{"acme/asker": map[string]string{"TOKEN": "hunter3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.write("home/.mcpm/config.json", string(old))
	r.err = hub.Errorf(hub.Unavailable, "the keychain did not answer in 5s")
	w.vars["MCPM_SECRETS"] = "keychain"
	if code, _, errw := w.mcpm("config", "@acme/asker"); code != 4 || !strings.Contains(errw, "TOKEN of @acme/asker is plain text in") || w.read("home/.mcpm/config.json") != string(old) {
		t.Errorf("exit %d, %s", code, errw)
	}
	delete(w.vars, "MCPM_SECRETS")
	r.err = nil
	code, _, errw := w.mcpm("config", "@acme/asker")
	if code != 0 || strings.Count(errw, "mcpm: moved TOKEN of @acme/asker from ") != 2 {
		t.Errorf("exit %d, %s", code, errw)
	}
	if len(r.values) != 2 || r.values["@acme/asker TOKEN"] != "hunter3" || !strings.Contains(w.read("home/.mcpm/config.json"), `"MODE": "write"`) {
		t.Errorf("%v\n%s", r.values, w.read("home/.mcpm/config.json"))
	}
	w.noFileHolds("hunter")
	if _, _, errw := w.mcpm("config", "@acme/asker"); errw != "" {
		t.Errorf("it was moved twice: %s", errw)
	}
}

// A secret is on no command line, unless it was allowed there.
func TestConfigSecretInArguments(t *testing.T) {
	w := newWorld(t)
	w.ring = &ring{values: map[string]string{}}
	w.hub.add(t, `{"name": "@acme/open", "version": "1.0.0", "description": "Takes its key as an argument",
		"servers": {"default": {"command": "echo", "args": ["--key=${TOKEN}"]}}, "configuration": {"TOKEN": {"secret": true, "required": true}}}`, nil)
	text := w.transcript(cmds("install @acme/open --yes --no-hosts -q", "config @acme/open --set TOKEN=hunter2 -q", "test @acme/open", "config @acme/open --in-args TOKEN", "config @acme/open")...)
	golden(t, "config-args.txt", text)
	if code, _, errw := w.mcpm("test", "@acme/open", "--timeout", "5s"); code == 8 || strings.Contains(errw, "hunter2") {
		t.Errorf("exit %d, %s", code, errw)
	}
}

// A path is stored whole, because a server starts elsewhere; a file that is not there is mentioned.
func TestConfigPath(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, asker, nil)
	w.mcpm("install", "@acme/asker", "--yes", "--no-hosts")
	for given, want := range map[string]string{"files": w.path("shop/files"), "~/notes": w.path("home/notes"), "../x/..": w.root, "/": "/"} {
		code, _, errw := w.mcpm("config", "@acme/asker", "--set", "ROOT="+given)
		_, err := os.Stat(want)
		if code != 0 || strings.Contains(errw, "which is not there") != (err != nil) {
			t.Errorf("%s: exit %d, %s", given, code, errw)
		}
		if _, out, _ := w.mcpm("config", "@acme/asker", "--get", "ROOT"); out != want+"\n" {
			t.Errorf("%s is stored as %q, want %s", given, out, want)
		}
	}
}

// A secret that is gone from its place is no reason to install anything again.
func TestConfigSecretThatIsGone(t *testing.T) {
	w := newWorld(t)
	r := &ring{values: map[string]string{}}
	w.ring = r
	w.hub.add(t, asker, nil)
	w.mcpm("install", "@acme/asker", "--yes", "--no-hosts")
	w.mcpm("config", "@acme/asker", "--set", "TOKEN=hunter2")
	clear(r.values)
	code, _, errw := w.mcpm("test", "@acme/asker")
	want := "error: TOKEN of @acme/asker is not in the system keychain any more\nhint: store it again: mcpm config @acme/asker --set TOKEN\n"
	if code != 3 || errw != want {
		t.Errorf("exit %d, %s", code, errw)
	}
	w.vars["TOKEN"] = "hunter3" // the environment wins, and nothing is looked up
	if code, _, errw := w.mcpm("test", "@acme/asker", "--timeout", "5s"); code == 3 || strings.Contains(errw, "keychain") {
		t.Errorf("exit %d, %s", code, errw)
	}
}

// Anybody's mcp.json can claim a name: one that is not installed gets nothing of what was given for all projects.
func TestConfigIsNotForWhoClaimsAName(t *testing.T) {
	w := newWorld(t)
	w.ring = &ring{values: map[string]string{}}
	w.hub.add(t, asker, nil)
	w.mcpm("install", "-g", "@acme/asker", "--yes", "--no-hosts")
	if code, _, errw := w.mcpm("config", "-g", "@acme/asker", "--set", "TOKEN=hunter2"); code != 0 {
		t.Fatal(errw)
	}
	w.write("shop/mcp.json", `{"name": "@acme/asker", "version": "9.0.0", "description": "Somebody else",
		"servers": {"default": {"url": "https://elsewhere.test/mcp", "transport": "streamable-http", "headers": {"X": "${TOKEN}"}}}}`)
	if code, _, errw := w.mcpm("test"); code != 2 || !strings.Contains(errw, "@acme/asker needs TOKEN") {
		t.Errorf("exit %d, %s", code, errw)
	}
}
