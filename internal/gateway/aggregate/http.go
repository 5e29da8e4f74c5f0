package aggregate

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	sessionHeader = "Mcp-Session-Id"
	versionHeader = "Mcp-Protocol-Version"
	maxSessions   = 64
	sessionIdle   = time.Hour        // without a request or an open stream
	keepAlive     = 25 * time.Second // between signs of life on a quiet stream
	writeTime     = 30 * time.Second // a client may take to read one message
	maxWaiting    = 1000             // messages for a client that is not listening
)

// Handler serves clients over streamable HTTP (MCP 2025-11-25, transports), each in a session of its own. Calls need the
// token; pages of browsers are let in only from this machine, and names that others made point here are not answered, so
// that no web site can reach the servers.
type Handler struct {
	Gateway *Gateway
	Token   string // bearer token, required

	ctx      context.Context
	mu       sync.Mutex
	sessions map[string]*client
}

// NewHandler returns a handler whose sessions end with ctx.
func NewHandler(ctx context.Context, g *Gateway, token string) *Handler {
	h := &Handler{Gateway: g, Token: token, ctx: ctx, sessions: map[string]*client{}}
	go h.expire()
	return h
}

// Close ends all sessions and their servers.
func (h *Handler) Close() {
	h.mu.Lock()
	all := h.sessions
	h.sessions = map[string]*client{}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(c.close)
	}
	wg.Wait()
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, text := h.refused(r); status != 0 {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="mcpm"`)
		}
		http.Error(w, text, status)
		return
	}
	switch r.Method {
	case http.MethodPost:
		h.post(w, r)
	case http.MethodGet:
		if c := h.find(w, r); c != nil {
			c.listen(w, r)
		}
	case http.MethodDelete:
		if c := h.find(w, r); c != nil {
			h.mu.Lock()
			delete(h.sessions, c.id)
			h.mu.Unlock()
			c.close()
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, "POST a message, GET a stream, DELETE a session", http.StatusMethodNotAllowed)
	}
}

// refused says why a call is not answered at all.
func (h *Handler) refused(r *http.Request) (status int, text string) {
	if !local(r.Host) {
		return http.StatusForbidden, "this is not the name of a gateway on this machine"
	}
	if o := r.Header.Get("Origin"); o != "" {
		if u, err := url.Parse(o); err != nil || !local(u.Host) {
			return http.StatusForbidden, "pages of other sites are not let in"
		}
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(h.Token)) != 1 {
		return http.StatusUnauthorized, "the bearer token is missing or another one"
	}
	if v := r.Header.Get(versionHeader); v != "" && !slices.Contains(versions, v) {
		return http.StatusBadRequest, "the version " + quotedText(v) + " of MCP is not spoken here"
	}
	return 0, ""
}

func quotedText(s string) string { return string(encoded(s[:min(len(s), 40)])) }

// local reports whether a host, with or without its port, is this machine by address or by the name every machine has.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// find returns the session of a call, and answers when there is none.
func (h *Handler) find(w http.ResponseWriter, r *http.Request) *client {
	id := r.Header.Get(sessionHeader)
	if id == "" {
		http.Error(w, "the header "+sessionHeader+" is missing", http.StatusBadRequest)
		return nil
	}
	h.mu.Lock()
	c := h.sessions[id]
	h.mu.Unlock()
	if c == nil {
		http.Error(w, "there is no such session any more; begin a new one", http.StatusNotFound)
		return nil
	}
	c.touch()
	return c
}

func (h *Handler) post(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			http.Error(w, "the message is too large", http.StatusRequestEntityTooLarge)
		}
		return
	}
	m, err := decode(body)
	if err != nil {
		answerError(w, http.StatusBadRequest, failed(parseError, "%v", err))
		return
	}
	var c *client
	if m.Method == "initialize" && r.Header.Get(sessionHeader) == "" {
		if c = h.begin(); c == nil {
			answerError(w, http.StatusServiceUnavailable, failed(internalError, "there are %d sessions already", maxSessions))
			return
		}
		w.Header().Set(sessionHeader, c.id)
	} else if c = h.find(w, r); c == nil {
		return
	}
	if !m.request() {
		c.session.handle(m)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	c.exchange(w, r, m)
}

func answerError(w http.ResponseWriter, status int, e *rpcError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":null,"error":` + string(encoded(e)) + `}`)) // the client is gone when this fails
}

// begin makes a session, nil when there are too many.
func (h *Handler) begin() *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sessions) >= maxSessions {
		return nil
	}
	c := &client{id: rand.Text(), streams: map[string]*stream{}, loose: newStream(), used: time.Now()}
	c.session = h.Gateway.open(h.ctx, c.write)
	h.sessions[c.id] = c
	return c
}

// expire ends sessions that were left without a word.
func (h *Handler) expire() {
	tick := time.NewTicker(sessionIdle / 12)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		for id, c := range h.sessions {
			if c.left() {
				delete(h.sessions, id)
				go c.close()
			}
		}
		h.mu.Unlock()
	}
}

// exchange answers a request: with JSON when that is all there is to say, else with a stream of events.
func (c *client) exchange(w http.ResponseWriter, r *http.Request, m *message) {
	st := newStream()
	key := string(m.ID)
	c.mu.Lock()
	_, again := c.streams[key]
	if !again {
		c.streams[key] = st
	}
	c.mu.Unlock()
	if again {
		answerError(w, http.StatusBadRequest, failed(invalidRequest, "a request with the id %s is not answered yet", key))
		return
	}
	defer c.drop(key, st)
	c.session.handle(m)
	c.copy(w, r, st, acceptsJSON(r))
}

func acceptsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "application/json") || strings.Contains(accept, "*/*")
}

// listen is the stream for what belongs to no request.
func (c *client) listen(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		http.Error(w, "accept text/event-stream", http.StatusNotAcceptable)
		return
	}
	c.mu.Lock()
	if c.listening {
		c.mu.Unlock()
		http.Error(w, "this session has a stream already", http.StatusConflict)
		return
	}
	c.listening = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.listening = false
		c.mu.Unlock()
	}()
	c.copy(w, r, c.loose, false)
}

// copy writes what comes on a stream until its last message, the end of the session or of the client.
func (c *client) copy(w http.ResponseWriter, r *http.Request, st *stream, json bool) {
	control := http.NewResponseController(w)
	begun := false
	begin := func() {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-store")
		}
	}
	if !json {
		begin()
		_ = control.Flush()
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		var text []byte
		last := false
		select {
		case <-r.Context().Done():
			return
		case <-c.session.ctx.Done():
			return
		case <-alive.C:
			text = []byte(": still here\n\n")
		case <-st.ready:
			o, ok := st.take()
			if !ok {
				continue
			}
			last = o.last
			if last && !begun {
				answerWhole(w, o)
				return
			}
			if len(o.line) > 0 {
				text = slices.Concat([]byte("event: message\ndata: "), o.line, []byte("\n\n"))
			}
		}
		begin()
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // not every writer has one
		if _, err := w.Write(text); err != nil || control.Flush() != nil || last {
			return
		}
	}
}

// answerWhole sends an answer that is all there is to say; a cancelled request has none.
func answerWhole(w http.ResponseWriter, o out) {
	if len(o.line) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(o.line) // the client is gone when this fails
}
