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
		"uninstall Tickets --no-hosts", "run tickets", "run -g postgres", "install postgres", "install tickets@^0.9", "info tickets", "install nothing-like-it", "install tickets --offline")...)
	golden(t, "short.txt", text)
}

// TestShortNamesAndAliases: an alias is a whole name, and goes before a server that is called so in its scope.
func TestShortNamesAndAliases(t *testing.T) {
	w := newWorld(t)
	w.stock()
	text := w.transcript(cmds("install @acme/postgres@1.5.0 tickets@mcpm:@acme/postgres@~1.4.0 io.github.acme/tickets --yes --no-hosts -q", "list", "why tickets", "why postgres",
		"open tickets --print", "open postgres --print", "info tickets --offline", "config tickets", "outdated tickets", "export tickets --format server.json",
		"install postgres@^1 --yes --no-hosts", "uninstall tickets --no-hosts -q", "why tickets")...)
	golden(t, "short_alias.txt", text)
}

// TestUnlockedAlias: an alias that only mcp.json has can be taken out again.
func TestUnlockedAlias(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.write("mcp.json", `{"dependencies": {"old": "mcpm:@acme/postgres@~1.4.0"}}`)
	golden(t, "unlocked_alias.txt", w.transcript(cmds("why old", "run old", "open old --print", "uninstall old --no-hosts", "list")...))
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
