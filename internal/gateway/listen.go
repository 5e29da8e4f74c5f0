package gateway

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// StartAndBridge starts a local server that speaks HTTP, waits until it listens at its URL, and bridges
// to it. What the server prints goes to errw; b.Run's stdin and stdout are the host's. The server is ended
// when the bridge is. The exit code is the server's when it ends first.
func StartAndBridge(ctx context.Context, b *Bridge, errw *os.File) (int, error) {
	u, err := b.Server.check()
	if err != nil {
		return 0, err
	}
	if !loopback(u.Hostname()) {
		return 0, hub.Errorf(hub.Forbidden, "the server says it listens at %s, which is not this machine", u.Host)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		code int
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		code, err := Local(ctx, b.Server, null, errw, errw)
		ended <- result{code, err}
	}()
	for deadline := time.Now().Add(60 * time.Second); !listening(u); {
		select {
		case r := <-ended:
			if r.err == nil {
				r.err = hub.Errorf(hub.Unavailable, "the server ended with %d before it listened at %s", r.code, u.Host)
			}
			return r.code, r.err
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			cancel()
			<-ended
			return 0, hub.Errorf(hub.Unavailable, "the server did not listen at %s within 60 s", u.Host)
		}
	}
	err = b.Run(ctx)
	cancel()
	<-ended
	return 0, err
}

func listening(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	c, err := net.DialTimeout("tcp", net.JoinHostPort(u.Hostname(), port), time.Second)
	if err != nil {
		return false
	}
	_ = c.(io.Closer).Close()
	return true
}
