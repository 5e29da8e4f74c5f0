package pin

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Tools are the programs of this machine.
type Tools struct {
	LookPath func(string) (string, error) // exec.LookPath when nil
	Environ  []string                     // of the programs
	Offline  bool                         // nothing is fetched: what is not in their caches is Unavailable
	Recent   string                       // directory that keeps resolutions for an hour, so that another project does not wait for them; "" for none
	Temp     func() (string, error)       // makes a directory for a while; the system's when nil
}

func (t Tools) temp() (string, error) {
	if t.Temp == nil {
		return os.MkdirTemp("", "mcpm-pin-*")
	}
	return t.Temp()
}

const (
	runFor    = 10 * time.Minute // a large tree over a slow line
	maxOutput = 64 << 10         // bytes of an error's text that are kept
	maxLines  = 3
)

// find returns the path of a program. NotFound, saying what needs it, when there is none.
func (t Tools) find(what string, names ...string) (string, error) {
	look := t.LookPath
	if look == nil {
		look = exec.LookPath
	}
	for _, name := range names {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", hub.Errorf(hub.NotFound, "%s needs %s, which is not on this machine", what, strings.Join(names, " or ")).WithHint("install it and try again")
}

// run runs a program in dir with stdin and returns what it wrote. It ends with the context.
func (t Tools) run(ctx context.Context, what, dir, stdin string, set []string, command ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, runFor)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(slices.Clone(t.Environ), set...), strings.NewReader(stdin)
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	errs := &tail{}
	cmd.Stdout, cmd.Stderr = &out, errs
	dieWithParent(cmd)
	runtime.LockOSThread()
	err := cmd.Run()
	runtime.UnlockOSThread()
	switch {
	case err == nil:
		return out.Bytes(), nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, hub.Errorf(hub.Unavailable, "%s took longer than %s", what, runFor).WithHint("try again; what was fetched is kept")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, failed(what, clean(errs.String()), err)
}

// failed tells what a program said. What it says of digests that differ is Integrity, of the network Unavailable.
func failed(what, said string, err error) error {
	kind, low := hub.Invalid, strings.ToLower(said)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
	}
	hint := "run the command yourself with --verbose, or choose another version"
	switch {
	case has("eintegrity", "hash mismatch", "do not match the hash", "integrity checksum failed"):
		kind, hint = hub.Integrity, "the registry does not have the bytes that were locked: tell the publisher"
	case has("enotfound", "econnrefused", "etimedout", "enotcached", "network", "dns error", "failed to fetch", "connection"):
		kind, hint = hub.Unavailable, "check the connection, and the registry of npm or pip"
	case has("e404", "no matching version", "not found in the package registry", "no version of", "etarget", "no solution found"):
		kind, hint = hub.NotFound, "the package or the version is not in the registry: choose another version"
	}
	e := hub.Errorf(kind, "%s failed", what).WithHint("%s", hint).WithCause(err)
	lines := strings.Split(said, "\n")
	for _, line := range lines[:min(len(lines), maxLines)] {
		if line = strings.TrimSpace(line); line != "" {
			e.Issues = append(e.Issues, hub.Issue{Message: line[:min(len(line), 200)], Severity: hub.SeverityError})
		}
	}
	return e
}

// tail keeps the first bytes that are written.
type tail struct{ bytes.Buffer }

// Write keeps what there is room for, and says that all was.
func (t *tail) Write(b []byte) (int, error) {
	if room := maxOutput - t.Len(); room > 0 {
		t.Buffer.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
