package api

import (
	"context"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/wire"
)

type searchIn struct {
	Filters
	Query      string         `query:"q" doc:"Words and filters. Longer texts are cut." maxLength:"1000" example:"query a postgres database lang:python"`
	Host       string         `query:"host" doc:"Host application, such as cursor or vscode." maxLength:"200"`
	Language   string         `query:"lang" doc:"Programming language." maxLength:"200"`
	Tool       string         `query:"tool" doc:"Name of a tool, exact." maxLength:"200"`
	Permission string         `query:"permission" doc:"What it asks for: network, files, environment, secrets or subprocess." maxLength:"200"`
	Protocol   string         `query:"protocol" doc:"Protocol version the publisher names." maxLength:"200"`
	Sort       hub.SearchSort `query:"sort" enum:",installs,updated,score,name" doc:"Empty: best match first."`
	Facets     string         `query:"facets" doc:"Facets to count, with commas between, or all." maxLength:"300" example:"package,transport,license"`
	Exact      bool           `query:"exact" doc:"Look for the words as they are written, without correcting them."`
	Limit      int            `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor     string         `query:"cursor" doc:"nextCursor of the page before; it carries everything but limit and facets."`
}

// filter is what the parameters beside the text filter by.
func (in *searchIn) filter() hub.Labels {
	out := hub.Labels{}
	for facet, value := range map[hub.Facet]string{hub.FacetPackage: in.Package, hub.FacetTransport: in.Transport, hub.FacetRuntime: in.Runtime,
		hub.FacetLicense: in.License, hub.FacetCategory: in.Category, hub.FacetPublisher: in.Scope, hub.FacetHost: in.Host, hub.FacetLanguage: in.Language,
		hub.FacetTool: in.Tool, hub.FacetPermission: in.Permission, hub.FacetProtocol: in.Protocol} {
		if value != "" {
			out[facet] = []string{search.Value(facet, value)}
		}
	}
	if m := in.mirrored(); m != nil {
		out[hub.FacetOrigin] = []string{map[bool]string{true: "mirrored", false: "here"}[*m]}
	}
	return out
}

// searchCursor is the place in search results, with the query.
type searchCursor struct {
	Offset int            `json:"k"`
	After  string         `json:"a"` // ID of the last result
	Text   string         `json:"q,omitempty"`
	Filter hub.Labels     `json:"f,omitempty"`
	Sort   hub.SearchSort `json:"o,omitempty"`
	Exact  bool           `json:"e,omitempty"`
}

type searchOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         wire.SearchResult
}

func (s *server) search(ctx context.Context, in *searchIn) (*searchOut, error) {
	cur := searchCursor{Text: in.Query, Filter: in.filter(), Sort: in.Sort, Exact: in.Exact}
	if in.Cursor != "" {
		cur = searchCursor{}
		if err := decodeCursor(in.Cursor, &cur); err != nil {
			return nil, err
		}
		if cur.Offset < 0 || cur.Offset > hub.MaxSearch {
			return nil, hub.Errorf(hub.Malformed, "the cursor is not one of this hub's").WithHint("search again")
		}
	}
	facets, err := facetsOf(in.Facets)
	if err != nil {
		return nil, err
	}
	page, err := s.Search.Find(ctx, search.Query{Text: cur.Text, Filter: cur.Filter, Sort: cur.Sort, Limit: in.Limit, Offset: cur.Offset, After: cur.After,
		Facets: facets, Exact: cur.Exact})
	if err != nil {
		return nil, err
	}
	body := wire.SearchResult{Query: page.Text, Corrected: page.Corrected, Total: page.Total, Notice: page.Notice, Servers: make([]wire.SearchHit, len(page.Results))}
	for i, r := range page.Results {
		body.Servers[i] = wire.SearchHit{Server: wire.NewServer(r.Server), Why: reasons(r.Why)}
	}
	for _, f := range hub.Facets {
		if len(page.Filter[f]) > 0 {
			body.Filters = append(body.Filters, wire.Filter{Name: string(f), Values: page.Filter[f]})
		}
		if slices.Contains(facets, f) {
			body.Facets = append(body.Facets, facet(f, page))
		}
	}
	if cur.Offset += len(page.Results); page.Next && len(page.Results) > 0 && cur.Offset < hub.MaxSearch {
		cur.After = page.Results[len(page.Results)-1].Server.ID
		body.NextCursor = encodeCursor(cur)
	}
	out := &searchOut{Body: body}
	if body.Notice != "" {
		out.CacheControl = noStore // it is less than it will be
	}
	return out, nil
}

// facetsOf reads the list of facets to count.
func facetsOf(list string) ([]hub.Facet, error) {
	if list == "all" {
		return hub.Facets, nil
	}
	var out []hub.Facet
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		f, ok := search.FacetNamed(name)
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "there is no facet %q", name).WithHint("facets are %s", search.FacetList())
		}
		out = append(out, f)
	}
	return out, nil
}

func facet(f hub.Facet, page *search.Page) wire.Facet {
	out := wire.Facet{Name: string(f), Values: []wire.FacetValue{}}
	for _, c := range page.Facets[f] {
		out.Values = append(out.Values, wire.FacetValue{Value: c.Value, Count: c.Count, Selected: slices.Contains(page.Filter[f], c.Value)})
	}
	return out
}

func reasons(list []search.Reason) []wire.Reason {
	var out []wire.Reason
	for _, r := range list {
		w := wire.Reason{Field: r.Field, Value: r.Value}
		for _, f := range r.Text {
			w.Text = append(w.Text, wire.Fragment{Text: f.Text, Hit: f.Hit})
		}
		out = append(out, w)
	}
	return out
}

type suggestIn struct {
	Query string `query:"q" doc:"The beginning of a name or of a tool's name." maxLength:"200" example:"postg"`
}

func (s *server) suggest(ctx context.Context, in *suggestIn) (*jsonOut[wire.SuggestResult], error) {
	list, err := s.Search.Suggest(ctx, in.Query)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.SuggestResult]{Body: wire.SuggestResult{Suggestions: make([]wire.Suggestion, len(list))}}
	for i, l := range list {
		out.Body.Suggestions[i] = wire.Suggestion{Kind: l.Kind, Value: l.Value, Title: l.Title, Servers: l.Count}
	}
	return out, nil
}

type relatedIn struct {
	ServerRef
	Limit int `query:"limit" minimum:"1" maximum:"20" default:"6"`
}

func (s *server) related(ctx context.Context, in *relatedIn) (*jsonOut[wire.RelatedResult], error) {
	srv, err := s.Registry.Server(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Search.Related(ctx, srv, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.RelatedResult]{Body: wire.RelatedResult{Servers: make([]wire.Server, len(list))}}
	for i, other := range list {
		out.Body.Servers[i] = wire.NewServer(other)
	}
	return out, nil
}
