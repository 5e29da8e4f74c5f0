package cli_test

import (
	"os"
	"strings"
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

// TestNarrow: at 60 columns names stay whole, since they are there to be copied, and in a pipe so does everything.
func TestNarrow(t *testing.T) {
	w := newWorld(t)
	long := strings.NewReplacer("@acme/postgres", "io.github.a-long-organisation-name/a-server-for-postgres", "Read-only SQL for PostgreSQL",
		"Reads the tables of any PostgreSQL database with plain SQL, explains what a query costs, and never writes a single byte into it").Replace
	w.hub.add(t, long(postgres1), nil)
	w.hub.add(t, long(postgres2), nil)
	w.write("home/.cursor/mcp.json", "{}\n")
	w.vars["DATABASE_URL"] = "postgres://x"
	w.mcpm("install", "io.github.a-long-organisation-name/a-server-for-postgres@1.4.0", "--yes", "-q")
	text := w.transcript(cmds("search sql")...)
	w.width = 60
	text += "\n-- 60 columns --\n" + w.transcript(cmds("search sql", "list", "outdated", "rollback --list", "config a-server-for-postgres --json -q", "cache ls", "why a-server-for-postgres", "install --help", "help permissions")...)
	golden(t, "narrow.txt", text)
	for line := range strings.Lines(text[strings.Index(text, "-- 60"):]) {
		if line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "2> "); len([]rune(line)) > 60 && !strings.HasPrefix(line, "$") && strings.Contains(line, " ") && !strings.Contains(line, "-organisation-name/") {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// TestHostBegun: the beginning of an application's name says which are meant, and is not taken for one of them.
func TestHostBegun(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]string{"claude": "hint: did you mean claude-desktop or claude-code?", "Curs": "hint: did you mean cursor?", "nothing-like-it": "hint: mcpm hosts list names them"} {
		code, _, errs := w.mcpm("hosts", "add", name)
		if code != 3 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
}
