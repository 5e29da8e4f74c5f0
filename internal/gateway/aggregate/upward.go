package aggregate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// question is a request of a server that the client has not answered.
type question struct {
	backend *backend
	run     *running
	id      json.RawMessage // as the server has it
	token   json.RawMessage // of its progress
}

// maxQuestions is how many requests of servers may wait for the client at once.
const maxQuestions = 1000

// fromServer takes a request or a notification of a server. An error ends the server.
func (s *session) fromServer(b *backend, r *running, m *message) error {
	switch {
	case m.Method == "ping":
		return r.send(&message{ID: m.ID, Result: json.RawMessage(`{}`)})
	case m.request():
		return s.ask(b, r, m)
	}
	var p struct {
		Token   json.RawMessage `json:"progressToken"`
		Request json.RawMessage `json:"requestId"`
		URI     string          `json:"uri"`
	}
	_ = json.Unmarshal(m.Params, &p) // fields of some; what is not there is empty
	related := r.latest()
	switch m.Method {
	case "notifications/progress":
		if related = r.ofToken(p.Token); related == nil {
			return nil // of a request that was answered
		}
	case "notifications/cancelled":
		return s.takeBack(b, m, p.Request)
	case "notifications/tools/list_changed":
		related = nil
		b.outdated("tools/list")
	case "notifications/prompts/list_changed":
		related = nil
		b.outdated("prompts/list")
	case "notifications/resources/list_changed":
		related = nil
		b.outdated("resources/list", "resources/templates/list")
	case "notifications/resources/updated":
		related = nil
		params, err := withField(m.Params, "uri", s.spelling(b, p.URI))
		if err != nil {
			return nil
		}
		m.Params = params
	}
	s.write(out{line: (&message{Method: m.Method, Params: m.Params}).line(), related: related})
	return nil
}

// spelling is what a resource of a server is called here.
func (s *session) spelling(b *backend, uri string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.uris[uri]; ok && t.backend != b {
		return scheme + b.member.Prefix + ":" + uri
	}
	return uri
}

// outdated forgets lists.
func (b *backend) outdated(methods ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	for _, m := range methods {
		delete(b.lists, m)
	}
}

// ask passes a request of a server to the client.
func (s *session) ask(b *backend, r *running, m *message) error {
	var p struct {
		Meta struct {
			Token json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	}
	_ = json.Unmarshal(m.Params, &p) // most have none
	s.mu.Lock()
	if len(s.asked) >= maxQuestions {
		s.mu.Unlock()
		return errors.New("it asks for too much at once")
	}
	s.next++
	id := "s" + strconv.Itoa(s.next)
	s.asked[string(quoted(id))] = &question{backend: b, run: r, id: m.ID, token: p.Meta.Token}
	s.mu.Unlock()
	s.write(out{line: (&message{ID: quoted(id), Method: m.Method, Params: m.Params}).line(), related: r.latest()})
	return nil
}

// takeBack tells the client that a server does not wait for an answer any more.
func (s *session) takeBack(b *backend, m *message, id json.RawMessage) error {
	s.mu.Lock()
	ours := ""
	for key, q := range s.asked {
		if q.backend == b && bytes.Equal(q.id, id) {
			ours = key
			delete(s.asked, key)
			break
		}
	}
	s.mu.Unlock()
	if ours == "" {
		return nil
	}
	params, err := withField(m.Params, "requestId", json.RawMessage(ours))
	if err != nil {
		return nil
	}
	s.write(out{line: (&message{Method: m.Method, Params: params}).line()})
	return nil
}

// fromClient passes an answer of the client to the server that asked.
func (s *session) fromClient(m *message) {
	s.mu.Lock()
	q := s.asked[string(m.ID)]
	delete(s.asked, string(m.ID))
	s.mu.Unlock()
	if q != nil {
		_ = q.run.send(&message{ID: q.id, Result: m.Result, Error: m.Error}) // one that ended needs no answer
	}
}

// noticed takes a notification of the client.
func (s *session) noticed(m *message) {
	var p struct {
		Token   json.RawMessage `json:"progressToken"`
		Request json.RawMessage `json:"requestId"`
		Reason  string          `json:"reason"`
	}
	_ = json.Unmarshal(m.Params, &p) // fields of some; what is not there is empty
	switch m.Method {
	case "notifications/cancelled":
		s.mu.Lock()
		u := s.calls[string(p.Request)]
		delete(s.calls, string(p.Request))
		if u != nil {
			u.cancel() // before forward looks whether it was
		}
		s.mu.Unlock()
		if u == nil {
			return
		}
		s.write(out{related: p.Request, last: true}) // nothing more comes for it
		if u.run != nil {
			s.withdraw(u.run, u.id, p.Reason)
		}
	case "notifications/progress":
		s.mu.Lock()
		var run *running
		for _, q := range s.asked {
			if q.token != nil && bytes.Equal(q.token, p.Token) {
				run = q.run
			}
		}
		s.mu.Unlock()
		if run != nil {
			_ = run.send(&message{Method: m.Method, Params: m.Params})
		}
	case "notifications/roots/list_changed":
		s.each(func(_ *backend, r *running) { _ = r.send(&message{Method: m.Method, Params: m.Params}) })
	}
}

// lost takes back what an ended server had asked.
func (s *session) lost(b *backend) {
	s.mu.Lock()
	var keys []string
	for key, q := range s.asked {
		if q.backend == b {
			keys = append(keys, key)
			delete(s.asked, key)
		}
	}
	s.mu.Unlock()
	for _, key := range keys {
		s.write(out{line: (&message{Method: "notifications/cancelled", Params: encoded(map[string]any{
			"requestId": json.RawMessage(key), "reason": b.member.Name + " ended",
		})}).line()})
	}
}
