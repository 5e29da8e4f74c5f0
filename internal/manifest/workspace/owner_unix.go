//go:build unix

package workspace

import (
	"io/fs"
	"os"
	"syscall"
)

// trusts reports whether whoever wrote the mcp.json above may speak for a directory: its owner, or root. In a directory that
// others can write to, such as /tmp, anybody could otherwise take in what is below it.
func trusts(above fs.FileInfo, dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return true // it is about to be made
	}
	a, ok1 := above.Sys().(*syscall.Stat_t)
	b, ok2 := info.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && (a.Uid == b.Uid || a.Uid == 0)
}
