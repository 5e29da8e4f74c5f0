package conform

import (
	"fmt"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// mirror returns a server and a version as an import brings them.
func mirror(name, number string) (*hub.Server, *hub.Version) {
	s := server(name)
	s.Origin = "https://registry.example"
	v := version(s, number)
	v.State, v.Mirrored, v.Format, v.PublishedBy = hub.Published, true, hub.FormatServer, ""
	v.PublishedAt = time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)
	return s, v
}

// imported stores a mirrored server.
func imported(f *fix, name, number string) *hub.Server {
	f.Helper()
	s, v := mirror(name, number)
	f.imports(s, v, hub.Imported)
	return s
}

func (f *fix) imports(s *hub.Server, v *hub.Version, want hub.ImportResult) {
	f.Helper()
	got, err := f.Import(f.ctx, s, v, event(""))
	f.ok(err)
	equal(f, "result", got, want)
}

func imports(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Import stores a server with one version that is visible, with its event", func(f *fix) {
		s, v := mirror("io.github.x/Tool", "2025.1")
		v.Facts = hub.LatestFacts{PackageTypes: []string{"npm"}}
		f.imports(s, v, hub.Imported)
		got, err := f.Version(f.ctx, s.ID, "latest", false)
		f.ok(err)
		equal(f, "version", []any{got.Version, got.State, got.Mirrored, got.PublishedAt}, []any{"2025.1", hub.Published, true, v.PublishedAt})
		stored := f.stored(s)
		equal(f, "server", []any{stored.Name, stored.Origin, stored.Title, stored.Latest.PackageTypes}, []any{s.Name, s.Origin, s.Title, []string{"npm"}})
		evs := f.all()
		equal(f, "events", []string{evs[0].Subject, evs[0].Action}, []string{s.ID, "version.published"})
		f.metaIsTrue(s)
	})
	each(t, open, "Import answers Unchanged when the same version, digest and state is stored", func(f *fix) {
		s, v := mirror("io.github.x/tool", "1.0.0")
		f.imports(s, v, hub.Imported)
		again, w := mirror("io.github.x/tool", "1.0.0") // with new IDs
		before, n := f.stored(s).UpdatedAt, len(f.all())
		f.imports(again, w, hub.Unchanged)
		equal(f, "updated", f.stored(s).UpdatedAt, before)
		equal(f, "events", len(f.all()), n)
	})
	each(t, open, "Import answers Updated when a mirrored version's status changed", func(f *fix) {
		s, v := mirror("io.github.x/tool", "1.0.0")
		f.imports(s, v, hub.Imported)
		again, w := mirror("io.github.x/tool", "1.0.0")
		w.State, w.Message = hub.Yanked, "deleted upstream"
		f.imports(again, w, hub.Updated)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "state", []string{string(got.State), got.Message}, []string{"yanked", "deleted upstream"})
		evs := f.all()
		equal(f, "event", []string{evs[1].Action, evs[1].Subject}, []string{"version.yanked", s.ID})
		f.metaIsTrue(s)
	})
	each(t, open, "Import: a version that is quarantined here stays so", func(f *fix) {
		s, v := mirror("io.github.x/tool", "1.0.0")
		f.imports(s, v, hub.Imported)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		f.move(got, hub.Quarantined, "malware")
		again, w := mirror("io.github.x/tool", "1.0.0")
		f.imports(again, w, hub.Unchanged)
		got, err = f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "state", got.State, hub.Quarantined)
	})
	each(t, open, "Import answers Updated when another version of the server was there", func(f *fix) {
		s := imported(f, "io.github.x/tool", "1.0.0")
		again, w := mirror("io.github.x/tool", "1.1.0")
		again.Title = "New title"
		f.imports(again, w, hub.Updated)
		f.latestIs(s, "1.1.0")
		equal(f, "title", f.stored(s).Title, "New title")
		f.metaIsTrue(s)
	})
	each(t, open, "Import: two versions that are no SemVer compare by publish time", func(f *fix) {
		s := imported(f, "io.github.x/tool", "build-b")
		again, w := mirror("io.github.x/tool", "build-a")
		w.PublishedAt = w.PublishedAt.Add(time.Hour)
		f.imports(again, w, hub.Updated)
		f.latestIs(s, "build-a")
	})
	importRefusals(t, open)
}

func importRefusals(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Import: Exists when the name is taken by a server that was published here", func(f *fix) {
		s := server("io.github.x/my-tool")
		f.publish(s, "1.0.0")
		n := len(f.all())
		for _, name := range []string{"io.github.x/my-tool", "io.github.x/my_tool"} {
			m, v := mirror(name, "2.0.0")
			_, err := f.Import(f.ctx, m, v, event(""))
			f.kind(err, hub.Exists)
		}
		equal(f, "events", len(f.all()), n)
	})
	each(t, open, "Import: Exists when the version is stored with other bytes", func(f *fix) {
		imported(f, "io.github.x/tool", "1.0.0")
		m, v := mirror("io.github.x/tool", "1.0.0")
		v.ManifestDigest = "sha256:other"
		_, err := f.Import(f.ctx, m, v, event(""))
		f.kind(err, hub.Exists)
	})
	each(t, open, "Import refuses a server without origin and a state that is not visible", func(f *fix) {
		m, v := mirror("io.github.x/tool", "1.0.0")
		v.State = hub.Scanning
		_, err := f.Import(f.ctx, m, v, event(""))
		f.kind(err, hub.Invalid)
		m, v = mirror("io.github.x/tool", "1.0.0")
		m.Origin = ""
		_, err = f.Import(f.ctx, m, v, event(""))
		f.kind(err, hub.Invalid)
	})
	each(t, open, "Import: many at once of one server lose nothing", func(f *fix) {
		got := beside.Together(12, func(i int) error {
			m, v := mirror("io.github.x/tool", fmt.Sprintf("1.%d.0", i))
			for { // the first may lose the race for the new name: the caller tries again
				_, err := f.Import(f.ctx, m, v, event(""))
				if hub.KindOf(err) != hub.Exists {
					return err
				}
			}
		})
		equal(f, "results", got, map[hub.Kind]int{"": 12})
		s, err := f.Server(f.ctx, "io.github.x/tool")
		f.ok(err)
		f.latestIs(s, "1.11.0")
	})
}
