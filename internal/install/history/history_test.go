package history_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/history"
)

// TestHistory guards: the same files make no second generation, old ones go, a damaged one is named and stops neither
// what comes next nor the way back to others.
func TestHistory(t *testing.T) {
	h, p := install.Home{Dir: t.TempDir()}, install.Project{Dir: t.TempDir()}
	log := history.Of(h, p)
	if _, err := log.Before(); hub.KindOf(err) != hub.NotFound {
		t.Errorf("nothing was there: %v", err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := log.Witness(p, at); err != nil {
		t.Fatal(err)
	}
	note := func(text string) int {
		t.Helper()
		if err := os.WriteFile(p.Manifest(), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		n, err := log.Note(p, at, "note "+text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b := note("one"), note("one"); a != 2 || b != 2 {
		t.Errorf("the same files are generations %d and %d", a, b)
	}
	for i := range 60 {
		note(fmt.Sprint("text ", i))
	}
	list, err := log.List()
	if err != nil || len(list) != history.Kept || list[0].Number != 13 || *list[0].Manifest != "text 10" || list[0].Lock != nil {
		t.Fatalf("%d generations: %v", len(list), err)
	}
	before, err := log.Before()
	if err != nil || *before.Manifest != "text 58" || before.Why != "note text 58" || !before.At.Equal(at) {
		t.Errorf("%+v %v", before, err)
	}
	files, err := filepath.Glob(filepath.Join(h.Dir, "history", "*", "62.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"number":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(62); hub.KindOf(err) != hub.Integrity {
		t.Errorf("a damaged generation: %v", err)
	}
	if n := note("text 59"); n != 63 {
		t.Errorf("after a damaged one comes %d", n)
	}
	if g, err := log.Read(61); err != nil || *g.Manifest != "text 58" {
		t.Errorf("%+v %v", g, err)
	}
}

// TestMembers guards: a workspace goes back as one, so a generation has the mcp.json of each member, and lockfiles they had
// of their own; a member's log is the one of its workspace.
func TestMembers(t *testing.T) {
	h, root := install.Home{Dir: t.TempDir()}, install.Project{Dir: t.TempDir()}
	web := install.Project{Dir: filepath.Join(root.Dir, "servers", "web"), Root: root.Dir}
	put := func(path, text string) {
		t.Helper()
		if err := install.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(root.Manifest(), `{"workspaces": ["servers/*"]}`)
	put(web.Manifest(), `{}`)
	put(web.OwnLock(), "old lock")
	log, at := history.Of(h, web), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if log != history.Of(h, root) {
		t.Error("a member has a log of its own")
	}
	first, err := log.Note(web, at, "first")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := log.Note(root, at, "again"); err != nil || again != first {
		t.Errorf("the same files are generation %d: %v", again, err)
	}
	put(web.Manifest(), `{"dependencies": {}}`)
	if next, err := log.Note(root, at, "next"); err != nil || next != first+1 {
		t.Errorf("a member's change is generation %d: %v", next, err)
	}
	g, err := log.Read(first)
	if err != nil || len(g.Members) != 1 || *g.Members["servers/web"].Manifest != `{}` || *g.Members["servers/web"].Lock != "old lock" || g.Lock != nil {
		t.Errorf("%+v %v", g, err)
	}
}

// TestBefore guards: after a rollback and another change, the one before is what was changed, not what has the number before.
func TestBefore(t *testing.T) {
	h, p := install.Home{Dir: t.TempDir()}, install.Project{Dir: t.TempDir()}
	log, at := history.Of(h, p), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, text := range []string{"one", "two", "back to one", "three"} {
		if text == "back to one" {
			if err := log.Use(1); err != nil {
				t.Fatal(err)
			}
			text = "one"
		}
		if err := install.WriteFile(p.Manifest(), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Note(p, at, text); err != nil {
			t.Fatal(err)
		}
	}
	if g, err := log.Before(); err != nil || *g.Manifest != "one" {
		t.Errorf("before three: %+v %v", g, err)
	}
}
