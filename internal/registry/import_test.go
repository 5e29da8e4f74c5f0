package registry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/source"
)

const catalog = `{"servers": [
  {"server": {"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "io.github.far/weather", "description": "Tells the weather of a city.", "version": "1.0.0",
    "packages": [{"registryType": "npm", "identifier": "@far/weather", "version": "1.0.0", "transport": {"type": "stdio"}}]}, "_meta": {}},
  {"server": {"name": "no slash", "description": "Broken.", "version": "1.0.0"}, "_meta": {}},
  {"server": {"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "io.github.far/weather", "description": "Tells the weather of a city.", "version": "1.1.0"}, "_meta": {}},
  {"server": {"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "io.github.acme/taken", "description": "Published here already.", "version": "1.0.0"}, "_meta": {}},
  17
]}`

// TestImportAddsUp guards: each entry has one line, the counts add up to the entries, one bad entry stops no
// other, and the second time nothing changes.
func TestImportAddsUp(t *testing.T) {
	f := newFixture(t)
	f.publish("io.github.acme/taken", "1.0.0")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "list.json"), []byte(catalog), 0o600))
	entries, err := source.ReadCatalog(dir, source.FormatAuto)
	must(t, err)
	for round, want := range []string{
		"imported 1 updated 1 unchanged 0 refused 3: imported refused updated refused refused",
		"imported 0 updated 0 unchanged 2 refused 3: unchanged refused unchanged refused refused",
	} {
		before, err := f.store.LastEvent(t.Context())
		must(t, err)
		r, err := f.Import(t.Context(), admin, entries)
		must(t, err)
		var status []string
		for _, e := range r.Entries {
			status = append(status, e.Status)
			if (e.Status == "refused") != (e.Reason != "") || e.Source == "" || e.Warnings == nil {
				t.Errorf("entry %+v", e)
			}
		}
		got := fmt.Sprintf("imported %d updated %d unchanged %d refused %d: %s", r.Imported, r.Updated, r.Unchanged, r.Refused, strings.Join(status, " "))
		if got != want || r.Imported+r.Updated+r.Unchanged+r.Refused != len(entries) {
			t.Errorf("round %d: %s, want %s (%d entries)", round, got, want, len(entries))
		}
		if last, err := f.store.LastEvent(t.Context()); err != nil || round == 1 && last != before {
			t.Errorf("round %d: %d events more", round, last-before)
		}
	}
	_, err = f.Import(t.Context(), acme, entries)
	refused(t, "not an administrator", err, hub.Forbidden, "catalogues are imported by administrators")

	v, err := f.Version(t.Context(), "io.github.far/weather", "latest")
	must(t, err)
	if v.Version != "1.1.0" || !v.Mirrored || v.PublishedBy != "" {
		t.Errorf("version %+v", v)
	}
	_, err = f.Publish(t.Context(), admin, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("io.github.far/weather", "2.0.0")})
	srv, serr := f.Server(t.Context(), "io.github.far/weather")
	must(t, serr)
	refused(t, "publishing over what is mirrored", err, hub.Exists, "io.github.far/weather is mirrored from "+srv.Origin+", so nothing can be published under it here")
}

// upstream is another registry: its rows by name and version, two on a page.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	rows     []upstreamRow
	cutAfter int // pages until it breaks down; 0 for never
	requests []url.Values
}

