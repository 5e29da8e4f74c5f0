package source_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is what a test remembers of an entry.
type golden struct {
	Source, Name string
	Refused      string           `json:",omitempty"`
	Warnings     []string         `json:",omitempty"`
	Origin       string           `json:",omitempty"`
	State        hub.State        `json:",omitempty"`
	Message      string           `json:",omitempty"`
	Published    string           `json:",omitempty"`
	FullText     string           `json:",omitempty"`
	Readme       string           `json:",omitempty"`
	Facts        *hub.LatestFacts `json:",omitempty"`
	Manifest     json.RawMessage  `json:",omitempty"`
	ServerJSON   json.RawMessage  `json:",omitempty"`
	Capabilities []hub.Capability `json:",omitempty"`
}

func goldenOf(t *testing.T, e source.Entry) golden {
	sound(t, e)
	g := golden{Source: filepath.ToSlash(e.Source), Name: e.Name, Refused: e.Refused, Warnings: e.Warnings}
	if v := e.Version; v != nil {
		g.Origin, g.State, g.Message, g.FullText, g.Readme = e.Server.Origin, v.State, v.Message, v.FullText, v.Readme
		g.Facts, g.Manifest, g.ServerJSON, g.Capabilities = &v.Facts, v.Manifest, v.ServerJSON, v.Capabilities
		if !v.PublishedAt.IsZero() {
			g.Published = v.PublishedAt.String()
		}
	}
	return g
}

func TestFixtures(t *testing.T) {
	var list []golden
	for _, e := range read(t, "testdata/catalog", "auto") {
		list = append(list, goldenOf(t, e))
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	const file = "testdata/catalog.golden"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("%s\nrun with -update when this is meant", d)
	}
}

func TestReadCatalogFormats(t *testing.T) {
	tests := []struct {
		path, format string
		entries      int
		refused      string // of the first entry
	}{
		{"official/list.json", "official", 5, ""},
		{"official/list.json", "", 5, ""},
		{"official/list.json", "mcpm-sh", 1, "it is not a catalogue in a format we know (official, mcpm-sh, docker, toolhive)"},
		{"mcpm-sh/tickets.json", "mcpm-sh", 1, ""},
		{"docker", "docker", 5, ""},
		{"docker/bomb/server.yaml", "auto", 1, "line 1: YAML anchors and aliases are not read"},
		{"docker/notes/server.yaml", "docker", 1, ""},
		{"docker/notes/server.yaml", "official", 1, "a YAML file is not in the format official"},
		{"toolhive", "toolhive", 1, ""},
		{"mcpm-sh/cut.json", "auto", 1, "it is not JSON: unexpected end of JSON input"},
	}
	for _, tt := range tests {
		entries := read(t, filepath.Join("testdata", "catalog", tt.path), tt.format)
		if len(entries) != tt.entries {
			t.Errorf("%s as %s: %d entries", tt.path, tt.format, len(entries))
			continue
		}
		if entries[0].Refused != tt.refused {
			t.Errorf("%s as %s: refused %q", tt.path, tt.format, entries[0].Refused)
		}
	}
	if _, err := source.ReadCatalog("testdata/none", "auto"); hub.KindOf(err) != hub.NotFound {
		t.Error(err)
	}
	if _, err := source.ReadCatalog("testdata", "npm"); hub.KindOf(err) != hub.Invalid || err.Error() != `unknown catalogue format "npm"` {
		t.Error(err)
	}
}

// All of mcpm.sh in one file, by name.
func TestReadCatalogMap(t *testing.T) {
	one, err := os.ReadFile("testdata/catalog/mcpm-sh/tickets.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(path, []byte(`{"b":`+string(one)+`,"a":{"installations":{}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	entries := read(t, path, "auto")
	if len(entries) != 2 || entries[0].Name != "a" || entries[1].Name != "@fixture/tickets" || entries[1].Server.Name != "sh.mcpm/fixture-tickets" {
		t.Errorf("%+v", entries)
	}
}

func FuzzReadCatalog(f *testing.F) {
	err := filepath.Walk("testdata/catalog", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		f.Add(data, filepath.Ext(path) == ".yaml")
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		path := filepath.Join(t.TempDir(), "server.json")
		if yaml {
			path = filepath.Join(filepath.Dir(path), "server.yaml")
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		entries, err := source.ReadCatalog(path, "auto")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name != "" {
				sound(t, e)
			}
		}
	})
}
