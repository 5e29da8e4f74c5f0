package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Bridge makes a remote server look like a local one: lines from In are sent to it as they are, and what
// it sends comes out of Out, one message a line. The zero value of every field but Server, In and Out is
// good.
type Bridge struct {
	Server *Server
	In     io.Reader
	Out    io.Writer
	Log    io.Writer // one line for each thing a person should know; never a header's value

	HTTP      *http.Client
	UserAgent string
	Grace     time.Duration // how long answers are waited for after In has ended; default 30 s
	Backoff   time.Duration // first pause before a stream is opened again; default 500 ms

	base   *url.URL
	out    sync.Mutex
	outErr error

	mu      sync.Mutex
	pending map[string]json.RawMessage // requests without an answer, by the bytes of their id
	warned  map[string]bool

	session session
	breaker breaker
}

// maxOpen bounds how many requests wait for the server at once.
const maxOpen = 256

// Run passes messages until In ends and all answers are there, ctx is cancelled, or Out breaks. An error is a
// failure of the whole connection; a failed request is only answered with a JSON-RPC error.
func (b *Bridge) Run(ctx context.Context) error {
	if err := b.prepare(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make(chan []byte)
	go b.read(ctx, lines)
	var err error
	if b.Server.Transport == "sse" {
		err = b.runSSE(ctx, cancel, lines)
	} else {
		err = b.runStreamable(ctx, cancel, lines)
	}
	b.out.Lock()
	defer b.out.Unlock()
	if b.outErr != nil { // the host is gone; nobody is left to tell
		return nil
	}
	return err
}

func (b *Bridge) prepare() error {
	u, err := b.Server.check()
	if err != nil {
		return err
	}
	b.base = u
	b.pending, b.warned = map[string]json.RawMessage{}, map[string]bool{}
	if b.Log == nil {
		b.Log = io.Discard
	}
	if b.Grace == 0 {
		b.Grace = 30 * time.Second
	}
	if b.Backoff == 0 {
		b.Backoff = 500 * time.Millisecond
	}
	h := http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 15 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true, // a compressed stream would be held back until a block is full
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
	}}
	if b.HTTP != nil {
		h = *b.HTTP
	}
	h.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != u.Host || req.URL.Scheme != u.Scheme || len(via) > 5 {
			return fmt.Errorf("it redirects to %s://%s, which gets no headers of yours", req.URL.Scheme, req.URL.Host)
		}
		return nil
	}
	b.HTTP = &h
	return nil
}

// read hands on the lines of In and closes lines at the end.
func (b *Bridge) read(ctx context.Context, lines chan<- []byte) {
	defer close(lines)
	br := bufio.NewReaderSize(b.In, 64<<10)
	for {
		line, err := readLine(br)
		if errors.Is(err, errTooLong) {
			b.say("%v; closing", err)
		}
		if err != nil {
			return
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		select {
		case lines <- bytes.Clone(line):
		case <-ctx.Done():
			return
		}
	}
}

// write puts one message out and forgets the requests it answers.
func (b *Bridge) write(data []byte) {
	data = oneLine(data)
	if len(data) == 0 {
		return
	}
	b.mu.Lock()
	for _, id := range answered(data) {
		delete(b.pending, string(id))
	}
	b.mu.Unlock()
	b.out.Lock()
	defer b.out.Unlock()
	if b.outErr == nil {
		_, b.outErr = b.Out.Write(append(data, '\n'))
	}
}

func (b *Bridge) await(ids []json.RawMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.pending[string(id)] = id
	}
}

// unanswered returns those of ids that have no answer yet.
func (b *Bridge) unanswered(ids []json.RawMessage) []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []json.RawMessage
	for _, id := range ids {
		if _, ok := b.pending[string(id)]; ok {
			out = append(out, id)
		}
	}
	return out
}

// fail answers requests with an error.
func (b *Bridge) fail(ids []json.RawMessage, text string) {
	for _, id := range b.unanswered(ids) {
		b.write(errorLine(id, text))
	}
}

func (b *Bridge) failAll(text string) {
	b.mu.Lock()
	ids := make([]json.RawMessage, 0, len(b.pending))
	for _, id := range b.pending {
		ids = append(ids, id)
	}
	b.mu.Unlock()
	b.fail(ids, text)
}

// say logs a line, the same one once.
func (b *Bridge) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.warned[text] {
		b.warned[text] = true
		fmt.Fprintf(b.Log, "mcpm: %s\n", text)
	}
}

// trouble puts a failed answer into words and tells a person what only a person can mend.
func (b *Bridge) trouble(resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		b.say("%s wants you to sign in (401); set its token with mcpm config", b.base.Host)
		return b.base.Host + " answered 401: not signed in"
	case http.StatusForbidden:
		b.say("%s refuses this credential (403)", b.base.Host)
	}
	return fmt.Sprintf("%s answered %s", b.base.Host, resp.Status)
}

// unreachable puts a failed connection into words.
func (b *Bridge) unreachable(err error) string {
	var broken *brokenError
	if errors.As(err, &broken) {
		return broken.text
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	text := fmt.Sprintf("cannot reach %s: %v", b.base.Host, err)
	var told *hub.Error // of the client, which knows what helps
	if errors.As(err, &told) && told.Hint != "" {
		text = told.Message + "; " + told.Hint
	}
	if !errors.Is(err, context.Canceled) {
		b.say("%s", text)
	}
	return text
}

// settle waits until all requests are answered, at most for Grace.
func (b *Bridge) settle(ctx context.Context) {
	deadline := time.After(b.Grace)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		b.mu.Lock()
		n := len(b.pending)
		b.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

// request makes an HTTP request with the headers of the server.
func (b *Bridge) request(ctx context.Context, method, target string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "the server's address is not a URL").WithCause(err)
	}
	if b.UserAgent != "" {
		req.Header.Set("User-Agent", b.UserAgent)
	}
	for k, v := range b.Server.Headers {
		req.Header.Set(k, v)
	}
	return req, nil
}
