package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// A repository that somebody cloned may leave host applications out. It must not bring one in that the user
// took out, and never say where mcpm writes.
func TestHostsOfARepository(t *testing.T) {
	home, project := t.TempDir(), t.TempDir()
	load := func() (*install.Settings, error) {
		return install.LoadSettings(home, project, func(string) string { return "" })
	}
	write(t, filepath.Join(home, ".mcpmrc"), `{"hosts": {"cursor": false, "zed": true}, "hostPaths": {"vscode": "~/vs/mcp.json"}}`)
	write(t, filepath.Join(project, ".mcpmrc"), `{"hosts": {"cursor": true, "goose": false}}`)
	s, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id          string
		found, want bool
	}{{"cursor", true, false}, {"zed", false, true}, {"zed", true, true}, {"codex", true, true}, {"codex", false, false}} {
		if got := s.TakesHost(tt.id, tt.found); got != tt.want {
			t.Errorf("%s, found %v: %v", tt.id, tt.found, got)
		}
	}
	for id, want := range map[string]string{"cursor": "user", "goose": "project", "codex": ""} {
		if from, _ := s.HostChoice(id); from != want {
			t.Errorf("%s is decided by %q, want %q", id, from, want)
		}
	}
	if diff := cmp.Diff(map[string]string{"vscode": "~/vs/mcp.json"}, s.HostPaths); diff != "" {
		t.Error(diff)
	}
	write(t, filepath.Join(project, ".mcpmrc"), `{"hostPaths": {"cursor": "/etc/cron.d/mine"}}`)
	if _, err := load(); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a path in a project's file: %v", err)
	}
	// The registrar reads the files of other projects itself, by the same rules.
	r, _ := registrar(t)
	if err := os.MkdirAll(filepath.Join(r.Env.Home, ".cursor"), 0o755); err != nil {
		t.Fatal(err)
	}
	changes, err := r.Sync(install.Want{Project: install.Project{Dir: project}, Servers: []hub.Name{"acme/db"}})
	if err != nil || len(changes) != 1 || hub.KindOf(changes[0].Err) != hub.Forbidden {
		t.Errorf("%+v %v", changes, err)
	}
}

