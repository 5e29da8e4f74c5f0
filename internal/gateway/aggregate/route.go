package aggregate

import (
	"context"
	"encoding/json"
	"strings"
)

// forward passes a request to the server it is for. Its answer goes to the client when it comes.
func (s *session) forward(ctx context.Context, m *message) error {
	t, params, err := s.route(ctx, m)
	if err != nil {
		return err
	}
	r, err := t.backend.need(ctx)
	if err != nil {
		return failed(internalError, "%s: %v", t.backend.member.Name, err)
	}
	if m.Method == "resources/subscribe" || m.Method == "resources/unsubscribe" {
		t.backend.watch(t.name, m.Method == "resources/subscribe")
	}
	var meta struct {
		Meta struct {
			Token json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	}
	_ = json.Unmarshal(m.Params, &meta) // without one there is no progress
	id, err := r.begin(m.Method, params, &call{client: m.ID, token: meta.Meta.Token, answer: func(a *message) {
		if a == nil {
			s.refuse(m, failed(internalError, "%s: %v", t.backend.member.Name, errEnded))
			return
		}
		s.reply(m.ID, &message{Result: a.Result, Error: a.Error})
	}})
	if err != nil {
		return failed(internalError, "%s: %v", t.backend.member.Name, err)
	}
	s.mu.Lock()
	u := s.calls[string(m.ID)]
	if u != nil {
		u.backend, u.run, u.id = t.backend, r, id
	}
	s.mu.Unlock()
	if u == nil && ctx.Err() != nil { // cancelled on the way
		s.withdraw(r, id, "")
	}
	return nil
}

// route finds the server of a request, and its params as that server has to see them.
func (s *session) route(ctx context.Context, m *message) (target, json.RawMessage, error) {
	var p struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
		Ref  *struct {
			Type string `json:"type"`
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"ref"`
	}
	if err := json.Unmarshal(m.Params, &p); err != nil {
		return target{}, nil, failed(invalidParams, "%s: %v", m.Method, err)
	}
	switch m.Method {
	case "tools/call":
		return s.named(ctx, 0, "tools/list", m.Params, p.Name)
	case "prompts/get":
		return s.named(ctx, 1, "prompts/list", m.Params, p.Name)
	case "completion/complete":
		return s.completed(ctx, m.Params, p.Ref)
	}
	t, err := s.resource(ctx, p.URI)
	if err != nil {
		return target{}, nil, err
	}
	params := m.Params
	if t.name != p.URI {
		params, err = withField(params, "uri", t.name)
	}
	return t, params, err
}

func (s *session) named(ctx context.Context, list int, method string, params json.RawMessage, name string) (target, json.RawMessage, error) {
	t, ok := s.known(list, name)
	if !ok {
		if t, ok = s.spelled(name); !ok { // most likely one whose name was shortened
			s.merge(ctx, kinds[method])
			t, ok = s.known(list, name)
		}
	}
	if !ok {
		return target{}, nil, failed(invalidParams, "no server here has %q", name)
	}
	params, err := withField(params, "name", t.name)
	if err != nil {
		return target{}, nil, failed(invalidParams, "%v", err)
	}
	return t, params, nil
}

func (s *session) known(list int, name string) (target, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.names[list][name]
	if ok && s.backends[t.backend.member.Name] != t.backend { // it was replaced since
		return target{}, false
	}
	return t, ok
}

// spelled takes a name apart that was not listed yet.
func (s *session) spelled(name string) (target, bool) {
	if b := s.prefixed(""); b != nil {
		return target{b, name}, true
	}
	prefix, rest, ok := strings.Cut(name, between)
	if !ok || len(name) >= maxName {
		return target{}, false
	}
	b := s.prefixed(prefix)
	return target{b, rest}, b != nil
}

func (s *session) prefixed(prefix string) *backend {
	for _, b := range s.all() {
		if b.member.Prefix == prefix {
			return b
		}
	}
	return nil
}

func (s *session) completed(ctx context.Context, params json.RawMessage, ref *struct {
	Type string `json:"type"`
	Name string `json:"name"`
	URI  string `json:"uri"`
}) (target, json.RawMessage, error) {
	if ref == nil {
		return target{}, nil, failed(invalidParams, "completion/complete needs a ref")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(params, &fields); err != nil {
		return target{}, nil, failed(invalidParams, "%v", err)
	}
	var t target
	var err error
	key := "name"
	if ref.Type == "ref/prompt" {
		t, _, err = s.named(ctx, 1, "prompts/list", fields["ref"], ref.Name)
	} else {
		key = "uri"
		t, err = s.resource(ctx, ref.URI)
	}
	if err != nil {
		return target{}, nil, err
	}
	inner, err := withField(fields["ref"], key, t.name)
	if err != nil {
		return target{}, nil, failed(invalidParams, "%v", err)
	}
	fields["ref"] = inner
	return t, encoded(fields), nil
}

// resource finds the server of an address: the one that lists it, else the one whose template it begins like.
func (s *session) resource(ctx context.Context, uri string) (target, error) {
	if prefix, rest, ok := strings.Cut(strings.TrimPrefix(uri, scheme), ":"); ok && strings.HasPrefix(uri, scheme) {
		if b := s.prefixed(prefix); b != nil {
			return target{b, rest}, nil
		}
	}
	s.mu.Lock()
	t, ok := s.uris[uri]
	s.mu.Unlock()
	if ok {
		return t, nil
	}
	s.merge(ctx, kinds["resources/list"])
	s.mu.Lock()
	t, ok = s.uris[uri]
	s.mu.Unlock()
	if ok {
		return t, nil
	}
	best, most := (*backend)(nil), 0
	for _, b := range s.all() {
		templates, err := b.list(ctx, kinds["resources/templates/list"])
		if err != nil {
			continue // it was told when it was listed
		}
		for _, raw := range templates {
			var named struct {
				Template string `json:"uriTemplate"`
			}
			if json.Unmarshal(raw, &named) != nil {
				continue
			}
			if fixed, _, _ := strings.Cut(named.Template, "{"); len(fixed) > most && strings.HasPrefix(uri, fixed) || named.Template == uri {
				best, most = b, max(len(fixed), 1)
			}
		}
	}
	if best == nil {
		return target{}, failed(resourceMissing, "no server here has the resource %q", uri)
	}
	return target{best, uri}, nil
}

func (b *backend) watch(uri string, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if on {
		b.watched[uri] = true
	} else {
		delete(b.watched, uri)
	}
}

// withdraw tells a server that nobody waits for its answer.
func (s *session) withdraw(r *running, id int64, reason string) {
	if r.forget(id) == nil {
		return
	}
	params := map[string]any{"requestId": id}
	if reason != "" {
		params["reason"] = reason
	}
	_ = r.send(&message{Method: "notifications/cancelled", Params: encoded(params)}) // one that ended needs not be told
}
