package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// searchFacets are what results can be narrowed by, with their headings, in the order they stand.
var searchFacets = []struct {
	facet hub.Facet
	label string
}{{hub.FacetCategory, "Category"}, {hub.FacetTool, "Tool"}, {hub.FacetHost, "Host application"}, {hub.FacetLanguage, "Language"}, {hub.FacetPackage, "Package"},
	{hub.FacetTransport, "Transport"}, {hub.FacetLicense, "Licence"}, {hub.FacetPublisher, "Publisher"}, {hub.FacetPermission, "Asks for"}, {hub.FacetOrigin, "Published"}}

var searchSorts = []struct {
	sort  hub.SearchSort
	label string
}{{hub.ByRelevance, "best match"}, {hub.ByInstalls, "most installed"}, {hub.ByUpdated, "recently updated"}, {hub.ByScore, "best described"}, {hub.ByName, "name"}}

// shownValues is how many values of a facet are shown.
const shownValues = 8

// search shows what is found, best first, and what narrows it.
func (s *site) search(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	query := cleanQuery(params.Get("q"))
	filter := filterOf(params)
	if query == "" && len(filter) == 0 {
		return s.redirect(w, http.StatusSeeOther, "/servers")
	}
	if query == "" && len(filter) == 1 && len(filter[hub.FacetPublisher]) == 1 && params.Get("sort") == "" {
		return s.redirect(w, http.StatusSeeOther, "/publishers/"+url.PathEscape(filter[hub.FacetPublisher][0]))
	}
	page := pageNumber(params)
	q := search.Query{Text: query, Filter: filter, Sort: sortOf(params), Limit: pageSize, Offset: (page - 1) * pageSize, Exact: params.Get("exact") != ""}
	q.Facets = facetNames()
	found, err := s.Search.Find(r.Context(), q)
	if err != nil {
		return err
	}
	if found.Notice != "" {
		w.Header().Set("Cache-Control", noStore) // it is less than it will be
	}
	v := &resultsView{Frame: s.frame(r, query, "MCP servers for "+query, ""), Heading: "Results for “" + query + "”", Total: found.Total, Notice: found.Notice, First: q.Offset + 1}
	if query == "" {
		v.Heading = "Servers"
	}
	v.Query, v.Section = query, "browse"
	if found.Corrected != "" {
		v.Heading = "Results for “" + found.Corrected + "”"
		v.Corrected = &choice{Label: query, URL: address("/search", ui.With(params, "exact", "1"))}
	}
	v.narrow(params, found)
	for _, o := range searchSorts {
		v.Sorts = append(v.Sorts, choice{Label: o.label, URL: address("/search", ui.With(params, "sort", string(o.sort))), Selected: o.sort == q.Sort})
	}
	for _, hit := range found.Results {
		v.Hits = append(v.Hits, hitView{Server: hit.Server, Why: hit.Why})
	}
	v.turn("/search", params, page, found.Next && page < maxPage)
	if len(v.Hits) == 0 && page == 1 {
		if v.Near, err = s.Search.Like(r.Context(), found.Text, 6); err != nil {
			return err
		}
	}
	return s.show(w, r, http.StatusOK, resultsPage(v))
}

func facetNames() (out []hub.Facet) {
	for _, f := range searchFacets {
		out = append(out, f.facet)
	}
	return out
}

// filterOf reads the filters of an address; several values of one facet are alternatives.
func filterOf(params url.Values) hub.Labels {
	out := hub.Labels{}
	for _, f := range searchFacets {
		for _, v := range params[string(f.facet)] {
			if v = search.Value(f.facet, cleanQuery(v)); v != "" && !slices.Contains(out[f.facet], v) && len(out[f.facet]) < search.MaxValues {
				out[f.facet] = append(out[f.facet], v)
			}
		}
	}
	return out
}

func sortOf(params url.Values) hub.SearchSort {
	for _, s := range searchSorts {
		if string(s.sort) == params.Get("sort") {
			return s.sort
		}
	}
	return hub.ByRelevance
}

// narrow fills in facets and the filters that are on. Every choice has an address.
func (v *resultsView) narrow(params url.Values, found *search.Page) {
	for _, t := range searchFacets {
		f := facet{Name: string(t.facet), Label: t.label}
		counts := found.Facets[t.facet]
		for _, on := range found.Filter[t.facet] {
			if !slices.ContainsFunc(counts, func(c hub.FacetCount) bool { return c.Value == on }) {
				counts = append([]hub.FacetCount{{Value: on}}, counts...)
			}
		}
		for i, c := range counts {
			selected := slices.Contains(found.Filter[t.facet], c.Value)
			if i >= shownValues && !selected {
				continue
			}
			value := facetValue{Value: c.Value, Label: ui.FacetLabel(t.facet, c.Value), Count: int64(c.Count), Selected: selected, URL: address("/search", ui.Toggled(params, f.Name, c.Value))}
			if selected {
				v.Chosen = append(v.Chosen, choice{Label: t.label + ": " + value.Label, URL: value.URL})
			}
			f.Values = append(f.Values, value)
		}
		same := !slices.ContainsFunc(f.Values, func(value facetValue) bool { return value.Selected || value.Count != found.Total })
		if !same { // a facet that every result has the same values of narrows nothing
			v.Facets = append(v.Facets, f)
		}
	}
}

// suggest answers with what a search field offers while one types.
func (s *site) suggest(w http.ResponseWriter, r *http.Request) error {
	query := cleanQuery(r.URL.Query().Get("q"))
	if len(query) < 2 {
		return s.show(w, r, http.StatusOK, suggestions(nil))
	}
	list, err := s.Search.Suggest(r.Context(), query)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, suggestions(list))
}
