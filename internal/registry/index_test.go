package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// finds returns the names that a search finds.
func finds(t *testing.T, s *registry.Service, text string) string {
	t.Helper()
	page, err := s.Search(t.Context(), hub.SearchQuery{Text: text, Limit: 20})
	must(t, err)
	var names []string
	for _, srv := range page.Servers {
		names = append(names, srv.Name.String())
	}
	return strings.Join(names, " ")
}

// TestIndexFollows guards: the index catches up with what was there, follows what comes, and forgets what nobody
// may choose any more.
func TestIndexFollows(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	f.run(f.Service)
	f.await("what was there is found", func() bool { return finds(t, f.Service, "notes assistant") == "@acme/notes" })
	f.publish("@acme/letters", "1.0.0")
	f.await("what comes is found", func() bool { return finds(t, f.Service, "letters") == "@acme/letters" && f.Lag() == 0 })
	if got := finds(t, f.Service, "write_note"); !strings.Contains(got, "@acme/notes") {
		t.Errorf("a tool's name finds %q", got)
	}
	_, err := f.ChangeState(t.Context(), admin, "@acme/letters", "1.0.0", registry.Change{To: hub.Quarantined, Message: "it phones home"})
	must(t, err)
	f.await("what is quarantined is not found", func() bool { return finds(t, f.Service, "letters") == "" })
	_, err = f.ChangeState(t.Context(), admin, "@acme/letters", "1.0.0", registry.Change{To: hub.Published})
	must(t, err)
	f.await("what is back is found", func() bool { return finds(t, f.Service, "letters") == "@acme/letters" })
}

// TestSecondProcess guards: an index of another process on the same store fills and follows by itself.
func TestSecondProcess(t *testing.T) {
	f := newFixture(t)
	second, _ := f.another("second")
	f.run(f.Service)
	f.run(second)
	f.publish("@acme/notes", "1.0.0")
	f.await("both find it", func() bool {
		return finds(t, f.Service, "notes") == "@acme/notes" && finds(t, second, "notes") == "@acme/notes"
	})
	_, before := second.Generation()
	f.publish("@acme/letters", "1.0.0")
	f.await("the other notices the news", func() bool { _, seen := second.Generation(); return seen > before })
}

// TestSearchFallsBack guards: with the engine down names are searched, and the answer says so; what happened
// meanwhile is found when it is back.
func TestSearchFallsBack(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	f.index.down.Store(true)
	f.run(f.Service)
	for text, want := range map[string]string{"notes": "@acme/notes", "@acme/no": "@acme/notes", "assistant": ""} {
		page, err := f.Search(t.Context(), hub.SearchQuery{Text: text, Limit: 20})
		must(t, err)
		if got := finds(t, f.Service, text); got != want || page.Notice != "the search engine is down; only names were searched" {
			t.Errorf("%s finds %q, notice %q", text, got, page.Notice)
		}
	}
	f.publish("@acme/letters", "1.0.0") // publishing does not wait for the engine
	f.await("it falls behind", func() bool { return f.Lag() > 0 })
	f.index.down.Store(false)
	must(t, f.Reindex(t.Context()))
	if got := finds(t, f.Service, "letters"); got != "@acme/letters" {
		t.Errorf("after the engine is back: %q", got)
	}
	if page, err := f.Search(t.Context(), hub.SearchQuery{Text: "letters", Limit: 20}); err != nil || page.Notice != "" {
		t.Errorf("notice %q %v", page.Notice, err)
	}
}

// TestReindex guards: a new index holds everything that can be chosen, more than one page of it, and nothing else.
func TestReindex(t *testing.T) {
	f := newFixture(t)
	for i := range 120 {
		f.publish(fmt.Sprintf("@acme/server-%d", i), "1.0.0")
	}
	_, err := f.ChangeState(t.Context(), acme, "@acme/server-7", "1.0.0", registry.Change{To: hub.Yanked})
	must(t, err)
	must(t, f.index.Put(t.Context(), []hub.Document{{ID: "0198f000-0000-7000-8000-00000000dead", Name: "acme/ghost"}}))
	must(t, f.Reindex(t.Context()))
	n, err := f.index.Count(t.Context())
	must(t, err)
	if n != 119 || f.Lag() != 0 {
		t.Errorf("%d documents and %d events behind, want 119 and 0", n, f.Lag())
	}
	if got := finds(t, f.Service, "ghost"); got != "" {
		t.Errorf("a ghost is found: %q", got)
	}
}

// TestAskReindex guards: asking fills every running hub's index anew, once.
func TestAskReindex(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	second, index := f.another("second")
	f.run(f.Service)
	f.run(second)
	f.await("both are in step", func() bool { return finds(t, f.Service, "notes") != "" && finds(t, second, "notes") != "" })
	one, two := f.index.resets.Load(), index.resets.Load()
	must(t, f.AskReindex(t.Context()))
	f.await("both fill anew", func() bool { return f.index.resets.Load() == one+1 && index.resets.Load() == two+1 })
	f.publish("@acme/letters", "1.0.0")
	f.await("both go on", func() bool { return finds(t, f.Service, "letters") != "" && finds(t, second, "letters") != "" })
	if f.index.resets.Load() != one+1 || index.resets.Load() != two+1 {
		t.Errorf("filled anew more than once: %d and %d", f.index.resets.Load()-one, index.resets.Load()-two)
	}
}

// TestLostIndex guards: an index that was emptied behind the hub's back is filled at the next start.
func TestLostIndex(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	stop := f.run(f.Service)
	f.await("it is found", func() bool { return finds(t, f.Service, "notes") == "@acme/notes" })
	stop()
	again, _ := f.another("test") // the same name, and so the same cursor, with an empty index
	f.run(again)
	f.await("it is found again", func() bool { return finds(t, again, "notes") == "@acme/notes" })
}
