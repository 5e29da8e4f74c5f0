package aggregate

import (
	"sync"
	"time"
)

// client is a session over HTTP.
type client struct {
	id      string
	session *session

	mu        sync.Mutex
	streams   map[string]*stream // by the id of the request
	loose     *stream
	listening bool
	used      time.Time
}

// write puts a message on the stream of its request, else on the one of the session.
func (c *client) write(o out) {
	c.mu.Lock()
	st := c.streams[string(o.related)]
	if st == nil && (o.last || len(o.line) == 0) {
		c.mu.Unlock()
		return // nobody waits for it any more
	}
	if st == nil {
		st = c.loose
	}
	c.mu.Unlock()
	st.put(o)
}

func (c *client) drop(key string, st *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[key] == st {
		delete(c.streams, key)
	}
	c.used = time.Now()
}

func (c *client) touch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = time.Now()
}

func (c *client) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.listening && len(c.streams) == 0 && time.Since(c.used) > sessionIdle
}

func (c *client) close() { c.session.close() }

// stream is a queue of messages for one reader.
type stream struct {
	ready chan struct{} // has one value when something may be there

	mu      sync.Mutex
	waiting []out
}

func newStream() *stream { return &stream{ready: make(chan struct{}, 1)} }

// put adds a message. The oldest is lost when too many wait.
func (s *stream) put(o out) {
	s.mu.Lock()
	s.waiting = append(s.waiting, o)
	if len(s.waiting) > maxWaiting {
		s.waiting = s.waiting[1:]
	}
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *stream) take() (out, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return out{}, false
	}
	o := s.waiting[0]
	s.waiting = s.waiting[1:]
	if len(s.waiting) > 0 {
		s.signal()
	}
	return o, true
}
