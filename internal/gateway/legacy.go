package gateway

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// sseStream is the one stream of a server that speaks the transport of 2024-11-05.
type sseStream struct {
	body   io.Closer
	target string        // where lines are sent to
	ended  chan error    // has why it ended
	hello  chan struct{} // closed when the server answered the initialize that the host need not see
}

// runSSE speaks the transport of 2024-11-05: one stream carries all that the server says, and its first
// event names the address that lines are sent to. A stream that breaks off is opened again.
func (b *Bridge) runSSE(ctx context.Context, cancel context.CancelCauseFunc, lines <-chan []byte) error {
	stream, err := b.openSSE(ctx, "")
	if err != nil || stream == nil {
		return err
	}
	defer func() { stream.body.Close() }()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				b.settle(ctx)
				return nil
			}
			m, _ := peek(line)
			b.note(m, line)
			b.postSSE(ctx, &wg, stream.target, line)
		case err := <-stream.ended:
			text := "the stream from " + b.base.Host + " ended"
			b.failAll(text)
			if ctx.Err() != nil || b.outBroken() {
				return nil
			}
			stream.body.Close()
			again := b.reopenSSE(ctx)
			if again == nil {
				if ctx.Err() != nil {
					return nil
				}
				return hub.Errorf(hub.Unavailable, "%s, and it could not be opened again", text).WithCause(err).WithHint("start again when the server is back")
			}
			stream = again
		}
	}
}

// openSSE opens the stream and waits until it says where to send to; nil without an error when ctx ended. The answer to the
// request with the id hello, which the host has had, is kept from it.
func (b *Bridge) openSSE(ctx context.Context, hello string) (*sseStream, error) {
	req, err := b.request(ctx, http.MethodGet, b.base.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Body = http.NoBody
	req.Header.Set("Accept", "text/event-stream")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return nil, hub.Errorf(hub.Unavailable, "%s", b.unreachable(err)).WithHint("check the address with mcpm info NAME")
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		text := b.trouble(resp)
		if resp.StatusCode == http.StatusOK {
			text = b.base.Host + " did not answer with an event stream"
		}
		resp.Body.Close()
		return nil, hub.Errorf(hub.Unavailable, "%s", text).WithHint("check its address and credentials: mcpm config NAME")
	}
	s := &sseStream{body: resp.Body, ended: make(chan error, 1), hello: make(chan struct{})}
	endpoint := make(chan string, 1)
	go func() {
		s.ended <- readEvents(resp.Body, func(e event) error {
			if e.name == "endpoint" {
				select {
				case endpoint <- string(e.data):
				default:
				}
				return nil
			}
			if hello != "" {
				if m, _ := peek(e.data); m.answers() && string(m.ID) == hello {
					hello = ""
					close(s.hello)
					return nil
				}
			}
			return b.pass(e, &position{})
		})
	}()
	select {
	case text := <-endpoint:
		if s.target, err = b.endpoint(text); err == nil {
			return s, nil
		}
	case cause := <-s.ended:
		err = hub.Errorf(hub.Unavailable, "%s closed its stream before it said where to send to", b.base.Host).WithCause(cause)
	case <-time.After(30 * time.Second):
		err = hub.Errorf(hub.Unavailable, "%s did not say within 30 s where to send to", b.base.Host)
	case <-ctx.Done():
	}
	resp.Body.Close()
	return nil, err
}

// reopenTries is how often a stream that broke off is opened again, with pauses that double.
const reopenTries = 6

// reopenSSE opens a new stream, and begins the session on it as the host did; nil when that cannot be done.
func (b *Bridge) reopenSSE(ctx context.Context) *sseStream {
	b.session.mu.Lock()
	first, id, second := b.session.initLine, b.session.initID, b.session.initialized
	b.session.mu.Unlock()
	for try := range reopenTries {
		if !pause(ctx, b.Backoff<<try) {
			return nil
		}
		s, err := b.openSSE(ctx, id)
		if err != nil || s == nil {
			continue
		}
		if first == nil || b.beginSSE(ctx, s, first, second) {
			return s
		}
		s.body.Close()
	}
	return nil
}

// beginSSE says hello again on a new stream.
func (b *Bridge) beginSSE(ctx context.Context, s *sseStream, first, second []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !b.sendSSE(ctx, s.target, first) {
		return false
	}
	select {
	case <-s.hello:
	case <-s.ended:
		return false
	case <-ctx.Done():
		return false
	}
	return second == nil || b.sendSSE(ctx, s.target, second)
}

// sendSSE sends a line whose answer nobody waits for here.
func (b *Bridge) sendSSE(ctx context.Context, target string, line []byte) bool {
	req, err := b.request(ctx, http.MethodPost, target, line)
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return false
	}
	drain(resp)
	return resp.StatusCode < 300
}

// endpoint resolves the address of the endpoint event; headers with secrets go to the same server only.
func (b *Bridge) endpoint(text string) (string, error) {
	u, err := url.Parse(text)
	if err == nil {
		u = b.base.ResolveReference(u)
	}
	if err != nil || u.Host != b.base.Host || u.Scheme != b.base.Scheme {
		return "", hub.Errorf(hub.Forbidden, "%s wants messages sent to another server", b.base.Host)
	}
	return u.String(), nil
}

// postSSE sends a line and waits until it is on its way; its answer comes on the stream.
func (b *Bridge) postSSE(ctx context.Context, wg *sync.WaitGroup, target string, line []byte) {
	_, ids := peek(line)
	b.await(ids)
	sent := make(chan struct{})
	once := sync.OnceFunc(func() { close(sent) })
	wg.Go(func() {
		defer once()
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { once() }}
		req, err := b.request(httptrace.WithClientTrace(ctx, trace), http.MethodPost, target, line)
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := b.HTTP.Do(req)
		if err != nil {
			b.fail(ids, b.unreachable(err))
			return
		}
		if resp.StatusCode >= 300 {
			b.fail(ids, b.trouble(resp))
		}
		drain(resp)
	})
	select {
	case <-sent:
	case <-ctx.Done():
	}
}

func (b *Bridge) outBroken() bool {
	b.out.Lock()
	defer b.out.Unlock()
	return b.outErr != nil
}
