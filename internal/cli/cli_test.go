package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const postgres1 = `{
  "name": "@acme/postgres", "version": "1.4.0", "description": "Read-only SQL for PostgreSQL", "license": "MIT",
  "servers": {"default": {"package": {"registryType": "npm", "identifier": "@acme/pg", "version": "1.4.0", "transport": {"type": "stdio"},
    "environmentVariables": [{"name": "DATABASE_URL", "description": "where the database is", "isRequired": true, "isSecret": true}]},
    "capabilities": {"tools": [{"name": "query", "description": "Run SQL"}, {"name": "list_tables", "description": "List the tables"}]}}},
  "permissions": {"network": {"outbound": ["*.acme.example:5432"]}, "secrets": ["DATABASE_URL"]}
}`

var postgres2 = strings.NewReplacer(`1.4.0`, `1.5.0`, `{"name": "query", "description": "Run SQL"}`,
	`{"name": "query", "description": "Run SQL", "schema": {"type": "object"}}, {"name": "explain", "description": "Explain a plan"}`,
	`"*.acme.example:5432"`, `"*.acme.example:5432", "api.acme.example:443"`, "List the tables", "List all tables").Replace(postgres1)

const tickets = `{
  "name": "io.github.acme/tickets", "version": "0.9.0", "description": "Tickets of the help desk",
  "servers": {"default": {"transport": "streamable-http", "url": "https://mcp.acme.example/mcp", "capabilities": {"tools": ["list"]}}}
}`

const reports = `{
  "name": "@acme/reports", "version": "3.0.0", "description": "Reports from a database",
  "servers": {"default": {"command": "reports", "capabilities": {"tools": ["report"]}}},
  "dependencies": {"@acme/postgres": "^1.4.0"}
}`

func (w *world) stock() {
	w.hub.add(w.t, postgres1, nil)
	w.hub.add(w.t, postgres2, nil)
	w.hub.add(w.t, tickets, nil)
	w.hub.add(w.t, reports, nil)
}

func (w *world) transcript(runs ...[]string) string {
	var b strings.Builder
	for i, r := range runs {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(w.show(r...))
	}
	return b.String()
}

func cmds(lines ...string) [][]string {
	var out [][]string
	for _, l := range lines {
		out = append(out, strings.Fields(l))
	}
	return out
}

func TestFind(t *testing.T) {
	w := newWorld(t)
	w.stock()
	golden(t, "find.txt", w.transcript(cmds("search sql", "search --json tickets", "search nothing-like-it", "info @acme/postgres",
		"info @acme/postgres@1.4.0", "info @acme/postgres --versions", "info @acme/nothing", "info postgres", "search")...))
	w.width = 60
	golden(t, "find-60.txt", w.transcript(cmds("search e", "info @acme/postgres")...))
	w.width = 100
	golden(t, "find-100.txt", w.transcript(cmds("search e")...))
}

