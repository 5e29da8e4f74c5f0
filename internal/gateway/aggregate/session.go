package aggregate

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// versions of MCP that are spoken with clients, newest first. What differs between them is passed on unread.
var versions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// out is a message for the client.
type out struct {
	line    []byte
	related json.RawMessage // the request of the client it belongs to; nil for none
	last    bool            // it answers that request
}

// session is one client with servers of its own.
type session struct {
	g      *Gateway
	ctx    context.Context
	cancel context.CancelFunc
	write  func(out)

	mu        sync.Mutex
	hello     json.RawMessage // params of the client's initialize
	version   string
	level     json.RawMessage // params of its logging/setLevel
	order     []*backend
	backends  map[string]*backend  // by the name of the member
	calls     map[string]*underway // by the id of the client's request
	answering int                  // answers that are being written
	asked     map[string]*question // by our id
	next      int
	names     [2]map[string]target // tools and prompts as they were last listed
	uris      map[string]target    // and resources
}

// underway is a request of the client that is passed to a server.
type underway struct {
	backend *backend
	run     *running
	id      int64
	cancel  context.CancelFunc
}

// target is what a name of ours stands for.
type target struct {
	backend *backend
	name    string
}

// handle takes one message of the client. It does not wait for servers.
func (s *session) handle(m *message) {
	switch {
	case m.response():
		s.fromClient(m)
	case m.notification():
		s.noticed(m)
	default:
		key := string(m.ID)
		u := &underway{}
		var ctx context.Context
		s.mu.Lock()
		_, again := s.calls[key]
		if !again {
			ctx, u.cancel = context.WithCancel(s.ctx)
			s.calls[key] = u
		}
		s.mu.Unlock()
		if again {
			e := failed(invalidRequest, "a request with the id %s is not answered yet", key)
			s.write(out{line: (&message{ID: m.ID, Error: encoded(e)}).line()})
			return
		}
		go s.request(ctx, m)
	}
}

// request answers a request of the client.
func (s *session) request(ctx context.Context, m *message) {
	var result any
	var err error
	switch m.Method {
	case "initialize":
		result, err = s.initialize(m)
	case "ping":
		result = map[string]any{}
	case "tools/list", "prompts/list", "resources/list", "resources/templates/list":
		result, err = s.list(ctx, m)
	case "tools/call", "prompts/get", "resources/read", "completion/complete", "resources/subscribe", "resources/unsubscribe":
		if err = s.forward(ctx, m); err == nil {
			return // its answer comes from the server
		}
	case "logging/setLevel":
		result, err = s.setLevel(m)
	default:
		err = failed(methodNotFound, "the gateway has no method %q", m.Method)
	}
	if err != nil {
		s.refuse(m, err)
		return
	}
	s.reply(m.ID, &message{Result: encoded(result)})
}

// reply answers a request of the client, once.
func (s *session) reply(id json.RawMessage, m *message) {
	s.mu.Lock()
	c, open := s.calls[string(id)]
	delete(s.calls, string(id))
	if open {
		s.answering++ // until it is written: settle waits for it
	}
	s.mu.Unlock()
	if !open {
		return // it was cancelled
	}
	c.cancel()
	m.ID = id
	s.write(out{line: m.line(), related: id, last: true})
	s.mu.Lock()
	s.answering--
	s.mu.Unlock()
}

func (s *session) refuse(m *message, err error) {
	e, ok := err.(*rpcError)
	if !ok {
		e = failed(internalError, "%v", err)
	}
	s.reply(m.ID, &message{Error: encoded(e)})
}

