package programs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/install/tree"
)

// TestKept: what is compiled goes where the tree is named, apart for servers in a sandbox, and not where the environment
// names a place of its own.
func TestKept(t *testing.T) {
	home := t.TempDir()
	k := Kept{Home: home, Tree: "/trees/abc-linux-amd64"}
	var s gateway.Server
	k.Node(&s)
	k.Python(&s)
	k.Confined = true
	k.Python(&s)
	own := gateway.Server{Env: []string{"NODE_COMPILE_CACHE=/own"}}
	k.Node(&own)
	at := func(kind string) string { return filepath.Join(home, "cache", kind, "abc-linux-amd64") }
	if want := []string{at("node"), at("python"), at("python-sandbox")}; !slices.Equal(s.Writes, want) {
		t.Errorf("writes %v, want %v", s.Writes, want)
	}
	if want := []string{"NODE_COMPILE_CACHE=" + at("node"), "PYTHONPYCACHEPREFIX=" + at("python-sandbox")}; !slices.Equal(s.Env, want) {
		t.Errorf("environment %v, want %v", s.Env, want)
	}
	if len(own.Writes) != 0 || len(own.Env) != 1 {
		t.Errorf("a place of one's own is not kept: %v", own.Env)
	}
}

// TestSweep: what was compiled of a tree that is there stays.
func TestSweep(t *testing.T) {
	home := t.TempDir()
	for _, dir := range []string{"node/here", "node-sandbox/gone", "python/gone", "other/gone"} {
		dir = filepath.Join(home, "cache", filepath.FromSlash(dir))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "x"), []byte("12345"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if would, err := Sweep(home, []tree.Info{{ID: "here"}}, true); err != nil || would != 10 {
		t.Errorf("would free %d, %v", would, err)
	}
	freed, err := Sweep(home, []tree.Info{{ID: "here"}}, false)
	left, _ := filepath.Glob(filepath.Join(home, "cache", "*", "*"))
	if want := []string{filepath.Join(home, "cache", "node", "here"), filepath.Join(home, "cache", "other", "gone")}; err != nil || freed != 10 || !slices.Equal(left, want) {
		t.Errorf("freed %d, left %v, %v", freed, left, err)
	}
}
