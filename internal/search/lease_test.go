package search_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/search"
)

// sharing makes a hub that shares the fixture's engines under one name.
func (f *fixture) sharing(worker string) *search.Service {
	f.t.Helper()
	model, err := embed.New()
	must(f.t, err)
	return search.New(search.Config{Store: f.store, Index: f.index, Vectors: f.vectors, Embedder: model, Log: quiet, Worker: worker,
		IndexName: "engine", VectorsName: "vectors"})
}

// TestSharedEngine guards: of hubs that share an engine one fills it and keeps it in step, the others know how far it
// is, and another goes on when that one stops.
func TestSharedEngine(t *testing.T) {
	f := newFixture(t)
	f.add("@acme/notes", "notes", nil)
	one, two := f.sharing("one"), f.sharing("two")
	stopOne, _ := f.run(one), f.run(two)
	inStep := func(s *search.Service) bool {
		lag := s.Lag()
		return lag["index"] == 0 && lag["vectors"] == 0
	}
	f.await("both are in step", func() bool {
		return finds(t, one, "notes") != "" && finds(t, two, "notes") != "" && inStep(one) && inStep(two)
	})
	f.add("@acme/letters", "letters", nil)
	f.await("both find what comes", func() bool { return finds(t, one, "letters") != "" && finds(t, two, "letters") != "" })
	if n := f.index.fills.Load(); n != 1 {
		t.Errorf("filled %d times", n)
	}
	must(t, search.AskReindex(t.Context(), f.store))
	f.await("it is filled anew, and that is noted", func() bool {
		asked, err := f.store.Setting(t.Context(), "index.asked")
		noted, missing := f.store.Setting(t.Context(), "index.asked.index.engine")
		return f.index.fills.Load() == 2 && err == nil && missing == nil && string(asked) == string(noted)
	})
	stopOne()
	f.add("@acme/mails", "mails", nil)
	f.await("the second goes on", func() bool { return finds(t, two, "mails") != "" && inStep(two) })
	if n := f.index.fills.Load(); n != 2 {
		t.Errorf("filled %d times, asked for once", n)
	}
}

// TestLease guards: while another hub's lease lasts, an engine is left alone and the lag shows; when it is over, the
// work goes on.
func TestLease(t *testing.T) {
	f := newFixture(t)
	hold := func(till time.Time) {
		for _, key := range []string{"index.lease.engine", "vectors.lease.vectors"} {
			must(t, f.store.SetSetting(t.Context(), key, fmt.Appendf(nil, "dead %d", till.UnixMilli())))
		}
	}
	hold(time.Now().Add(time.Hour))
	f.add("@acme/notes", "notes", nil)
	s := f.sharing("one")
	f.run(s)
	f.await("the lag shows", func() bool { lag := s.Lag(); return lag["index"] > 0 && lag["vectors"] > 0 })
	if n := f.index.fills.Load(); n != 0 {
		t.Errorf("filled under another's lease")
	}
	hold(time.Now().Add(-time.Second))
	f.await("it goes on", func() bool { return finds(t, s, "notes") != "" && s.Lag()["index"] == 0 })
}
