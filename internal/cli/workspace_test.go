package cli_test

import (
	"os"
	"strings"
	"testing"
)

// workspace makes the project a workspace of three members, of which two ask for servers.
func (w *world) workspace() {
	w.stock()
	w.write("shop/mcp.json", "{\"workspaces\": [\"servers/*\"]}\n")
	w.write("shop/servers/jobs/mcp.json", "{\n  \"name\": \"@shop/jobs\", \"version\": \"1.0.0\"\n}\n")
	w.write("shop/servers/reports/mcp.json", "{\n  \"name\": \"@shop/reports\", \"version\": \"2.0.0\",\n  \"dependencies\": {\"@acme/reports\": \"^3.0.0\"}\n}\n")
	w.write("shop/servers/web/mcp.json", "{\n  \"name\": \"@shop/web\", \"version\": \"1.0.0\",\n  \"dependencies\": {\n    \"@acme/postgres\": \"^1.4.0\"\n  },\n  \"devDependencies\": {\"@shop/jobs\": \"workspace:^\"}\n}\n")
}

// TestWorkspace shows how a workspace is looked at and changed, in a pipe and in a terminal of 80 columns.
func TestWorkspace(t *testing.T) {
	w := newWorld(t)
	w.workspace()
	w.width = 80
	text := w.transcript(cmds("install --yes", "list", "list --tree", "why @acme/postgres", "outdated", "ci", "list -w @shop/web", "-C servers/web list",
		"install --yes -w @shop/web @acme/postgres@^2", "update --dry-run", "run -w @shop/web @acme/reports", "run -w @shop/web -w @shop/jobs @acme/reports",
		"install -g -w @shop/web @acme/postgres", "list -w @shop/nobody", "list -w web", "__complete list -w w")...)
	w.width = 0
	text += "\n" + w.transcript(cmds("list --json", "outdated --json", "ci --json", "why @acme/postgres --json", "install @shop/reports@workspace:^ -w servers/jobs --yes",
		"uninstall @acme/postgres", "uninstall -w @shop/web @acme/postgres", "rollback", "rollback --list")...)
	golden(t, "workspace.txt", text+"\n-- mcpm-lock.json --\n"+w.tidy(w.read("shop/mcpm-lock.json")))
}

// TestWorkspaceDrift shows what ci says of members that differ from the one lockfile, and of lockfiles from before.
func TestWorkspaceDrift(t *testing.T) {
	w := newWorld(t)
	w.workspace()
	w.mcpm("install", "--yes")
	lock := w.read("shop/mcpm-lock.json")
	w.write("shop/servers/jobs/mcp.json", `{"name": "@shop/jobs", "version": "1.0.0", "dependencies": {"@acme/postgres": "^1"}}`)
	w.write("shop/servers/web/mcp.json", strings.Replace(w.read("shop/servers/web/mcp.json"), "^1.4.0", "^2.0.0", 1))
	text := w.transcript(cmds("ci", "ci -w @shop/reports", "install")...)
	w.write("shop/servers/jobs/mcp.json", `{"name": "@shop/jobs", "version": "1.0.0", "overrides": {"@acme/postgres": "2.0.0"}}`)
	w.write("shop/servers/web/mcp.json", `{"name": "@shop/web", "version": "1.0.0"}`)
	text += "\n" + w.transcript(cmds("ci", "install --yes")...)
	w.write("shop/servers/web/mcpm-lock.json", strings.ReplaceAll(lock, "\"members\": [\n        \"servers/web\"\n      ],\n", ""))
	text += "\n" + w.transcript(cmds("ci", "install --dry-run", "install", "rollback")...)
	golden(t, "workspace_drift.txt", text)
	if _, err := os.Stat(w.path("shop/servers/web/mcpm-lock.json")); err != nil {
		t.Errorf("the rollback did not bring the lockfile of the member back: %v", err)
	}
}

// TestBrokenRoot guards: nothing is locked beside a member while it cannot be known whether it is one.
func TestBrokenRoot(t *testing.T) {
	w := newWorld(t)
	w.workspace()
	w.write("shop/mcp.json", `{"workspaces": ["servers/*"`)
	code, _, errw := w.mcpm("-C", "servers/web", "install", "--yes")
	if code == 0 || !strings.Contains(errw, "mend the file") {
		t.Errorf("code %d: %s", code, errw)
	}
	if _, err := os.Stat(w.path("shop/servers/web/mcpm-lock.json")); err == nil {
		t.Error("a lockfile was written")
	}
}

// TestWhere shows what newcomers could not tell: which project changes from a directory below it, whose file a preview lists,
// and that a name is of the workspace's own.
func TestWhere(t *testing.T) {
	w := newWorld(t)
	w.workspace()
	w.mcpm("install", "--yes")
	if err := os.MkdirAll(w.path("shop/notes/old"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("shop/servers/jobs/mcp.json", `{"name": "@shop/jobs", "version": "1.0.0", "description": "Jobs.", "license": "MIT", "servers": {"default": {"command": "node", "args": ["${bundle}/index.js"]}}}`)
	w.write("shop/servers/jobs/index.js", "")
	w.write("shop/servers/reports/mcp.json", `{"name": "@shop/reports", "version": "2.0.0", "description": "Reports.", "license": "MIT", "servers": {"default": {"command": "node", "args": ["${bundle}/index.js"]}}}`)
	w.write("shop/servers/reports/index.js", "")
	golden(t, "where.txt", w.transcript(cmds("-C notes/old install io.github.acme/tickets --yes", "why @shop/reports", "publish --filter ./servers/[jr]* --dry-run")...))
}
