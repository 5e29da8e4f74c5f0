package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// firstWithNames is the protocol version from which a request names its method in the headers too.
const firstWithNames = "2026-07-28"

// session is what a streamable HTTP server and the bridge agreed on.
type session struct {
	mu          sync.Mutex
	id          string
	version     string
	initLine    []byte // the host's initialize, to begin again when the server forgot the session
	initID      string
	initialized []byte
	generation  int
	stopListen  context.CancelFunc
}

func (b *Bridge) runStreamable(ctx context.Context, cancel context.CancelCauseFunc, lines <-chan []byte) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxOpen)
	for line := range lines {
		m, ids := peek(line)
		b.await(ids)
		b.note(m, line)
		slots <- struct{}{}
		sent, done := make(chan struct{}), make(chan struct{})
		wg.Go(func() {
			defer func() { <-slots; close(done) }()
			b.post(ctx, line, m, ids, sync.OnceFunc(func() { close(sent) }))
		})
		// Nothing overtakes: a message is on its way before the next is read. What opens the session is
		// even waited for, since everything after it carries what it brings.
		wait := sent
		if m.Method == "initialize" || m.Method == "notifications/initialized" {
			wait = done
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
		if m.Method == "notifications/initialized" {
			b.listen(ctx)
		}
	}
	b.settle(ctx)
	b.leave()
	cancel(nil)
	wg.Wait()
	return nil
}

// note remembers the opening of the session.
func (b *Bridge) note(m message, line []byte) {
	s := &b.session
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Method {
	case "initialize":
		s.initLine, s.initID, s.id, s.version = line, string(m.ID), "", ""
	case "notifications/initialized":
		s.initialized = line
	}
}

// post sends one line and passes on what comes back. sent is called when the line is on its way.
func (b *Bridge) post(ctx context.Context, line []byte, m message, ids []json.RawMessage, sent func()) {
	defer sent()
	resp, generation, err := b.exchange(ctx, line, m, sent)
	if err != nil {
		b.fail(ids, b.unreachable(err))
		return
	}
	if resp.StatusCode == http.StatusNotFound && b.hasSession() && m.Method != "initialize" {
		drain(resp)
		if err := b.restart(ctx, generation); err != nil {
			b.fail(ids, "the session at "+b.base.Host+" ended and a new one was refused: "+err.Error())
			return
		}
		if resp, _, err = b.exchange(ctx, line, m, sent); err != nil {
			b.fail(ids, b.unreachable(err))
			return
		}
	}
	b.receive(ctx, resp, m, ids)
}

// exchange makes one POST of the session, unless the server failed too often.
func (b *Bridge) exchange(ctx context.Context, line []byte, m message, sent func()) (*http.Response, int, error) {
	if reason, ok := b.breaker.enter(); !ok {
		return nil, 0, &brokenError{b.base.Host + " " + reason}
	}
	resp, generation, err := b.roundTrip(ctx, line, m, sent)
	failed := err != nil && ctx.Err() == nil || err == nil && resp.StatusCode >= 500
	if b.breaker.leave(failed) {
		b.say("%s failed %d times in a row; calls are refused for a while, and it is tried again", b.base.Host, breakAfter)
	}
	return resp, generation, err
}

// brokenError says that a request was not made because the server failed too often.
type brokenError struct{ text string }

// Error returns the text.
func (e *brokenError) Error() string { return e.text }

func (b *Bridge) roundTrip(ctx context.Context, line []byte, m message, sent func()) (*http.Response, int, error) {
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent() }}
	req, err := b.request(httptrace.WithClientTrace(ctx, trace), http.MethodPost, b.base.String(), line)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	generation := b.sessionHeaders(req)
	if m.Params.Meta.Version != "" {
		req.Header.Set("MCP-Protocol-Version", m.Params.Meta.Version)
	}
	if req.Header.Get("MCP-Protocol-Version") >= firstWithNames && m.Method != "" {
		req.Header.Set("Mcp-Method", m.Method)
		if name := m.name(); name != "" {
			req.Header.Set("Mcp-Name", name)
		}
	}
	resp, err := b.HTTP.Do(req)
	return resp, generation, err
}

func (b *Bridge) sessionHeaders(req *http.Request) int {
	s := &b.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" {
		req.Header.Set("Mcp-Session-Id", s.id)
	}
	if s.version != "" {
		req.Header.Set("MCP-Protocol-Version", s.version)
	}
	return s.generation
}

func (b *Bridge) hasSession() bool {
	b.session.mu.Lock()
	defer b.session.mu.Unlock()
	return b.session.id != ""
}

// receive passes on the answer to a POST: JSON, or a stream that is taken up again when it breaks off
// before every answer is there.
func (b *Bridge) receive(ctx context.Context, resp *http.Response, m message, ids []json.RawMessage) {
	defer resp.Body.Close()
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if m.Method == "initialize" && resp.StatusCode < 300 {
		b.session.mu.Lock()
		b.session.id = resp.Header.Get("Mcp-Session-Id")
		b.session.mu.Unlock()
	}
	switch {
	case resp.StatusCode >= 300:
		data, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		text := b.trouble(resp)
		if answer, _ := peek(data); kind == "application/json" && len(answer.Error) > 0 && answer.answers() && len(b.unanswered([]json.RawMessage{answer.ID})) > 0 {
			b.write(data)
		}
		b.fail(ids, text)
	case kind == "text/event-stream":
		at := &position{}
		err := readEvents(resp.Body, func(e event) error { return b.pass(e, at) })
		b.resume(ctx, at, ids, err)
	case kind == "application/json":
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+1))
		if err != nil || len(data) > maxMessage {
			b.fail(ids, "the answer of "+b.base.Host+" broke off")
			return
		}
		b.agree(data)
		b.write(data)
		b.fail(ids, b.base.Host+" answered with something else")
	default:
		drain(resp)
		b.fail(ids, b.base.Host+" accepted the request and sent no answer")
	}
}

