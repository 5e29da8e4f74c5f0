package grants_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/grants"
)

// hubA is a server by its hub.
const hubA = "https://a.example @acme/db"

// TestGrants: what is allowed for all projects counts in each, what is allowed in one stays there, nothing is left of what
// was taken back, and the file is the person's alone.
func TestGrants(t *testing.T) {
	h := install.Home{Dir: t.TempDir()}
	here, there, name := install.Project{Dir: "/here"}, install.Project{Dir: "/there"}, hub.Name("@acme/db")
	add := func(p install.Project, g string) {
		t.Helper()
		if err := grants.Change(h, p, name, hubA, func(d *grants.Decision) { d.Allow = append(d.Allow, g) }); err != nil {
			t.Fatal(err)
		}
	}
	add(h.Global(), "net=a:1")
	add(here, "net=b:2")
	add(here, "net=a:1")
	if err := grants.Change(h, there, name, hubA, func(d *grants.Decision) { d.Everything = true }); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		p    install.Project
		want grants.Decision
	}{{here, grants.Decision{Allow: []string{"net=a:1", "net=b:2"}}}, {there, grants.Decision{Allow: []string{"net=a:1"}, Everything: true}}, {h.Global(), grants.Decision{Allow: []string{"net=a:1"}}}} {
		got, err := grants.Of(h, x.p, name, hubA)
		if err != nil || !slices.Equal(got.Allow, x.want.Allow) || got.Everything != x.want.Everything {
			t.Errorf("%s: %+v %v", x.p.Dir, got, err)
		}
	}
	if got, err := grants.Of(h, here, "@acme/other", hubA); err != nil || !got.Empty() {
		t.Errorf("another server: %+v %v", got, err)
	}
	for _, p := range []install.Project{here, there, h.Global()} { // a repository's lockfile names another hub
		if got, err := grants.Of(h, p, name, "https://evil.example @acme/db"); err != nil || !got.Empty() {
			t.Errorf("%s: another server of the name: %+v %v", p.Dir, got, err)
		}
	}
	if err := grants.Change(h, h.Global(), name, hubA, func(d *grants.Decision) { d.Everything = true }); err != nil {
		t.Fatal(err)
	}
	for p, wide := range map[install.Project]bool{here: true, there: false, h.Global(): false} {
		if got, err := grants.Of(h, p, name, hubA); err != nil || !got.Everything || got.Wide != wide {
			t.Errorf("%s: with everything allowed for all projects: %+v %v", p.Dir, got, err)
		}
	}
	path := filepath.Join(h.Dir, "grants.json")
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
	for _, p := range []install.Project{here, there, h.Global()} {
		if err := grants.Change(h, p, name, hubA, func(d *grants.Decision) { d.Allow, d.Everything = nil, false }); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "{}\n" {
		t.Errorf("%s %v", data, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := grants.Of(h, here, name, hubA); hub.KindOf(err) != hub.Invalid {
		t.Errorf("a damaged file: %v", err)
	}
}

// TestGrantsAtOnce: two that allow something at the same time lose nothing.
func TestGrantsAtOnce(t *testing.T) {
	h, p := install.Home{Dir: t.TempDir()}, install.Project{Dir: "/here"}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := grants.Change(h, p, "@acme/db", hubA, func(d *grants.Decision) { d.Allow = append(d.Allow, fmt.Sprintf("net=h:%d", i+1)) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := grants.Of(h, p, "@acme/db", hubA); err != nil || len(got.Allow) != 20 {
		t.Errorf("%+v %v", got, err)
	}
}
