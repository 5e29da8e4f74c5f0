package search

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/mcphub/mcphub/internal/hub"
)

// Suggestion is something that begins as the text does.
type Suggestion struct {
	Kind  string // server, tool, resource or prompt
	Value string // name
	Title string // of a server
	Count int    // servers that declare the capability
}

const (
	maxSuggestServers = 6
	maxSuggestTools   = 4
)

// Suggest returns what a text that is being typed may become, best first: the beginning of a name, of a title, of a scope
// or of the publisher's part of one, and after a scope and a slash the servers in it. A text with filters in it suggests
// nothing.
func (s *Service) Suggest(ctx context.Context, text string) ([]Suggestion, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "@")
	if strings.Contains(text, ":") || !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return nil, nil
	}
	res, err := s.index.Search(ctx, typed(text))
	if err != nil {
		return nil, err
	}
	servers, err := s.byID(ctx, idsOf(res.Hits))
	if err != nil {
		return nil, err
	}
	var out []Suggestion
	for _, h := range res.Hits {
		if srv := servers[h.ID]; srv != nil {
			out = append(out, Suggestion{Kind: "server", Value: srv.Name.String(), Title: srv.Title})
		}
	}
	tools, err := s.store.CountCapabilities(ctx, hub.CapabilityQuery{Prefix: strings.ReplaceAll(text, " ", "_"), Limit: 50})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tools, func(a, b hub.CapabilityCount) int { return b.Servers - a.Servers })
	for _, c := range tools[:min(len(tools), maxSuggestTools)] {
		out = append(out, Suggestion{Kind: string(c.Type), Value: c.Name, Count: c.Servers})
	}
	return out, nil
}

// relatedMore is how many near servers are looked at beside those that are told: the server itself, and some, as an
// embedded index compares more closely the more are asked for.
const relatedMore = 10

// typed is the question for a text that is being typed. Of the beginning of a reverse domain, such as io.github.ac, its
// last part is looked for.
func typed(text string) hub.SearchQuery {
	q := hub.SearchQuery{Text: text, Typing: true, Limit: maxSuggestServers}
	if scope, base, ok := strings.Cut(text, "/"); ok {
		q.Text, q.Filter = base, hub.Labels{hub.FacetPublisher: {scope}}
		return q
	}
	if i := strings.LastIndexByte(text, '.'); i >= 0 && i+1 < len(text) && !strings.Contains(text, " ") {
		q.Text = text[i+1:]
	}
	return q
}

// Related returns servers that are for the like, best first, at most limit; fewer when nothing is near.
func (s *Service) Related(ctx context.Context, srv *hub.Server, limit int) ([]*hub.Server, error) {
	text := about(Document(srv, new(hub.Version))) // which is of the server alone
	near, err := s.near(ctx, question{text: text, limit: limit + relatedMore})
	if err != nil {
		return nil, err
	}
	if len(near) == 0 {
		res, err := s.index.Search(ctx, hub.SearchQuery{Text: text, Limit: limit + 1})
		if err != nil {
			return nil, err
		}
		near = res.Hits
	}
	near = slices.DeleteFunc(near, func(h hub.Hit) bool { return h.ID == srv.ID })
	near = near[:min(len(near), limit)]
	servers, err := s.byID(ctx, idsOf(near))
	if err != nil {
		return nil, err
	}
	var out []*hub.Server
	for _, h := range near {
		if other := servers[h.ID]; other != nil {
			out = append(out, other)
		}
	}
	return out, nil
}

// Like returns a few servers whose names or words are like ref, for somebody who asked for one that is not there.
func (s *Service) Like(ctx context.Context, ref string, limit int) ([]*hub.Server, error) {
	var out []*hub.Server
	for _, text := range []string{hub.Name(ref).Base(), ref} {
		page, err := s.Find(ctx, Query{Text: spoken(strings.TrimPrefix(text, "@")), Limit: limit})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Results {
			if len(out) < limit && !slices.ContainsFunc(out, func(o *hub.Server) bool { return o.ID == r.Server.ID }) {
				out = append(out, r.Server)
			}
		}
	}
	return out, nil
}
