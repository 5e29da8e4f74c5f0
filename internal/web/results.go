package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// resultsView is a list of servers with what narrows it: what was searched for, what was browsed, a use or a
// publisher. Everything in it has an address.
type resultsView struct {
	*ui.Frame
	Heading   string
	Lede      string
	Total     int64 // -1 when it is not known
	Notice    string
	Corrected *choice // what was searched instead of what was typed, with the way back
	Facets    []facet
	Chosen    []choice // filters that are on; each link takes it away
	Sorts     []choice
	Related   []choice
	Hits      []hitView
	First     int // number of the first hit
	Previous  string
	Next      string
	Near      []*hub.Server // when nothing was found
}

// choice is a link that may be the current one.
type choice struct {
	Label    string
	URL      string
	Selected bool
}

// facet is one way to narrow a list.
type facet struct {
	Name, Label string
	Values      []facetValue
}

type facetValue struct {
	Value, Label, URL string
	Count             int64 // -1 when it is not known
	Selected          bool
}

// hitView is one server in a list.
type hitView struct {
	*hub.Server
	Matched []string // in which of its parts the words were found
}

const (
	pageSize = 20
	maxQuery = 400 // bytes of what is searched for
	maxPage  = 50  // the index answers up to its 1000th hit
)

// facetTable is what lists can be narrowed by: the parameter, its heading and its values.
var facetTable = []struct {
	name, label string
	values      [][2]string
}{
	{"package", "Package", [][2]string{{"npm", "npm"}, {"pypi", "PyPI"}, {"oci", "Container"}, {"mcpb", "MCPB"}, {"nuget", "NuGet"}, {"bundle", "Bundle on this hub"}, {"remote", "Remote"}}},
	{"transport", "Transport", [][2]string{{"stdio", "stdio"}, {"streamable-http", "Streamable HTTP"}, {"sse", "SSE"}}},
	{"runtime", "Runs on", [][2]string{{"node", "Node.js"}, {"python", "Python"}, {"docker", "Docker"}, {"go", "Go"}, {"binary", "Nothing else"}, {"remote", "A host elsewhere"}}},
	{"license", "Licence", [][2]string{{"MIT", "MIT"}, {"Apache-2.0", "Apache 2.0"}, {"BSD-3-Clause", "BSD 3-Clause"}, {"GPL-3.0-only", "GPL 3.0"}, {"AGPL-3.0-only", "AGPL 3.0"}}},
	{"origin", "Published", [][2]string{{"here", "On this hub"}, {"elsewhere", "Elsewhere, copied"}}},
}

// narrow reads the filters of an address into facets, and the filters that are on.
func (s *site) narrow(path string, params url.Values, v *resultsView) {
	for _, t := range facetTable {
		f := facet{Name: t.name, Label: t.label}
		at := params.Get(t.name)
		for _, value := range t.values {
			with := cloneParams(params)
			selected := value[0] == at
			if selected {
				with.Del(t.name)
				v.Chosen = append(v.Chosen, choice{Label: t.label + ": " + value[1], URL: address(path, with)})
			} else {
				with.Set(t.name, value[0])
			}
			f.Values = append(f.Values, facetValue{Value: value[0], Label: value[1], URL: address(path, with), Count: -1, Selected: selected})
		}
		v.Facets = append(v.Facets, f)
	}
}

// cloneParams copies the parameters without the place in the list.
func cloneParams(p url.Values) url.Values {
	out := url.Values{}
	for k, v := range p {
		if k != "page" && k != "after" && len(v) > 0 && v[0] != "" {
			out[k] = slices.Clone(v[:1])
		}
	}
	return out
}

func address(path string, p url.Values) string {
	if len(p) == 0 {
		return path
	}
	return path + "?" + p.Encode()
}

func mirrored(origin string) *bool {
	if origin != "here" && origin != "elsewhere" {
		return nil
	}
	is := origin == "elsewhere"
	return &is
}

