//go:build linux || darwin

package seatbelt

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// Box is a process with a home of its own and the proxy that is its only way to the network.
type Box struct {
	Command                     // whose profile and environment are completed
	Home    string              // of the person
	Rules   []egress.Rule       // of what may be reached
	Denied  func(egress.Denial) // told of each connection that was refused; nil for nobody
}

// Running is a process that was started from a Box.
type Running struct {
	*Process
	scratch string
	proxy   net.Listener // nil without
}

// Run starts it. HOME and TMPDIR become a directory that is gone when it ends; what was granted below the person's own home
// is found there under the same names.
func (b *Box) Run(in, out, errs *os.File) (*Running, error) {
	scratch, err := os.MkdirTemp("", "mcpm-sandbox-*")
	if err != nil {
		return nil, err
	}
	r := &Running{scratch: scratch}
	if err := r.start(b, in, out, errs); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *Running) start(b *Box, in, out, errs *os.File) error {
	scratch, err := filepath.EvalSymlinks(r.scratch) // on macOS /var is a link
	if err != nil {
		return err
	}
	c := b.Command
	p := &c.Profile
	granted := append(slices.Clone(p.Read), p.Write...)
	slices.Sort(granted) // what is above comes first
	for _, path := range granted {
		if err := lead(b.Home, scratch, path); err != nil {
			return err
		}
	}
	for i, program := range p.Programs {
		if p.Programs[i], err = filepath.EvalSymlinks(program); err != nil {
			return err
		}
	}
	p.Programs = append(p.Programs, stubs(p.Programs)...)
	p.Read, p.Write, p.Hidden = append(real(p.Read), p.Programs...), append(real(p.Write), scratch), real(p.Hidden)
	c.Env = append(slices.Clone(c.Env), "HOME="+scratch, "TMPDIR="+scratch)
	if c.Dir == b.Home {
		c.Dir = scratch
	}
	if len(b.Rules) > 0 || b.Denied != nil {
		if r.proxy, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			return err
		}
		go egress.New(b.Rules, egress.Listener{Denied: b.Denied}).Serve(r.proxy)
		c.Env = append(c.Env, egress.Environment(r.proxy.Addr())...)
		p.Proxy = r.proxy.Addr().(*net.TCPAddr).Port
	}
	r.Process, err = Start(&c, in, out, errs)
	return err
}

// Wait is that of Process, and removes the home.
func (r *Running) Wait() (int, error) {
	defer r.close()
	return r.Process.Wait()
}

func (r *Running) close() {
	if r.proxy != nil {
		r.proxy.Close()
	}
	_ = os.RemoveAll(r.scratch)
}

// lead makes a granted path that is below a person's home found below another.
func lead(home, scratch, path string) error {
	rest, ok := strings.CutPrefix(path, home+string(filepath.Separator))
	if !ok {
		return nil
	}
	at := filepath.Join(scratch, rest)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	if _, err := os.Lstat(at); err == nil {
		return nil // something above it is granted, too, and it is there by that
	}
	return os.Symlink(path, at)
}

// real is what paths are behind symbolic links; one that is not there stays.
func real(paths []string) []string {
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = path
		if to, err := filepath.EvalSymlinks(path); err == nil {
			out[i] = to
		}
	}
	return out
}

var framework = regexp.MustCompile(`^(.*/Python\.framework/Versions/[^/]+)/bin/python[0-9.]*$`)

// stubs are what programs replace themselves with when they start: python in a framework does so with an application of its own.
func stubs(programs []string) []string {
	var out []string
	for _, p := range programs {
		if m := framework.FindStringSubmatch(p); m != nil {
			out = append(out, m[1]+"/Resources/Python.app/Contents/MacOS/Python")
		}
	}
	return out
}
