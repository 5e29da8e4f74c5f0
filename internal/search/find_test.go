package search_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

// catalogue is a fixture with a few servers.
func catalogue(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.add("@acme/postgres", "Read-only SQL for PostgreSQL", func(s *hub.Server, v *hub.Version) {
		s.License, s.Title, s.Categories = "MIT", "Postgres", []string{"databases"}
		v.Facts = hub.LatestFacts{PackageTypes: []string{"npm"}, Transports: []string{"stdio"}, Runtime: "node"}
		v.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "run_query", Description: "Runs a statement", Schema: json.RawMessage(`{"properties":{"statement":{}}}`)}}
	})
	f.add("@acme/calendar", "Books and moves appointments", func(s *hub.Server, v *hub.Version) {
		s.License = "Apache-2.0"
		v.Facts = hub.LatestFacts{PackageTypes: []string{"pypi"}, Transports: []string{"stdio"}, Runtime: "python"}
		v.Manifest = []byte(`{"hosts":["cursor"],"engines":{"mcp":"2025-06-18"},"permissions":{"network":{"outbound":["api.example.com:443"]},"secrets":["KEY"]}}`)
	})
	f.add("@other/weather", "Weather forecasts for any city", func(s *hub.Server, v *hub.Version) {
		v.Facts = hub.LatestFacts{PackageTypes: []string{"remote"}, Transports: []string{"streamable-http"}, Runtime: "remote"}
		v.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "get_forecast", Description: "Fetches the page at a url", Schema: json.RawMessage(`{"properties":{"city":{}}}`)}}
	})
	must(t, f.Reindex(t.Context()))
	return f
}

func first(p *search.Page) string {
	if len(p.Results) == 0 {
		return ""
	}
	return p.Results[0].Server.Name.String()
}

func TestFind(t *testing.T) {
	f := catalogue(t)
	for text, want := range map[string]string{
		"postgres": "@acme/postgres", "datenbank": "@acme/postgres", "will it rain tomorrow": "@other/weather", "run_query": "@acme/postgres",
		"a tool that takes a `statement`": "@acme/postgres", "a tool that takes a city": "@other/weather", "schedule a meeting": "@acme/calendar",
		"@acme/calendar": "@acme/calendar", "acme/weather": "@other/weather",
	} {
		if p := f.page(search.Query{Text: text}); first(p) != want {
			t.Errorf("%q finds %q first, want %q", text, names(p), want)
		}
	}
	if p := f.page(search.Query{}); p.Total != 3 || len(p.Results) != 3 || p.Results[0].Why != nil {
		t.Errorf("%+v", p)
	}
}

func TestFilters(t *testing.T) {
	f := catalogue(t)
	for text, want := range map[string]string{
		"lang:python": "@acme/calendar", "license:mit": "@acme/postgres", "transport:http": "@other/weather", "publisher:acme": "@acme/calendar @acme/postgres",
		"tool:run_query": "@acme/postgres", "host:vscode": "@acme/postgres @other/weather", "host:cursor package:pypi": "@acme/calendar", "permission:secrets": "@acme/calendar",
		"protocol:2025-06-18": "@acme/calendar", "category:databases": "@acme/postgres", "origin:here": "", "lang:js,py": "@acme/calendar @acme/postgres", "runtime:remote weather": "@other/weather",
	} {
		p := f.page(search.Query{Text: text, Sort: hub.ByName})
		if names(p) != want {
			t.Errorf("%q finds %q, want %q", text, names(p), want)
		}
	}
	p := f.page(search.Query{Text: "weather", Filter: hub.Labels{hub.FacetLicense: {"MIT"}}})
	if strings.Contains(names(p), "weather") {
		t.Errorf("a filter beside the text lets %q through", names(p))
	}
}

// TestFacets guards: counts are of all matches, and of a facet that is filtered by as if it were not.
func TestFacets(t *testing.T) {
	f := catalogue(t)
	p := f.page(search.Query{Text: "lang:python", Facets: []hub.Facet{hub.FacetLanguage, hub.FacetTransport}})
	if got := fmt.Sprint(p.Facets[hub.FacetLanguage], p.Facets[hub.FacetTransport]); got != "[{javascript 1} {python 1}] [{stdio 1}]" {
		t.Error(got)
	}
}

// TestCorrects guards: a word that nobody uses is taken for the nearest that somebody does, unless that is not wanted.
func TestCorrects(t *testing.T) {
	f := catalogue(t)
	p := f.page(search.Query{Text: "postgers"})
	if p.Corrected != "postgres" || p.Text != "postgers" || first(p) != "@acme/postgres" {
		t.Errorf("%q %q %q", p.Corrected, p.Text, names(p))
	}
	if p := f.page(search.Query{Text: "postgers", Exact: true}); p.Corrected != "" {
		t.Error(p.Corrected)
	}
	if p := f.page(search.Query{Text: "Wether, forecsts!"}); p.Corrected != "weather forecasts" {
		t.Errorf("%q", p.Corrected)
	}
}

