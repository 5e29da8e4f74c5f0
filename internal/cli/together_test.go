package cli_test

import (
	"strings"
	"testing"
)

// TestLatestTogether: update --latest takes what goes together, and names what does not; an update of that one says why. So does
// the install of a version that does not go with the others.
func TestLatestTogether(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.mcpm("install", "@acme/reports", "@acme/postgres", "io.github.acme/tickets", "--yes", "--no-hosts")
	w.hub.add(t, strings.Replace(postgres2, `"1.5.0"`, `"2.0.0"`, 1), nil)
	w.hub.add(t, strings.Replace(tickets, `"0.9.0"`, `"1.0.0"`, 1), nil)
	golden(t, "latest_together.txt", w.transcript(cmds("update --latest --yes --no-hosts", "update @acme/postgres --latest --yes --no-hosts", "install @acme/postgres@^2 --yes --no-hosts", "list")...))
}
