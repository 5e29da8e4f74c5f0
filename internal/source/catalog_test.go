package source_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source"
)

// catalogs returns the folder of real catalogues beside the module, or skips.
func catalogs(t *testing.T) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data", "catalogs")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real catalogues beside the module: %v", err)
	}
	return dir
}

func read(t *testing.T, path, format string) []source.Entry {
	t.Helper()
	entries, err := source.ReadCatalog(path, format)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// sound checks what must be true of every entry that was not refused.
func sound(t *testing.T, e source.Entry) {
	t.Helper()
	if e.Source == "" || e.Name == "" {
		t.Errorf("an entry without source or name: %+v", e)
	}
	if e.Refused != "" {
		if e.Server != nil || e.Version != nil {
			t.Errorf("%s: refused, and yet there is a server", e.Source)
		}
		return
	}
	v := e.Version
	m, issues, err := manifest.Parse(v.Manifest)
	if err != nil || len(issues) > 0 {
		t.Errorf("%s: its manifest cannot be read: %v %v", e.Source, err, issues)
		return
	}
	if !bytes.Equal(m.Canonical(), v.Manifest) {
		t.Errorf("%s: its manifest is not canonical", e.Source)
	}
	sj, _, err := manifest.ParseServerJSON(v.ServerJSON)
	if err != nil {
		t.Errorf("%s: its server.json cannot be read: %v", e.Source, err)
		return
	}
	if sj.Name != string(e.Server.Name) || sj.Version != v.Version || m.Version != v.Version {
		t.Errorf("%s: names or versions differ: %s %s, %s %s", e.Source, sj.Name, e.Server.Name, sj.Version, v.Version)
	}
	if len([]rune(sj.Description)) > 100 && v.FullText == "" || v.FullText != "" && v.FullText != e.Server.Description {
		t.Errorf("%s: the description is lost: %q", e.Source, sj.Description)
	}
	if v.ManifestDigest == "" || !v.Mirrored || e.Server.Origin == "" || !v.State.Visible() {
		t.Errorf("%s: not marked as mirrored: %+v", e.Source, v)
	}
}

func TestRealCatalogues(t *testing.T) {
	dir := catalogs(t)
	want := map[string]int{}
	for _, f := range []struct{ pattern, origin string }{{"mcpm-sh/*.json", source.OriginMCPM}, {"docker/*/server.yaml", source.OriginDocker}} {
		files, err := filepath.Glob(filepath.Join(dir, f.pattern))
		if err != nil {
			t.Fatal(err)
		}
		want[f.origin] = len(files)
	}
	want[source.OriginOfficial], want[source.OriginToolHive] = 100, 12
	entries := read(t, dir, "auto")
	got, refused, warned, names := map[string]int{}, map[string]int{}, 0, map[hub.Name]string{}
	for _, e := range entries {
		sound(t, e)
		origin := originOf(e.Source)
		got[origin]++
		if e.Refused != "" {
			refused[origin]++
			t.Logf("refused %s: %s", e.Source, e.Refused)
			continue
		}
		if e.Server.Origin != origin {
			t.Errorf("%s has the origin %s", e.Source, e.Server.Origin)
		}
		if len(e.Warnings) > 0 {
			warned++
		}
		if first, twice := names[e.Server.Name]; twice {
			t.Logf("%s and %s are both %s", first, e.Source, e.Server.Name)
		}
		names[e.Server.Name] = e.Source
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("entries lost or made up:\n%s", d)
	}
	t.Logf("%d entries, %d refused, %d with warnings", len(entries), refused[source.OriginDocker]+refused[source.OriginMCPM]+refused[source.OriginOfficial]+refused[source.OriginToolHive], warned)
	if !reflect.DeepEqual(entries, read(t, dir, "auto")) { // cmp.Diff takes seconds for this much
		t.Error("reading twice gives other entries")
	}
}

func originOf(path string) string {
	for part, origin := range map[string]string{"mcpm-sh": source.OriginMCPM, "docker": source.OriginDocker, "official-v0": source.OriginOfficial, "toolhive": source.OriginToolHive} {
		if strings.Contains(filepath.ToSlash(path), "/"+part+"/") {
			return origin
		}
	}
	return ""
}
