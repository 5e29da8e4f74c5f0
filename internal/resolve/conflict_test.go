package resolve_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files")

// TestConflicts has the exact words for each kind of conflict. A file has the project ("dep NAME RANGE", "dev ...",
// "typed ...", "alias db2 NAME RANGE", "lock NAME VERSION", "override NAME RANGE", "env node 20.1.0"), the hub, and
// what is said.
func TestConflicts(t *testing.T) {
	files, err := filepath.Glob("testdata/conflicts/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d conflicts (%v); there were at least 20", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			solver, roots, locked := project(t, string(a.Files[0].Data))
			solver.Provider = newShelf(t, string(a.Files[1].Data))
			_, err = solver.Resolve(t.Context(), roots, locked)
			got := "solved\n"
			if e, ok := err.(*hub.Error); ok {
				got = string(e.Kind) + "\n" + detail(err) + "\n"
				if e.Kind == hub.Conflict {
					checkAdvice(t, 0, solver, roots, locked, e)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if *update {
				a.Files = append(a.Files[:2], txtar.File{Name: "says", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(a.Files) != 3 || string(a.Files[2].Data) != got {
				t.Errorf("(-want +got):\n%s", cmp.Diff(string(a.Files[len(a.Files)-1].Data), got))
			}
		})
	}
}

// project reads the first section of a case.
func project(t *testing.T, text string) (resolve.Solver, []resolve.Root, map[hub.Name]string) {
	t.Helper()
	s := resolve.Solver{Overrides: map[hub.Name]string{}, Env: resolve.Environment{Engines: map[string]string{}}}
	var roots []resolve.Root
	locked := map[hub.Name]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		rest := strings.Join(f[2:], " ")
		name := hub.Name(f[1])
		switch f[0] {
		case "dep":
			roots = append(roots, resolve.Root{Name: name, Range: rest, From: "your project"})
		case "dev":
			roots = append(roots, resolve.Root{Name: name, Range: rest, From: "your project", Dev: true})
		case "typed":
			roots = append(roots, resolve.Root{Name: name, Range: rest})
		case "alias":
			roots = append(roots, resolve.Root{Name: hub.Name(f[2]), Alias: f[1], Range: strings.Join(f[3:], " "), From: "your project"})
		case "lock":
			locked[name] = rest
		case "override":
			s.Overrides[name] = rest
		case "env":
			switch f[1] {
			case "host":
				s.Env.Hosts = f[2:]
			case "platform":
				s.Env.Platform = rest
			default:
				s.Env.Engines[f[1]] = rest
			}
		default:
			t.Fatalf("no such line: %s", line)
		}
	}
	return s, roots, locked
}
