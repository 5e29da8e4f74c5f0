package gateway

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// confined is a server in a sandbox.
type confined struct{ *sandbox.Process }

func (c confined) forward(sig os.Signal) {
	s, ok := sig.(syscall.Signal)
	switch {
	case s == syscall.SIGKILL:
		c.Kill()
	case ok:
		c.Signal(s)
	}
}

func (c confined) wait() (int, error) {
	code, err := c.Wait()
	if err != nil {
		err = hub.Errorf(hub.Forbidden, "the server was ended: %v", err).WithHint("grant it more if that is right: mcpm help sandbox")
	}
	return code, err
}

func startConfined(s *Server, path string, in, out, errw *os.File) (running, error) {
	spec := *s.Sandbox
	spec.Args, spec.Env = s.Args, s.Env
	if spec.Container == nil {
		spec.Command, spec.Dir = path, s.Dir
	}
	p, err := sandbox.Start(&spec, in, out, errw)
	if err != nil {
		e := hub.Errorf(hub.Forbidden, "%s cannot be run in a sandbox: %v", s.Command, err).WithCause(err)
		if lacks, ok := errors.AsType[*sandbox.UnenforcedError](err); ok {
			return nil, e.WithHint("mcpm allow NAME waive=%s has it start without that", strings.Join(lacks.Aspects, " waive="))
		}
		if errors.Is(err, sandbox.ErrUnsupported) {
			return nil, e.WithHint("mcpm doctor tells what this machine has; --sandbox=false starts the server with all of your rights")
		}
		return nil, e.WithHint("see what it was granted: mcpm help sandbox")
	}
	return confined{p}, nil
}
