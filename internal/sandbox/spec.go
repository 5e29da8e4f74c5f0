package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Spec is a process and what it may do.
type Spec struct {
	Command string   // absolute path of the program
	Args    []string // after the program's name
	Dir     string   // absolute; "" is Home
	Env     []string // all of it: nothing is taken from the parent
	Home    string   // absolute; an empty directory is there, unless Mounts put something into it

	Mounts     []Mount  // what is seen beside the system's own programs and libraries
	Hidden     []string // absolute paths that are not seen even inside of a mount
	Network    []string // rules "host:port" of what may be reached; see ParseRule
	Subprocess bool     // other programs may be started
	Limits     Limits

	// Links are what the mounts were named by where that is not what they are; Start finds them out.
	Links []Link

	// Denied, when set, is told of every connection that was refused. It is called from many goroutines.
	Denied func(Denial) `json:"-"`
}

// Link is a symbolic link that is shown.
type Link struct{ At, To string }

// Mount shows a path of the machine at the same place. What it is behind symbolic links is shown, so somebody who may
// change a link does not choose what is seen after the check.
type Mount struct {
	Path  string // absolute; a directory or a file
	Write bool
}

// Limits bound what all processes of a sandbox use together, if not said otherwise. 0 is the default.
type Limits struct {
	Memory   int64 // bytes of memory; default 1 GiB
	Scratch  int64 // bytes in temporary directories; default 256 MiB
	Pids     int   // processes and threads; default 256
	CPUs     int   // processors that are used; default all
	FileSize int64 // bytes of one file that is written; default 4 GiB
}

// Denial is a connection that was refused.
type Denial struct {
	Host   string // as it was asked for
	Port   string
	Reason string
}

const (
	maxMounts = 256
	maxRules  = 256
)

// ErrUnsupported is wrapped by errors about what the machine cannot enforce. Nothing was started.
var ErrUnsupported = errors.New("not to be had on this machine")

// check completes a Spec and refuses one that makes no sense.
func (s *Spec) check() error {
	for name, path := range map[string]string{"Command": s.Command, "Home": s.Home, "Dir": or(s.Dir, s.Home)} {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return fmt.Errorf("%s %q is not an absolute path", name, path)
		}
	}
	if len(s.Mounts) > maxMounts || len(s.Network) > maxRules {
		return fmt.Errorf("%d mounts and %d network rules; at most %d and %d are taken", len(s.Mounts), len(s.Network), maxMounts, maxRules)
	}
	for _, m := range s.Mounts {
		if !filepath.IsAbs(m.Path) || filepath.Clean(m.Path) != m.Path {
			return fmt.Errorf("the path %q is not absolute", m.Path)
		}
		if err := overSystem(m.Path); err != nil {
			return err
		}
	}
	for _, p := range s.Hidden {
		if !filepath.IsAbs(p) {
			return fmt.Errorf("the hidden path %q is not absolute", p)
		}
	}
	for _, kv := range s.Env {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" || strings.ContainsRune(kv, 0) {
			return fmt.Errorf("the environment has an entry without a name")
		}
	}
	l := &s.Limits
	l.Memory, l.Scratch, l.FileSize = or(l.Memory, 1<<30), or(l.Scratch, 256<<20), or(l.FileSize, 4<<30)
	l.Pids, l.CPUs = or(l.Pids, 256), or(l.CPUs, runtime.NumCPU())
	if l.Memory < 16<<20 || l.Scratch < 1<<20 || l.FileSize < 0 || l.Pids < 4 || l.CPUs < 1 {
		return fmt.Errorf("the limits leave nothing to run in: at least 16 MiB of memory, 1 MiB of scratch, 4 processes and 1 processor")
	}
	s.Dir = or(s.Dir, s.Home)
	return nil
}

// overSystem refuses a mount that would show or replace what a sandbox makes for itself.
func overSystem(path string) error {
	if path == "/" {
		return fmt.Errorf("the whole file system cannot be granted; name the directory that is needed")
	}
	for _, own := range []string{"/proc", "/dev", "/sys"} {
		if path == own || strings.HasPrefix(path, own+"/") {
			return fmt.Errorf("%s cannot be granted: it is the machine itself", path)
		}
	}
	return nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
