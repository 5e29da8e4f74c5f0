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

// running is a server that was started.
type running interface {
	forward(os.Signal)
	wait() (int, error) // its exit code; 128 plus the number when a signal ended it
}

// Local starts a local server with the given files as its stdin, stdout and stderr and returns its exit
// code when it ends; 128 plus the number when a signal ended it. Signals that mcpm gets are passed on. On
// Linux and Windows the server ends when mcpm dies, however it dies.
func Local(ctx context.Context, s *Server, in, out, errw *os.File) (int, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)

	// The kernel's "parent died" signal is tied to the thread that starts the child: keep it until the end.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	server, err := startAs(s, in, out, errw)
	if err != nil {
		return 0, err
	}
	type end struct {
		code int
		err  error
	}
	done := make(chan end, 1)
	go func() {
		code, err := server.wait()
		done <- end{code, err}
	}()
	var kill <-chan time.Time // set when ctx ended
	for {
		select {
		case sig := <-signals:
			server.forward(sig)
		case <-ctx.Done():
			server.forward(os.Interrupt)
			ctx = context.Background()
			kill = time.After(5 * time.Second)
		case <-kill:
			server.forward(os.Kill)
		case e := <-done:
			return e.code, e.err
		}
	}
}

// startAs starts a server in its sandbox, or with the rights of mcpm when it has none.
func startAs(s *Server, in, out, errw *os.File) (running, error) {
	if s.Sandbox != nil && s.Sandbox.Container != nil {
		return startConfined(s, "", in, out, errw)
	}
	path, err := lookPath(s)
	if err != nil {
		return nil, err
	}
	if s.Sandbox != nil {
		return startConfined(s, path, in, out, errw)
	}
	cmd := exec.Command(path, s.Args...)
	cmd.Args[0] = s.Command
	cmd.Env, cmd.Dir = s.Env, s.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errw
	child, err := start(cmd, in)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s cannot be started: %s", s.Command, reason(err)).WithCause(err)
	}
	return &unconfined{child: child, cmd: cmd, name: s.Command}, nil
}

// unconfined is a server with the rights of mcpm.
type unconfined struct {
	*child
	cmd  *exec.Cmd
	name string
}

func (u *unconfined) wait() (int, error) {
	err := u.cmd.Wait()
	u.cleanUp()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		return 0, hub.Errorf(hub.Invalid, "%s: %s", u.name, reason(err)).WithCause(err)
	}
	return exitCode(u.cmd.ProcessState), nil
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
