// Package granted says what a server may do when it is started: whether in a sandbox, and what a person allows it there
// beside what it declares. It is also mcpm allow, which keeps that.
package granted

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install/grants"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/spf13/cobra"
)

// Flags are those that say what a server may do.
type Flags struct {
	Learn   bool
	LearnTo string // file, "" for stderr

	cmd     *cobra.Command
	sandbox confine.Flag
	allow   []string
}

// SandboxFlag adds --sandbox.
func (f *Flags) SandboxFlag(c *cobra.Command) {
	f.cmd = c
	c.Flags().Var(&f.sandbox, "sandbox", confine.Usage)
	c.Flags().Lookup("sandbox").NoOptDefVal = "true"
}

// AllowFlag adds --allow.
func (f *Flags) AllowFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.allow, "allow", nil, "grant more, this time: `KIND=VALUE`, as mcpm help sandbox tells")
}

// LearnFlags are those of verbs that run a server to its end.
func (f *Flags) LearnFlags(c *cobra.Command) {
	c.Flags().BoolVar(&f.Learn, "learn", false, "run it in a sandbox, and at its end propose the permissions for all it tried (Linux)")
	c.Flags().StringVar(&f.LearnTo, "learn-to", "", "the same, and write it to `FILE` as JSON")
}

// Confinement is how one server is started.
type Confinement struct {
	On        bool // in a sandbox
	Container bool // which is a container, if node or Python runs it
	Grants    confine.Grants
}

// ByDefault reports whether servers from a hub run in a sandbox where nobody says anything else.
func ByDefault(a *app.App) (bool, error) {
	s, err := a.Settings()
	if err != nil {
		return false, err
	}
	return s.Sandbox || s.From("sandbox") == "" && a.OS == "linux", nil
}

// For says how a server is to be confined: as the flag says, else as was decided of it with mcpm allow, else as the setting
// says. Where nothing is said, servers from a hub run in a sandbox on Linux, and working copies with the rights of who made
// them.
func (f *Flags) For(a *app.App, in *app.Installed) (Confinement, error) {
	s, err := a.Settings()
	if err != nil {
		return Confinement{}, err
	}
	h, err := a.Store()
	if err != nil {
		return Confinement{}, err
	}
	kept, err := grants.Of(h, in.Project, in.Name, identity(in))
	if err != nil {
		return Confinement{}, err
	}
	f.Learn = f.Learn || f.LearnTo != ""
	c := Confinement{On: s.Sandbox, Container: s.Contained, Grants: append(kept.Allow, f.allow...)}
	switch {
	case f.cmd.Flags().Changed("sandbox"):
		c.On, c.Container = f.sandbox.On, f.sandbox.Container
	case f.Learn, len(f.allow) > 0:
		c.On = true
	case kept.Everything:
		c.On, c.Container = false, false
	case s.From("sandbox") == "" && in.Locked != nil && a.OS == "linux":
		c.On = true
	}
	return c, f.check(a.OS, c)
}

func (f *Flags) check(os string, c Confinement) error {
	if f.Learn && !c.On {
		return app.Usage("--learn is for a server in a sandbox, and --sandbox=false has it run without").WithHint("leave out --sandbox=false")
	}
	if f.Learn && os != "linux" {
		return hub.Errorf(hub.Forbidden, "--learn takes Linux: on %s nothing tells what a server tries", os).
			WithHint("run it with --learn on a Linux machine; the permissions it proposes are the same elsewhere")
	}
	if len(f.allow) > 0 && !c.On {
		return app.Usage("--allow is for a server in a sandbox, and --sandbox=false has it run without").WithHint("leave out --sandbox=false")
	}
	return nil
}

// maxDenials is how many refused hosts are told of, each once, so that a server cannot fill a log with them.
const maxDenials = 20

// denied tells of connections that were refused, each host once, and what would allow them.
func denied(a *app.App, in *app.Installed) func(egress.Denial) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(d egress.Denial) {
		mu.Lock()
		defer mu.Unlock()
		to := d.Host + ":" + d.Port
		if told[to] || len(told) >= maxDenials {
			return
		}
		told[to] = true
		a.IO.Warnf("%s wanted to reach %s: %s", in.Name, app.Clean(to), d.Reason)
		if _, err := egress.ParseRule(to); err == nil && in.Name != "" {
			a.IO.Notef("hint: mcpm allow%s %s net=%s, if it may\n", flag(in), in.Name, app.Clean(to))
		}
	}
}

// identity says which server it is: what is allowed to one is not allowed to another that a lockfile gives its name to.
func identity(in *app.Installed) string {
	if in.Locked == nil {
		return "working copy in " + in.Bundle
	}
	return in.Locked.Registry + " " + in.Locked.Of(in.Name).String()
}

// flag is " -g" for a server of all projects.
func flag(in *app.Installed) string {
	if in.Project.Global {
		return " -g"
	}
	return ""
}

// Ended tells, of a server that failed in its sandbox, how to see what it lacked.
func (c Confinement) Ended(a *app.App, in *app.Installed) {
	a.IO.Notef("mcpm: it ran in a sandbox; mcpm run%s %s --learn tells what it tries, and mcpm allow%s %s gives it more\n", flag(in), in.Name, flag(in), in.Name)
}

// Watch has a confined server tell what it is refused: of connections each host once, and of paths that it is given to work
// on, in its arguments and variables, those that it cannot see.
func Watch(a *app.App, in *app.Installed, s *gateway.Server) {
	if s.Sandbox == nil {
		return
	}
	s.Sandbox.Denied = denied(a, in)
	if s.Sandbox.Container != nil {
		return
	}
	words := slices.Clone(s.Args)
	for _, kv := range s.Env {
		if name, value, _ := strings.Cut(kv, "="); name != "HOME" && name != "TMPDIR" && name != "PATH" {
			words = append(words, value)
		}
	}
	for _, path := range words {
		if _, value, ok := strings.Cut(path, "="); ok && strings.HasPrefix(path, "-") {
			path = value // of --option=PATH
		}
		if path = filepath.Clean(path); !filepath.IsAbs(path) || confine.Seen(path, s.Sandbox.Mounts) || ofMachine(path) {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			a.IO.Warnf("%s is given %s, which it cannot see", in.Name, app.Clean(path))
			a.IO.Notef("hint: mcpm allow%s %s read=%s, or write=, if it may\n", flag(in), in.Name, app.Clean(path))
		}
	}
}

// ofMachine reports whether a path is of the system or the machine, which every server sees as far as it may.
func ofMachine(path string) bool {
	return path == "/" || confine.System(path) || slices.ContainsFunc([]string{"/etc/", "/dev/", "/proc/", "/sys/"}, func(dir string) bool { return strings.HasPrefix(path, dir) })
}
