//go:build unix

package gateway

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var forwarded = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT,
}

// child is a started server.
type child struct {
	pid   int
	group bool // it leads a process group of its own
}

// start runs cmd. A server started by a program gets a process group of its own, so that what it starts
// itself can be reached too. At a terminal it stays in ours: the terminal's Ctrl-C goes to it directly,
// and it may read the keyboard.
func start(cmd *exec.Cmd, in *os.File) (*child, error) {
	group := !isTerminal(in)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: group}
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{pid: cmd.Process.Pid, group: group}, nil
}

func (c *child) forward(sig os.Signal) {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return
	}
	if c.group {
		_ = syscall.Kill(-c.pid, s)
		return
	}
	if s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGCONT { // the terminal sent those to both of us
		_ = syscall.Kill(c.pid, s)
	}
}

// cleanUp ends what the server started and left behind: asked first, then killed.
func (c *child) cleanUp() {
	if !c.group || syscall.Kill(-c.pid, 0) != nil {
		return
	}
	_ = syscall.Kill(-c.pid, syscall.SIGTERM)
	for range 20 {
		time.Sleep(25 * time.Millisecond)
		if syscall.Kill(-c.pid, 0) != nil {
			return
		}
	}
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
}

func exitCode(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
