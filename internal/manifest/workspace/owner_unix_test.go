//go:build unix

package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// TestOwner guards: a stranger's mcp.json in a directory for all, such as /tmp, takes in nobody's project below it.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("files can be given to others by root alone")
	}
	const somebody, stranger = 4242, 4243
	root := plant(t, map[string]string{".": `{"workspaces": ["*"]}`, "a": `{}`})
	a, above := filepath.Join(root, "a"), filepath.Join(root, "mcp.json")
	for _, tt := range []struct {
		owner int
		want  string
	}{{somebody, root}, {stranger, ""}, {0, root}} {
		for path, uid := range map[string]int{a: somebody, above: tt.owner} {
			if err := os.Chown(path, uid, -1); err != nil {
				t.Skip("no owner can be set here: ", err)
			}
		}
		if got, err := workspace.RootOf(a); err != nil || got != tt.want {
			t.Errorf("owner %d: %q %v, want %q", tt.owner, got, err, tt.want)
		}
	}
}
