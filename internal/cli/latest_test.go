package cli_test

import (
	"strings"
	"testing"
)

var postgresNext = strings.NewReplacer(`1.4.0`, `2.0.0`, `, {"name": "list_tables", "description": "List the tables"}`, ``,
	`"*.acme.example:5432"`, `"*.acme.example:5432", "api.acme.example:443"`).Replace(postgres1)

// shelf is a hub with something of every kind that can become of an installed server.
func shelf(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	w.hub.add(t, postgresNext, nil)
	w.hub.add(t, strings.NewReplacer("@acme/postgres", "@acme/sky", "1.4.0", "1.0.0").Replace(postgres1), nil)
	w.hub.add(t, strings.NewReplacer("@acme/postgres", "@acme/sea", "1.4.0", "1.0.0").Replace(postgres1), nil)
	w.hub.add(t, strings.NewReplacer("@acme/postgres", "@acme/sea", "1.4.0", "1.0.1").Replace(postgres1), nil)
	return w
}

func TestUpdateLatest(t *testing.T) {
	w := shelf(t)
	w.write("shop/mcp.json", "{\n  \"dependencies\": {\n    // held for the old schema\n    \"@acme/postgres\": \"^1.4.0\"\n  },\n  \"devDependencies\": {\"@acme/sea\": \"~1.0.0\", \"@acme/sky\": \"1.0.0\"}\n}\n")
	text := w.transcript(cmds("install --prefer-lowest --yes --no-hosts -q")...)
	w.hub.add(t, strings.NewReplacer("@acme/postgres", "@acme/sea", "1.4.0", "1.1.0").Replace(postgres1), nil)
	w.hub.add(t, strings.NewReplacer("@acme/postgres", "@acme/sky", "1.4.0", "1.1.0").Replace(postgres1), nil)
	text += "\n" + w.transcript(cmds("update --yes --accept-permissions --no-hosts", "update --yes --accept-permissions --no-hosts --json @acme/postgres", "update --latest --dry-run --no-hosts @acme/postgres",
		"update --latest --yes --accept-permissions --no-hosts @acme/sea", "update --latest --yes --accept-permissions --no-hosts", "update --latest --yes --accept-permissions --no-hosts", "update --latest @acme/nothing")...)
	text += "\n-- shop/mcp.json --\n" + w.read("shop/mcp.json")
	w.write("shop/mcp.json", "{\"dependencies\": {\"@acme/sky\": \"*\"}, \"overrides\": {\"@acme/sky\": \"1.0.0\"}}\n")
	text += "\n" + w.transcript(cmds("update --latest --yes --accept-permissions --no-hosts", "update --latest @acme/sky --yes --no-hosts")...)
	golden(t, "update-latest.txt", text)
}

// What others hold back is told as a conflict and changes nothing; what only others need cannot be named.
func TestUpdateLatestHeld(t *testing.T) {
	w := shelf(t)
	w.mcpm("install", "-g", "@acme/postgres@^1", "@acme/reports", "--yes", "--no-hosts")
	w.mcpm("install", "@acme/reports", "--yes", "--no-hosts")
	before := w.read("home/.mcpm/global/mcp.json")
	golden(t, "update-held.txt", w.transcript(cmds("update -g --yes --no-hosts", "update -g --latest --yes --no-hosts", "update --latest @acme/postgres", "outdated", "outdated -g")...))
	if after := w.read("home/.mcpm/global/mcp.json"); after != before {
		t.Errorf("mcp.json is now %s", after)
	}
}
