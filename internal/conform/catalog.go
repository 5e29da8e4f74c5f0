package conform

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

func catalog(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Page is ordered by name, then version, both by bytes", func(f *fix) {
		var want []string
		for _, name := range []string{"io.github.X/tool", "io.github.x/tool", "io.github.x/Tool2", "io.github.x/t_l", "io.github.x/t-l3", "io.github.x-y/z", "io.github.xa/z"} {
			for _, number := range []string{"1.0.0", "1.0.0-beta", "10.0.0", "2.0.0", "B", "a"} {
				s, v := mirror(name, number)
				_, err := f.Import(f.ctx, s, v, event(""))
				f.ok(err)
				want = append(want, name+" "+number)
			}
		}
		slices.SortFunc(want, func(a, b string) int {
			an, av, _ := strings.Cut(a, " ")
			bn, bv, _ := strings.Cut(b, " ")
			if c := strings.Compare(an, bn); c != 0 {
				return c
			}
			return strings.Compare(av, bv)
		})
		equal(f, "one page", f.catalog(hub.CatalogQuery{Limit: 100}), want)
		equal(f, "many pages", f.catalog(hub.CatalogQuery{Limit: 4}), want)
	})
	each(t, open, "Page shows the stored bytes", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		page, err := f.Page(f.ctx, hub.CatalogQuery{Limit: 1})
		f.ok(err)
		equal(f, "server.json", string(page[0].ServerJSON), string(v.ServerJSON))
		equal(f, "_meta", string(page[0].Meta), string(hub.RenderMeta(v, "")))
	})
	each(t, open, "Page never shows what is not visible", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, version(s, "1.0.0"))
		for _, step := range []hub.State{hub.Validating, hub.Scanning, hub.InReview, hub.Rejected} {
			for _, asked := range []string{"", "1.0.0", "latest"} {
				equal(f, string(v.State), f.catalog(hub.CatalogQuery{Limit: 10, Version: asked, IncludeDeleted: true}), nil)
			}
			v = f.move(v, step, "")
		}
		equal(f, "rejected", f.catalog(hub.CatalogQuery{Limit: 10, IncludeDeleted: true}), nil)
	})
	each(t, open, "Page hides what is withdrawn unless IncludeDeleted", func(f *fix) {
		s := server("acme/db")
		f.move(f.publish(s, "1.0.0"), hub.Yanked, "x")
		f.move(f.publish(s, "1.1.0"), hub.Deprecated, "x")
		f.move(f.publish(s, "1.2.0"), hub.Quarantined, "x")
		f.publish(s, "1.3.0")
		equal(f, "shown", f.catalog(hub.CatalogQuery{Limit: 2}), []string{"acme/db 1.1.0", "acme/db 1.3.0"})
		equal(f, "all", len(f.catalog(hub.CatalogQuery{Limit: 2, IncludeDeleted: true})), 4)
	})
	each(t, open, "Page filters by version: exact, latest or all", func(f *fix) {
		for _, name := range []string{"acme/aa", "acme/bb"} {
			s := server(name)
			f.publish(s, "1.0.0")
			f.publish(s, "2.0.0")
		}
		equal(f, "latest", f.catalog(hub.CatalogQuery{Limit: 1, Version: "latest"}), []string{"acme/aa 2.0.0", "acme/bb 2.0.0"})
		equal(f, "exact", f.catalog(hub.CatalogQuery{Limit: 1, Version: "1.0.0"}), []string{"acme/aa 1.0.0", "acme/bb 1.0.0"})
		equal(f, "none", f.catalog(hub.CatalogQuery{Limit: 1, Version: "3.0.0"}), nil)
		equal(f, "name", f.catalog(hub.CatalogQuery{Limit: 1, Name: "acme/bb"}), []string{"acme/bb 1.0.0", "acme/bb 2.0.0"})
		equal(f, "both", f.catalog(hub.CatalogQuery{Limit: 1, Name: "acme/bb", Version: "latest"}), []string{"acme/bb 2.0.0"})
		equal(f, "name is exact", f.catalog(hub.CatalogQuery{Limit: 1, Name: "acme/b"}), nil)
	})
	catalogSearch(t, open)
}

