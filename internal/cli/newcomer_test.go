package cli_test

import (
	"os"
	"testing"
)

// TestDryRunTells: a trial says that there is nothing to do, or which answer the real thing needs.
func TestDryRunTells(t *testing.T) {
	w := newWorld(t)
	w.stock()
	text := w.transcript(cmds("install @acme/postgres@1.4.0 --dry-run --no-hosts -q", "install @acme/postgres@1.4.0 --yes --no-hosts -q", "update --dry-run --no-hosts")...)
	w.write("shop/mcp.json", `{"dependencies": {"@acme/postgres": "^1.4.0"}}`)
	text += "\n" + w.transcript(cmds("update --dry-run --no-hosts", "update --dry-run --no-hosts --json", "update --yes --no-hosts", "update --yes --accept-permissions --no-hosts -q", "update --dry-run --no-hosts")...)
	golden(t, "dry-run.txt", text)
}

// TestExportRefuses: nothing is written to a place that is not there, and no archive to a terminal.
func TestExportRefuses(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "-q")
	text := w.transcript(cmds("export -f sbom -o out/deep/bill.json", "export -f sbom -o .", "export -f sbom -o bill.json")...)
	w.width = 80
	text += "\n" + w.show("export", "postgres", "-f", "mcpb")
	golden(t, "export-refuses.txt", text)
	if _, err := os.Stat(w.path("shop/out")); !os.IsNotExist(err) {
		t.Errorf("a directory was made: %v", err)
	}
}

// TestInitTells: what init makes of --env is said, and so is what --probe lacks.
func TestInitTells(t *testing.T) {
	w := newWorld(t)
	w.write("shop/server.py", "print('hello')\n")
	init := func(args ...string) []string {
		return append([]string{"init", "--yes", "--name", "@acme/weather", "--description", "Weather for every town on Earth"}, args...)
	}
	text := w.transcript(init("--env", "API_KEY", "--env", "ZONE", "--probe"), init("--env", "API_KEY", "--env", "ZONE"), init("--force", "--npm", "@acme/weather@1.0.0", "--env", "API_KEY"))
	golden(t, "init-tells.txt", text)
}
