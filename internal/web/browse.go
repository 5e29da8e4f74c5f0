package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web/ui"
)

type use = registry.Use

type order struct {
	key   hub.Sort
	label string
}

var sorts = []order{{hub.SortScore, "best described"}, {hub.SortInstalls, "most installed"}, {hub.SortUpdated, "recently updated"}, {hub.SortName, "name"}}

// list shows one page of a list from the store. What narrows it leads to a search.
func (s *site) list(r *http.Request, path string, q hub.ServerQuery, v *resultsView) error {
	params := r.URL.Query()
	q.Sort, q.Limit, q.After = hub.Sort(params.Get("sort")), pageSize+1, ui.ParsePlace(params.Get("after"))
	if !slices.ContainsFunc(sorts, func(o order) bool { return o.key == q.Sort }) {
		q.Sort = hub.SortScore
	}
	rows, err := s.Registry.Servers(r.Context(), q)
	if err != nil {
		return err
	}
	v.Section, v.Total = "browse", -1
	base := url.Values{}
	if q.Scope != "" {
		base.Set(string(hub.FacetPublisher), q.Scope)
	}
	found, err := s.Search.Find(r.Context(), search.Query{Filter: filterOf(base), Limit: 1, Facets: facetNames()})
	if err != nil {
		return err
	}
	v.narrow(base, found)
	v.Chosen = nil
	for _, sort := range sorts {
		v.Sorts = append(v.Sorts, choice{Label: sort.label, URL: address(path, ui.With(params, "sort", string(sort.key))), Selected: sort.key == q.Sort})
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		last := rows[pageSize-1]
		at := ui.Place{Name: last.Name, Micros: last.UpdatedAt.UnixMicro(), Number: last.Installs}
		if q.Sort == hub.SortScore {
			at.Number = int64(last.Score)
		}
		v.Next = address(path, ui.With(params, "after", at.String()))
	}
	if q.After != nil {
		v.Previous = address(path, ui.Kept(params))
	} else if v.Next == "" {
		v.Total = int64(len(rows))
	}
	for _, srv := range rows {
		v.Hits = append(v.Hits, hitView{Server: srv})
	}
	return nil
}

func (s *site) browse(w http.ResponseWriter, r *http.Request) error {
	if len(filterOf(r.URL.Query())) > 0 {
		return s.redirect(w, http.StatusSeeOther, address("/search", ui.Kept(r.URL.Query())))
	}
	v := &resultsView{Frame: s.frame(r, "All servers", "All MCP servers on this hub.", "/servers"), Heading: "All servers"}
	v.Feed = "/feed.atom"
	if err := s.list(r, "/servers", hub.ServerQuery{}, v); err != nil {
		return err
	}
	o, err := s.directory.Overview(r.Context())
	if err != nil {
		return err
	}
	v.Total = o.Servers
	return s.show(w, r, http.StatusOK, resultsPage(v))
}

func (s *site) publisher(w http.ResponseWriter, r *http.Request) error {
	given := r.PathValue("scope")
	scope := strings.TrimPrefix(given, "@")
	spelled := strings.TrimSuffix(hub.Name(scope+"/x").String(), "/x")
	path := "/publishers/" + url.PathEscape(spelled)
	if given != spelled {
		return s.redirect(w, http.StatusMovedPermanently, path)
	}
	v := &resultsView{Frame: s.frame(r, spelled, "MCP servers published by "+spelled+".", path), Heading: spelled, Lede: "Servers of this publisher."}
	if err := s.list(r, path, hub.ServerQuery{Scope: scope}, v); err != nil {
		return err
	}
	if len(v.Hits) == 0 && r.URL.Query().Get("after") == "" {
		return hub.Errorf(hub.NotFound, "Nobody published a server as %s.", oneLine(spelled, 100)).WithHint("check how the name is written")
	}
	return s.show(w, r, http.StatusOK, resultsPage(v))
}

type usesView struct {
	*ui.Frame
	Uses []use
}

func (s *site) categories(w http.ResponseWriter, r *http.Request) error {
	o, err := s.directory.Overview(r.Context())
	if err != nil {
		return err
	}
	v := &usesView{Frame: s.frame(r, "Servers by use", "MCP servers by what they are for.", "/categories"), Uses: o.Uses}
	v.Section = "browse"
	return s.show(w, r, http.StatusOK, usesPage(v))
}