func catalogSearch(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Page searches a part of the name in any case, and nothing in it is a pattern", func(f *fix) {
		for _, name := range []string{"io.github.x/My_Tool", "io.github.x/mytool", "acme/other"} {
			imported(f, name, "1.0.0")
		}
		for search, want := range map[string]int{"TOOL": 2, "y_t": 1, "%": 0, "_": 1, "!": 0, "'": 0, "\\": 0, "github.x/m": 2, "x%m": 0, "acme/": 1, "zzz": 0} {
			equal(f, search, len(f.catalog(hub.CatalogQuery{Limit: 10, Search: search})), want)
			equal(f, search+" of the latest", len(f.catalog(hub.CatalogQuery{Limit: 10, Search: search, Version: "latest"})), want)
		}
	})
	each(t, open, "Page: UpdatedSince is strictly after, to the microsecond", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.publish(s, "2.0.0")
		v, err := f.Version(f.ctx, s.ID, "1.0.0", false)
		f.ok(err)
		for back, want := range map[time.Duration]int{0: 0, time.Microsecond: 2, -time.Hour: 0, time.Hour: 2} {
			got := f.catalog(hub.CatalogQuery{Limit: 10, UpdatedSince: v.UpdatedAt.Add(-back), IncludeDeleted: true})
			equal(f, back.String(), len(got), want)
		}
	})
	each(t, open, "Page: a follower of UpdatedSince sees every version that changed, also by losing the mark", func(f *fix) {
		a, b := server("acme/aa"), server("acme/bb")
		f.publish(a, "1.0.0")
		f.publish(b, "1.0.0")
		since := f.stored(b).UpdatedAt
		f.publish(a, "2.0.0")
		f.move(f.publish(b, "0.5.0"), hub.Yanked, "x")
		equal(f, "changed", f.catalog(hub.CatalogQuery{Limit: 10, UpdatedSince: since, IncludeDeleted: true}),
			[]string{"acme/aa 1.0.0", "acme/aa 2.0.0", "acme/bb 0.5.0"})
		equal(f, "shown", f.catalog(hub.CatalogQuery{Limit: 1, UpdatedSince: since}), []string{"acme/aa 1.0.0", "acme/aa 2.0.0"})
	})
	each(t, open, "Page: pages neither repeat nor leave out, while others publish", func(f *fix) {
		want := map[string]int{}
		for i := range 12 {
			imported(f, fmt.Sprintf("io.github.x/s%02d", i), "1.0.0")
			want[fmt.Sprintf("io.github.x/s%02d 1.0.0", i)]++
		}
		got := map[string]int{}
		q := hub.CatalogQuery{Limit: 3}
		for i := 0; ; i++ {
			page, err := f.Page(f.ctx, q)
			f.ok(err)
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				if key := string(r.Name) + " " + r.Version; want[key] > 0 {
					got[key]++
				}
			}
			q.AfterName, q.AfterVersion = page[len(page)-1].Name, page[len(page)-1].Version
			if i < 3 {
				imported(f, fmt.Sprintf("io.github.x/a%02d", i), "1.0.0")
				imported(f, fmt.Sprintf("io.github.x/z%02d", i), "1.0.0")
			}
		}
		equal(f, "seen", got, want)
	})
}

// catalog reads all pages and returns "name version" of each row; nil for none.
func (f *fix) catalog(q hub.CatalogQuery) []string {
	f.Helper()
	var out []string
	for {
		page, err := f.Page(f.ctx, q)
		f.ok(err)
		for _, r := range page {
			out = append(out, string(r.Name)+" "+r.Version)
		}
		if len(page) < q.Limit {
			return out
		}
		q.AfterName, q.AfterVersion = page[len(page)-1].Name, page[len(page)-1].Version
	}
}

func capabilities(t *testing.T, open func(t *testing.T) Backend) {
	declare := func(f *fix, name, number string, caps ...string) *hub.Server {
		s := server(name)
		v := version(s, number)
		for _, c := range caps {
			kind, cname, _ := strings.Cut(c, ":")
			v.Capabilities = append(v.Capabilities, hub.Capability{Type: hub.CapabilityType(kind), Name: cname})
		}
		f.publishVersion(s, v)
		return s
	}
	count := func(f *fix, q hub.CapabilityQuery) string {
		f.Helper()
		var out []string
		for {
			page, err := f.CountCapabilities(f.ctx, q)
			f.ok(err)
			for _, c := range page {
				out = append(out, fmt.Sprintf("%s:%s=%d", c.Type, c.Name, c.Servers))
			}
			if len(page) < q.Limit {
				return strings.Join(out, " ")
			}
			q.After = &page[len(page)-1]
		}
	}
	each(t, open, "CountCapabilities: most servers first, then type and name, in pages", func(f *fix) {
		declare(f, "acme/aa", "1.0.0", "tool:read", "tool:read", "tool:Write", "prompt:read", "resource:x")
		declare(f, "acme/bb", "1.0.0", "tool:read", "tool:a_b")
		declare(f, "acme/cc", "1.0.0", "tool:read", "tool:Write")
		want := "tool:read=3 tool:Write=2 prompt:read=1 resource:x=1 tool:a_b=1"
		for _, limit := range []int{1, 2, 100} {
			equal(f, fmt.Sprint("by ", limit), count(f, hub.CapabilityQuery{Limit: limit}), want)
		}
		equal(f, "type", count(f, hub.CapabilityQuery{Limit: 2, Type: hub.Prompt}), "prompt:read=1")
		equal(f, "prefix", count(f, hub.CapabilityQuery{Limit: 2, Prefix: "re"}), "tool:read=3 prompt:read=1")
		equal(f, "prefix is no pattern", count(f, hub.CapabilityQuery{Limit: 2, Prefix: "_"}), "")
		equal(f, "prefix keeps case", count(f, hub.CapabilityQuery{Limit: 2, Prefix: "w"}), "")
	})
	each(t, open, "CountCapabilities counts the latest version of each server only", func(f *fix) {
		s := declare(f, "acme/aa", "1.0.0", "tool:old", "tool:both")
		v := version(s, "2.0.0")
		v.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "both"}, {Type: hub.Tool, Name: "new"}}
		v = f.publishVersion(s, v)
		equal(f, "after 2.0.0", count(f, hub.CapabilityQuery{Limit: 10}), "tool:both=1 tool:new=1")
		f.move(v, hub.Yanked, "x")
		equal(f, "after its withdrawal", count(f, hub.CapabilityQuery{Limit: 10}), "tool:both=1 tool:old=1")
		waiting := server("acme/bb")
		w := version(waiting, "1.0.0")
		w.Capabilities = []hub.Capability{{Type: hub.Tool, Name: "hidden"}}
		f.submit(waiting, w)
		equal(f, "with a submitted one", count(f, hub.CapabilityQuery{Limit: 10}), "tool:both=1 tool:old=1")
	})
}
