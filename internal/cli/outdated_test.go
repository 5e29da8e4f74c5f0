package cli_test

import (
	"strings"
	"testing"
)

func TestOutdated(t *testing.T) {
	w := shelf(t)
	text := w.transcript(cmds("outdated", "install @acme/postgres@1.4.0 @acme/sky@~1.0.0 --yes --no-hosts -q", "install -D @acme/sea@1.0.0 --yes --no-hosts -q",
		"install io.github.acme/tickets --yes --no-hosts -q")...)
	w.write("shop/mcp.json", strings.Replace(w.read("shop/mcp.json"), `"@acme/postgres": "1.4.0"`, `"@acme/postgres": "^1.4.0"`, 1))
	text += "\n" + w.transcript(cmds("outdated io.github.acme/tickets", "deprecate io.github.acme/tickets@0.9.0 -m moved --replacement io.github.acme/desk --yes -q",
		"yank @acme/sky@1.0.0 -m leaks --yes -q", "outdated", "outdated --json @acme/postgres", "outdated --offline",
		"outdated @acme/postgre", "outdated @acme/postgres@1.4.0", "outdated -g")...)
	w.width = 60
	text += "\n" + w.show("outdated")
	golden(t, "outdated.txt", text)
}

// A lockfile that came with a repository is compared by its numbers; what the hub does not have is said.
func TestOutdatedElsewhere(t *testing.T) {
	w := shelf(t)
	w.mcpm("install", "@acme/reports", "@acme/postgres@1.4.0", "--yes", "--no-hosts", "--exact")
	there := newWorld(t)
	there.hub, there.vars["MCPM_REGISTRY"] = w.hub, w.hub.URL
	there.write("shop/mcp.json", strings.Replace(w.read("shop/mcp.json"), `"dependencies": {`, `"dependencies": {`+"\n    \"@acme/gone\": \"^1\",\n    \"@acme/sky\": \"^7\",", 1))
	there.write("shop/mcpm-lock.json", w.read("shop/mcpm-lock.json"))
	golden(t, "outdated-elsewhere.txt", there.transcript(cmds("outdated", "outdated @acme/sky")...))
}

// TestNotAtScope guards: a server that is not at the registry of its scope is said to be missing there, and it is looked for there.
func TestNotAtScope(t *testing.T) {
	w := newWorld(t)
	w.write("shop/.mcpmrc", `{"@corp:registry": "`+w.hub.URL+`"}`)
	for _, verb := range []string{"install", "info", "open"} {
		code, _, errw := w.mcpm(verb, "@corp/tool")
		if code != 3 || !strings.Contains(errw, "@corp/tool is not at "+w.hub.URL+", the registry of its scope") || !strings.Contains(errw, "mcpm search tool --registry "+w.hub.URL) {
			t.Errorf("%s: %d %s", verb, code, errw)
		}
	}
}