func (s *site) category(w http.ResponseWriter, r *http.Request) error {
	slug := r.PathValue("use")
	page := pageNumber(r.URL.Query())
	u, servers, err := s.directory.OfUse(r.Context(), slug, (page-1)*pageSize, pageSize)
	if err != nil {
		return err
	}
	path := "/categories/" + u.Slug
	v := &resultsView{Frame: s.frame(r, u.Label, "MCP servers for "+strings.ToLower(u.Label)+".", path), Heading: u.Label, Total: int64(u.Servers), First: (page-1)*pageSize + 1,
		Lede: "Most installed first, then best described. A server is here when its publisher says so in its categories or keywords."}
	v.Section = "browse"
	for _, srv := range servers {
		v.Hits = append(v.Hits, hitView{Server: srv})
	}
	v.turn(path, r.URL.Query(), page, page*pageSize < u.Servers && page < maxPage)
	return s.show(w, r, http.StatusOK, resultsPage(v))
}

type capabilitiesView struct {
	*ui.Frame
	Prefix string
	Types  []choice
	Rows   []hub.CapabilityCount
	Next   string
}

const capabilityRows = 100

func (s *site) capabilities(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	q := hub.CapabilityQuery{Type: hub.CapabilityType(params.Get("type")), Prefix: cleanQuery(params.Get("prefix")), Limit: capabilityRows + 1}
	v := &capabilitiesView{Frame: s.frame(r, "Capabilities", "Tools, resources and prompts that MCP servers offer.", "/capabilities"), Prefix: q.Prefix}
	v.Section = "browse"
	for _, t := range []choice{{Label: "all"}, {Label: "tool"}, {Label: "resource"}, {Label: "prompt"}} {
		p := ui.With(params, "type", "")
		if t.Label != "all" {
			p.Set("type", t.Label)
		}
		t.URL, t.Selected = address("/capabilities", p), p.Get("type") == string(q.Type)
		v.Types = append(v.Types, t)
	}
	if n, name, ok := strings.Cut(params.Get("after"), " "); ok {
		kind, name, _ := strings.Cut(name, " ")
		if servers, err := strconv.Atoi(n); err == nil {
			q.After = &hub.CapabilityCount{Servers: servers, Type: hub.CapabilityType(kind), Name: name}
		}
	}
	rows, err := s.Registry.Capabilities(r.Context(), q)
	if err != nil {
		return err
	}
	if len(rows) > capabilityRows {
		rows = rows[:capabilityRows]
		last := rows[len(rows)-1]
		p := ui.Kept(params)
		p.Set("after", strconv.Itoa(last.Servers)+" "+string(last.Type)+" "+last.Name)
		v.Next = address("/capabilities", p)
	}
	v.Rows = rows
	return s.show(w, r, http.StatusOK, capabilitiesPage(v))
}

type capabilityView struct {
	*ui.Frame
	Type  hub.CapabilityType
	Name  string
	Total int
	Rows  []offer
}

// offer is one server's way to offer a capability.
type offer struct {
	*hub.Server
	Capability hub.Capability
}

// capability shows the servers that offer one tool, resource or prompt.
func (s *site) capability(w http.ResponseWriter, r *http.Request) error {
	kind, name := hub.CapabilityType(r.PathValue("type")), r.PathValue("name")
	v := &capabilityView{Frame: s.frame(r, string(kind)+" "+name, "MCP servers that offer the "+string(kind)+" "+name+".", capabilityPath(kind, name)), Type: kind, Name: name}
	v.Section = "browse"
	counts, err := s.Registry.Capabilities(r.Context(), hub.CapabilityQuery{Type: kind, Prefix: name, Limit: 500})
	if err != nil {
		return err
	}
	for _, c := range counts {
		if c.Type == kind && c.Name == name {
			v.Total = c.Servers
		}
	}
	if v.Total == 0 {
		return hub.Errorf(hub.NotFound, "No server here offers a %s named %s.", oneLine(string(kind), 20), oneLine(name, 100)).WithHint("capabilities are listed as their publishers declare them")
	}
	facet := map[hub.CapabilityType]hub.Facet{hub.Tool: hub.FacetTool, hub.Resource: hub.FacetResource, hub.Prompt: hub.FacetPrompt}[kind]
	found, err := s.Search.Find(r.Context(), search.Query{Filter: hub.Labels{facet: {name}}, Limit: 40})
	if err != nil {
		return err
	}
	for _, hit := range found.Results {
		srv := hit.Server
		version, err := s.Registry.Version(r.Context(), srv.ID, "latest")
		if err != nil {
			continue // taken back meanwhile
		}
		for _, c := range version.Capabilities {
			if c.Type == kind && c.Name == name {
				v.Rows = append(v.Rows, offer{srv, c})
			}
		}
	}
	return s.show(w, r, http.StatusOK, capabilityPage(v))
}

func capabilityPath(kind hub.CapabilityType, name string) string {
	return "/capabilities/" + url.PathEscape(string(kind)) + "/" + url.PathEscape(name)
}