// search shows the best servers for the words.
func (s *site) search(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	query := cleanQuery(params.Get("q"))
	if query == "" {
		return s.redirect(w, http.StatusSeeOther, address("/servers", withoutQuery(params)))
	}
	page := pageNumber(params)
	found, err := s.Registry.Search(r.Context(), hub.SearchQuery{Text: query, Limit: pageSize, Offset: (page - 1) * pageSize,
		PackageType: params.Get("package"), Transport: params.Get("transport"), Runtime: params.Get("runtime"), License: params.Get("license"),
		Category: params.Get("category"), Scope: strings.TrimPrefix(params.Get("scope"), "@"), Mirrored: mirrored(params.Get("origin"))})
	if err != nil {
		return err
	}
	v := &resultsView{Frame: s.frame(r, query, "MCP servers for "+query, ""), Heading: "Results for “" + query + "”", Total: found.Total, Notice: found.Notice, First: (page-1)*pageSize + 1}
	v.Query, v.Section = query, "browse"
	s.narrow("/search", params, v)
	for _, srv := range found.Servers {
		v.Hits = append(v.Hits, hitView{Server: srv, Matched: matched(srv, query)})
	}
	v.turn("/search", params, page, int64(page*pageSize) < found.Total && page < maxPage)
	if len(v.Hits) == 0 && page == 1 {
		if v.Near, err = s.Registry.Near(r.Context(), firstWord(query)); err != nil {
			return err
		}
	}
	return s.show(w, r, http.StatusOK, resultsPage(v))
}

// turn sets the links to the pages before and after.
func (v *resultsView) turn(path string, params url.Values, page int, more bool) {
	at := func(n int) string {
		p := cloneParams(params)
		if n > 1 {
			p.Set("page", strconv.Itoa(n))
		}
		return address(path, p)
	}
	if page > 1 {
		v.Previous = at(page - 1)
	}
	if more {
		v.Next = at(page + 1)
	}
}

func pageNumber(p url.Values) int {
	n, err := strconv.Atoi(p.Get("page"))
	if err != nil {
		return 1
	}
	return min(max(n, 1), maxPage)
}

func withoutQuery(p url.Values) url.Values {
	out := cloneParams(p)
	out.Del("q")
	return out
}

// cleanQuery cuts what is searched for at maxQuery bytes, and drops what is no text.
func cleanQuery(q string) string {
	q = strings.ToValidUTF8(strings.TrimSpace(q), "")
	if len(q) > maxQuery {
		q = strings.ToValidUTF8(q[:maxQuery], "")
	}
	return strings.ReplaceAll(q, "\x00", "")
}

// firstWord is the longest word of a query: the one that says most.
func firstWord(query string) string {
	best := ""
	for _, w := range strings.Fields(query) {
		if len(w) > len(best) {
			best = w
		}
	}
	return best
}

// matched names the parts of a server in which the words of a query are found.
func matched(srv *hub.Server, query string) []string {
	words := strings.Fields(strings.ToLower(query))
	var out []string
	for _, part := range []struct{ name, text string }{
		{"name", srv.Name.String()}, {"title", srv.Title}, {"keywords", strings.Join(append(slices.Clone(srv.Keywords), srv.Categories...), " ")}, {"description", srv.Description},
	} {
		text := strings.ToLower(part.text)
		if slices.ContainsFunc(words, func(w string) bool { return len(w) > 2 && strings.Contains(text, w) }) {
			out = append(out, part.name)
		}
	}
	return out
}

// suggest answers with what a search field offers while one types.
func (s *site) suggest(w http.ResponseWriter, r *http.Request) error {
	query := cleanQuery(r.URL.Query().Get("q"))
	if len(query) < 2 {
		return s.show(w, r, http.StatusOK, suggestions(nil))
	}
	found, err := s.Registry.Search(r.Context(), hub.SearchQuery{Text: query, Limit: 8})
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, suggestions(found.Servers))
}