type upstreamRow struct {
	name, version, status string
	updated               time.Time
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) set(name, version, status string, updated time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rows = slices.DeleteFunc(u.rows, func(r upstreamRow) bool { return r.name == name && r.version == version })
	u.rows = append(u.rows, upstreamRow{name, version, status, updated})
	slices.SortFunc(u.rows, func(a, b upstreamRow) int { return strings.Compare(a.name+" "+a.version, b.name+" "+b.version) })
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	q := r.URL.Query()
	u.requests = append(u.requests, q)
	if u.cutAfter > 0 && len(u.requests) > u.cutAfter {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	since, _ := time.Parse(time.RFC3339Nano, q.Get("updated_since")) // zero when it is not given
	var items []string
	skip, _ := strconv.Atoi(q.Get("cursor"))
	next, seen := "", 0
	for _, row := range u.rows {
		if !row.updated.After(since) {
			continue
		}
		if seen++; seen <= skip {
			continue
		}
		if len(items) == 2 {
			next = strconv.Itoa(skip + 2)
			break
		}
		at := row.updated.Format(time.RFC3339Nano)
		items = append(items, fmt.Sprintf(`{"server":{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":%q,"description":"Mirrored.","version":%q},
			"_meta":{"io.modelcontextprotocol.registry/official":{"status":%q,"publishedAt":"2026-01-01T00:00:00Z","updatedAt":%q,"statusChangedAt":%q,"isLatest":true}}}`, row.name, row.version, row.status, at, at))
	}
	fmt.Fprintf(w, `{"servers":[%s],"metadata":{"count":%d,"nextCursor":%q}}`, strings.Join(items, ","), len(items), next)
}

// sync runs once, with one try of each page, and returns the report, error and queries.
func (u *upstream) sync(t *testing.T, f *fixture) (report string, queries []url.Values, err error) {
	t.Helper()
	u.mu.Lock()
	u.requests = nil
	u.mu.Unlock()
	r, err := f.Sync(t.Context(), admin, &source.Mirror{HTTP: u.Client(), Attempts: 1}, u.URL)
	return fmt.Sprintf("%d pages: imported %d updated %d unchanged %d refused %d", r.Pages, r.Imported, r.Updated, r.Unchanged, r.Refused), u.requests, err
}

// TestSync guards: a mirror that is cut off goes on after its last whole page, then asks only for what changed, and
// follows deprecations and deletions.
func TestSync(t *testing.T) {
	f, u := newFixture(t), newUpstream(t)
	day := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for i, name := range []string{"aa", "bb", "cc", "dd", "ee"} {
		u.set("io.github.far/"+name, "1.0.0", "active", day.Add(time.Duration(5-i)*time.Hour)) // the newest comes first
	}
	u.cutAfter = 1
	got, _, err := u.sync(t, f)
	if hub.KindOf(err) != hub.Unavailable || got != "1 pages: imported 2 updated 0 unchanged 0 refused 0" {
		t.Fatalf("cut off: %s, %v", got, err)
	}
	if servers, _, err := f.Counts(t.Context()); err != nil || servers != 2 {
		t.Errorf("what came is not kept: %d %v", servers, err)
	}
	u.cutAfter = 0
	got, queries, err := u.sync(t, f)
	must(t, err)
	if got != "2 pages: imported 3 updated 0 unchanged 0 refused 0" || queries[0].Get("cursor") != "2" || queries[0].Get("updated_since") != "" {
		t.Errorf("going on: %s, first query %v", got, queries[0])
	}
	got, queries, err = u.sync(t, f)
	must(t, err)
	if want := day.Add(5 * time.Hour).Format(time.RFC3339Nano); got != "1 pages: imported 0 updated 0 unchanged 0 refused 0" || queries[0].Get("updated_since") != want {
		t.Errorf("nothing new: %s, query %v, want since %s", got, queries[0], want)
	}

	u.set("io.github.far/aa", "1.0.0", "deleted", day.Add(24*time.Hour))
	u.set("io.github.far/bb", "1.0.0", "deprecated", day.Add(25*time.Hour))
	u.set("io.github.far/cc", "1.1.0", "active", day.Add(26*time.Hour))
	got, _, err = u.sync(t, f)
	must(t, err)
	if got != "2 pages: imported 0 updated 3 unchanged 0 refused 0" {
		t.Errorf("what changed: %s", got)
	}
	for ref, want := range map[string]hub.State{"aa": hub.Yanked, "bb": hub.Deprecated, "cc": hub.Published} {
		v, err := f.Version(t.Context(), "io.github.far/"+ref, "latest")
		must(t, err)
		if v.State != want {
			t.Errorf("%s is %s, want %s", ref, v.State, want)
		}
	}
	if v, err := f.Version(t.Context(), "io.github.far/cc", "latest"); err != nil || v.Version != "1.1.0" {
		t.Errorf("latest of cc: %+v %v", v, err)
	}
	got, _, err = u.sync(t, f)
	must(t, err)
	if got != "1 pages: imported 0 updated 0 unchanged 0 refused 0" {
		t.Errorf("again: %s", got)
	}
	_, err = f.Sync(t.Context(), acme, &source.Mirror{HTTP: u.Client(), Attempts: 1}, u.URL+"/")
	refused(t, "not an administrator", err, hub.Forbidden, "catalogues are imported by administrators")
}

// TestSyncNeverTakesOver guards: what was published here stays ours, whatever another registry says.
func TestSyncNeverTakesOver(t *testing.T) {
	f, u := newFixture(t), newUpstream(t)
	f.publish("io.github.acme/notes", "1.0.0")
	u.set("io.github.acme/notes", "9.0.0", "active", f.clock.now())
	u.set("io.github.acme/NOTES", "9.0.0", "active", f.clock.now())
	got, _, err := u.sync(t, f)
	must(t, err)
	v, verr := f.Version(t.Context(), "io.github.acme/notes", "latest")
	must(t, verr)
	if got != "1 pages: imported 0 updated 0 unchanged 0 refused 2" || v.Version != "1.0.0" || v.Mirrored {
		t.Errorf("%s, and latest is %s", got, v.Version)
	}
}
