package egress

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// Inward hands every connection to l over to a sandbox, as a file, until l closes: the other way, for a process that listens
// inside.
func Inward(l net.Listener, send func(*os.File) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		t, ok := c.(*net.TCPConn)
		if !ok {
			_ = c.Close()
			continue
		}
		if f, err := t.File(); err == nil {
			_ = send(f) // when nobody is there any more, it closes with the file
			_ = f.Close()
		}
		_ = t.Close()
	}
}

const (
	arriveTime = time.Minute // that a process may take until it listens
	arriveStep = 50 * time.Millisecond
)

// Arrive connects what Inward sent with a port of the loopback device inside, as soon as somebody listens there. It takes f.
func Arrive(ctx context.Context, f *os.File, port int) {
	near, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		return
	}
	defer near.Close()
	ctx, cancel := context.WithTimeout(ctx, arriveTime)
	defer cancel()
	var far net.Conn
	for far == nil {
		for _, host := range []string{"127.0.0.1", "::1"} {
			if far, err = new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
				break
			}
			far = nil
		}
		if far != nil {
			break
		}
		select {
		case <-ctx.Done():
			reset(near)
			return
		case <-time.After(arriveStep):
		}
	}
	defer far.Close()
	var wg sync.WaitGroup
	wg.Go(func() { pass(far, io.Reader(near), near) })
	wg.Go(func() { pass(near, io.Reader(far), far) })
	wg.Wait()
}
