package gateway

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Local starts a local server with the given files as its stdin, stdout and stderr and returns its exit
// code when it ends; 128 plus the number when a signal ended it. Signals that mcpm gets are passed on. On
// Linux and Windows the server ends when mcpm dies, however it dies.
func Local(ctx context.Context, s *Server, in, out, errw *os.File) (int, error) {
	path, err := lookPath(s)
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(path, s.Args...)
	cmd.Args[0] = s.Command
	cmd.Env, cmd.Dir = s.Env, s.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errw
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)

	// The kernel's "parent died" signal is tied to the thread that starts the child: keep it until the end.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := start(cmd, in)
	if err != nil {
		return 0, hub.Errorf(hub.Invalid, "%s cannot be started: %s", s.Command, reason(err)).WithCause(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var kill <-chan time.Time // set when ctx ended
	for {
		select {
		case sig := <-signals:
			child.forward(sig)
		case <-ctx.Done():
			child.forward(os.Interrupt)
			ctx = context.Background()
			kill = time.After(5 * time.Second)
		case <-kill:
			child.forward(os.Kill)
		case err := <-done:
			child.cleanUp()
			var ee *exec.ExitError
			if err != nil && !errors.As(err, &ee) {
				return 0, hub.Errorf(hub.Invalid, "%s: %s", s.Command, reason(err)).WithCause(err)
			}
			return exitCode(cmd.ProcessState), nil
		}
	}
}

// lookPath finds the program on the PATH of the environment the server will have.
func lookPath(s *Server) (string, error) {
	path, err := exec.LookPath(s.Command)
	if err == nil {
		return path, nil
	}
	e := hub.Errorf(hub.NotFound, "%s is not on this machine's PATH", s.Command).WithCause(err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", hub.Errorf(hub.NotFound, "%s is not executable", s.Command).WithHint("chmod +x %s", s.Command).WithCause(err)
	case strings.ContainsAny(s.Command, `/\`):
		return "", hub.Errorf(hub.NotFound, "there is no program %s", s.Command).
			WithHint("build it, or correct the command in mcp.json").WithCause(err)
	}
	if hint := installHints[s.Command]; hint != "" {
		return "", e.WithHint("%s", hint)
	}
	return "", e.WithHint("install %s, or see mcpm info NAME for another way to run this server", s.Command)
}

// installHints say where the programs come from that start most servers.
var installHints = map[string]string{
	"npx":    "install Node.js: https://nodejs.org",
	"node":   "install Node.js: https://nodejs.org",
	"uvx":    "install uv: https://docs.astral.sh/uv",
	"uv":     "install uv: https://docs.astral.sh/uv",
	"python": "install Python: https://www.python.org",
	"docker": "install Docker: https://docs.docker.com/get-docker",
	"podman": "install Podman: https://podman.io",
	"dnx":    "install .NET 10: https://dotnet.microsoft.com",
}

func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
