// Package bubble says to bubblewrap (bwrap) what a process in a sandbox sees.
package bubble

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Program is where the program that makes sandboxes is found inside, as the first that is started there.
const Program = "/.mcpm-sandbox-first"

// Mount is a path that is shown at the same place.
type Mount struct {
	Path  string
	Write bool
}

// Link is a symbolic link that is shown.
type Link struct{ At, To string }

// View is what a process sees, and who it is.
type View struct {
	Own      string            // the program that makes sandboxes
	System   []string          // directories, as far as they are there
	Etc      []string          // names in /etc, as far as they are there
	Settings map[string]string // files that are made in /etc
	Mounts   []Mount           // outer directories first
	Links    []Link
	Home     string
	Scratch  int64 // bytes in temporary directories
	UID, GID int

	covers []string
}

// Find returns the path of bubblewrap, "" where there is none that is the system's: it is trusted with everything.
func Find() string {
	const at = "/usr/bin/bwrap"
	info, err := os.Lstat(at)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o022 != 0 {
		return ""
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != 0 {
		return ""
	}
	return at
}

// Covers tells which of the hidden paths are there, inside of what is mounted, and has Args cover them.
func (v *View) Covers(hidden []string) []string {
	for _, path := range slices.Compact(slices.Sorted(slices.Values(hidden))) {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			continue // it is not there
		}
		path = filepath.Join(dir, filepath.Base(path))
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&os.ModeSymlink != 0 {
			continue // what a link leads to is seen only if it was granted itself
		}
		if slices.ContainsFunc(v.Mounts, func(m Mount) bool { return strings.HasPrefix(path, m.Path+"/") }) && !slices.Contains(v.covers, path) &&
			!slices.ContainsFunc(v.covers, func(c string) bool { return strings.HasPrefix(path, c+"/") }) {
			v.covers = append(v.covers, path)
		}
	}
	return v.covers
}

// Args are the arguments of bubblewrap, from its name on, and the files that go with them, the first of which has the
// number given. They are closed with Close.
func (v *View) Args(first int) (args []string, files []*os.File, err error) {
	args = []string{
		"bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--hostname", "sandbox", "--clearenv",
		"--cap-drop", "ALL", "--uid", strconv.Itoa(v.UID), "--gid", strconv.Itoa(v.GID), "--proc", "/proc", "--dev", "/dev",
	}
	for _, path := range append(slices.Clone(v.System), inEtc(v.Etc)...) {
		if args, err = either(args, path); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.Settings)) {
		f, err := InMemory(v.Settings[name])
		if err != nil {
			Close(files)
			return nil, nil, err
		}
		args = append(args, "--perms", "0444", "--ro-bind-data", strconv.Itoa(first+len(files)), "/etc/"+name)
		files = append(files, f)
	}
	// One size for all is not to be had: each has its part.
	for _, dir := range []struct {
		at   string
		part int64
	}{{"/tmp", 2}, {v.Home, 4}, {"/var/tmp", 12}, {"/run", 12}, {"/dev/shm", 12}} {
		args = append(args, "--perms", "0700", "--size", strconv.FormatInt(v.Scratch/dir.part, 10), "--tmpfs", dir.at)
	}
	for _, m := range v.Mounts {
		how := "--ro-bind"
		if m.Write {
			how = "--bind"
		}
		args = append(args, how, m.Path, m.Path)
	}
	for _, path := range v.covers {
		info, err := os.Lstat(path)
		if err != nil {
			Close(files)
			return nil, nil, err
		}
		if info.IsDir() {
			args = append(args, "--perms", "0555", "--size", "4096", "--tmpfs", path, "--remount-ro", path)
		} else {
			args = append(args, "--ro-bind", os.DevNull, path)
		}
	}
	for _, l := range v.Links {
		if !v.shown(l.At) {
			args = append(args, "--symlink", l.To, l.At)
		}
	}
	return append(args, "--ro-bind", v.Own, Program, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--", Program), files, nil
}

// shown reports whether a path is there without being made: it is inside of what is mounted.
func (v *View) shown(path string) bool {
	return slices.ContainsFunc(v.Mounts, func(m Mount) bool { return strings.HasPrefix(path, m.Path+"/") })
}

func inEtc(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = "/etc/" + name
	}
	return out
}

// either shows a path of the system: a link as the same link, anything else as it is. What is not there is left out.
func either(args []string, path string) ([]string, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return args, nil
	case err != nil:
		return nil, err
	case info.Mode()&os.ModeSymlink == 0:
		return append(args, "--ro-bind", path, path), nil
	}
	to, err := os.Readlink(path)
	return append(args, "--symlink", to, path), err
}

// InMemory is a file that has no name.
func InMemory(text string) (*os.File, error) {
	fd, err := unix.MemfdCreate("setting", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "setting")
	if _, err = f.WriteString(text); err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("a file in memory: %w", err)
	}
	return f, nil
}

// Said is what was written to a file that has no name, on one line and no more than can be read.
func Said(f *os.File) string {
	buf := make([]byte, 500)
	n, _ := f.ReadAt(buf, 0)
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(buf[:n]), "")), " ")
}

// Close closes files.
func Close(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
