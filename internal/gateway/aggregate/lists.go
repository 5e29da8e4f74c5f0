package aggregate

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
)

// kind is a list that servers have.
type kind struct {
	method, field, key, capability string
}

var kinds = map[string]kind{
	"tools/list":               {"tools/list", "tools", "name", "tools"},
	"prompts/list":             {"prompts/list", "prompts", "name", "prompts"},
	"resources/list":           {"resources/list", "resources", "uri", "resources"},
	"resources/templates/list": {"resources/templates/list", "resourceTemplates", "uriTemplate", "resources"},
}

const (
	startsAtOnce = 8    // servers
	maxItems     = 5000 // of one server in one list
	maxPages     = 200
)

// list answers with what all servers have, in the order of the servers, on one page. A server that fails is left out.
func (s *session) list(ctx context.Context, m *message) (any, error) {
	k := kinds[m.Method]
	var asked struct {
		Cursor string `json:"cursor"`
	}
	if len(m.Params) > 0 {
		if err := json.Unmarshal(m.Params, &asked); err != nil {
			return nil, failed(invalidParams, "%v", err)
		}
	}
	if asked.Cursor != "" {
		return nil, failed(invalidParams, "there is no page %q: everything is on the first", asked.Cursor)
	}
	items := s.merge(ctx, k)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return map[string]any{k.field: items}, nil
}

// merge lists all servers and notes what each name stands for.
func (s *session) merge(ctx context.Context, k kind) []json.RawMessage {
	all := s.all()
	lists := make([][]json.RawMessage, len(all))
	var wg sync.WaitGroup
	room := make(chan struct{}, startsAtOnce)
	for i, b := range all {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			var err error
			if lists[i], err = b.list(ctx, k); err != nil && ctx.Err() == nil {
				s.trouble(b, err)
			}
		})
	}
	wg.Wait()
	items := []json.RawMessage{}
	known := map[string]target{}
	for i, b := range all {
		for _, item := range lists[i] {
			var named map[string]json.RawMessage
			var name string
			if json.Unmarshal(item, &named) != nil || json.Unmarshal(named[k.key], &name) != nil {
				continue
			}
			here := b.called(k, name, known)
			if _, taken := known[here]; taken {
				continue // a server with one name twice
			}
			known[here] = target{b, name}
			if here != name {
				named[k.key] = encoded(here)
				item = encoded(named)
			}
			items = append(items, item)
		}
	}
	s.mu.Lock()
	switch k.method {
	case "tools/list":
		s.names[0] = known
	case "prompts/list":
		s.names[1] = known
	case "resources/list":
		s.uris = known
	}
	s.mu.Unlock()
	return items
}

// called is what a thing of a server is called here. Addresses of resources stay as they are, unless another server has the
// same.
func (b *backend) called(k kind, name string, known map[string]target) string {
	if k.key == "name" {
		return exposed(b.member.Prefix, name)
	}
	if other, taken := known[name]; taken && other.backend != b {
		return scheme + b.member.Prefix + ":" + name
	}
	return name
}

// scheme begins the address of a resource that two servers have: "mcpm:PREFIX:ADDRESS".
const scheme = "mcpm:"

// list asks the server for one of its lists, unless it is known.
func (b *backend) list(ctx context.Context, k kind) ([]json.RawMessage, error) {
	b.mu.Lock()
	known, ok := b.lists[k.method]
	changes := b.changes
	b.mu.Unlock()
	if ok {
		return known, nil
	}
	r, err := b.need(ctx)
	if err != nil {
		return nil, err
	}
	items := []json.RawMessage{}
	if b.can(k.capability) {
		ctx, cancel := context.WithTimeout(ctx, listTime)
		defer cancel()
		if items, err = r.pages(ctx, k); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changes != changes {
		return items, nil // they are others already
	}
	if b.lists == nil {
		b.lists = map[string][]json.RawMessage{}
	}
	b.lists[k.method] = items
	return items, nil
}

// pages asks for one page after the other.
func (r *running) pages(ctx context.Context, k kind) ([]json.RawMessage, error) {
	items := []json.RawMessage{}
	cursor := json.RawMessage(`{}`)
	for range maxPages {
		m, err := r.ask(ctx, k.method, cursor)
		if err != nil {
			return nil, err
		}
		var e rpcError
		if len(m.Error) > 0 {
			if json.Unmarshal(m.Error, &e) == nil && e.Code == methodNotFound {
				return items, nil // one that has resources need not have templates
			}
			return nil, fmt.Errorf("%s: %s", k.method, m.Error)
		}
		var page map[string]json.RawMessage
		var part []json.RawMessage
		if err := json.Unmarshal(m.Result, &page); err != nil {
			return nil, fmt.Errorf("%s: %w", k.method, err)
		}
		if raw := page[k.field]; len(raw) > 0 {
			if err := json.Unmarshal(raw, &part); err != nil {
				return nil, fmt.Errorf("%s: %w", k.method, err)
			}
		}
		if items = append(items, part...); len(items) > maxItems {
			return nil, fmt.Errorf("%s: more than %d", k.method, maxItems)
		}
		var next string
		if raw := page["nextCursor"]; len(raw) == 0 || json.Unmarshal(raw, &next) != nil || next == "" {
			return items, nil
		}
		cursor = encoded(map[string]string{"cursor": next})
	}
	return nil, fmt.Errorf("%s: more than %d pages", k.method, maxPages)
}

// trouble tells the client and the person of a server that is left out.
func (s *session) trouble(b *backend, err error) {
	s.g.say("%s is left out: %v", b.member.Name, err)
	s.write(out{line: (&message{Method: "notifications/message", Params: encoded(map[string]any{
		"level": "error", "logger": "mcpm", "data": b.member.Name + " is left out: " + err.Error(),
	})}).line()})
}
