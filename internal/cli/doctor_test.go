package cli_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// program puts an executable script on the PATH of the world.
func (w *world) program(name, text string) {
	w.t.Helper()
	w.write("bin/"+name, text)
	if err := os.Chmod(w.path("bin/"+name), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

var (
	sandboxRE = regexp.MustCompile(`(?m)^sandbox .*\n(?: .*\n)*`)
	msRE      = regexp.MustCompile(`\d+ ms`)
)

// doctor is what mcpm doctor shows, without what only this machine has.
func (w *world) doctor(args ...string) string {
	return msRE.ReplaceAllString(sandboxRE.ReplaceAllString(w.show(append([]string{"doctor"}, args...)...), "sandbox ...\n"), "0 ms")
}

// healthy is a machine where all is in order: two servers, one of them in a host application.
func healthy(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	w.exe = w.path("bin/mcpm")
	w.program("mcpm", "#!/bin/sh\n")
	w.program("node", "#!/bin/sh\necho v22.11.0\n")
	if err := os.MkdirAll(w.path("home/.cursor"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.mcpm("install", "@acme/postgres@1.4.0", "--yes", "-q")
	w.mcpm("install", "-g", "io.github.acme/tickets", "--yes", "--no-hosts", "-q")
	npm := w.read("bin/npm") // from here on nothing but what is named is there
	w.program("npm", strings.Replace(npm, "#!/bin/sh\n", "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 10.9.0; exit; fi\nPATH=$PATH:/usr/bin:/bin\n", 1))
	w.vars["PATH"] = w.path("bin")
	return w
}

func TestDoctor(t *testing.T) {
	w := healthy(t)
	text := w.doctor()
	w.vars["MCPM_ANALYTICS"] = "true"
	text += "\n" + w.doctor("--offline")
	w.width = 60
	text += "\n" + w.doctor()
	golden(t, "doctor.txt", text)
	code, out, _ := w.mcpm("doctor", "--json")
	var answer struct {
		Healthy bool
		Checks  []struct{ Group, Name, Status, Text string }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 || !answer.Healthy || len(answer.Checks) < 10 {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

// TestDoctorFinds: what is wrong is a problem with its place and what to do, and ends with code 1; --fix says each step,
// and after it only that is left which only a person can mend.
func TestDoctorFinds(t *testing.T) {
	w := healthy(t)
	w.hub.clock = epoch.Add(-9 * time.Minute)
	w.program("node", "#!/bin/sh\n/usr/bin/yes | /usr/bin/head -c 100000; exit 3\n")
	w.program("docker", "#!/bin/sh\nprintf 'one\\ncannot \\033[31mconnect\\n' >&2; exit 1\n")
	w.write("other/mcpm", "#!/usr/bin/env python3\n")
	if err := os.Chmod(w.path("other/mcpm"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.vars["PATH"] = w.path("other") + ":" + w.vars["PATH"]
	w.write("home/.config/Claude/claude_desktop_config.json", "{ broken")
	was := w.read("home/.cursor/mcp.json")
	w.write("home/.cursor/mcp.json", strings.NewReplacer(w.exe, w.path("old/mcpm"), `"mcpServers": {`,
		`"mcpServers": { "mine": {"command": "mcpm", "args": ["run", "@acme/nothing"]},`).Replace(was))
	tree := w.path("home/.mcpm/store/sha256")
	entries, err := os.ReadDir(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.WriteFile(tree+"/"+e.Name(), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := w.doctor()
	w.hub.clock = epoch
	w.program("node", "#!/bin/sh\necho v22.11.0\n")
	text += "\n" + w.doctor("--fix") + "\n" + w.doctor("--fix", "-q")
	digest := regexp.MustCompile(`[0-9a-f]{64}`)
	golden(t, "doctor-finds.txt", digest.ReplaceAllString(text, "..."))
	if got := w.read("home/.cursor/mcp.json"); !strings.Contains(got, w.exe) || !strings.Contains(got, "@acme/nothing") {
		t.Errorf("Cursor's file was not mended, or what is not mcpm's was changed:\n%s", got)
	}
}

// TestDoctorHub: a hub that is not ready, that is none, and that is not there.
func TestDoctorHub(t *testing.T) {
	w := healthy(t)
	for _, tt := range []struct {
		ready, want string
		code        int
	}{
		{`{"status": "not ready", "parts": {"store": "ok", "search": "down"}}`, "notice: http://hub.test, reachable in 0 ms, and it says that it is not ready: search down", 0},
		{`<html>` + strings.Repeat("x", 1<<20), "problem: http://hub.test: something answers there with 200 OK, and it is not an mcphub", 1},
		{`{"status": "\u001b[2J"}`, "it is not an mcphub", 1},
	} {
		w.hub.ready = tt.ready
		got := w.doctor()
		if !strings.Contains(got, tt.want) || strings.Contains(got, "[exit 1]") != (tt.code == 1) {
			t.Errorf("%.40s: want %q in\n%s", tt.ready, tt.want, got)
		}
	}
	w.hub.Close()
	if got := w.doctor(); !strings.Contains(got, "it cannot be reached") || !strings.Contains(got, "hint: check the address") {
		t.Errorf("a hub that is not there:\n%s", got)
	}
	w.write("home/.mcpmrc", `{"registry": 1}`)
	if code, out, _ := w.mcpm("doctor"); code != 1 || !strings.Contains(out, `"registry" must be a string`) {
		t.Errorf("exit %d with a bad .mcpmrc:\n%s", code, out)
	}
}

// TestDoctorNeeds: what is missing and needed to start a server is a problem, what is only needed to fetch one a notice.
func TestDoctorNeeds(t *testing.T) {
	w := healthy(t)
	for _, name := range []string{"node", "npm"} {
		if err := os.Remove(w.path("bin/" + name)); err != nil {
			t.Fatal(err)
		}
	}
	text := w.doctor()
	for _, want := range []string{"problem: not found, and it starts servers of npm and archives: @acme/postgres", "notice: not found, and it fetches servers of npm: @acme/postgres", "[exit 1]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestDoctorNeverHangs guards: a program that does not end, or keeps its output open in a child, costs its limit of time.
func TestDoctorNeverHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a limit of time")
	}
	w := healthy(t)
	w.program("docker", "#!/bin/sh\n/bin/sleep 60 &\n/bin/sleep 60\n")
	w.program("node", "#!/bin/sh\n/usr/bin/yes\n")
	begun := time.Now()
	text := w.doctor()
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, want := range []string{"notice: its engine does not answer: it gave no answer within 4s", "problem: /bin/node is there and does not work: it gave no answer", "npm              10.9.0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
