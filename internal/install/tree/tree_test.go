package tree_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/tree"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add makes a tree of files and links ("-> target").
func add(t testing.TB, s tree.Store, id string, files map[string]string) (string, error) {
	t.Helper()
	dir, err := s.Temp()
	must(t, err)
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			must(t, os.Symlink(target, p))
			continue
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		must(t, os.WriteFile(p, []byte(text), mode))
	}
	return s.Add(id, dir, "note of "+id)
}

var sample = map[string]string{"a/index.js": "one", "a/bin/cli": "#!/bin/sh\n", ".bin/cli": "-> ../a/bin/cli", "b/index.js": "one", "b/été \n.txt": "two"}

func TestTree(t *testing.T) {
	s := tree.Store{Dir: t.TempDir()}
	digest, err := add(t, s, "x", sample)
	must(t, err)
	again, err := add(t, s, "y", sample)
	must(t, err)
	if digest != again || !strings.HasPrefix(digest, "sha512-") {
		t.Errorf("the same files are %s and %s", digest, again)
	}
	for _, whole := range []bool{false, true} {
		x, err := s.Open("x", digest, whole)
		must(t, err)
		if x.Note != "note of x" || len(x.Added) > 0 {
			t.Errorf("%+v", x)
		}
	}
	one, err := os.Stat(filepath.Join(s.Dir, "trees/x/a/index.js"))
	must(t, err)
	two, err := os.Stat(filepath.Join(s.Dir, "trees/y/b/index.js"))
	must(t, err)
	if !os.SameFile(one, two) {
		t.Error("equal files of two trees are kept twice")
	}
	if other, err := add(t, s, "z", map[string]string{"a": "1"}); err != nil || other == digest {
		t.Errorf("%s %v", other, err)
	}
	if _, err := s.Open("z", digest, false); hub.KindOf(err) != hub.Integrity {
		t.Errorf("another tree than was locked: %v", err)
	}
	if _, err := s.Open("none", "", false); hub.KindOf(err) != hub.NotFound {
		t.Error(err)
	}
}

// TestTampered guards: whatever is changed in a tree is named, at the next look or, when its time was set back, at the
// next whole one.
func TestTampered(t *testing.T) {
	change := func(name, text string, keepTime bool) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			p := filepath.Join(dir, "trees/x", name)
			before, err := os.Stat(p)
			must(t, err)
			must(t, os.Chmod(p, 0o644))
			must(t, os.WriteFile(p, []byte(text), 0o644))
			at := time.Now().Add(time.Second)
			if keepTime {
				at = before.ModTime()
			}
			must(t, os.Chtimes(p, at, at))
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, name))) }
	}
	for name, c := range map[string]struct {
		do    func(*testing.T, string)
		whole bool
		names string
	}{
		"one byte":                {change("a/index.js", "onf", false), false, "a/index.js"},
		"one byte, time set back": {change("a/index.js", "onf", true), true, "a/index.js"},
		"longer":                  {change("a/index.js", "one more", true), false, "a/index.js"},
		"gone":                    {remove("trees/x/b/index.js"), false, "b/index.js"},
		"a link is gone":          {remove("trees/x/.bin/cli"), false, ".bin/cli"},
		"a link leads elsewhere": {func(t *testing.T, dir string) {
			remove("trees/x/.bin/cli")(t, dir)
			must(t, os.Symlink("/bin/sh", filepath.Join(dir, "trees/x/.bin/cli")))
		}, false, ".bin/cli"},
		"a file is a link": {func(t *testing.T, dir string) {
			remove("trees/x/a/index.js")(t, dir)
			must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "trees/x/a/index.js")))
		}, false, "a/index.js"},
		"the list, one digest changed": {func(t *testing.T, dir string) { edit(t, filepath.Join(dir, "trees/x.index"), "\nf ", "\nf 0") }, false, "x.index"},
		"the list, one file left out": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "trees/x.index"), "l \".bin/cli\" \"../a/bin/cli\"\n", "")
		}, false, "x.index"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tree.Store{Dir: t.TempDir()}
			digest, err := add(t, s, "x", sample)
			must(t, err)
			c.do(t, s.Dir)
			_, err = s.Open("x", digest, c.whole)
			if hub.KindOf(err) != hub.Integrity || !strings.Contains(text(err), c.names) {
				t.Errorf("%v", text(err))
			}
			_, err = add(t, s, "x", sample) // again
			must(t, err)
			_, err = s.Open("x", digest, true)
			must(t, err)
		})
	}
}

