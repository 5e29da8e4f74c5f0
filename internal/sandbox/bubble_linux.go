//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/mcphub/mcphub/internal/sandbox/bubble"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// lacksError is what a step said of a machine that cannot enforce something.
type lacksError struct{ text string }

func (e *lacksError) Error() string { return e.text }

// Unwrap returns ErrUnsupported.
func (e *lacksError) Unwrap() error { return ErrUnsupported }

// bubbleErrFD is the process's stderr in the first step: what bubblewrap says is kept apart.
const bubbleErrFD = setupFD + 1

// startBubble has bubblewrap make the namespaces and the view, where the system lets that program and not this one. The first
// step looks at what it got and goes on as it does elsewhere, but for connections past the proxy, which take a capability.
func startBubble(st *setup, rules []egress.Rule, in, out, errs *os.File) (*Process, error) {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	st.Bubble = true
	v := bubble.View{Own: own, System: system, Etc: etc, Settings: settings(st), Home: st.Home, Scratch: st.Limits.Scratch, UID: st.UID, GID: st.GID}
	for _, m := range st.Mounts {
		c, _, err := identity(m.Path)
		if err != nil {
			return nil, fmt.Errorf("the granted path %s cannot be read: %w", m.Path, err)
		}
		c.Path, c.Write = m.Path, m.Write
		st.Checks = append(st.Checks, c)
		v.Mounts = append(v.Mounts, bubble.Mount{Path: m.Path, Write: m.Write})
	}
	for _, l := range st.Links {
		v.Links = append(v.Links, bubble.Link{At: l.At, To: l.To})
	}
	for _, path := range v.Covers(st.Hidden) {
		c, _, err := identity(path)
		if err != nil {
			return nil, fmt.Errorf("what must not be seen: %w", err)
		}
		c.Path, c.Hidden = path, true
		st.Checks = append(st.Checks, c)
	}
	args, files, err := v.Args(bubbleErrFD + 1)
	if err != nil {
		return nil, err
	}
	defer bubble.Close(files)
	says, err := bubble.InMemory("")
	if err != nil {
		return nil, err
	}
	defer says.Close()
	attr := &syscall.SysProcAttr{Setpgid: true}
	if st.AsRoot {
		attr.Credential = &syscall.Credential{Uid: Nobody, Gid: Nobody}
	}
	cmd := &exec.Cmd{
		Path: bubble.Find(), Args: args, Env: []string{}, Dir: "/", Stdin: in, Stdout: out, Stderr: says,
		ExtraFiles: append([]*os.File{errs}, files...), SysProcAttr: attr,
	}
	p, err := launch(cmd, st, rules)
	if text := bubble.Said(says); err != nil && text != "" {
		return nil, fmt.Errorf("what bubblewrap makes is %w: %s", ErrUnsupported, text)
	}
	return p, err
}
