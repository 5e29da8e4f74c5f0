package install

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/mcphub/mcphub/internal/install/tree"
)

// Trees is the part of the store with the packages of npm and PyPI.
func (h Home) Trees() tree.Store { return tree.Store{Dir: h.path("store", "packages")} }

// ID names a tree in the store: by what is in it, and the platform it is for.
func (t *Tree) ID(platform string) string {
	sum, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(t.Integrity, "sha512-")) // it was checked when it was read
	return hex.EncodeToString(sum[:min(len(sum), 20)]) + "-" + platform
}

// LockTree takes the lock on a tree; another process that makes it is waited for.
func (h Home) LockTree(id string) (unlock func(), err error) { return h.lock("tree-" + id) }
