package conform

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// latest proves the last words of "Transition marks the latest version anew".
func latest(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "the highest stable version is the latest, whatever the order of publishing", func(f *fix) {
		s := server("acme/db")
		for _, c := range []struct{ number, want string }{
			{"1.0.0-beta.1", "1.0.0-beta.1"}, {"0.9.0", "0.9.0"}, {"1.0.0", "1.0.0"}, {"0.9.1", "1.0.0"},
			{"2.0.0-rc.1", "1.0.0"}, {"1.0.0+build", "1.0.0"}, {"1.10.0", "1.10.0"}, {"1.9.0", "1.10.0"},
		} {
			f.publish(s, c.number)
			f.latestIs(s, c.want)
		}
	})
	each(t, open, "a withdrawal moves the mark, a restoration moves it back", func(f *fix) {
		s := server("acme/db")
		byNumber := map[string]*hub.Version{}
		for _, number := range []string{"1.0.0", "2.0.0", "3.0.0-beta.1"} {
			byNumber[number] = f.publish(s, number)
		}
		for _, c := range []struct {
			number string
			to     hub.State
			want   string
		}{
			{"2.0.0", hub.Deprecated, "2.0.0"}, {"2.0.0", hub.Yanked, "1.0.0"}, {"1.0.0", hub.Quarantined, "3.0.0-beta.1"},
			{"3.0.0-beta.1", hub.Unpublished, "3.0.0-beta.1"}, {"2.0.0", hub.Published, "2.0.0"}, {"1.0.0", hub.Published, "2.0.0"},
		} {
			byNumber[c.number] = f.move(byNumber[c.number], c.to, "x")
			f.latestIs(s, c.want)
		}
	})
	each(t, open, "the server repeats the facts and the state of its latest version", func(f *fix) {
		s := server("acme/db")
		v := fullVersion(s)
		f.publishVersion(s, v)
		w := f.publish(s, "2.0.0")
		f.move(w, hub.Yanked, "x")
		got := f.stored(s).Latest
		want := v.Facts
		want.VersionID, want.State = v.ID, hub.Published
		equal(f, "facts", got, want)
		only := server("acme/only")
		f.move(f.publish(only, "1.0.0"), hub.Deprecated, "old")
		equal(f, "state", f.stored(only).Latest.State, hub.Deprecated)
	})
	each(t, open, "the stored _meta says what the version is, also of the one that lost the mark", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.move(f.publish(s, "2.0.0"), hub.Deprecated, "old")
		f.publish(s, "3.0.0")
		f.metaIsTrue(s)
	})
	each(t, open, "exactly one version has the mark while many are published at once", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "0.0.1")
		vs := make([]*hub.Version, 12)
		for i := range vs {
			vs[i] = f.submit(s, version(s, fmt.Sprintf("1.%d.0", i)))
		}
		got := beside.Together(len(vs), func(i int) error {
			_, err := f.Transition(f.ctx, hub.Transition{VersionID: vs[i].ID, From: hub.Submitted, Steps: toPublished, Server: s, Event: event("")})
			return err
		})
		equal(f, "results", got, map[hub.Kind]int{"": 12})
		f.latestIs(s, "1.11.0")
		f.metaIsTrue(s)
	})
}

// latestIs fails unless every way to see the latest version shows the number.
func (f *fix) latestIs(s *hub.Server, want string) {
	f.Helper()
	v, err := f.Version(f.ctx, s.ID, "latest", false)
	f.ok(err)
	equal(f, "Version", v.Version, want)
	equal(f, "Server", f.stored(s).Latest.Version, want)
	all, err := f.Versions(f.ctx, s.ID)
	f.ok(err)
	var marked []string
	for _, v := range all {
		if v.Latest {
			marked = append(marked, v.Version)
		}
	}
	equal(f, "marked", strings.Join(marked, " "), want)
	page, err := f.Page(f.ctx, hub.CatalogQuery{Limit: 10, Version: "latest", Name: s.Name, IncludeDeleted: true})
	f.ok(err)
	if len(page) != 1 || page[0].Version != want {
		f.Fatalf("Page: %v, want %s", page, want)
	}
}

// metaIsTrue fails unless each version's stored _meta is what RenderMeta makes of it.
func (f *fix) metaIsTrue(s *hub.Server) {
	f.Helper()
	page, err := f.Page(f.ctx, hub.CatalogQuery{Limit: 100, Name: s.Name, IncludeDeleted: true})
	f.ok(err)
	for _, row := range page {
		v, err := f.Version(f.ctx, s.ID, row.Version, false)
		f.ok(err)
		equal(f, row.Version+" _meta", json.RawMessage(row.Meta), json.RawMessage(hub.RenderMeta(v, s.Origin)))
	}
}
