package workspace_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// plant writes mcp.json files below a new directory.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for dir, text := range files {
		at := filepath.Join(root, filepath.FromSlash(dir))
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, "mcp.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestRootOf guards: a member and its root find each other, a workspace within a workspace is its own, and a broken file
// above is an error only where it may be a root.
func TestRootOf(t *testing.T) {
	root := plant(t, map[string]string{
		".": `{"workspaces": ["servers/**", "!servers/out"]}`, "servers/a": `{}`, "servers/out": `{}`, "other": `{}`,
		"servers/inner": `{"workspaces": ["x"]}`, "servers/inner/x": `{}`, "servers/inner/y": `{}`,
	})
	for dir, want := range map[string]string{
		"servers/a": ".", "servers/out": "", "other": "", ".": "", "servers/inner": "", "servers/inner/x": "servers/inner", "servers/inner/y": ".",
	} {
		got, err := workspace.RootOf(filepath.Join(root, dir))
		if want != "" {
			want = filepath.Join(root, want)
		}
		if err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", dir, got, err, want)
		}
	}
	if got, err := workspace.Members(root); err != nil || strings.Join(got, " ") != "servers/a servers/inner/y" {
		t.Errorf("members %v %v", got, err)
	}
	if got, err := workspace.Members(filepath.Join(root, "servers/a")); got != nil || err != nil {
		t.Errorf("of no workspace: %v %v", got, err)
	}
	for text, bad := range map[string]bool{`{"workspaces": [`: true, `{"workspaces": ["../x"]}`: true, `{"name": `: false} {
		root := plant(t, map[string]string{".": text, "servers/a": `{}`})
		if got, err := workspace.RootOf(filepath.Join(root, "servers/a")); got != "" || (err != nil) != bad {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
}

func TestCheckDirs(t *testing.T) {
	many := make([]string, workspace.MaxMembers+2)
	for i := range many {
		many[i] = strings.Repeat("a", i+1)
	}
	for _, good := range [][]string{nil, {"."}, {".", "servers/a", "servers/b"}, many[:workspace.MaxMembers+1]} {
		if err := workspace.CheckDirs(good); err != nil {
			t.Errorf("%.60v: %v", good, err)
		}
	}
	for _, bad := range [][]string{{""}, {"/etc"}, {"../x"}, {"a/../b"}, {"b", "a"}, {"a", "a"}, {"a/"}, {strings.Repeat("a", 1025)}, many} {
		if err := workspace.CheckDirs(slices.Clone(bad)); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%.60v: %v", bad, err)
		}
	}
}
