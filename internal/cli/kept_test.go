package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestKept walks through what is locked and kept: nothing that differs is passed over, each file is named, and what is
// needed comes back.
func TestKept(t *testing.T) {
	w := newWorld(t)
	w.stock()
	digests := regexp.MustCompile(`sha512-[A-Za-z0-9+/]{86}==`)
	text := w.transcript(cmds("ci", "install @acme/postgres@1.4.0 --yes --no-hosts -q", "ci", "cache ls", "cache verify", "--offline ci")...)
	change := func(pattern string) {
		t.Helper()
		files, err := filepath.Glob(w.path("home/.mcpm/store/packages/trees", pattern))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s finds %v %v", pattern, files, err)
		}
		if err := os.Remove(files[0]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], []byte("#!/bin/sh\necho something else\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		text += "-- " + pattern + " was changed --\n"
	}
	change("*/node_modules/@acme/pg/cli.sh")
	w.vars["DATABASE_URL"] = "postgres://x"
	text += w.transcript(cmds("run @acme/postgres", "ci", "cache verify", "cache verify --repair", "cache verify", "ci --json")...)
	lock := w.read("shop/mcpm-lock.json")
	w.write("shop/mcpm-lock.json", strings.Replace(lock, `"node_modules/@acme/pg": {`, `"node_modules/@acme/pgx": {`, 1))
	text += "-- the lockfile was changed --\n" + w.transcript(cmds("ci")...)
	w.write("shop/mcpm-lock.json", lock)
	w.write("shop/mcp.json", `{"dependencies": {"@acme/postgres": "^1.5.0", "@acme/tickets": "*"}}`)
	text += "-- mcp.json was changed --\n" + w.transcript(cmds("ci")...)
	w.write("shop/mcp.json", `{"dependencies": {"@acme/postgres": "1.4.0"}}`)
	text += w.transcript(cmds("uninstall @acme/postgres --no-hosts", "cache ls", "cache gc --dry-run", "cache ls", "cache gc", "cache ls", "cache clean", "cache clean --yes --json")...)
	text = regexp.MustCompile(`trees/[0-9a-z-]+`).ReplaceAllString(text, "trees/ID") // it differs from platform to platform
	golden(t, "kept.txt", digests.ReplaceAllString(text, "sha512-..."))
}

// TestNoNPM guards: a program that is missing here is said to be, and nobody is sent to the publisher for it.
func TestNoNPM(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.vars["PATH"] = w.path("nothing")
	code, _, errs := w.mcpm("install", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "-q")
	if code != 3 || !strings.Contains(errs, "needs npm, which is not on this machine") || !strings.Contains(errs, "hint: nothing was installed; install it and try again") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, err := os.Stat(w.path("shop/mcpm-lock.json")); !os.IsNotExist(err) {
		t.Errorf("a lockfile was written: %v", err)
	}
}