func TestHostSettingsRefused(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"hosts": ["cursor"]}`, `.mcpmrc: "hosts" must be an object`},
		{`{"hosts": {"cursor": "no"}}`, `.mcpmrc: hosts.cursor must be true or false`},
		{`{"hostPaths": {"cursor": "mcp.json"}}`, `.mcpmrc: hostPaths.cursor must be an absolute path, or one that begins with ~/`},
		{`{"hostPaths": {"cursor": 1}}`, `.mcpmrc: hostPaths.cursor must be an absolute path, or one that begins with ~/`},
	} {
		if _, err := install.ParseRC([]byte(tt.text), ".mcpmrc"); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", tt.text, err)
		}
	}
}

// An edit of .mcpmrc keeps what people wrote, and goes without a trace.
func TestEditRC(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".mcpmrc")
	before := "{\n  // ours\n  \"registry\": \"https://hub.example.com\"\n}\n"
	write(t, file, before)
	for _, step := range []struct {
		key, member string
		value       any
	}{{"hosts", "cursor", false}, {"hosts", "cursor", true}, {"hostPaths", "zed", "/z"}, {"hosts", "cursor", nil}, {"hostPaths", "zed", nil}, {"hostPaths", "zed", nil}} {
		if err := install.EditRC(file, step.key, step.member, step.value, 0o600); err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(file)
		if step.value == true && !strings.Contains(string(text), `"cursor": true`) {
			t.Errorf("%s", text)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != before {
		t.Errorf("%s", text)
	}
	fresh := filepath.Join(t.TempDir(), ".mcpmrc")
	if err := install.EditRC(fresh, "hosts", "cursor", false, 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(fresh); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func acts(changes []install.Change) (out []string) {
	for _, c := range changes {
		if c.Action != "unchanged" {
			out = append(out, c.Host.ID+" "+c.Server.String()+" "+c.Action)
		}
	}
	return out
}

// Sync makes the files what is wanted, however they came out of step, and a dry run tells the same.
func TestSync(t *testing.T) {
	r, home := registrar(t)
	cursor, zed := filepath.Join(home, ".cursor", "mcp.json"), filepath.Join(home, ".config", "zed", "settings.json")
	write(t, cursor, "{}\n")
	write(t, zed, "{\n  // mine\n  \"theme\": \"x\"\n}\n")
	p := install.Project{Dir: t.TempDir()}
	other := install.Project{Dir: t.TempDir()}
	narrow := func(*install.Registrar) {}
	sync := func(want []string, servers ...hub.Name) {
		t.Helper()
		dry := &install.Registrar{Home: r.Home, Env: r.Env, Command: r.Command, Takes: r.Takes, DryRun: true}
		for _, reg := range []*install.Registrar{dry, r} {
			narrow(reg)
			changes, err := reg.Sync(install.Want{Project: p, Servers: servers})
			if diff := cmp.Diff(want, acts(changes)); diff != "" || err != nil {
				t.Errorf("dry %v: %v (-want +got):\n%s", reg.DryRun, err, diff)
			}
		}
	}
	sync([]string{"cursor @acme/db added", "zed @acme/db added"}, "acme/db")
	sync(nil, "acme/db")
	if changes, err := r.Sync(install.Want{Project: other, Servers: []hub.Name{"acme/files"}}); err != nil || len(changes) != 2 {
		t.Fatalf("%+v %v", changes, err)
	}
	write(t, cursor, "{}\n") // somebody emptied it; the other project is not asked about
	sync([]string{"cursor @acme/db added", "cursor @acme/web added", "zed @acme/web added"}, "acme/db", "acme/web")
	sync([]string{"cursor @acme/db removed", "zed @acme/db removed"}, "acme/web")

	narrow = func(r *install.Registrar) { r.Narrow(p, []hub.Name{"acme/web"}, []string{"zed"}) }
	sync([]string{"cursor @acme/web removed"}, "acme/web")
	narrow = func(*install.Registrar) {}
	sync(nil, "acme/web") // it stays so
	narrow = func(r *install.Registrar) { r.Narrow(p, []hub.Name{"acme/web"}, nil) }
	sync([]string{"cursor @acme/web added"}, "acme/web")

	r.Takes = func(id string, found bool) bool { return found && id != "zed" }
	sync([]string{"zed @acme/web removed"}, "acme/web")
	r.Takes = nil
	moved := filepath.Join(home, "moved.json")
	r.Env.Override = map[string]string{"cursor": moved}
	sync([]string{"cursor @acme/web removed", "cursor @acme/web added", "zed @acme/web added"}, "acme/web")
	sync([]string{"cursor @acme/web removed", "zed @acme/web removed"})
	if _, err := os.Stat(moved); !os.IsNotExist(err) {
		t.Errorf("the file made for Cursor is left: %v", err)
	}
	if _, err := r.Sync(install.Want{Project: other}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(zed); string(text) != "{\n  // mine\n  \"theme\": \"x\"\n}\n" {
		t.Errorf("%s", text)
	}
}

// Edits shows what a dry run would make of a file, taken out and put in together.
func TestEdits(t *testing.T) {
	r, home := registrar(t)
	file := filepath.Join(home, ".cursor", "mcp.json")
	write(t, file, "{}\n")
	p := install.Project{Dir: t.TempDir()}
	if _, err := r.Sync(install.Want{Project: p, Servers: []hub.Name{"acme/db"}}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(file)
	dry := &install.Registrar{Home: r.Home, Env: r.Env, Command: r.Command, DryRun: true}
	if _, err := dry.Sync(install.Want{Project: p, Servers: []hub.Name{"acme/web"}}); err != nil {
		t.Fatal(err)
	}
	edits := dry.Edits()
	after := strings.ReplaceAll(strings.ReplaceAll(string(before), `"db"`, `"web"`), "@acme/db", "@acme/web")
	if len(edits) != 1 || string(edits[0].Before) != string(before) || string(edits[0].After) != after {
		t.Errorf("%+v", edits)
	}
	if now, _ := os.ReadFile(file); string(now) != string(before) {
		t.Errorf("a dry run wrote %s", now)
	}
}

// What Restore replaces is kept, and comes back by restoring again. Entries of ours in the backup are ours again.
func TestRestore(t *testing.T) {
	r, home := registrar(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r.Now = func() time.Time { return at }
	cursor, _ := hosts.ByID("cursor")
	file := filepath.Join(home, ".cursor", "mcp.json")
	first := `{"mcpServers": {"mine": {"command": "mine"}}}`
	write(t, file, first)
	p := install.Project{Dir: t.TempDir()}
	want := install.Want{Project: p, Servers: []hub.Name{"acme/db"}}
	sync := func() []string {
		t.Helper()
		changes, err := r.Sync(want)
		if err != nil {
			t.Fatal(err)
		}
		return acts(changes)
	}
	sync()
	with, _ := os.ReadFile(file)
	backups := func() []install.Backup {
		t.Helper()
		all, err := r.Backups(cursor)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := backups()
	if len(all) != 1 || all[0].ID != install.FirstBackup {
		t.Fatalf("%+v", all)
	}
	if err := r.Restore(cursor, all[0]); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != first {
		t.Errorf("%s", text)
	}
	all = backups()
	if len(all) == 0 || all[0].ID != "20260301-120000" {
		t.Fatalf("%+v", all)
	}
	if err := r.Restore(cursor, all[0]); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != string(with) {
		t.Errorf("%s", text)
	}
	if got := sync(); got != nil {
		t.Errorf("it is not in step after its own file came back: %v", got)
	}
	for range 2 * 10 { // old ones go
		at = at.Add(time.Minute)
		if err := r.Restore(cursor, backups()[0]); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(backups()); n > 11 {
		t.Errorf("%d backups", n)
	}
	broken := filepath.Join(home, "broken")
	write(t, broken, "{")
	now, _ := os.ReadFile(file)
	if err := r.Restore(cursor, install.Backup{ID: "x", Path: broken}); hub.KindOf(err) != hub.Invalid {
		t.Errorf("a backup that is no file of Cursor: %v", err)
	}
	if text, _ := os.ReadFile(file); string(text) != string(now) {
		t.Errorf("it was written all the same: %s", text)
	}
}

// What is in each file: ours by project, ours of others, and a person's own.
func TestFiles(t *testing.T) {
	r, home := registrar(t)
	write(t, filepath.Join(home, ".cursor", "mcp.json"), `{"mcpServers": {"mine": {"command": "mine"}}}`)
	write(t, filepath.Join(home, ".claude.json"), `{ broken`)
	one, two := install.Project{Dir: t.TempDir()}, install.Project{Dir: t.TempDir()}
	if _, err := r.Sync(install.Want{Project: one, Servers: []hub.Name{"acme/db", "acme/web"}}, install.Want{Project: two, Servers: []hub.Name{"acme/db"}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(one.Dir, ".vscode", "mcp.json"), `{"servers": {"a": {"command": "a"}, "b": {"command": "b"}}}`)
	r.Env.Project = one.Dir
	files, err := r.Files(one)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]install.HostFile{}
	for _, f := range files {
		seen[f.Host.ID+" "+string(f.Scope)] = f
	}
	if f := seen["cursor user"]; !f.Found || !f.Takes || len(f.Servers[0]) != 2 || f.Beyond != 1 || f.Others != 1 || f.Err != nil {
		t.Errorf("%+v", f)
	}
	if f := seen["claude-code user"]; !f.Found || f.Err == nil {
		t.Errorf("%+v", f)
	}
	if f := seen["vscode project"]; f.Others != 2 || f.Takes {
		t.Errorf("%+v", f)
	}
	if f := seen["goose user"]; f.Found || f.Takes {
		t.Errorf("%+v", f)
	}
	if len(files) < len(hosts.All()) {
		t.Errorf("%d files of %d hosts", len(files), len(hosts.All()))
	}
}

// Adopt puts our entry in the place of a person's, keeps what is theirs, and what follows the server stays in it
// when it is written anew. An entry that changed meanwhile, or is in a host that is left out, is not touched.
func TestAdopt(t *testing.T) {
	r, home := registrar(t)
	cursor, _ := hosts.ByID("cursor")
	file := filepath.Join(home, ".cursor", "mcp.json")
	old := `{"mcpServers": {"db": {"command": "npx", "args": ["db", "/x"], "env": {"TOKEN": "t", "DEBUG": "1"}, "disabled": true, "url": ""}}}`
	write(t, file, old)
	p := install.Project{Dir: t.TempDir()}
	have, err := cursor.Entries([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	a := install.Adoption{Host: cursor, Path: file, Key: "db", Was: have["db"], Server: "acme/db", Words: []string{"--", "/x"}, Moved: []string{"TOKEN"}}
	r.Takes = func(string, bool) bool { return false }
	if changes, err := r.Adopt(p, []install.Adoption{a}); err != nil || len(changes) != 0 {
		t.Errorf("a host that is left out: %+v %v", changes, err)
	}
	r.Takes = nil
	other := a
	other.Was = []byte(`{"command": "other"}`)
	if changes, err := r.Adopt(p, []install.Adoption{other}); err != nil || len(changes) != 1 || hub.KindOf(changes[0].Err) != hub.Conflict {
		t.Errorf("an entry that changed: %+v %v", changes, err)
	}
	if text, _ := os.ReadFile(file); string(text) != old {
		t.Errorf("%s", text)
	}
	if changes, err := r.Adopt(p, []install.Adoption{a}); err != nil || len(changes) != 1 || changes[0].Action != "replaced" {
		t.Fatalf("%+v %v", changes, err)
	}
	entry := func() string {
		t.Helper()
		text, _ := os.ReadFile(file)
		have, err := cursor.Entries(text)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(have["db"])), "")
	}
	want := `{"command":"/usr/bin/mcpm","args":["run","@acme/db","-C","` + p.Dir + `","--","/x"],"env":{"DEBUG":"1"},"disabled":true}`
	if got := entry(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	w := install.Want{Project: p, Servers: []hub.Name{"acme/db"}}
	if changes, err := r.Sync(w); err != nil || acts(changes) != nil {
		t.Errorf("it is out of step at once: %+v %v", changes, err)
	}
	r.Command = "/opt/mcpm"
	if _, err := r.Sync(w); err != nil {
		t.Fatal(err)
	}
	if got := entry(); got != strings.Replace(want, "/usr/bin/mcpm", "/opt/mcpm", 1) {
		t.Errorf("written anew: %s", got)
	}
	// The backup stays when the last entry of ours goes.
	if _, err := r.Sync(install.Want{Project: p}); err != nil {
		t.Fatal(err)
	}
	all, err := r.Backups(cursor)
	if err != nil || len(all) == 0 {
		t.Fatalf("%+v %v", all, err)
	}
	if err := r.Restore(cursor, all[len(all)-1]); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != old {
		t.Errorf("%s", text)
	}
}

// TestAliasIsTaken: an alias has no scope to tell it from an entry of a person's.
func TestAliasIsTaken(t *testing.T) {
	r, home := registrar(t)
	write(t, filepath.Join(home, ".cursor", "mcp.json"), `{"mcpServers": {"db": {"command": "mine"}}}`)
	p := install.Project{Dir: t.TempDir()}
	changes, err := r.Register(p, []hub.Name{"db"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if want := "db-" + filepath.Base(p.Dir); c.Host.ID == "cursor" && c.Key != want {
			t.Errorf("the entry is called %q, want %q", c.Key, want)
		}
	}
	if len(changes) == 0 {
		t.Error("nothing was registered")
	}
}

// An mcpm that was killed between writing a host's file and noting that it did leaves an entry that the next one knows again.
func TestEntryWithoutRecord(t *testing.T) {
	r, _ := registrar(t)
	file := filepath.Join(r.Env.Home, ".cursor", "mcp.json")
	text := func() string {
		b, _ := os.ReadFile(file)
		return string(b)
	}
	write(t, file, `{"mcpServers": {"other": {"command": "other"}}}`)
	want := install.Want{Project: install.Project{Dir: t.TempDir()}, Servers: []hub.Name{"acme/db"}}
	if changes, err := r.Sync(want); err != nil || len(changes) != 1 || changes[0].Action != "added" {
		t.Fatalf("%+v %v", changes, err)
	}
	written := text()
	if err := os.Remove(filepath.Join(r.Home.Dir, "hosts.json")); err != nil {
		t.Fatal(err)
	}
	if changes, err := r.Sync(want); err != nil || len(changes) != 1 || changes[0].Action != "unchanged" || changes[0].Key != "db" {
		t.Errorf("again: %+v %v", changes, err)
	}
	if got := text(); got != written {
		t.Errorf("the file is now %s", got)
	}
	want.Servers = nil
	if changes, err := r.Sync(want); err != nil || len(changes) != 1 || changes[0].Action != "removed" {
		t.Errorf("removed: %+v %v", changes, err)
	}
	if got := text(); strings.Contains(got, "acme/db") || !strings.Contains(got, `"other"`) {
		t.Errorf("the file is now %s", got)
	}
}
