package programs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/install/tree"
)

// Kept is where what a language's interpreter compiles of the servers in a tree is kept.
type Kept struct {
	Home     string // of mcpm
	Tree     string // directory of the tree
	Confined bool   // the server runs in a sandbox
}

// dir is apart from the tree, which stays as it was installed, and for servers in a sandbox apart from that of others: what
// one of them leaves behind is never loaded outside of a sandbox.
func (k Kept) dir(language string) string {
	kind := language
	if k.Confined {
		kind += "-sandbox"
	}
	return filepath.Join(k.Home, "cache", kind, filepath.Base(k.Tree))
}

// Node has node keep what it compiles, which halves the time to load a server's modules (module.enableCompileCache of Node
// 22.1 and later; others know nothing of it), unless the environment says otherwise.
func (k Kept) Node(s *gateway.Server) {
	if !slices.ContainsFunc(s.Env, func(kv string) bool {
		return strings.HasPrefix(kv, "NODE_COMPILE_CACHE=") || strings.HasPrefix(kv, "NODE_DISABLE_COMPILE_CACHE=")
	}) {
		k.keep(s, "node", "NODE_COMPILE_CACHE")
	}
}

// Python has Python keep what it compiles.
func (k Kept) Python(s *gateway.Server) {
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool { return strings.HasPrefix(kv, "PYTHONPYCACHEPREFIX=") })
	k.keep(s, "python", "PYTHONPYCACHEPREFIX")
}

func (k Kept) keep(s *gateway.Server, language, variable string) {
	dir := k.dir(language)
	s.Env = append(slices.Clone(s.Env), variable+"="+dir)
	s.Writes = append(s.Writes, dir)
}

// Sweep removes what was compiled of the servers of trees that are gone, and returns how many bytes that were; with dry it
// only counts.
func Sweep(home string, trees []tree.Info, dry bool) (freed int64, err error) {
	dirs, err := filepath.Glob(filepath.Join(home, "cache", "*", "*"))
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		language, _, _ := strings.Cut(filepath.Base(filepath.Dir(dir)), "-")
		ours := language == "node" || language == "python"
		if !ours || slices.ContainsFunc(trees, func(t tree.Info) bool { return t.ID == filepath.Base(dir) }) {
			continue
		}
		size := tree.SizeOf(dir)
		if !dry {
			if err := os.RemoveAll(dir); err != nil {
				return freed, err
			}
		}
		freed += size
	}
	return freed, nil
}
