package gateway

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// runSSE speaks the transport of 2024-11-05: one stream carries all that the server says, and its first
// event names the address that lines are sent to.
func (b *Bridge) runSSE(ctx context.Context, cancel context.CancelCauseFunc, lines <-chan []byte) error {
	req, err := b.request(ctx, http.MethodGet, b.base.String(), nil)
	if err != nil {
		return err
	}
	req.Body = http.NoBody
	req.Header.Set("Accept", "text/event-stream")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return hub.Errorf(hub.Unavailable, "%s", b.unreachable(err)).WithHint("check the address with mcpm info NAME")
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		text := b.trouble(resp)
		if resp.StatusCode == http.StatusOK {
			text = b.base.Host + " did not answer with an event stream"
		}
		return hub.Errorf(hub.Unavailable, "%s", text).WithHint("check its address and credentials: mcpm config NAME")
	}
	endpoint, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- readEvents(resp.Body, func(e event) error {
			if e.name == "endpoint" {
				select {
				case endpoint <- string(e.data):
				default:
				}
				return nil
			}
			return b.pass(e, &position{})
		})
	}()
	var target string
	select {
	case text := <-endpoint:
		if target, err = b.endpoint(text); err != nil {
			return err
		}
	case err := <-ended:
		return hub.Errorf(hub.Unavailable, "%s closed its stream before it said where to send to", b.base.Host).WithCause(err)
	case <-time.After(30 * time.Second):
		return hub.Errorf(hub.Unavailable, "%s did not say within 30 s where to send to", b.base.Host)
	case <-ctx.Done():
		return nil
	}
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
			b.postSSE(ctx, &wg, target, line)
		case err := <-ended:
			text := "the stream from " + b.base.Host + " ended"
			b.failAll(text)
			if ctx.Err() != nil || b.outBroken() {
				return nil
			}
			e := hub.Errorf(hub.Unavailable, "%s", text).WithCause(err)
			if errors.Is(err, io.EOF) {
				return e.WithHint("the server closed it; start again")
			}
			return e
		}
	}
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
