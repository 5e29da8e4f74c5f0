package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestRollback walks back and forward through what a project was: both files come back byte for byte, host
// applications follow, what was changed by hand is not lost, and with --offline what is kept is enough.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.write("home/.cursor/mcp.json", "{}\n")
	text := w.transcript(cmds("rollback", "rollback --list", "install @acme/postgres@~1.4.0 --yes -q")...)
	first, lock := w.read("shop/mcp.json"), w.read("shop/mcpm-lock.json")
	text += "\n" + w.transcript(cmds("install @acme/postgres@^1.5.0 --yes -q", "install @acme/postgres@^1.5.0 --yes --accept-permissions -q",
		"install @acme/reports --yes -q", "uninstall @acme/reports", "rollback --list", "rollback --dry-run", "rollback", "rollback 2 --offline")...)
	if w.read("shop/mcp.json") != first || w.read("shop/mcpm-lock.json") != lock {
		t.Error("generation 2 is not what it was")
	}
	w.write("shop/mcp.json", strings.Replace(first, "{", "{\n  // mine", 1))
	text += "\n-- mcp.json was changed by hand --\n" + w.transcript(cmds("rollback 4", "rollback --list", "rollback 6", "rollback 1", "rollback 99", "rollback x", "list")...)
	if _, err := os.Stat(w.path("shop/mcp.json")); !os.IsNotExist(err) {
		t.Errorf("at the beginning there was no mcp.json: %v", err)
	}
	if got := w.read("home/.cursor/mcp.json"); got != "{}\n" {
		t.Errorf("the host application has %q", got)
	}
	if err := os.MkdirAll(w.path("shop/sub/deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	text += "\n-- from below --\n" + w.transcript(cmds("-C sub/deep rollback 2 --dry-run", "-C sub/deep rollback 77")...)
	w.write("shop/sub/mcp.json", "{}") // a project of its own, which has no history
	text += "\n" + w.transcript(cmds("-C sub/deep rollback")...)
	text += "\n" + w.transcript(cmds("rollback 6 --json", "rollback --list --json")...)
	if !strings.Contains(w.read("shop/mcp.json"), "// mine") {
		t.Error("what was changed by hand is gone")
	}
	golden(t, "rollback.txt", regexp.MustCompile(`20\d\d-\d\d-\d\d[T ][0-9:.]+(Z|[+-]\d\d:\d\d)?`).ReplaceAllString(text, "TIME"))
}
