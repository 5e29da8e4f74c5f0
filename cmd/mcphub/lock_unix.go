//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mcphub/mcphub/internal/hub"
)

// lockData makes sure that one hub has the data directory. The lock ends with the process.
func lockData(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, hub.Errorf(hub.Unavailable, "cannot write in the data directory %s: %v", dir, err).WithHint("choose another with --data DIR")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, hub.Errorf(hub.Conflict, "another hub uses the data directory %s", dir).WithHint("stop it, or choose another directory with --data DIR")
	}
	return f, nil
}
