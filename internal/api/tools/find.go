package tools

import (
	"context"
	"errors"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

func asHub(err error, e **hub.Error) bool { return errors.As(err, e) }

type searchIn struct {
	Query string `json:"query" jsonschema:"what the server is for, such as 'read my calendar', with filters if wanted"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many servers, 1 to 20; 10 when left out"`
}

type searchOut struct {
	Servers []found `json:"servers"`
	Total   int64   `json:"total"`
	Read    string  `json:"read,omitempty" jsonschema:"what was looked for when the words were corrected"`
	Notice  string  `json:"notice,omitempty"`
}

type found struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Version     string   `json:"version"`
	Description string   `json:"description,omitempty"`
	Tools       int      `json:"tools,omitempty"`
	Runs        []string `json:"runs,omitempty" jsonschema:"package types, or remote"`
	Score       int      `json:"documented" jsonschema:"how much its publisher tells of it, percent"`
	Installs    int64    `json:"installs,omitempty"`
	Why         []string `json:"why,omitempty" jsonschema:"what matches"`
	Deprecated  bool     `json:"deprecated,omitempty"`
	Page        string   `json:"page"`
}

const (
	maxFound   = 20
	usualFound = 10
	maxQuery   = 500 // characters
)

func (t *tools) search(ctx context.Context, in searchIn) (searchOut, error) {
	if in.Limit == 0 {
		in.Limit = usualFound
	}
	switch {
	case strings.TrimSpace(in.Query) == "":
		return searchOut{}, hub.Errorf(hub.Invalid, "query is empty").WithHint("say what the server is for")
	case len(in.Query) > maxQuery:
		return searchOut{}, hub.Errorf(hub.Invalid, "query has %d characters; at most %d are read", len(in.Query), maxQuery)
	case in.Limit < 1 || in.Limit > maxFound:
		return searchOut{}, hub.Errorf(hub.Invalid, "limit is %d; it is 1 to %d", in.Limit, maxFound)
	}
	p, err := t.Search.Find(ctx, search.Query{Text: in.Query, Limit: in.Limit})
	if err != nil {
		return searchOut{}, err
	}
	out := searchOut{Servers: []found{}, Total: p.Total, Read: p.Corrected, Notice: p.Notice}
	for _, r := range p.Results {
		f := t.found(r.Server)
		for _, why := range r.Why {
			f.Why = append(f.Why, strings.TrimSuffix(why.Field+" "+why.Value, " "))
		}
		out.Servers = append(out.Servers, f)
	}
	return out, nil
}

func (t *tools) found(s *hub.Server) found {
	return found{
		Name: s.Name.String(), Title: s.Title, Version: s.Latest.Version, Description: short(s.Description), Tools: s.Latest.Tools,
		Runs: s.Latest.PackageTypes, Score: s.Score, Installs: s.Installs, Deprecated: s.Latest.State == hub.Deprecated, Page: t.page(s.Name),
	}
}

func (t *tools) page(n hub.Name) string { return t.BaseURL + "/servers/" + n.String() }

const maxText = 600 // bytes of a description in an answer

// short cuts a text at a character.
func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + " ..."
}
