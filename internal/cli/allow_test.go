package cli_test

import (
	"os"
	"testing"
)

// looker is a server that tells, and ends with, whether it can read a file and its environment.
const looker = `{"name": "@acme/looker", "version": "1.0.0", "description": "Looks around", "servers": {"default": {"command": "./look.sh"}}}`

// TestAllow: a server of a hub is confined where nobody says anything; what it is allowed counts, once or always, in one
// project or in all, and can be taken back; a repository can neither allow anything nor switch the sandbox off.
func TestAllow(t *testing.T) {
	w := newWorld(t)
	w.hub.add(t, looker, tgz(t, map[string]string{"look.sh": "#!/bin/sh\nread x 2>/dev/null < " + w.path("notes/a.txt") + "\necho \"read: $x\" >&2\n[ -n \"$x\" ]\n"}))
	w.write("notes/a.txt", "a note\n")
	text := w.transcript(cmds("install @acme/looker@1.0.0 --yes --no-hosts", "allow looker")...)
	run := func(args ...string) { text += w.runFiles(append(args, "@acme/looker")...) + "\n" }
	run()
	run("--allow", "read="+w.path("notes"))
	run("--sandbox=false")
	text += w.runFiles("@acme/looker", "--", "--dir="+w.path("notes"), w.path("nowhere"), "/usr/bin", w.path("shop")) + "\n"
	text += w.transcript(cmds("allow looker read=../notes net=api.acme.example:443", "allow looker")...)
	run()
	text += w.transcript(cmds("allow looker --remove net=api.acme.example:443", "allow looker --remove read=/nowhere", "allow looker --json", "allow looker --reset")...)
	run()
	text += w.transcript(cmds("allow looker --everything")...)
	run()
	run("--sandbox")
	text += w.transcript(cmds("allow looker --reset", "allow looker fly=high", "allow looker net=x", "allow looker --everything net=a:1", "allow looker --remove", "allow looker@1.0.0 net=a:1", "allow nobody net=a:1")...)
	w.write("shop/.mcpmrc", `{"sandbox": false}`)
	run()
	w.write("shop/.mcpmrc", `{}`)
	w.write("home/.mcpmrc", `{"sandbox": false}`)
	text += "-- switched off --\n"
	run()
	text += w.transcript(cmds("allow looker", "install @acme/looker@1.0.0 --yes --no-hosts", "run looker --sandbox=false --allow net=a:1")...)
	w.write("home/.mcpmrc", "{}")
	w.write("copy/mcp.json", looker)
	text += "-- linked --\n" + w.transcript(cmds("link ../copy --no-hosts", "allow looker net=a.example:1", "unlink looker --no-hosts", "allow looker")...)
	golden(t, "allow.txt", text)
	if st, err := os.Stat(w.path("home/.mcpm/grants.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
}
