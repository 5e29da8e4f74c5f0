package cli_test

import (
	"strings"
	"testing"
)

// TestShortNames: where an installed server is meant, its scope may be left out. What two are called, or none, is said.
func TestShortNames(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.hub.add(t, strings.Replace(tickets, "io.github.acme/tickets", "@other/tickets", 1), nil)
	w.write("copy/mcp.json", `{"name": "@acme/mine", "version": "1.0.0", "servers": {"mine": {"command": "mine"}}}`)
	text := w.transcript(cmds("info tickets", "install @acme/postgres@1.4.0 io.github.acme/tickets --yes --no-hosts -q", "run tickets@1.0.0", "run postgres", "test postgre",
		"why postgres", "why postgres@1.4.0", "config postgres --set DATABASE_URL=x", "open tickets --print", "update tickets postgres --no-hosts --dry-run",
		"update postgres @acme/postgres", "outdated postgres", "export tickets --format server.json", "link ../copy", "run mine", "unlink mine",
		"install @other/tickets --yes --no-hosts -q", "run tickets", "uninstall tickets", "uninstall @other/tickets --no-hosts -q",
		"uninstall Tickets --no-hosts", "run tickets", "run -g postgres", "install postgres")...)
	golden(t, "short.txt", text)
}

// TestAsksNameValues: what a package takes from its environment is shown before it is installed, with what it is for.
func TestAsksNameValues(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, `{
  "name": "@acme/tickets", "version": "1.0.0", "description": "Tickets of the help desk",
  "servers": {"default": {"package": {"registryType": "npm", "identifier": "@acme/tickets", "version": "1.0.0", "transport": {"type": "stdio"},
    "environmentVariables": [
      {"name": "DESK_URL", "description": "where the help desk is", "isRequired": true},
      {"name": "DESK_KEY", "description": "key of the help desk", "isRequired": true, "isSecret": true},
      {"name": "PAGE", "description": "tickets a page", "default": "20", "format": "number"}]}}}
}`, nil)
	golden(t, "asks.txt", w.transcript(cmds("info @acme/tickets", "install @acme/tickets --yes --no-hosts", "uninstall @acme/tickets --no-hosts -q", "install @acme/tickets --yes --no-hosts --json")...))
}
