package aggregate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/mcphub/mcphub/internal/gateway"
)

// Shared is one server for many sessions. It is started for the first, greeted as by a client that can do nothing, and ends
// with the last. Requests of all sessions are numbered anew; what the server tells nobody in particular is told to all. It
// cannot ask a client anything, as it cannot say which.
type Shared struct {
	Version string // of the gateway, told to the server

	// Open starts or reaches the server.
	Open func() (*gateway.Conn, error)

	mu  sync.Mutex // held while it starts
	run *sharing
}

// sharing is a shared server between its start and its end.
type sharing struct {
	conn  *gateway.Conn
	out   chan []byte
	hello json.RawMessage // its answer to initialize

	over    sync.Once
	gone    chan struct{} // closed when it ends
	stopped chan struct{} // and when it has ended

	mu      sync.Mutex
	ended   bool
	next    int64
	pending map[int64]asking
	guests  map[*guest]bool
	watched map[string]map[*guest]bool // by the URI of the resource
}

// asking is a request that the server has not answered.
type asking struct {
	guest *guest // nil for one of our own
	id    json.RawMessage
	token json.RawMessage // of its progress, as the session calls it
	hello chan *message   // of our own
}

var errLeft = errors.New("the session ended")

// Join returns a connection of a session to the server, and starts the server when it does not run. ctx bounds the start.
func (s *Shared) Join(ctx context.Context) (*gateway.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		if c := s.run.join(); c != nil {
			return c, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	run, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	c := run.join()
	if c == nil {
		return nil, errEnded
	}
	s.run = run
	return c, nil
}

func (s *Shared) start(ctx context.Context) (*sharing, error) {
	conn, err := s.Open()
	if err != nil {
		return nil, err
	}
	x := &sharing{
		conn: conn, out: make(chan []byte, maxQueued), gone: make(chan struct{}), stopped: make(chan struct{}),
		pending: map[int64]asking{}, guests: map[*guest]bool{}, watched: map[string]map[*guest]bool{},
	}
	go x.write()
	go x.read()
	params := encoded(map[string]any{"protocolVersion": versions[0], "capabilities": map[string]any{}, "clientInfo": map[string]string{"name": "mcpm-gateway", "version": s.Version}})
	answered := make(chan *message, 1)
	err = x.ask(asking{hello: answered}, "initialize", params)
	if err == nil {
		select {
		case m := <-answered:
			if m == nil {
				err = errEnded
			} else if x.hello = m.Result; len(m.Error) > 0 {
				err = fmt.Errorf("it refuses to begin: %s", m.Error)
			}
		case <-ctx.Done():
			err = errors.New("it does not answer initialize in time")
		}
	}
	if err == nil {
		err = x.send(&message{Method: "notifications/initialized"})
	}
	if err != nil {
		x.end()
		return nil, err
	}
	return x, nil
}

// join lets a session in; nil when the server has ended.
func (x *sharing) join() *gateway.Conn {
	g := &guest{at: x, lines: make(chan []byte, maxQueued), gone: make(chan struct{})}
	x.mu.Lock()
	if x.ended {
		x.mu.Unlock()
		return nil
	}
	x.guests[g] = true
	x.mu.Unlock()
	fromSession, in := io.Pipe()
	out, toSession := io.Pipe()
	go g.hear(fromSession)
	go g.tell(toSession)
	return gateway.NewConn(in, out, func() {
		_ = in.Close()
		x.leave(g)
		_ = out.Close()
		select {
		case <-x.gone:
			<-x.stopped
		default: // others use it
		}
	})
}

// leave forgets a session. The server is told of what it need not answer any more, and ends with the last one.
func (x *sharing) leave(g *guest) {
	g.over.Do(func() { close(g.gone) })
	x.mu.Lock()
	there := x.guests[g]
	delete(x.guests, g)
	var ids []int64
	for id, a := range x.pending {
		if a.guest == g {
			ids = append(ids, id)
			delete(x.pending, id)
		}
	}
	var unwatched []string
	for uri, by := range x.watched {
		if delete(by, g); len(by) == 0 {
			unwatched = append(unwatched, uri)
			delete(x.watched, uri)
		}
	}
	last := len(x.guests) == 0
	x.mu.Unlock()
	if !there {
		return
	}
	if last {
		x.end()
		return
	}
	for _, id := range ids {
		_ = x.send(&message{Method: "notifications/cancelled", Params: encoded(map[string]any{"requestId": id})})
	}
	for _, uri := range unwatched {
		_ = x.ask(asking{}, "resources/unsubscribe", encoded(map[string]string{"uri": uri}))
	}
}

// ask sends a request under a number of its own, which is the token of its progress too.
func (x *sharing) ask(a asking, method string, params json.RawMessage) error {
	x.mu.Lock()
	if x.ended {
		x.mu.Unlock()
		return errEnded
	}
	x.next++
	id := x.next
	x.pending[id] = a
	x.mu.Unlock()
	if a.token != nil {
		var p, meta map[string]json.RawMessage
		_ = json.Unmarshal(params, &p) // it was just read
		_ = json.Unmarshal(p["_meta"], &meta)
		meta["progressToken"] = encoded(id)
		p["_meta"] = encoded(meta)
		params = encoded(p)
	}
	err := x.send(&message{ID: json.RawMessage(strconv.FormatInt(id, 10)), Method: method, Params: params})
	if err != nil {
		x.mu.Lock()
		delete(x.pending, id)
		x.mu.Unlock()
	}
	return err
}

func (x *sharing) send(m *message) error {
	select {
	case <-x.gone:
		return errEnded
	default:
	}
	select {
	case x.out <- m.line():
		return nil
	default:
		return errors.New("it does not read what it is sent")
	}
}

func (x *sharing) write() {
	for {
		select {
		case line := <-x.out:
			if _, err := x.conn.In.Write(append(line, '\n')); err != nil {
				return // its end is noticed where it is read
			}
		case <-x.gone:
			return
		}
	}
}

// read hands on what the server says, until it ends.
func (x *sharing) read() {
	br := bufio.NewReaderSize(x.conn.Out, 64<<10)
	for {
		line, err := readLine(br)
		if err != nil {
			break
		}
		m, err := decode(line)
		switch {
		case err != nil: // it prints beside the protocol
		case m.response():
			x.answered(m)
		case m.notification():
			x.noticed(m)
		case m.Method == "ping":
			_ = x.send(&message{ID: m.ID, Result: json.RawMessage("{}")})
		default:
			_ = x.send(&message{ID: m.ID, Error: encoded(failed(methodNotFound, "a server that is shared cannot ask for %s", m.Method))})
		}
	}
	x.end()
}

func (x *sharing) answered(m *message) {
	id, err := strconv.ParseInt(string(m.ID), 10, 64)
	if err != nil {
		return
	}
	x.mu.Lock()
	a, open := x.pending[id]
	delete(x.pending, id)
	x.mu.Unlock()
	switch {
	case !open:
	case a.hello != nil:
		a.hello <- m
	case a.guest != nil:
		m.ID = a.id
		a.guest.put(m)
	}
}

// noticed tells progress to who asked for it, changes of a resource to who wanted to know, and all else to everybody.
func (x *sharing) noticed(m *message) {
	var p struct {
		Token json.RawMessage `json:"progressToken"`
		URI   string          `json:"uri"`
	}
	_ = json.Unmarshal(m.Params, &p) // what has neither goes to everybody
	var to []*guest
	x.mu.Lock()
	switch m.Method {
	case "notifications/progress":
		id, _ := strconv.ParseInt(string(p.Token), 10, 64)
		if a := x.pending[id]; a.guest != nil && a.token != nil {
			if params, err := withField(m.Params, "progressToken", a.token); err == nil {
				m.Params, to = params, []*guest{a.guest}
			}
		}
	case "notifications/resources/updated":
		for g := range x.watched[p.URI] {
			to = append(to, g)
		}
	default:
		for g := range x.guests {
			to = append(to, g)
		}
	}
	x.mu.Unlock()
	for _, g := range to {
		g.put(m)
	}
}

// end ends the server and everybody's connection to it.
func (x *sharing) end() {
	x.over.Do(func() {
		x.mu.Lock()
		x.ended = true
		guests, pending := x.guests, x.pending
		x.guests, x.pending = map[*guest]bool{}, map[int64]asking{}
		close(x.gone)
		x.mu.Unlock()
		for _, a := range pending {
			if a.hello != nil {
				a.hello <- nil
			}
		}
		for g := range guests {
			g.over.Do(func() { close(g.gone) })
		}
		go func() { // the one who ends it may be the one who reads
			x.conn.Stop()
			close(x.stopped)
		}()
	})
}
