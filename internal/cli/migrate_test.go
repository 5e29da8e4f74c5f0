package cli_test

import (
	"os"
	"strings"
	"testing"
)

const oldCursor = `{
  "mcpServers": {
    "postgres": {"command": "npx", "args": ["-y", "@acme/pg@1.4.0", "--read-only"], "env": {"DATABASE_URL": "postgres://me:s3cret@db/shop", "MODE": "on"}, "disabled": true},
    "tickets": {"url": "https://mcp.acme.example/mcp/"},
    "twice": {"url": "https://mcp.acme.example/mcp"},
    "keyed": {"url": "https://mcp.acme.example/mcp?key=s3cret"},
    "postgres-like": {"command": "npx", "args": ["-y", "acme-postgres"]},
    "own": {"command": "/opt/own"}
  }
}
`

// used is a home in which a person has servers from several tools.
func used(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	w.write("home/.cursor/mcp.json", oldCursor)
	w.write("home/.config/zed/settings.json", "{\n  // mine\n  \"context_servers\": {\n    \"pg\": {\"command\": \"npx\", \"args\": [\"@acme/pg\"], \"env\": {\"DATABASE_URL\": \"postgres://other\"}}\n  }\n}\n")
	w.write("home/.codex/config.toml", "broken = [\n")
	return w
}

func TestMigrate(t *testing.T) {
	w := used(t)
	zed := w.read("home/.config/zed/settings.json")
	text := w.transcript(cmds("migrate", "migrate --dry-run --from cursor", "migrate --dry-run --from cursor --json", "migrate --from nowhere", "migrate --from goose", "migrate --from Docker", "migrate x", "migrate --offline --dry-run")...)
	if w.read("shop/mcp.json") != "(no such file or directory)\n" || w.read("home/.cursor/mcp.json") != oldCursor {
		t.Error("something was written without a yes")
	}
	text += "\n" + w.show("migrate", "--yes")
	if strings.Contains(text, "s3cret") {
		t.Error("a secret was shown")
	}
	text += "\n-- shop/mcp.json --\n" + w.read("shop/mcp.json") + "-- .cursor/mcp.json --\n" + w.tidy(w.read("home/.cursor/mcp.json"))
	text += "-- .mcpm/config.json --\n" + w.tidy(w.read("home/.mcpm/config.json"))
	text += "\n" + w.transcript(cmds("hosts sync --check", "migrate", "list", "hosts restore cursor --yes -q")...)
	golden(t, "migrate.txt", text)
	if w.read("home/.cursor/mcp.json") != oldCursor || w.read("home/.config/zed/settings.json") != zed {
		t.Error("a file is not what it was")
	}
	for _, f := range []string{"shop/mcp.json", "shop/mcpm-lock.json", "home/.mcpm/hosts.json"} {
		if strings.Contains(w.read(f), "s3cret") {
			t.Errorf("%s holds a secret", f)
		}
	}
}

// A person is asked twice: for the servers, and for the files of the applications.
func TestMigrateAsks(t *testing.T) {
	w := used(t)
	w.width, w.input = 80, "n\n"
	text := w.show("migrate", "--from", "cursor")
	w.input = "y\nn\n"
	text += "\n" + w.show("migrate", "--from", "cursor")
	if w.read("home/.cursor/mcp.json") != oldCursor {
		t.Error("the file was changed without a yes")
	}
	w.input = "y\n"
	text += "\n" + w.show("migrate", "--from", "cursor")
	golden(t, "migrate-asks.txt", text)
	if !strings.Contains(w.read("home/.cursor/mcp.json"), `"@acme/postgres"`) {
		t.Error("the file was not changed after a yes")
	}
}

func TestMigrateTools(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.write("home/.config/mcpm/servers.json", `{"tickets": {"name": "tickets", "url": "https://mcp.acme.example/mcp", "profile_tags": ["work"]}}`)
	w.write("home/.docker/mcp/mcp-toolkit.db", "")
	w.write("home/.local/state/toolhive/runconfigs/postgres.json", `{"schema_version": "v0.1.0", "name": "postgres", "image": "npx://@acme/pg@1.4.0", "secrets": ["db,target=DATABASE_URL"], "group": "dev"}`)
	w.write("home/.local/state/toolhive/runconfigs/broken.json", `{`)
	w.write("shop/mcpm.yaml", "version: \"1\"\nservers:\n  io.github.acme/tickets:\n    version: 0.9.0\n  io.github.acme/nothing:\n    version: 1.0.0\n")
	w.write("shop/profile.yaml", "name: Dev\nservers:\n  - type: image\n    image: mcp/tickets:1\n")
	w.write("shop/odd.txt", "hello")
	if err := os.MkdirAll(w.path("home/.cursor"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := w.transcript(cmds("migrate --from profile.yaml --dry-run", "migrate --from odd.txt", "migrate -g --from toolhive --no-hosts --yes", "migrate --yes", "list -g", "list", "hosts list --found")...)
	golden(t, "migrate-tools.txt", text)
}

// TestMigrateRollback: what migrate took over is a person's own again after a rollback, to the byte where nothing else changed.
// TestMigrateEntry guards: a server in a file of no host application that needs an entry or arguments named is left, with what
// starts it as it was.
func TestMigrateEntry(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, `{"name": "@acme/docs", "version": "1.0.0", "description": "Looks documentation up", "servers": {
		"npm": {"package": {"registryType": "npm", "identifier": "@acme/docs-mcp", "version": "1.0.0", "transport": {"type": "stdio"}}},
		"remote": {"transport": "streamable-http", "url": "https://mcp.acme.test/mcp"}}}`, nil)
	w.write("shop/old.json", `{"mcpServers": {"far": {"url": "https://mcp.acme.test/mcp"}, "near": {"command": "npx", "args": ["-y", "@acme/docs-mcp@1.0.0", "--fast"]}}}`)
	golden(t, "migrate-entry.txt", w.transcript(cmds("migrate --from old.json --dry-run")...))
}

func TestMigrateRollback(t *testing.T) {
	w := used(t)
	zed := w.read("home/.config/zed/settings.json")
	w.show("migrate", "--yes")
	if w.read("home/.cursor/mcp.json") == oldCursor {
		t.Fatal("nothing was taken over")
	}
	text := w.transcript(cmds("rollback --dry-run", "rollback")...)
	if w.read("home/.cursor/mcp.json") != oldCursor || w.read("home/.config/zed/settings.json") != zed {
		t.Errorf("not as it was:\n%s%s", w.read("home/.cursor/mcp.json"), w.read("home/.config/zed/settings.json"))
	}
	w.show("migrate", "--yes")
	w.write("home/.cursor/mcp.json", strings.Replace(w.read("home/.cursor/mcp.json"), "{", "{\n  \"theirs\": true,", 1))
	text += "\n" + w.transcript(cmds("rollback")...)
	golden(t, "migrate-rollback.txt", text+"\n-- .cursor/mcp.json --\n"+w.tidy(w.read("home/.cursor/mcp.json")))
	if strings.Contains(w.read("home/.mcpm/hosts.json"), "s3cret") {
		t.Error("hosts.json holds a secret")
	}
}
