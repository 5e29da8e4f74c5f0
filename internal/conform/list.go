package conform

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

var sorts = []hub.Sort{hub.SortName, hub.SortUpdated, hub.SortInstalls, hub.SortScore}

func lists(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "List returns one page in the order asked for, ties by name", func(f *fix) {
		for i, n := range []string{"b", "B", "a-a", "aa", "a.a", "Z", "z", "a_b"} {
			s := imported(f, "io.github.x/n"+n, "1.0.0")
			f.ok(f.AddInstalls(f.ctx, map[string]int64{s.ID: int64(i % 3)}))
			s.Score = i % 2
			f.ok(f.Save(f.ctx, s, event("")))
		}
		for _, sort := range sorts {
			got := f.pages(hub.ServerQuery{Sort: sort, Limit: 100})
			equal(f, "count", len(got), 8)
			if !slices.IsSortedFunc(got, func(a, b *hub.Server) int { return compare(sort, a, b) }) {
				f.Fatalf("%s: %s", sort, strings.Join(names(got), " "))
			}
		}
	})
	each(t, open, "List shows only servers with a visible version", func(f *fix) {
		f.ok(f.Save(f.ctx, server("acme/empty"), event("")))
		s := server("acme/waiting")
		f.submit(s, version(s, "1.0.0"))
		y := server("acme/yanked")
		f.move(f.publish(y, "1.0.0"), hub.Yanked, "broken")
		gone := server("acme/gone")
		f.move(f.publish(gone, "1.0.0"), hub.Unpublished, "mistake")
		equal(f, "names", names(f.pages(hub.ServerQuery{Sort: hub.SortName, Limit: 10})), []string{"@acme/yanked"})
		servers, _, err := f.CountServers(f.ctx)
		f.ok(err)
		equal(f, "count", servers, 1)
	})
	each(t, open, "List refuses a limit below 1 or above 101 and an unknown order", func(f *fix) {
		for _, q := range []hub.ServerQuery{{Limit: 0}, {Limit: 102}, {Limit: 10, Sort: "size"}} {
			_, err := f.List(f.ctx, q)
			f.kind(err, hub.Invalid)
		}
	})
	each(t, open, "List: AsOf leaves out servers updated after it", func(f *fix) {
		f.publish(server("acme/aa"), "1.0.0")
		b := server("acme/bb")
		f.publish(b, "1.0.0")
		asOf := f.stored(b).UpdatedAt
		f.publish(server("acme/cc"), "1.0.0")
		equal(f, "names", names(f.pages(hub.ServerQuery{Sort: hub.SortUpdated, Limit: 10, AsOf: asOf})), []string{"@acme/bb", "@acme/aa"})
	})
	listPages(t, open)
	listFilters(t, open)
}

func listPages(t *testing.T, open func(t *testing.T) Backend) {
	for _, sort := range sorts {
		each(t, open, "List: pages by "+string(sort)+" neither repeat nor leave out, while others publish", func(f *fix) {
			want := map[hub.Name]int{}
			for i := range 23 {
				s := server(fmt.Sprintf("acme/s%02d", i))
				f.publish(s, "1.0.0")
				f.ok(f.AddInstalls(f.ctx, map[string]int64{s.ID: int64(i % 4)}))
				want[s.Name]++
			}
			q := hub.ServerQuery{Sort: sort, Limit: 5}
			got := map[hub.Name]int{}
			for i := 0; ; i++ {
				page, err := f.List(f.ctx, q)
				f.ok(err)
				if len(page) == 0 {
					break
				}
				for _, s := range page {
					if want[s.Name] > 0 {
						got[s.Name]++
					}
				}
				q.After = after(sort, page[len(page)-1])
				if i < 4 { // between two pages somebody publishes before and behind the place
					f.publish(server(fmt.Sprintf("acme/a%02d", i)), "1.0.0")
					f.publish(server(fmt.Sprintf("acme/z%02d", i)), "1.0.0")
				}
			}
			equal(f, "seen", got, want)
		})
	}
}

func listFilters(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "List: filters on the facts of the latest version", func(f *fix) {
		a := server("acme/aa")
		a.License, a.Keywords, a.Categories = "MIT", []string{"sql", "data base"}, []string{"database"}
		v := version(a, "1.0.0")
		v.Facts = hub.LatestFacts{PackageTypes: []string{"npm", "oci"}, Transports: []string{"stdio"}, Runtime: "node", Tools: 3, Resources: 2, Prompts: 1}
		f.publishVersion(a, v)
		b := server("beta/bb")
		w := version(b, "1.0.0")
		w.Facts = hub.LatestFacts{PackageTypes: []string{"npmx"}, Transports: []string{"sse", "streamable-http"}, Runtime: "remote"}
		f.publishVersion(b, w)
		imported(f, "io.github.x/cc", "1.0.0")
		yes, no := true, false
		for _, c := range []struct {
			q    hub.ServerQuery
			want string
		}{
			{hub.ServerQuery{Scope: "acme"}, "@acme/aa"},
			{hub.ServerQuery{PackageType: "npm"}, "@acme/aa"},
			{hub.ServerQuery{PackageType: "oci"}, "@acme/aa"},
			{hub.ServerQuery{PackageType: "NPM"}, ""},
			{hub.ServerQuery{PackageType: "%"}, ""},
			{hub.ServerQuery{Transport: "sse"}, "@beta/bb"},
			{hub.ServerQuery{Runtime: "node"}, "@acme/aa"},
			{hub.ServerQuery{License: "MIT"}, "@acme/aa"},
			{hub.ServerQuery{Category: "database"}, "@acme/aa"},
			{hub.ServerQuery{Keyword: "data base"}, "@acme/aa"},
			{hub.ServerQuery{Keyword: "data"}, ""},
			{hub.ServerQuery{Keyword: `"`}, ""},
			{hub.ServerQuery{Mirrored: &yes}, "io.github.x/cc"},
			{hub.ServerQuery{Mirrored: &no}, "@acme/aa @beta/bb"},
			{hub.ServerQuery{Runtime: "node", Mirrored: &yes}, ""},
		} {
			c.q.Sort, c.q.Limit = hub.SortName, 10
			equal(f, fmt.Sprintf("%+v", c.q), strings.Join(names(f.pages(c.q)), " "), c.want)
		}
		got := f.stored(a).Latest
		equal(f, "counts", []int{got.Tools, got.Resources, got.Prompts}, []int{3, 2, 1})
	})
}

// pages reads all pages of a list.
func (f *fix) pages(q hub.ServerQuery) []*hub.Server {
	f.Helper()
	var out []*hub.Server
	for {
		page, err := f.List(f.ctx, q)
		f.ok(err)
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
		q.After = after(q.Sort, page[len(page)-1])
	}
}

// after points behind a server.
func after(sort hub.Sort, s *hub.Server) *hub.ServerAfter {
	a := &hub.ServerAfter{Name: s.Name, Number: s.Installs, Time: s.UpdatedAt}
	if sort == hub.SortScore {
		a.Number = int64(s.Score)
	}
	return a
}

func names(list []*hub.Server) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.Name.String())
	}
	return out
}

func compare(sort hub.Sort, a, b *hub.Server) int {
	c := 0
	switch sort {
	case hub.SortUpdated:
		c = b.UpdatedAt.Compare(a.UpdatedAt)
	case hub.SortInstalls:
		c = int(b.Installs - a.Installs)
	case hub.SortScore:
		c = b.Score - a.Score
	}
	if c == 0 {
		c = strings.Compare(string(a.Name), string(b.Name))
	}
	return c
}
