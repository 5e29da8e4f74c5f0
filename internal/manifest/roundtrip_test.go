package manifest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
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

// roundTrip checks that nothing server.json can say is lost on the way through mcp.json and its text.
func roundTrip(t *testing.T, data []byte) {
	t.Helper()
	sj, issues, err := manifest.ParseServerJSON(data)
	if err != nil {
		t.Fatalf("ParseServerJSON: %v", err)
	}
	for _, is := range issues {
		t.Logf("%s: %s", is.Path, is.Message)
	}
	want := jsonc.Encode(sj)
	m := manifest.FromServerJSON(sj)
	canon := m.Canonical()
	m2, issues, err := manifest.Parse(canon)
	if err != nil {
		t.Fatalf("Parse(Canonical): %v\n%s", err, canon)
	}
	if len(issues) > 0 {
		t.Errorf("Parse(Canonical) has issues: %v", issues)
	}
	if again := m2.Canonical(); !bytes.Equal(canon, again) {
		t.Errorf("Canonical is not stable:\n%s", cmp.Diff(string(canon), string(again)))
	}
	back, full := m2.ServerJSON()
	if full != "" {
		t.Errorf("description %q was cut", full)
	}
	if got := jsonc.Encode(back); !bytes.Equal(want, got) {
		t.Errorf("lost on the way:\n%s", cmp.Diff(string(want), string(got)))
	}
}

func TestServerJSONRoundTrip(t *testing.T) {
	files, err := filepath.Glob("testdata/server/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, data)
		})
	}
}

func TestServerJSONRoundTripOfRealCatalogues(t *testing.T) {
	dir := catalogs(t)
	var official struct {
		Servers []struct{ Server json.RawMessage }
	}
	var toolhive struct {
		Data struct{ Servers []json.RawMessage }
	}
	read := func(path string, v any) {
		data, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	read("official-v0/npm_registry_servers.json", &official)
	read("toolhive/upstream-registry.json", &toolhive)
	if len(official.Servers) != 100 || len(toolhive.Data.Servers) == 0 {
		t.Fatalf("%d official and %d toolhive entries", len(official.Servers), len(toolhive.Data.Servers))
	}
	for _, s := range official.Servers {
		roundTrip(t, s.Server)
	}
	for _, s := range toolhive.Data.Servers {
		roundTrip(t, s)
	}
}
