package cli_test

import (
	"os"
	"testing"
)

// TestLink guards: a working copy runs in place of the installed version, as it is at that moment; the lockfile and ci
// know nothing of it, and unlink gives back what was.
func TestLink(t *testing.T) {
	w := newWorld(t)
	w.stock()
	w.write("home/.cursor/mcp.json", "{}\n")
	w.write("copy/mcp.json", `{"name": "@acme/postgres", "version": "2.0.0-dev", "servers": {"pg": {"command": "./pg.sh"}}}`)
	w.write("copy/pg.sh", "#!/bin/sh\necho the working copy >&2\n")
	w.write("mine/mcp.json", `{"name": "@acme/mine", "servers": {"mine": {"command": "./mine.sh", "env": {"MODE": "${MODE}"}}}, "configuration": {"MODE": {"required": true}}}`)
	w.write("mine/mine.sh", "#!/bin/sh\necho mine >&2\n")
	for _, f := range []string{"copy/pg.sh", "mine/mine.sh"} {
		if err := os.Chmod(w.path(f), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.vars["DATABASE_URL"] = "postgres://x"
	text := w.transcript(cmds("install @acme/postgres@1.4.0 --yes -q", "link", "link ../copy", "link ../mine", "list", "hosts sync --check", "install")...) + "\n" + w.runFiles("@acme/postgres")
	w.write("copy/pg.sh", "#!/bin/sh\necho changed >&2\n")
	text += "\n-- the working copy was changed --\n" + w.runFiles("@acme/postgres") + "\n" + w.runFiles("@acme/mine") + "\n" + w.transcript(cmds("config @acme/mine --set MODE=loud", "uninstall @acme/mine", "config @acme/other")...) + "\n" + w.runFiles("@acme/mine") + "\n" + w.transcript(cmds("ci", "link --json", "list --json",
		"unlink @acme/postgres", "unlink @acme/mine", "unlink @acme/mine", "link ../nothing", "link .", "list")...)
	golden(t, "link.txt", text)
	if got := w.read("home/.cursor/mcp.json"); got == "{}\n" {
		t.Error("the installed server left the host application")
	}
	w.mcpm("uninstall", "@acme/postgres")
	if got := w.read("home/.cursor/mcp.json"); got != "{}\n" {
		t.Errorf("the host application has %q", got)
	}
}
