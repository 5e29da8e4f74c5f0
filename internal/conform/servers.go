package conform

import (
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func servers(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Server finds by UUID and by stored name", func(f *fix) {
		s := server("acme/Data-Base")
		f.ok(f.Save(f.ctx, s, event("")))
		for _, ref := range []string{s.ID, "acme/Data-Base"} {
			got, err := f.Server(f.ctx, ref)
			f.ok(err)
			equal(f, ref, got.ID, s.ID)
		}
	})
	each(t, open, "Server finds by claim: another case, other separators", func(f *fix) {
		s := server("acme/data-base")
		f.ok(f.Save(f.ctx, s, event("")))
		for _, ref := range []string{"acme/database", "Acme/Data_Base", "acme/d.a.t.a-base"} {
			got, err := f.Server(f.ctx, ref)
			f.ok(err)
			equal(f, ref, got.Name, s.Name)
		}
	})
	each(t, open, "Server: the stored spelling comes before the claim", func(f *fix) {
		a, b := imported(f, "io.github.x/my-tool", "1.0.0"), imported(f, "io.github.x/my_tool", "1.0.0")
		for _, s := range []*hub.Server{a, b} {
			got, err := f.Server(f.ctx, string(s.Name))
			f.ok(err)
			equal(f, "name", got.Name, s.Name)
		}
		got, err := f.Server(f.ctx, "io.github.x/mytool")
		f.ok(err)
		equal(f, "the first holds the claim", got.Name, a.Name)
	})
	each(t, open, "Server: NotFound when there is none", func(f *fix) {
		for _, ref := range []string{"acme/none", id(), "", "no slash", "a/b/c", "' OR 1=1 --"} {
			_, err := f.Server(f.ctx, ref)
			f.kind(err, hub.NotFound)
		}
	})
	each(t, open, "text that no database stores is not found, and not stored", func(f *fix) {
		for _, text := range []string{"\x00", "a/b\x00", "\xff\xfe"} {
			_, err := f.Server(f.ctx, text)
			f.kind(err, hub.NotFound)
			_, err = f.Account(f.ctx, text)
			f.kind(err, hub.NotFound)
			_, err = f.Version(f.ctx, id(), text, false)
			f.kind(err, hub.NotFound)
			equal(f, "page", f.catalog(hub.CatalogQuery{Limit: 1, Search: text}), nil)
			equal(f, "list", len(f.pages(hub.ServerQuery{Limit: 1, Sort: hub.SortName, Keyword: text, License: text})), 0)
			counts, err := f.CountCapabilities(f.ctx, hub.CapabilityQuery{Limit: 1, Prefix: text})
			f.ok(err)
			equal(f, "capabilities", len(counts), 0)
		}
		s := server("acme/db")
		s.Description = "zero \x00 byte"
		f.kind(f.Save(f.ctx, s, event("")), hub.Invalid)
		f.kind(f.Submit(f.ctx, hub.Submission{Server: s, Version: version(s, "1.0.0"), Event: event(""), Job: hub.Job{Kind: "x"}}), hub.Invalid)
	})
	serverSaves(t, open)
	serverTags(t, open)
	standings(t, open)
	serverCounts(t, open)
}

func serverSaves(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Save creates the server with everything in it", func(f *fix) {
		s := fullServer()
		f.ok(f.Save(f.ctx, s, event("")))
		equal(f, "server", f.stored(s), s)
	})
	each(t, open, "Save updates the display facts of the one with its ID", func(f *fix) {
		s := fullServer()
		f.ok(f.Save(f.ctx, s, event("")))
		before := s.UpdatedAt
		s.Title, s.Keywords, s.Score, s.License = "Other", nil, 7, "MIT"
		f.ok(f.Save(f.ctx, s, event("")))
		equal(f, "server", f.stored(s), s)
		if !s.UpdatedAt.After(before) {
			f.Fatalf("UpdatedAt did not grow: %s, %s", before, s.UpdatedAt)
		}
	})
	each(t, open, "Save appends ev", func(f *fix) {
		s := server("acme/db")
		f.ok(f.Save(f.ctx, s, event(hub.ActionServerCreated)))
		evs := f.all()
		if len(evs) != 1 || evs[0].Action != hub.ActionServerCreated || evs[0].Subject != s.ID || evs[0].ActorName != "ada" {
			f.Fatalf("events: %+v", evs)
		}
	})
	each(t, open, "Save: Exists when another server has the same claim", func(f *fix) {
		f.ok(f.Save(f.ctx, server("acme/data-base"), event("")))
		f.kind(f.Save(f.ctx, server("acme/Data_Base"), event("")), hub.Exists)
		equal(f, "events", len(f.all()), 1)
	})
	each(t, open, "Save: one of many wins a claim", func(f *fix) {
		got := beside.Together(10, func(int) error { return f.Save(f.ctx, server("acme/db"), event("")) })
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Exists: 9})
	})
	each(t, open, "ServersByID leaves unknown ones out", func(f *fix) {
		a, b := server("acme/aa"), server("acme/bb")
		f.ok(f.Save(f.ctx, a, event("")))
		f.ok(f.Save(f.ctx, b, event("")))
		got, err := f.ServersByID(f.ctx, []string{a.ID, id(), b.ID, a.ID})
		f.ok(err)
		equal(f, "servers", len(got), 2)
		got, err = f.ServersByID(f.ctx, nil)
		f.ok(err)
		equal(f, "no IDs", len(got), 0)
	})
}

