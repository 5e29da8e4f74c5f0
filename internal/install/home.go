// Package install is this machine: MCPM_HOME and what is kept there (credentials, values people gave,
// the store of manifests and bundles), .mcpmrc, the lockfile, and the configuration files of host
// applications. Every file is written whole or not at all, and two processes may work at once.
package install

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// Names of the files a project has.
const (
	ManifestFile = "mcp.json"
	LockFile     = "mcpm-lock.json"
	RCFile       = ".mcpmrc"
)

// Home is MCPM_HOME. Its directories are made when something is first written to them.
type Home struct{ Dir string }

// OpenHome returns the home that MCPM_HOME names, or ~/.mcpm.
func OpenHome(getenv func(string) string, userHome string) (Home, error) {
	dir := getenv("MCPM_HOME")
	if dir == "" {
		if userHome == "" {
			return Home{}, hub.Errorf(hub.Invalid, "there is no home directory to keep mcpm's files in").
				WithHint("set MCPM_HOME to a directory")
		}
		return Home{filepath.Join(userHome, ".mcpm")}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, hub.Errorf(hub.Invalid, "MCPM_HOME %q: %v", dir, err)
	}
	return Home{abs}, nil
}

func (h Home) path(elem ...string) string { return filepath.Join(append([]string{h.Dir}, elem...)...) }

// Global returns the project of globally installed servers.
func (h Home) Global() Project { return Project{Dir: h.path("global"), Global: true} }

// lock takes the named lock of this home until the returned function is called. Another process that
// holds it is waited for.
func (h Home) lock(name string) (func(), error) {
	dir := h.path("locks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, writeError(dir, err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, name+".lock")).Lock()
	if err != nil {
		return nil, diskError(err)
	}
	return unlock, nil
}

// Project is a directory with an mcp.json: a person's project, a member of a workspace, or the home of global servers.
type Project struct {
	Dir    string
	Global bool
	Root   string // of a member: the directory of its workspace, which has the lockfile; else ""
}

// Manifest returns the path of the project's mcp.json.
func (p Project) Manifest() string { return filepath.Join(p.Dir, ManifestFile) }

// Lock returns the path of the lockfile that answers the project's mcp.json: its own, or the one of its workspace.
func (p Project) Lock() string { return filepath.Join(p.Owner().Dir, LockFile) }

// Guard takes the lock on a project's mcp.json and lockfile, so that two commands do not mix their edits. The members of a
// workspace share one.
func (h Home) Guard(p Project) (func(), error) {
	return h.lock("project-" + shortHash(p.Owner().Dir))
}

// ReadFile reads a file of at most limit bytes. A file that is not there is nil without an error.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diskError(err)
	}
	if info.IsDir() {
		return nil, hub.Errorf(hub.Invalid, "%s is a directory", path)
	}
	if info.Size() > limit {
		return nil, hub.Errorf(hub.TooLarge, "%s has %d bytes; at most %d are read", path, info.Size(), limit)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, diskError(err)
	}
	return data, nil
}

// WriteFile replaces a file in one step: a reader, or a crash, sees the old bytes or the new ones. A link
// is followed and stays a link; an existing file keeps its mode, a new one gets perm.
//
// Forbidden, naming the file, where it may not be written.
func WriteFile(path string, data []byte, perm fs.FileMode) (err error) {
	named := path
	defer func() { err = writeError(named, err) }()
	if real, e := filepath.EvalSymlinks(path); e == nil {
		path = real
	} else if target, e := os.Readlink(path); e == nil { // a link to a file that is yet to be made
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	if info, e := os.Stat(path); e == nil {
		perm = info.Mode().Perm()
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirPerm(perm)); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails harmlessly after the rename
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

func dirPerm(file fs.FileMode) fs.FileMode {
	if file&0o077 == 0 {
		return 0o700
	}
	return 0o755
}

// writeError names the file that was to be written, rather than the temporary one beside it.
func writeError(path string, err error) error {
	if err == nil {
		return nil
	}
	why := err
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		why = pe.Err
	case errors.As(err, &le):
		why = le.Err
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return hub.Errorf(hub.Forbidden, "%s cannot be written: %v", path, why).
			WithHint("let your user write in %s, or work elsewhere: -C DIR, and MCPM_HOME for what mcpm keeps", filepath.Dir(path)).WithCause(err)
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return hub.Errorf(hub.Invalid, "%s cannot be written: part of that path is a file", path).WithCause(err)
	}
	return diskError(err)
}

// diskError gives errors of the file system a kind, so that they are shown rather than hidden.
func diskError(err error) error {
	var e *hub.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hub.Errorf(hub.Forbidden, "%v", err).WithHint("check who owns the file and its directory").WithCause(err)
	case strings.Contains(err.Error(), "no space left"):
		return hub.Errorf(hub.Unavailable, "%v", err).WithHint("free some space; nothing was half written").WithCause(err)
	}
	return hub.Errorf(hub.Invalid, "%v", err).WithCause(err)
}

// readJSON reads one of mcpm's own JSON files into out; a missing file leaves it as it is.
func readJSON(path string, out any) error {
	data, err := ReadFile(path, 16<<20)
	if err != nil || data == nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return hub.Errorf(hub.Invalid, "%s is not readable: %v", path, err).
			WithHint("mcpm wrote this file; move it away to start anew")
	}
	return nil
}

func writeJSON(path string, v any, perm fs.FileMode) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(path, append(data, '\n'), perm)
}
