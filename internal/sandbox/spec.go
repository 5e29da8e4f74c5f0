package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/mask"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
)

// Nobody is the user, and the group, that a process is where mcpm is root.
const Nobody = 65534

// Spec is a process and what it may do.
type Spec struct {
	Command string   // absolute path of the program; in a container any program of the image, "" for the image's own
	Args    []string // after the program's name
	Dir     string   // absolute; "" is Home, in a container the image's own
	Env     []string // all of it: nothing is taken from the parent
	Home    string   // absolute; an empty directory is there, unless Mounts put something into it. Not for a container

	// Container, when set, has the process run in a container of its image, and not on the system's programs.
	Container *Container

	Mounts     []Mount  // what is seen beside the system's own programs and libraries
	Hidden     []string // absolute paths that are not seen even inside of a mount
	Network    []string // rules "host:port" of what may be reached; see egress.ParseRule
	Subprocess bool     // other programs may be started
	Listens    int      // port of this machine's loopback device that leads to where the process listens; 0 for none
	Inside     int      // port at which it listens; 0 is Listens. Another one only in a container
	Limits     Limits
	Waive      []string // of Aspects: the process is started where the machine cannot enforce them

	// Links are what the mounts were named by where that is not what they are; Start finds them out.
	Links []Link

	// Denied, when set, is told of every connection that was refused. It is called from many goroutines.
	Denied func(egress.Denial) `json:"-"`

	// Learn, when set, is told of what the process tries. Nothing is allowed or refused by it.
	Learn *Learn `json:"-"`
}

// Learn hears what the process of a sandbox tries, from many goroutines.
type Learn struct {
	Quiet  []string                // directories of which it is not told what is read, beside the system's programs and libraries
	Saw    func(trace.Attempt)     // nil: only the proxy tells
	Passed func(host, port string) // a connection through the proxy that a rule let pass; Denied tells of the others
}

// Link is a symbolic link that is shown.
type Link struct{ At, To string }

// Mount shows a path of the machine at the same place. What it is behind symbolic links is shown, so somebody who may
// change a link does not choose what is seen after the check.
type Mount struct {
	Path  string // absolute; a directory or a file
	Write bool
	At    string // where it is shown in a container, absolute; "" is Path. Only for containers
}

// Container says which container a process runs in.
type Container struct {
	Engine string // address of the engine's socket, "unix:///run/docker.sock"
	Image  string // by digest: "name@sha256:..." or the "sha256:..." of one that is there
	Server string // whose it is, for those who list containers
	// Open leaves the container what its engine gives to any: its network, the image's user, a root that can be
	// written, the engine's own filter. Network and Limits but Pids must be empty then.
	Open      bool
	NoNetwork bool // with Open: but for the network
}

// Limits bound what all processes of a sandbox use together, if not said otherwise. 0 is the default.
type Limits struct {
	Memory   int64 // bytes of memory; default 1 GiB
	Scratch  int64 // bytes in temporary directories; default 256 MiB
	Pids     int   // processes and threads; default 256
	CPUs     int   // processors that are used; default all
	FileSize int64 // bytes of one file that is written; default 4 GiB
}

const (
	maxMounts = 256
	maxRules  = 256
)

// ErrUnsupported is wrapped by errors about what the machine cannot enforce. Nothing was started.
var ErrUnsupported = errors.New("not to be had on this machine")

// check completes a Spec and refuses one that makes no sense.
func (s *Spec) check() error {
	if err := s.checkPlace(); err != nil {
		return err
	}
	if len(s.Mounts) > maxMounts || len(s.Network) > maxRules {
		return fmt.Errorf("%d mounts and %d network rules; at most %d and %d are taken", len(s.Mounts), len(s.Network), maxMounts, maxRules)
	}
	for _, m := range s.Mounts {
		if !filepath.IsAbs(m.Path) || filepath.Clean(m.Path) != m.Path {
			return fmt.Errorf("the path %q is not absolute", m.Path)
		}
		if err := mask.OverSystem(m.Path); err != nil {
			return err
		}
		if m.At == "" {
			continue
		}
		if s.Container == nil || !filepath.IsAbs(m.At) || filepath.Clean(m.At) != m.At || mask.OverSystem(m.At) != nil {
			return fmt.Errorf("%s cannot be shown at %q", m.Path, m.At)
		}
	}
	if s.Inside = or(s.Inside, s.Listens); min(s.Listens, s.Inside) < 0 || max(s.Listens, s.Inside) > 65535 || s.Listens != s.Inside && s.Container == nil {
		return fmt.Errorf("the port %d cannot be led to %d in the sandbox", s.Listens, s.Inside)
	}
	for _, a := range s.Waive {
		if !slices.Contains(Aspects, a) {
			return fmt.Errorf("%q is nothing that a sandbox enforces; it enforces %s", a, strings.Join(Aspects, ", "))
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
	return nil
}

// settle follows symbolic links, now: what is mounted later must be at the very path that was looked at.
func (s *Spec) settle() error {
	var out []Mount
	for _, m := range s.Mounts {
		real, err := filepath.EvalSymlinks(m.Path)
		if err != nil {
			return fmt.Errorf("the granted path %s cannot be read: %w", m.Path, err)
		}
		if err := mask.OverSystem(real); err != nil {
			return err
		}
		for _, h := range s.Hidden {
			if real == h || strings.HasPrefix(real, h+"/") {
				return fmt.Errorf("%s leads to %s, which is never shown to a server", m.Path, real)
			}
		}
		if i := slices.IndexFunc(out, func(o Mount) bool { return o.Path == real && o.At == m.At }); i >= 0 {
			out[i].Write = out[i].Write || m.Write // granted twice is granted both
		} else {
			out = append(out, Mount{real, m.Write, m.At})
		}
		if link := (Link{m.Path, real}); real != m.Path && !slices.Contains(s.Links, link) {
			s.Links = append(s.Links, link)
		}
	}
	slices.SortStableFunc(out, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	s.Mounts = out
	return nil
}

// byDigest reports whether an image is named by what is in it, "name@sha256:..." or "sha256:...".
func byDigest(image string) bool {
	name, digest, named := strings.Cut(image, "@")
	if !named {
		name, digest = "", image
	}
	digest, ok := strings.CutPrefix(digest, "sha256:")
	return ok && len(digest) == 64 && strings.Trim(digest, "0123456789abcdef") == "" && (!named || name != "") &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-") == "" && !strings.Contains(name, "..")
}

// checkPlace looks at where the process is to run.
func (s *Spec) checkPlace() error {
	paths := map[string]string{"Command": s.Command, "Home": s.Home, "Dir": or(s.Dir, s.Home)}
	if c := s.Container; c != nil {
		if !byDigest(c.Image) {
			return fmt.Errorf("the image %q is not named by its digest", c.Image)
		}
		if c.Open && len(s.Network) > 0 {
			return errors.New("a container in its engine's network cannot have rules for it")
		}
		paths = map[string]string{"Dir": or(s.Dir, "/")}
	}
	for name, path := range paths {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return fmt.Errorf("%s %q is not an absolute path", name, path)
		}
	}
	if s.Container == nil {
		s.Dir = or(s.Dir, s.Home)
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
