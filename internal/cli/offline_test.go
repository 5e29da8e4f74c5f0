package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestOffline: what is installed works without the hub, and what is missing is named, with what it needs.
func TestOffline(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.vars["DATABASE_URL"] = "postgres://x"
	text := w.transcript(cmds("install @acme/postgres@1.4.0 --yes --no-hosts -q", "info postgres --offline", "info postgres@2.0.0 --offline", "info io.github.acme/tickets --offline", "info postgres --offline --versions")...)
	_, out, _ := w.mcpm("info", "postgres", "--offline", "--json")
	if !regexp.MustCompile(`"name": "@acme/postgres",\s+"version": "1.4.0",\s+"registry": "http://127`).MatchString(out) {
		t.Error(out)
	}
	w.vars["MCPM_REGISTRY"] = "http://127.0.0.1:1"
	text += "\n-- the hub is away --\n" + w.transcript(cmds("ci", "ci -v", "install", "info postgres", "info io.github.acme/tickets")...)
	lose := func(pattern string) {
		t.Helper()
		files, err := filepath.Glob(w.path("home/.mcpm/store", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s finds %v %v", pattern, files, err)
		}
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
		text += "\n-- " + pattern + " is gone --\n"
	}
	lose("sha256/*.json")
	text += w.transcript(cmds("install --offline", "run postgres --offline", "ci --offline", "ci", "info postgres --offline", "cache verify --offline --repair", "cache verify --repair")...)
	w.vars["MCPM_REGISTRY"] = w.hub.URL
	text += "\n-- the hub is back --\n" + w.transcript(cmds("install -q")...)
	lose("packages/trees/*")
	text += w.transcript(cmds("install --offline", "run postgres --offline", "cache verify")...)
	text = regexp.MustCompile(`dial tcp .*`).ReplaceAllString(text, "dial tcp ...")
	golden(t, "offline.txt", text)
}

// TestOfflineElsewhere: what one project has locked another one installs without a hub, to the byte, and what nobody has it
// does not. A hub that a scope is mapped to now is not the one it came from.
func TestOfflineElsewhere(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "-q")
	lock := w.read("shop/mcpm-lock.json")
	w.write("other/mcp.json", "{}")
	registry := w.vars["MCPM_REGISTRY"]
	w.vars["MCPM_REGISTRY"] = "http://127.0.0.1:1"
	text := w.transcript(cmds("-C ../other install @acme/postgres --offline --yes --no-hosts")...)
	w.vars["MCPM_REGISTRY"] = registry
	text += w.transcript(cmds("-C ../other install @acme/postgres@^2 --offline --yes", "-C ../other install io.github.acme/tickets --offline --yes", "-C ../other update --offline",
		"-C ../other install @acme/postgres --offline", "-C ../other install @acme/postgres --offline --yes --no-hosts -E", "-C ../other install @acme/postgres --offline --yes --no-hosts", "-C ../other ci --offline")...)
	if got := w.read("other/mcpm-lock.json"); got != lock {
		t.Errorf("the lockfiles differ:\n%s\n%s", got, lock)
	}
	golden(t, "offline-elsewhere.txt", text)
}

// TestRepairKeepsWhatIsWhole: a repair that cannot reach the hub takes nothing away that was as locked.
func TestRepairKeepsWhatIsWhole(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "-q")
	trees, err := filepath.Glob(w.path("home/.mcpm/store/packages/trees/*/node_modules/@acme/pg/cli.sh"))
	if err != nil || len(trees) != 1 || os.Remove(trees[0]) != nil {
		t.Fatal(trees, err)
	}
	w.vars["MCPM_REGISTRY"] = "http://127.0.0.1:1"
	for _, args := range [][]string{{"cache", "verify", "--repair", "--offline"}, {"cache", "verify", "--repair"}} {
		if code, _, errs := w.mcpm(args...); code != 6 && code != 5 {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	manifests, err := filepath.Glob(w.path("home/.mcpm/store/sha256/*.json"))
	if err != nil || len(manifests) != 1 {
		t.Errorf("the manifest is gone: %v %v", manifests, err)
	}
}
