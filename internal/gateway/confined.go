package gateway

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/modelcontextprotocol/go-sdk/mcp"
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
		if errors.Is(err, sandbox.ErrUnsupported) {
			return nil, e.WithHint("mcpm doctor tells what this machine has; without --sandbox the server runs with all of your rights")
		}
		return nil, e.WithHint("see what it was granted: mcpm help sandbox")
	}
	return confined{p}, nil
}

// confinedTransport starts a server in its sandbox to talk to it. What it says on stderr goes to errw. stop ends it.
func confinedTransport(s *Server, errw io.Writer) (_ mcp.Transport, stop func(), err error) {
	var pipes [6]*os.File // in, out and err: what the server has, and what is kept
	for i := 0; i < len(pipes); i += 2 {
		if pipes[i], pipes[i+1], err = os.Pipe(); err != nil {
			break
		}
	}
	in, toServer, fromServer, out, said, says := pipes[0], pipes[1], pipes[2], pipes[3], pipes[4], pipes[5]
	var server running
	if err == nil {
		server, err = startAs(s, in, out, says)
	}
	for _, f := range []*os.File{in, out, says} {
		_ = f.Close() // a nil file only says that it is one
	}
	if err != nil {
		for _, f := range []*os.File{toServer, fromServer, said} {
			_ = f.Close()
		}
		return nil, nil, err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(errw, said)
		_, _ = server.wait()
		close(ended)
	}()
	stop = func() {
		_ = toServer.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		select {
		case <-ended:
		case <-ctx.Done():
			server.forward(syscall.SIGKILL)
			<-ended
		}
		_, _ = fromServer.Close(), said.Close()
	}
	return &mcp.IOTransport{Reader: fromServer, Writer: toServer}, stop, nil
}