func edit(t *testing.T, path, old, with string) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q:\n%s", path, old, b)
	}
	must(t, os.WriteFile(path, []byte(strings.Replace(string(b), old, with, 1)), 0o600))
}

func TestTouchedIsFine(t *testing.T) {
	s := tree.Store{Dir: t.TempDir()}
	digest, err := add(t, s, "x", sample)
	must(t, err)
	at := time.Now().Add(time.Hour)
	must(t, os.Chtimes(filepath.Join(s.Dir, "trees/x/a/index.js"), at, at))
	_, err = s.Open("x", digest, false)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(s.Dir, "trees/x/extra"), nil, 0o644))
	x, err := s.Open("x", digest, true)
	must(t, err)
	if len(x.Added) != 1 || x.Added[0] != "extra" {
		t.Errorf("%q", x.Added)
	}
}

func TestRefused(t *testing.T) {
	for _, target := range []string{"/etc/passwd", "../../x", "../..", ".."} {
		s := tree.Store{Dir: t.TempDir()}
		if _, err := add(t, s, "x", map[string]string{"a/b": "-> " + target, "c": "1"}); target != ".." && hub.KindOf(err) != hub.Invalid {
			t.Errorf("a link to %s: %v", target, err)
		}
		if target != ".." && s.Has("x") {
			t.Errorf("a link to %s made a tree", target)
		}
	}
}

// TestGC guards: what a wanted tree has stays, everything else goes.
func TestGC(t *testing.T) {
	s := tree.Store{Dir: t.TempDir()}
	digest, err := add(t, s, "x", sample)
	must(t, err)
	_, err = add(t, s, "y", map[string]string{"a": "one", "own": "only here"})
	must(t, err)
	freed, err := s.GC(func(id string) bool { return id == "x" }, false)
	must(t, err)
	if freed != (tree.Freed{Trees: 1, Files: 1, Bytes: 9}) {
		t.Errorf("%+v", freed)
	}
	_, err = s.Open("x", digest, true)
	must(t, err)
	must(t, os.Remove(filepath.Join(s.Dir, "trees/x.index"))) // a program was stopped before it was whole
	freed, err = s.GC(func(string) bool { return true }, false)
	must(t, err)
	list, err := s.List()
	must(t, err)
	left, err := filepath.Glob(filepath.Join(s.Dir, "*", "*", "*"))
	must(t, err)
	if len(list) != 0 || len(left) != 0 || freed.Files != 3 {
		t.Errorf("%v %v %+v", list, left, freed)
	}
}

// TestRepairKept guards: a kept file that was changed is not given to the next tree.
func TestRepairKept(t *testing.T) {
	s := tree.Store{Dir: t.TempDir()}
	digest, err := add(t, s, "x", sample)
	must(t, err)
	kept, err := filepath.Glob(filepath.Join(s.Dir, "files", "*", "*"))
	must(t, err)
	for _, k := range kept {
		must(t, os.Chmod(k, 0o644))
		must(t, os.WriteFile(k, []byte("bad"), 0o644))
	}
	again, err := add(t, s, "y", sample)
	must(t, err)
	_, err = s.Open("y", again, true)
	if must(t, err); again != digest {
		t.Errorf("%s, then %s", digest, again)
	}
}

func FuzzIndex(f *testing.F) {
	s := tree.Store{Dir: f.TempDir()}
	_, err := add(f, s, "x", sample)
	must(f, err)
	raw, err := os.ReadFile(filepath.Join(s.Dir, "trees/x.index"))
	must(f, err)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := tree.Store{Dir: t.TempDir()}
		must(t, os.MkdirAll(filepath.Join(s.Dir, "trees/x"), 0o755))
		must(t, os.WriteFile(filepath.Join(s.Dir, "trees/x.index"), raw, 0o600))
		_, _ = s.Open("x", "", true) // whatever it says, it does not panic
	})
}

// text is all an error says.
func text(err error) string {
	var e *hub.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	out := []string{e.Message}
	for _, i := range e.Issues {
		out = append(out, i.Message)
	}
	return strings.Join(out, "\n")
}
