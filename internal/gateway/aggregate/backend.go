package aggregate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
)

const (
	maxQueued  = 1024             // messages that wait to be read by a server
	startTime  = time.Minute      // a server may take to start and answer
	listTime   = 30 * time.Second // and to list what it offers
	firstPause = time.Second      // before a server that failed is started again; then twice as long
	lastPause  = time.Minute
)

// backend is one server as one client's session has it.
type backend struct {
	member Member
	sess   *session

	starting sync.Mutex // held while it is started or stopped

	mu      sync.Mutex
	run     *running
	has     map[string]json.RawMessage // capabilities it told when it last started
	lists   map[string][]json.RawMessage
	changes int             // of its lists, as it told
	watched map[string]bool // resources the client is told the changes of
	failure error
	retryAt time.Time
	pause   time.Duration
}

// running is a server between its start and its end.
type running struct {
	conn *gateway.Conn
	out  chan []byte
	gone chan struct{} // closed at its end

	mu       sync.Mutex
	next     int64
	pending  map[int64]*call
	ended    bool
	lastUsed time.Time
}

// call is a request to a server that has no answer yet.
type call struct {
	id     int64
	client json.RawMessage // the request of the client it is made for, nil for one of our own
	token  json.RawMessage // of its progress
	answer func(*message)
}

var errEnded = errors.New("it ended")

// need returns the server, started when it is not running. After a failure it is left alone for a while.
func (b *backend) need(ctx context.Context) (*running, error) {
	b.starting.Lock()
	defer b.starting.Unlock()
	if err := b.sess.ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	r, failure, wait := b.run, b.failure, time.Until(b.retryAt)
	b.mu.Unlock()
	if r != nil && !r.over() {
		return r, nil
	}
	if failure != nil && wait > 0 {
		return nil, failure
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	r, has, err := b.start(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		err = b.whole(err)
		b.run, b.failure = nil, err
		b.pause = min(max(2*b.pause, firstPause), lastPause)
		b.retryAt = time.Now().Add(b.pause)
		b.sess.g.say("%s: %v", b.member.Name, err)
		return nil, err
	}
	b.run, b.has, b.failure, b.pause = r, has, nil, 0
	return r, nil
}

// whole is an error with what to do about it, which a client would not be told otherwise, and without the name of the server,
// which is put in front of it.
func (b *backend) whole(err error) error {
	text := err.Error()
	if rest, ok := strings.CutPrefix(text, b.member.Name+": "); ok {
		text = rest
	} else if rest, ok := strings.CutPrefix(text, b.member.Name+" "); ok {
		text = "it " + rest
	}
	if he := (*hub.Error)(nil); errors.As(err, &he) && he.Hint != "" {
		text += "; " + strings.Join(strings.Fields(he.Hint), " ")
	}
	return &reason{text, err}
}

// reason is an error in other words.
type reason struct {
	text string
	error
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.error }

func (b *backend) start(ctx context.Context) (*running, map[string]json.RawMessage, error) {
	conn, err := b.member.Open(b.sess.ctx)
	if err != nil {
		return nil, nil, err
	}
	r := &running{conn: conn, out: make(chan []byte, maxQueued), gone: make(chan struct{}), pending: map[int64]*call{}, lastUsed: time.Now()}
	go r.write()
	go b.read(r)
	answer, err := r.ask(ctx, "initialize", b.sess.greeting())
	var told struct {
		Capabilities map[string]json.RawMessage `json:"capabilities"`
	}
	if err == nil && len(answer.Error) > 0 {
		err = errors.New("it refuses to begin: " + string(answer.Error))
	}
	if err == nil {
		err = json.Unmarshal(answer.Result, &told)
	}
	if err == nil {
		err = r.send(&message{Method: "notifications/initialized"})
	}
	if err != nil {
		r.stop()
		return nil, nil, err
	}
	if level := b.sess.logLevel(); level != nil && told.Capabilities["logging"] != nil {
		_, _ = r.begin("logging/setLevel", level, &call{answer: func(*message) {}})
	}
	return r, told.Capabilities, nil
}

// read hands on what the server says, until it ends.
func (b *backend) read(r *running) {
	br := bufio.NewReaderSize(r.conn.Out, 64<<10)
	for {
		line, err := readLine(br)
		if err != nil {
			break
		}
		m, err := decode(line)
		if err != nil {
			continue // a server that prints beside the protocol is no reason to end
		}
		r.touch()
		if m.response() {
			r.answered(m)
		} else if b.sess.fromServer(b, r, m) != nil {
			break
		}
	}
	r.end()
	r.stop()
	b.sess.lost(b)
}

// write passes messages to the server in their order.
func (r *running) write() {
	for {
		select {
		case line := <-r.out:
			if _, err := r.conn.In.Write(append(line, '\n')); err != nil {
				return // its end is noticed where it is read
			}
		case <-r.gone:
			return
		}
	}
}

// send queues a message. A server that reads nothing is not waited for.
func (r *running) send(m *message) error {
	r.touch()
	select {
	case <-r.gone:
		return errEnded
	default:
	}
	select {
	case r.out <- m.line():
		return nil
	default:
		return errors.New("it does not read what it is sent")
	}
}

// begin sends a request; c.answer is called once, also when the server ends first.
func (r *running) begin(method string, params json.RawMessage, c *call) (int64, error) {
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return 0, errEnded
	}
	r.next++
	c.id = r.next
	r.pending[c.id] = c
	r.mu.Unlock()
	err := r.send(&message{ID: json.RawMessage(strconv.FormatInt(c.id, 10)), Method: method, Params: params})
	if err != nil && r.forget(c.id) == nil {
		return c.id, nil // it was answered meanwhile
	}
	return c.id, err
}

