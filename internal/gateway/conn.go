package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Conn is a server that was started or reached, to be spoken to in lines of JSON-RPC.
type Conn struct {
	In  io.WriteCloser // to the server
	Out io.ReadCloser  // from the server; ends when it does

	stop func()
	once sync.Once
}

// NewConn makes a connection to something that acts as a server; stop ends it and is called once.
func NewConn(in io.WriteCloser, out io.ReadCloser, stop func()) *Conn {
	return &Conn{In: in, Out: out, stop: stop}
}

// stopTime is how long a server may take to end after its input did.
const stopTime = 2 * time.Second

// Stop ends the server, by force after two seconds, and returns when it is gone.
func (c *Conn) Stop() { c.once.Do(c.stop) }

// Open starts or reaches a server. What it says beside the protocol, and what a person should know of a remote one, goes to
// log, a line at a time. ctx ends it as Stop does.
func Open(ctx context.Context, s *Server, log io.Writer, userAgent string, client *http.Client) (*Conn, error) {
	if s.Remote() {
		return openRemote(ctx, s, log, userAgent, client)
	}
	return openLocal(s, log)
}

// openLocal starts a server with pipes.
func openLocal(s *Server, log io.Writer) (*Conn, error) {
	var pipes [6]*os.File // in, out and err: what the server has, and what is kept
	var err error
	for i := 0; i < len(pipes) && err == nil; i += 2 {
		pipes[i], pipes[i+1], err = os.Pipe()
	}
	in, toServer, fromServer, out, said, says := pipes[0], pipes[1], pipes[2], pipes[3], pipes[4], pipes[5]
	var server running
	ended := make(chan struct{})
	if err == nil {
		server, err = startKept(s, in, out, says, ended)
	}
	for _, f := range []*os.File{in, out, says} {
		_ = f.Close() // a nil file only says that it is one
	}
	if err != nil {
		for _, f := range []*os.File{toServer, fromServer, said} {
			_ = f.Close()
		}
		return nil, err
	}
	copied := make(chan struct{})
	go func() {
		_, _ = io.Copy(log, said)
		close(copied)
	}()
	stop := func() {
		_ = toServer.Close()
		for _, sig := range []os.Signal{syscall.SIGTERM, os.Kill} {
			select {
			case <-ended:
			case <-time.After(stopTime):
				server.forward(sig)
			}
		}
		<-ended
		_ = said.Close() // what it left behind may still hold the other end
		<-copied
		_ = fromServer.Close()
	}
	return &Conn{In: toServer, Out: fromServer, stop: stop}, nil
}

// startKept starts a server and waits for it on a thread that lives as long: the kernel ends the server with the thread that
// started it.
func startKept(s *Server, in, out, says *os.File, ended chan<- struct{}) (running, error) {
	type started struct {
		server running
		err    error
	}
	ready := make(chan started, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		server, err := startAs(s, in, out, says)
		ready <- started{server, err}
		if err == nil {
			_, _ = server.wait()
			close(ended)
		}
	}()
	r := <-ready
	return r.server, r.err
}

// openRemote bridges to a server, and starts it first where it is one that listens on this machine.
func openRemote(ctx context.Context, s *Server, log io.Writer, userAgent string, client *http.Client) (*Conn, error) {
	if _, err := s.check(); err != nil {
		return nil, err
	}
	fromUs, toServer := io.Pipe()
	fromServer, toUs := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	b := &Bridge{Server: s, In: fromUs, Out: toUs, Log: log, UserAgent: userAgent, HTTP: client, Grace: stopTime}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := runBridge(ctx, b, log)
		if err == nil {
			err = io.EOF
		}
		_ = toUs.CloseWithError(err)
		_ = fromUs.CloseWithError(err)
	}()
	stop := func() {
		_ = toServer.Close()
		select {
		case <-ended:
		case <-time.After(stopTime):
		}
		cancel()
		_ = fromServer.Close()
		<-ended
	}
	return &Conn{In: toServer, Out: fromServer, stop: stop}, nil
}

func runBridge(ctx context.Context, b *Bridge, log io.Writer) error {
	if b.Server.Command == "" {
		return b.Run(ctx)
	}
	said, says, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("no pipe can be made: %w", err)
	}
	copied := make(chan struct{})
	go func() {
		_, _ = io.Copy(log, said)
		close(copied)
	}()
	_, err = StartAndBridge(ctx, b, says)
	_ = says.Close()
	_ = said.Close()
	<-copied
	return err
}

// Lines writes whole lines to a writer, each behind a prefix and at most 2,000 bytes of it. It is for one goroutine.
type Lines struct {
	Prefix string
	To     io.Writer // one Write a line
	rest   []byte
}

const maxLogLine = 2000 // bytes

// Write implements [io.Writer]. It never fails.
func (l *Lines) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if room := maxLogLine - len(l.rest); room > 0 {
			l.rest = append(l.rest, line[:min(len(line), room)]...)
		}
		if !whole {
			break
		}
		_, _ = l.To.Write(append(append([]byte(l.Prefix), bytes.TrimRight(l.rest, "\r")...), '\n'))
		l.rest, rest = l.rest[:0], after
	}
	return len(p), nil
}