func TestInstall(t *testing.T) {
	w := newWorld(t)
	w.stock()
	before := "{\n  // mine\n  \"mcpServers\": {\n    \"postgres\": { \"command\": \"my-own\" }\n  }\n}\n"
	w.write("home/.cursor/mcp.json", before)
	if err := os.MkdirAll(w.path("home/.config/Claude"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := w.transcript(cmds("install @acme/postgres@^1.4.0 --dry-run", "install @acme/postgres@1.4.0", "install @acme/postgres@1.4.0 --yes")...)
	text += "\n-- shop/mcp.json --\n" + w.read("shop/mcp.json") + "-- shop/mcpm-lock.json --\n" + w.tidy(w.read("shop/mcpm-lock.json"))
	text += "-- .cursor/mcp.json --\n" + w.tidy(w.read("home/.cursor/mcp.json"))
	text += "-- claude_desktop_config.json --\n" + w.tidy(w.read("home/.config/Claude/claude_desktop_config.json")) + "\n"
	text += w.transcript(cmds("list", "list --json", "install", "install --offline", "install @acme/reports --yes", "list",
		"uninstall @acme/postgres --dry-run", "uninstall @acme/reports", "uninstall @acme/reports", "uninstall @acme/postgre", "uninstall @acme/postgres", "list")...)
	golden(t, "install.txt", text)
	if got := w.read("home/.cursor/mcp.json"); got != before {
		t.Errorf("Cursor's file was not given back:\n%s", got)
	}
	if _, err := os.Stat(w.path("home/.config/Claude/claude_desktop_config.json")); !os.IsNotExist(err) {
		t.Errorf("the file made for Claude Desktop is still there (%v)", err)
	}
	if w.hub.installs != 0 {
		t.Error("the hub was told of an install, and nobody chose that")
	}
	w.vars["MCPM_ANALYTICS"] = "true"
	if w.mcpm("install", "@acme/postgres", "--yes", "--no-hosts"); w.hub.installs == 0 {
		t.Error("the hub was not told of an install")
	}
}

func TestInstallAsks(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.width, w.input = 80, "d\nn\n"
	text := w.show("install", "@acme/postgres@1.4.0", "--no-hosts")
	w.input = "y\n"
	text += "\n" + w.show("install", "@acme/postgres@1.4.0", "--no-hosts")
	golden(t, "install-asks.txt", text)
}

func TestUpdate(t *testing.T) {
	w := newWorld(t)
	w.stock()
	golden(t, "update.txt", w.transcript(
		strings.Fields("install @acme/postgres@1.4.0 --yes --no-hosts -q"), strings.Fields("update --no-hosts"),
		strings.Fields("install @acme/postgres@^1.4.0 --no-hosts -q"), strings.Fields("install @acme/postgres@^1.4 --yes --no-hosts -q"),
		strings.Fields("update --no-hosts --json")))
	w.write("shop/mcp.json", "{\n  \"dependencies\": {\n    \"@acme/postgres\": \"^1.4.0\"\n  }\n}\n")
	w.write("shop/mcpm-lock.json", strings.NewReplacer("1.5.0", "1.4.0").Replace(w.read("shop/mcpm-lock.json")))
	w.width, w.input = 80, "n\n"
	other := newWorld(t)
	other.hub = w.hub
	other.vars["MCPM_REGISTRY"] = w.hub.URL
	other.mcpm("install", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "--exact")
	other.write("shop/mcp.json", "{\n  \"dependencies\": {\n    \"@acme/postgres\": \"^1.4.0\"\n  }\n}\n")
	other.width, other.input = 80, "y\n"
	golden(t, "update-asks.txt", other.show("update", "--no-hosts"))
}

func TestConflicts(t *testing.T) {
	w := newWorld(t)
	w.stock()
	golden(t, "conflicts.txt", w.transcript(cmds("install @acme/postgres@^9", "install @acme/postgres@nightly", "install @acme/nothing",
		"install @acme/postgres@1.4.0 --exact --yes --no-hosts -q", "yank @acme/postgres@1.5.0 --yes", "install @acme/postgres@1.5.0 --yes --no-hosts",
		"install @acme/postgres@>=>1", "install @acme/postgres@", "install postgres", "install @acme/postgres @acme/postgres@1.4.0", "instal", "install --frobnicate", "run", "run a b", "help rangs", "run @acme/other")...))
}

// TestDerivation: a conflict is told from mcp.json to what clashes, and the first command advised then works. What
// this machine cannot run is passed over; what could not be checked is said.
func TestDerivation(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.hub.add(t, strings.NewReplacer("3.0.0", "3.1.0", "^1.4.0", "^2.0.0").Replace(reports), nil)
	w.hub.add(t, strings.Replace(postgres1, "1.4.0", "2.1.0", 1), nil)
	w.hub.add(t, strings.NewReplacer("@acme/reports", "@acme/charts", `"description"`, `"engines": {"mcp": ">=2099-01-01"}, "description"`).Replace(reports), nil)
	w.hub.add(t, strings.NewReplacer("@acme/reports", "@acme/charts", "3.0.0", "2.0.0", `"description"`, `"hosts": ["cursor"], "engines": {"mcp": ">=2025-03-26"}, "description"`).Replace(reports), nil)
	w.write("shop/mcp.json", "{\n  // what we use\n  \"dependencies\": {\n    \"@acme/postgres\": \"^1.4.0\"\n  }\n}\n")
	golden(t, "derivation.txt", w.transcript(cmds("install --yes --no-hosts -q", "install @acme/reports --yes --no-hosts",
		"install @acme/reports@^3.0.0 --yes --no-hosts", "install @acme/charts@^3 --no-hosts", "install @acme/charts@* --yes --no-hosts --dry-run",
		"install --prefer-lowest --yes --no-hosts", "install --prefer-locked=false --yes --accept-permissions --no-hosts")...))
}

func TestAccount(t *testing.T) {
	w := newWorld(t)
	text := w.show("whoami") + "\n" + w.show("login")
	w.input = "wrong"
	text += "\n" + w.show("login", "--user", "acme", "--password-stdin")
	w.input = "correct horse"
	text += "\n" + w.show("login", "--user", "acme", "--password-stdin")
	text += "\n" + w.show("whoami")
	w.now = epoch.Add(20 * 60 * 1e9) // the access token has ended; it is renewed without a word
	text += "\n" + w.show("whoami", "--json") + "\n" + w.show("logout") + "\n" + w.show("logout") + "\n" + w.show("whoami")
	w.input = "good"
	text += "\n" + w.show("login", "--token-stdin") + "\n" + w.show("whoami", "-q") + "\n" + w.show("whoami", "--images") + "\n" + w.show("whoami", "--images", "--json")
	golden(t, "account.txt", text)
	info, err := os.Stat(w.path("home/.mcpm/credentials.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials.json: %v %v", info.Mode(), err)
	}
}

func TestPublish(t *testing.T) {
	w := newWorld(t)
	w.vars["MCPM_TOKEN"] = "good"
	w.write("shop/server.py", "print('hello')\n")
	w.write("shop/.gitignore", "*.log\n")
	w.write("shop/debug.log", "noise\n")
	text := w.transcript(
		[]string{"publish"},
		[]string{"init"},
		[]string{"init", "--yes", "--name", "@acme/weather", "--description", "Weather for every town on Earth", "--license", "MIT"},
		[]string{"init", "--yes"},
		[]string{"publish", "--dry-run"},
		[]string{"publish"},
	)
	text += "\n-- mcp.json --\n" + w.read("shop/mcp.json") + "\n"
	w.write("shop/key.txt", "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n")
	w.write("shop/mcp.json", strings.Replace(w.read("shop/mcp.json"), "0.1.0", "0.2.0", 1))
	text += w.transcript(
		[]string{"publish"},
		[]string{"publish", "--allow-secrets", "--json", "--dry-run"},
		[]string{"deprecate", "@acme/weather@*", "moved", "-m", "twice"},
		[]string{"deprecate", "@acme/weather@*", "moved"},
		[]string{"deprecate", "@acme/weather@*", "-m", "moved", "--replacement", "@acme/sky", "--yes"},
		[]string{"unpublish", "@acme/weather@0.1.0", "--yes"},
		[]string{"unpublish", "@acme/weather"},
	)
	w.write("shop/mcp.json", `{"name": "nope", "version": "one", "servers": {"default": {}}}`)
	text += "\n" + w.show("publish")
	golden(t, "publish.txt", text)
}

// What init writes must start on other machines too.
func TestInitNamesFilesOfTheBundle(t *testing.T) {
	w := newWorld(t)
	w.write("shop/lib/server.js", "")
	_, out, errw := w.mcpm("init", "--yes", "--dry-run", "--name", "@acme/weather", "--description", "Weather for all", "--command", "node ./lib/server.js --config none.json lib")
	if !strings.Contains(out, `"${bundle}/lib/server.js",`) || !strings.Contains(out, `"none.json",`) || !strings.Contains(out, `"lib"`) {
		t.Errorf("%s%s", out, errw)
	}
	w.write("shop/mcp.json", `{"name": "@acme/weather", "version": "1.0.0", "description": "Weather for all", "servers": {"w": {"command": "node", "args": ["lib/server.js"]}}}`)
	code, _, errw := w.mcpm("publish", "--dry-run")
	if code != 0 || !strings.Contains(errw, `warning: servers.w starts "lib/server.js", which is not sent with it: write "${bundle}/lib/server.js"`) {
		t.Errorf("exit %d, %s", code, errw)
	}
}

func TestHelp(t *testing.T) {
	w := newWorld(t)
	for _, verb := range strings.Fields("search info list outdated why open install uninstall update run gateway auth allow accept log mcp test config hosts migrate rollback link unlink ci login logout whoami init publish deprecate yank unpublish doctor export version completion help") {
		code, out, errw := w.mcpm(verb, "--help")
		if code != 0 || errw != "" || !strings.Contains(out, "Examples:\n  mcpm "+verb) {
			t.Errorf("mcpm %s --help: exit %d, stderr %q\n%s", verb, code, errw, out)
		}
		golden(t, filepath.Join("help", verb+".txt"), out)
	}
	_, out, _ := w.mcpm("--help")
	golden(t, filepath.Join("help", "mcpm.txt"), out)
	for _, topic := range []string{"ranges", "permissions", "lockfile", "hosts", "sandbox", "guard", "secrets"} {
		code, out, _ := w.mcpm("help", topic)
		if code != 0 {
			t.Errorf("help %s: exit %d", topic, code)
		}
		golden(t, filepath.Join("help", "topic-"+topic+".txt"), out)
	}
}
