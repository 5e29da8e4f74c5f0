package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/hub"
	"golang.org/x/sys/windows"
)

// lockData makes sure that one hub has the data directory. The lock ends with the process.
func lockData(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, hub.Errorf(hub.Unavailable, "cannot write in the data directory %s: %v", dir, err).WithHint("choose another with --data DIR")
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{}); err != nil {
		f.Close()
		return nil, hub.Errorf(hub.Conflict, "another hub uses the data directory %s", dir).WithHint("stop it, or choose another directory with --data DIR")
	}
	return f, nil
}