// position is where a stream is.
type position struct {
	id    string
	retry time.Duration
}

// pass writes one event out.
func (b *Bridge) pass(e event, at *position) error {
	if e.hasID {
		at.id = e.id
	}
	if e.retry > 0 {
		at.retry = min(e.retry, time.Minute)
	}
	if len(e.data) == 0 || (e.name != "" && e.name != "message") {
		return nil
	}
	b.agree(e.data)
	b.write(e.data)
	b.out.Lock()
	defer b.out.Unlock()
	return b.outErr
}

// agree takes the protocol version from the answer to initialize.
func (b *Bridge) agree(data []byte) {
	s := &b.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != "" || s.initID == "" {
		return
	}
	if m, _ := peek(data); m.answers() && string(m.ID) == s.initID && m.Result != nil {
		s.version = m.Result.ProtocolVersion
	}
}

// resume opens a broken stream again from its last event, while there are answers to wait for.
func (b *Bridge) resume(ctx context.Context, at *position, ids []json.RawMessage, err error) {
	for try := 0; len(b.unanswered(ids)) > 0; try++ {
		if at.id == "" || try >= 5 || ctx.Err() != nil {
			text := "the stream from " + b.base.Host + " ended before the answer"
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				text += ": " + err.Error()
			}
			b.fail(ids, text)
			return
		}
		if !pause(ctx, max(at.retry, b.Backoff<<try)) {
			continue
		}
		last := at.id
		var status int
		status, err = b.stream(ctx, at, func() {})
		if at.id != last {
			try = -1
		}
		if status >= 400 && status < 500 {
			at.id = ""
		}
	}
}

// stream opens the GET stream and passes its events on until it ends. sent is called when the request is on its way.
func (b *Bridge) stream(ctx context.Context, at *position, sent func()) (status int, err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent() }})
	req, err := b.request(ctx, http.MethodGet, b.base.String(), nil)
	if err != nil {
		return 0, err
	}
	req.Body = http.NoBody
	req.Header.Set("Accept", "text/event-stream")
	b.sessionHeaders(req)
	if at.id != "" {
		req.Header.Set("Last-Event-ID", at.id)
	}
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		return max(resp.StatusCode, 400), nil
	}
	return resp.StatusCode, readEvents(resp.Body, func(e event) error { return b.pass(e, at) })
}

// listen keeps the stream open on which the server speaks by itself. A server need not have one.
func (b *Bridge) listen(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	s := &b.session
	s.mu.Lock()
	if s.stopListen != nil {
		s.stopListen()
	}
	s.stopListen = stop
	s.mu.Unlock()
	asked := make(chan struct{})
	sent := sync.OnceFunc(func() { close(asked) })
	defer func() { // what the host says next does not overtake it
		select {
		case <-asked:
		case <-ctx.Done():
		}
	}()
	go func() {
		defer sent()
		at := &position{}
		for try := 0; ctx.Err() == nil; try++ {
			begun := time.Now()
			status, _ := b.stream(ctx, at, sent)
			sent() // or it could not be
			if status >= 400 && status < 500 && status != http.StatusTooManyRequests {
				return // 405: no such stream; 404: the session is over, the next request begins another
			}
			if time.Since(begun) > 10*time.Second {
				try = 0
			}
			pause(ctx, max(at.retry, min(b.Backoff<<min(try, 6), 30*time.Second)))
		}
	}()
}

// restart opens a new session the way the host opened the first, once for all requests that met its end.
// The answer is for the bridge: the host has had one.
func (b *Bridge) restart(ctx context.Context, generation int) error {
	s := &b.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation != generation {
		return nil // another request did it meanwhile
	}
	if s.initLine == nil {
		return errors.New("there was no initialize")
	}
	send := func(line []byte, id, version string) (*http.Response, error) {
		req, err := b.request(ctx, http.MethodPost, b.base.String(), line)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if id != "" {
			req.Header.Set("Mcp-Session-Id", id)
		}
		if version != "" {
			req.Header.Set("MCP-Protocol-Version", version)
		}
		resp, err := b.HTTP.Do(req)
		if err == nil && resp.StatusCode >= 300 {
			drain(resp)
			return nil, errors.New(resp.Status)
		}
		return resp, err
	}
	resp, err := send(s.initLine, "", "")
	if err != nil {
		return err
	}
	id := resp.Header.Get("Mcp-Session-Id")
	drain(resp)
	if s.initialized != nil {
		if resp, err = send(s.initialized, id, s.version); err != nil {
			return err
		}
		drain(resp)
	}
	s.id = id
	s.generation++
	go b.listen(ctx) // takes the lock
	return nil
}

// leave tells the server that the session is over.
func (b *Bridge) leave() {
	if !b.hasSession() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	req, err := b.request(ctx, http.MethodDelete, b.base.String(), nil)
	if err != nil {
		return
	}
	b.sessionHeaders(req)
	if resp, err := b.HTTP.Do(req); err == nil {
		drain(resp)
	}
}

func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	resp.Body.Close()
}

// pause waits; it returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