func standings(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Standings leaves unknown ones out", func(f *fix) {
		a, b := server("acme/aa"), server("acme/bb")
		a.Score, b.Score = 70, 0
		f.ok(f.Save(f.ctx, a, event("")))
		f.ok(f.Save(f.ctx, b, event("")))
		f.ok(f.AddInstalls(f.ctx, map[string]int64{b.ID: 3}))
		got, err := f.Standings(f.ctx, []string{a.ID, id(), b.ID, a.ID})
		f.ok(err)
		equal(f, "standings", got, map[string]hub.Standing{a.ID: {Score: 70}, b.ID: {Installs: 3}})
		got, err = f.Standings(f.ctx, nil)
		f.ok(err)
		equal(f, "no IDs", len(got), 0)
		_, err = f.Standings(f.ctx, make([]string, 101))
		f.kind(err, hub.Invalid)
	})
}

func serverTags(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "SetTags replaces the dist-tags and appends ev", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.publish(s, "2.0.0-beta.1")
		before := f.stored(s).UpdatedAt
		f.ok(f.SetTags(f.ctx, s.ID, map[string]string{"beta": "2.0.0-beta.1", "old": "1.0.0"}, event("")))
		f.ok(f.SetTags(f.ctx, s.ID, map[string]string{"next": "2.0.0-beta.1"}, event("server.tagged")))
		got := f.stored(s)
		equal(f, "tags", got.DistTags, map[string]string{"next": "2.0.0-beta.1"})
		if !got.UpdatedAt.After(before) {
			f.Fatal("UpdatedAt did not grow")
		}
		evs := f.all()
		equal(f, "last event", evs[len(evs)-1].Action, "server.tagged")
	})
	each(t, open, "SetTags: NotFound when a version is not a visible one of the server", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.submit(s, version(s, "1.1.0"))
		n := len(f.all())
		for _, v := range []string{"1.1.0", "9.9.9"} {
			f.kind(f.SetTags(f.ctx, s.ID, map[string]string{"ok": "1.0.0", "x": v}, event("")), hub.NotFound)
		}
		f.kind(f.SetTags(f.ctx, id(), nil, event("")), hub.NotFound)
		equal(f, "tags", len(f.stored(s).DistTags), 0)
		equal(f, "events", len(f.all()), n)
	})
}

func serverCounts(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "AddInstalls adds, skips unknown IDs and appends no event", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		n, before := len(f.all()), f.stored(s).UpdatedAt
		got := beside.Together(10, func(int) error { return f.AddInstalls(f.ctx, map[string]int64{s.ID: 3, id(): 1}) })
		equal(f, "results", got, map[hub.Kind]int{"": 10})
		after := f.stored(s)
		equal(f, "installs", after.Installs, 30)
		equal(f, "updated", after.UpdatedAt, before)
		equal(f, "events", len(f.all()), n)
		f.ok(f.AddInstalls(f.ctx, nil))
	})
	each(t, open, "InstallsByDay and Trending count what AddInstalls added today", func(f *fix) {
		one, two, hidden := server("acme/one"), server("acme/two"), server("acme/hidden")
		f.publish(one, "1.0.0")
		f.publish(two, "1.0.0")
		f.submit(hidden, version(hidden, "1.0.0"))
		for range 2 {
			f.ok(f.AddInstalls(f.ctx, map[string]int64{one.ID: 2, two.ID: 5, hidden.ID: 9, id(): 1}))
		}
		since := time.Now().Add(-48 * time.Hour)
		days, err := f.InstallsByDay(f.ctx, one.ID, since)
		f.ok(err)
		var sum int64
		for _, d := range days { // two, when midnight came between
			if sum += d.Count; d.Day.Before(since.Add(-24*time.Hour)) || d.Day.Truncate(24*time.Hour) != d.Day {
				f.Errorf("day %s", d.Day)
			}
		}
		equal(f, "installs", sum, 4)
		later, err := f.InstallsByDay(f.ctx, one.ID, time.Now().Add(72*time.Hour))
		f.ok(err)
		equal(f, "later", len(later), 0)
		top, err := f.Trending(f.ctx, since, 5)
		f.ok(err)
		equal(f, "trending", top, []hub.ServerCount{{ServerID: two.ID, Count: 10}, {ServerID: one.ID, Count: 4}})
		top, err = f.Trending(f.ctx, since, 1)
		f.ok(err)
		equal(f, "first", len(top), 1)
	})
	each(t, open, "CountServers counts servers with a visible version, and visible versions", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.move(f.publish(s, "1.1.0"), hub.Yanked, "broken")
		f.submit(s, version(s, "1.2.0"))
		o := server("acme/other")
		f.submit(o, version(o, "1.0.0"))
		servers, versions, err := f.CountServers(f.ctx)
		f.ok(err)
		equal(f, "counts", []int64{servers, versions}, []int64{1, 2})
	})
}

// fullServer has a value in every field that Save stores.
func fullServer() *hub.Server {
	s := server("io.github.acme/full")
	s.Title, s.Description = `it's "quoted" ? \ 漢字 🙂`, "line one\nline two"
	s.License, s.Homepage, s.Repository = "MIT OR Apache-2.0", "https://acme.example", "https://git.example/acme"
	s.Keywords, s.Categories, s.Icon = []string{"a b", `c"d`, "<e>"}, []string{"database"}, "https://acme.example/i.png"
	s.Score = 55
	s.CreatedAt = time.Date(2025, 3, 1, 10, 0, 0, 123456000, time.UTC)
	return s
}
