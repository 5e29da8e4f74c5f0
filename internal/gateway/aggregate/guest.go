package aggregate

import (
	"bufio"
	"encoding/json"
	"io"
	"sync"
)

// guest is a session of a shared server.
type guest struct {
	at    *sharing
	lines chan []byte
	gone  chan struct{}
	over  sync.Once
}

// hear passes on what a session says, until it ends.
func (g *guest) hear(from *io.PipeReader) {
	br := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := readLine(br)
		if err != nil {
			break
		}
		if m, err := decode(line); err == nil {
			g.at.fromGuest(g, m)
		}
	}
	_ = from.CloseWithError(errLeft)
	g.at.leave(g)
}

// tell writes to a session, until it or the server ends.
func (g *guest) tell(to *io.PipeWriter) {
	defer to.Close()
	for {
		select {
		case line := <-g.lines:
			if _, err := to.Write(append(line, '\n')); err != nil {
				return
			}
		case <-g.gone:
			for { // what the server said before it ended
				select {
				case line := <-g.lines:
					if _, err := to.Write(append(line, '\n')); err != nil {
						return
					}
				default:
					return
				}
			}
		}
	}
}

// put queues a message for a session. One that does not read is left behind: its connection ends.
func (g *guest) put(m *message) {
	select {
	case g.lines <- m.line():
	case <-g.gone:
	default:
		go g.at.leave(g)
	}
}

// fromGuest handles what a session says.
func (x *sharing) fromGuest(g *guest, m *message) {
	switch {
	case m.Method == "notifications/cancelled":
		x.cancelled(g, m)
	case !m.request(): // that it begins was said for all, and the server asks nothing
	case m.Method == "initialize":
		g.put(&message{ID: m.ID, Result: x.hello})
	case !x.first(g, m):
		g.put(&message{ID: m.ID, Result: json.RawMessage("{}")})
	default:
		a := asking{guest: g, id: m.ID}
		params := m.Params
		var of struct {
			Meta map[string]json.RawMessage `json:"_meta"`
		}
		if json.Unmarshal(params, &of) == nil {
			a.token = of.Meta["progressToken"]
		}
		if err := x.ask(a, m.Method, params); err != nil {
			g.put(&message{ID: m.ID, Error: encoded(failed(internalError, "%v", err))})
		}
	}
}

// first keeps who is told of a resource, and reports whether the server has to know.
func (x *sharing) first(g *guest, m *message) bool {
	if m.Method != "resources/subscribe" && m.Method != "resources/unsubscribe" {
		return true
	}
	var p struct {
		URI string `json:"uri"`
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return true // the server says what is wrong with it
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	by := x.watched[p.URI]
	if m.Method == "resources/unsubscribe" {
		if delete(by, g); len(by) > 0 {
			return false
		}
		delete(x.watched, p.URI)
		return true
	}
	if by == nil {
		by = map[*guest]bool{}
		x.watched[p.URI] = by
	}
	by[g] = true
	return len(by) == 1
}

// cancelled passes on that a session does not wait any more, under the number that the server knows.
func (x *sharing) cancelled(g *guest, m *message) {
	var p struct {
		ID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return
	}
	x.mu.Lock()
	found := int64(0)
	for id, a := range x.pending {
		if a.guest == g && string(a.id) == string(p.ID) {
			found = id
			delete(x.pending, id)
		}
	}
	x.mu.Unlock()
	if params, err := withField(m.Params, "requestId", found); err == nil && found > 0 {
		_ = x.send(&message{Method: m.Method, Params: params})
	}
}