// ask sends a request and waits for its answer.
func (r *running) ask(ctx context.Context, method string, params json.RawMessage) (*message, error) {
	done := make(chan *message, 1)
	id, err := r.begin(method, params, &call{answer: func(m *message) { done <- m }})
	if err != nil {
		return nil, err
	}
	select {
	case m := <-done:
		if m == nil {
			return nil, errEnded
		}
		return m, nil
	case <-ctx.Done():
		r.forget(id)
		return nil, errors.New("it does not answer " + method + " in time")
	}
}

// answered hands an answer to whoever waits for it.
func (r *running) answered(m *message) {
	id, err := strconv.ParseInt(string(m.ID), 10, 64)
	if err != nil {
		return
	}
	if c := r.forget(id); c != nil {
		c.answer(m)
	}
}

// forget takes a request from those that wait; nil when it does not wait any more.
func (r *running) forget(id int64) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.pending[id]
	delete(r.pending, id)
	return c
}

// end answers everything that waits with nil.
func (r *running) end() {
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return
	}
	r.ended = true
	waiting := r.pending
	r.pending = nil
	close(r.gone)
	r.mu.Unlock()
	for _, c := range waiting {
		c.answer(nil)
	}
}

func (r *running) stop() { r.end(); r.conn.Stop() }

func (r *running) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *running) touch() {
	r.mu.Lock()
	r.lastUsed = time.Now()
	r.mu.Unlock()
}

// idle reports whether nothing was said for so long and nothing is waited for.
func (r *running) idle(d time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) == 0 && time.Since(r.lastUsed) > d
}

// latest is the newest request of the client that the server works on, nil when there is none: what a server says without
// naming a request most likely belongs to it.
func (r *running) latest() json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	var newest *call
	for _, c := range r.pending {
		if c.client != nil && (newest == nil || c.id > newest.id) {
			newest = c
		}
	}
	if newest == nil {
		return nil
	}
	return newest.client
}

// ofToken is the request whose progress a token stands for.
func (r *running) ofToken(token json.RawMessage) json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.pending {
		if c.token != nil && string(c.token) == string(token) {
			return c.client
		}
	}
	return nil
}