func TestWhy(t *testing.T) {
	f := catalogue(t)
	why := func(text string) string {
		p := f.page(search.Query{Text: text})
		var out []string
		for _, r := range p.Results[0].Why {
			marked := ""
			for _, x := range r.Text {
				if x.Hit {
					marked += "[" + x.Text + "]"
				} else {
					marked += x.Text
				}
			}
			out = append(out, strings.Join(strings.Fields(r.Field+" "+r.Value+" "+marked), " "))
		}
		return strings.Join(out, "; ")
	}
	for text, want := range map[string]string{
		"postgres":  "name acme/postgres; title Postgres; description Read-only SQL for [PostgreSQL]",
		"statement": "tool run_query Runs a [statement]; input run_query.statement",
		"forecast":  "name other/weather; tool get_forecast; description [Weather] [forecasts] for any city",
	} {
		if got := why(text); got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}

// TestConcepts guards: what people say when they want something finds what does it, though no word is the same.
func TestConcepts(t *testing.T) {
	f := catalogue(t)
	for text, want := range map[string]string{"see my dentist on friday": "@acme/calendar", "do I need an umbrella": "@other/weather", "am I free this afternoon": "@acme/calendar"} {
		p := f.page(search.Query{Text: text})
		if first(p) != want {
			t.Errorf("%q finds %q first, want %q", text, names(p), want)
		}
		if len(p.Results) > 0 && p.Results[0].Why[0].Field != "meaning" {
			t.Errorf("%q: %+v", text, p.Results[0].Why)
		}
	}
}

// TestPages guards: pages hold everything once, also when something is added between them.
func TestPages(t *testing.T) {
	f := newFixture(t)
	for i := range 45 {
		f.add(fmt.Sprintf("@acme/notes-%02d", i), "keeps notes", nil)
	}
	must(t, f.Reindex(t.Context()))
	var seen []string
	q := search.Query{Text: "notes", Limit: 10}
	for {
		p := f.page(q)
		for _, r := range p.Results {
			seen = append(seen, r.Server.ID)
		}
		if !p.Next {
			break
		}
		if q.Offset == 0 {
			f.add("@acme/notes", "notes notes notes", nil) // would come first
			must(t, f.Reindex(t.Context()))
		}
		q.Offset, q.After = q.Offset+len(p.Results), p.Results[len(p.Results)-1].Server.ID
	}
	slices.Sort(seen)
	if n := len(slices.Compact(slices.Clone(seen))); n != len(seen) || n != 45 {
		t.Errorf("%d shown, %d different, want 45", len(seen), n)
	}
	if _, err := f.Find(t.Context(), search.Query{Limit: 0}); hub.KindOf(err) != hub.Invalid {
		t.Error(err)
	}
}

func TestSuggest(t *testing.T) {
	f := catalogue(t)
	for text, want := range map[string]string{"": "", "pos": "server @acme/postgres", "run": "tool run_query", "run q": "tool run_query", "wea": "server @other/weather", "lang:p": "", "zzz": "",
		"@oth": "server @other/weather", "other/": "server @other/weather", "other/wea": "server @other/weather", "other/pos": "", "acme/wea": "", "io.github.oth": "server @other/weather", ".": "", "/": ""} {
		list, err := f.Suggest(t.Context(), text)
		must(t, err)
		var got []string
		for _, s := range list {
			got = append(got, s.Kind+" "+s.Value)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q suggests %q, want %q", text, got, want)
		}
	}
}

func TestRelated(t *testing.T) {
	f := catalogue(t)
	f.add("@other/mysql", "Run SQL queries on a MySQL database", nil)
	must(t, f.Reindex(t.Context()))
	srv, err := f.store.Server(t.Context(), "acme/postgres")
	must(t, err)
	list, err := f.Related(t.Context(), srv, 2)
	must(t, err)
	if len(list) == 0 || len(list) > 2 || list[0].Name != "other/mysql" || slices.ContainsFunc(list, func(s *hub.Server) bool { return s.ID == srv.ID }) {
		t.Errorf("%v", list)
	}
}

func TestLike(t *testing.T) {
	f := catalogue(t)
	for ref, want := range map[string]string{"other/weathr": "@other/weather", "@acme/weather-mcp": "@other/weather", "acme/postgres": "@acme/postgres"} {
		got, err := f.Like(t.Context(), ref, 5)
		if must(t, err); len(got) == 0 || got[0].Name.String() != want {
			t.Errorf("%q: %v, want %s first", ref, got, want)
		}
	}
	for _, ref := range []string{"", "/", "\x00"} {
		_, err := f.Like(t.Context(), ref, 5)
		must(t, err)
	}
}