func (s *session) initialize(m *message) (any, error) {
	var asked struct {
		Version string `json:"protocolVersion"`
	}
	if err := json.Unmarshal(m.Params, &asked); err != nil || asked.Version == "" {
		return nil, failed(invalidParams, "initialize needs a protocolVersion")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hello, s.version = m.Params, asked.Version
	if !slices.Contains(versions, s.version) {
		s.version = versions[0]
	}
	changes := map[string]bool{"listChanged": true}
	return map[string]any{
		"protocolVersion": s.version,
		"serverInfo":      map[string]string{"name": "mcpm-gateway", "title": "mcpm gateway", "version": s.g.Version},
		"capabilities": map[string]any{
			"tools": changes, "prompts": changes, "resources": map[string]bool{"listChanged": true, "subscribe": true},
			"logging": map[string]any{}, "completions": map[string]any{},
		},
	}, nil
}

// greeting is how servers are greeted: as the client greeted us, in the version that was agreed.
func (s *session) greeting() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	hello := s.hello
	if hello == nil {
		hello = encoded(map[string]any{"capabilities": map[string]any{}, "clientInfo": map[string]string{"name": "mcpm-gateway", "version": s.g.Version}})
	}
	version := s.version
	if version == "" {
		version = versions[0]
	}
	params, err := withField(hello, "protocolVersion", version)
	if err != nil {
		return hello
	}
	return params
}

func (s *session) logLevel() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.level
}

func (s *session) setLevel(m *message) (any, error) {
	s.mu.Lock()
	s.level = m.Params
	s.mu.Unlock()
	s.each(func(b *backend, r *running) {
		if b.can("logging") {
			_, _ = r.begin("logging/setLevel", m.Params, &call{answer: func(*message) {}}) // one that refuses says more than was asked for
		}
	})
	return map[string]any{}, nil
}

// each runs fn for the servers that run.
func (s *session) each(fn func(*backend, *running)) {
	for _, b := range s.all() {
		b.mu.Lock()
		r := b.run
		b.mu.Unlock()
		if r != nil && !r.over() {
			fn(b, r)
		}
	}
}

func (s *session) all() []*backend {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// can reports whether the server said that it has a capability when it last started.
func (b *backend) can(capability string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.has[capability] != nil
}

// reload takes members that are new or not the same any more in the place of those that were.
func (s *session) reload(members []Member) {
	var gone []*backend
	changed := false
	s.mu.Lock()
	was := s.backends
	s.backends, s.order = make(map[string]*backend, len(members)), nil
	for _, m := range members {
		b := was[m.Name]
		if b == nil || b.member.Stamp != m.Stamp || b.member.Prefix != m.Prefix {
			b, changed = &backend{member: m, sess: s, watched: map[string]bool{}}, true
		} else {
			delete(was, m.Name)
		}
		s.backends[m.Name] = b
		s.order = append(s.order, b)
	}
	for _, b := range was {
		gone, changed = append(gone, b), true
	}
	begun := s.hello != nil
	s.mu.Unlock()
	for _, b := range gone {
		go b.halt()
	}
	if changed && begun {
		for _, kind := range []string{"tools", "prompts", "resources"} {
			s.write(out{line: (&message{Method: "notifications/" + kind + "/list_changed"}).line()})
		}
	}
}

// halt ends the server when it runs.
func (b *backend) halt() {
	b.starting.Lock()
	defer b.starting.Unlock()
	b.mu.Lock()
	r := b.run
	b.run = nil
	b.mu.Unlock()
	if r != nil {
		r.stop()
	}
}

// rest ends servers that nobody uses. What they listed is kept.
func (s *session) rest(after time.Duration) {
	tick := time.NewTicker(max(after/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		s.each(func(b *backend, r *running) {
			b.mu.Lock()
			watched := len(b.watched) > 0
			b.mu.Unlock()
			if !watched && r.idle(after) {
				b.halt()
			}
		})
	}
}

// close ends the session and its servers, those that are still starting too.
func (s *session) close() {
	s.g.forget(s)
	s.cancel()
	var wg sync.WaitGroup
	for _, b := range s.all() {
		wg.Go(b.halt)
	}
	wg.Wait()
}
