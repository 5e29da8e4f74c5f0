package cli_test

import (
	"os"
	"strings"
	"testing"
)

// homely is a home with three host applications, in one of which a person keeps a secret.
func homely(t *testing.T) *world {
	w := newWorld(t)
	w.stock()
	w.write("home/.cursor/mcp.json", `{
  "mcpServers": {
    "mine": {
      "command": "mine",
      "args": ["--api-key", "abc", "--token=tok-123456789"],
      "env": {"MODE": "on", "GITHUB_TOKEN": "ghp_not-for-your-eyes"}
    }
  }
}
`)
	w.write("home/.config/zed/settings.json", "{\n  // mine\n  \"theme\": \"One\"\n}\n")
	if err := os.MkdirAll(w.path("home/.config/Claude"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestHosts(t *testing.T) {
	w := homely(t)
	cursor := w.read("home/.cursor/mcp.json")
	text := w.transcript(cmds("hosts list", "install io.github.acme/tickets --yes --host zed", "install -g @acme/postgres --yes -q", "hosts list --found", "hosts sync --check",
		"hosts diff", "hosts remove Zed --dry-run", "hosts remove zed", "install io.github.acme/tickets --host zed", "hosts list --found", "hosts add zed")...)
	w.write("home/.cursor/mcp.json", cursor)
	text += "\n" + w.transcript(cmds("hosts sync --check", "hosts diff", "hosts diff zed", "hosts sync --dry-run", "hosts sync --json", "hosts sync", "hosts restore cursor --list",
		"hosts restore cursor", "hosts restore cursor --yes", "hosts sync --check -q", "hosts restore cursor nope", "hosts restore goose", "hosts restore cursor --yes -q", "hosts sync --check",
		"install io.github.acme/tickets --host all --yes", "hosts add cursor --only --dry-run", "hosts add cursor --only", "hosts list --found --json")...)
	golden(t, "hosts.txt", text)
	if !strings.Contains(w.read("home/.mcpmrc"), `"*": false`) {
		t.Errorf("%s", w.read("home/.mcpmrc"))
	}
	if strings.Contains(text, "not-for-your-eyes") || strings.Contains(text, "tok-123456789") || strings.Contains(text, `"abc"`) {
		t.Error("a secret was shown")
	}
}

func TestHostsPath(t *testing.T) {
	w := homely(t)
	w.write("home/not.json", "[]")
	text := w.transcript(cmds("install @acme/postgres --yes -q", "hosts path cursor", "hosts path cursor --json", "hosts path cursor ../home/not.json", "hosts path cursor /nowhere/at/all.json",
		"hosts path cursor ../home/own.json", "hosts path cursor", "hosts list --found", "hosts path cursor x --reset", "hosts path cursor --reset", "hosts path boltai", "hosts path nothing", "hosts path", "hosts lst", "hosts add curser")...)
	text += "\n-- .cursor/mcp.json --\n" + w.tidy(w.read("home/.cursor/mcp.json")) + "-- .mcpmrc --\n" + w.read("home/.mcpmrc")
	golden(t, "hosts-path.txt", text)
	if _, err := os.Stat(w.path("home/own.json")); !os.IsNotExist(err) {
		t.Errorf("the file made for Cursor is left: %v", err)
	}
}

// What a project leaves out is left out for its servers alone. A path in its file stops mcpm before it writes.
func TestHostsOfAProject(t *testing.T) {
	w := homely(t)
	text := w.transcript(cmds("install @acme/postgres --yes -q", "install -g io.github.acme/tickets --yes -q", "hosts remove cursor --project", "hosts list --found", "hosts sync --check", "hosts add zed --only --project --dry-run",
		"hosts remove cursor", "hosts add cursor", "hosts add cursor --project")...)
	cursor := w.read("home/.cursor/mcp.json")
	if !strings.Contains(cursor, "io.github.acme/tickets") || !strings.Contains(cursor, "@acme/postgres") {
		t.Errorf("%s", cursor)
	}
	w.write("shop/.mcpmrc", `{"hostPaths": {"cursor": "`+w.path("home/.bashrc")+`"}}`)
	text += "\n" + w.transcript(cmds("hosts sync", "install", "hosts path cursor")...)
	w.write("shop/.mcpmrc", `{"hosts": {"curser": false, "Zed": false}}`)
	text += "\n" + w.transcript(cmds("hosts list --found", "__complete hosts restore z", "__complete hosts list z")...)
	golden(t, "hosts-project.txt", text)
	if _, err := os.Stat(w.path("home/.bashrc")); !os.IsNotExist(err) {
		t.Errorf("a project's file made mcpm write: %v", err)
	}
}

func TestHostsNarrow(t *testing.T) {
	w := homely(t)
	w.mcpm("install", "-g", "@acme/postgres", "--yes")
	w.width, w.input = 60, "n\n"
	golden(t, "hosts-60.txt", w.transcript(cmds("hosts list --found", "hosts diff claude-desktop", "hosts restore cursor", "hosts --help")...))
}

// An entry that was edited by hand stays; doctor and sync say by what it is mcpm's again, and leaving the application out and
// taking it in again makes no second one.
func TestHostsEdited(t *testing.T) {
	w := homely(t)
	text := w.transcript(cmds("install @acme/postgres --yes -q", "install io.github.acme/tickets --yes -q")...)
	whole := w.read("home/.config/zed/settings.json")
	w.write("home/.config/zed/settings.json", strings.Replace(whole, `"run"`, `"runx"`, 1))
	edited := w.read("home/.config/zed/settings.json")
	text += w.transcript(cmds("hosts sync", "hosts sync --check", "hosts sync --json", "hosts diff", "hosts remove zed", "hosts add zed")...)
	if got := w.read("home/.config/zed/settings.json"); got == whole || strings.Count(got, `"args"`) != strings.Count(edited, `"args"`) {
		t.Errorf("after it was left out and taken in again:\n%s", got)
	}
	for line := range strings.Lines(w.transcript(cmds("doctor")...)) {
		if strings.Contains(line, "edited by hand") || strings.Contains(line, "--force") {
			text += line
		}
	}
	text += w.transcript(cmds("hosts sync --force --dry-run", "hosts sync --force", "hosts sync --check")...)
	if got := w.read("home/.config/zed/settings.json"); strings.Contains(got, "runx") || strings.Count(got, `"run"`) != strings.Count(whole, `"run"`) {
		t.Errorf("after --force:\n%s", got)
	}
	golden(t, "hosts-edited.txt", text)
}
