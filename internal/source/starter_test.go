package source_test

import (
	"regexp"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source"
)

func TestStarter(t *testing.T) {
	entries, err := source.Starter()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	must := map[string]int{ // with the number of tools the pinned version lists
		"io.github.modelcontextprotocol/server-everything": 14, "io.github.modelcontextprotocol/server-filesystem": 14,
		"io.github.modelcontextprotocol/server-memory": 9, "io.github.modelcontextprotocol/server-sequential-thinking": 1,
		"io.github.modelcontextprotocol/server-time": 2, "io.github.modelcontextprotocol/server-fetch": 1, "io.github.modelcontextprotocol/server-git": 12,
	}
	for _, e := range entries {
		sound(t, e)
		if claim := e.Server.Name.Claim(); seen[claim] {
			t.Errorf("%s is there twice", e.Name)
		} else {
			seen[claim] = true
		}
		m, issues, err := manifest.Parse(e.Version.Manifest)
		if err != nil || len(issues) > 0 {
			t.Fatalf("%s: %v %v", e.Name, err, issues)
		}
		for _, is := range m.Validate(manifest.ForPublish) {
			// Upstream names may have capitals; everything else must be as we ask of publishers.
			if is.Code != manifest.CodeName || is.Path != "name" {
				t.Errorf("%s: %s: %s", e.Name, is.Path, is.Message)
			}
		}
		sj, _ := m.ServerJSON()
		for _, is := range manifest.ValidateServerJSON(sj) {
			t.Errorf("%s: server.json: %s: %s", e.Name, is.Path, is.Message)
		}
		if e.Server.Description == "" || e.Server.Title == "" || len(e.Server.Categories) == 0 || len(e.Server.Keywords) == 0 {
			t.Errorf("%s is not described", e.Name)
		}
		if e.Version.State != hub.Published || e.Server.Origin != source.OriginStarter {
			t.Errorf("%s: %s from %s", e.Name, e.Version.State, e.Server.Origin)
		}
		startable(t, e.Name, m)
		if want, ok := must[e.Name]; ok {
			if e.Version.Facts.Tools != want {
				t.Errorf("%s declares %d tools", e.Name, e.Version.Facts.Tools)
			}
			delete(must, e.Name)
		}
	}
	for name := range must {
		t.Errorf("%s is missing", name)
	}
	if len(entries) < 30 {
		t.Errorf("only %d entries", len(entries))
	}
}

var pinnedRE = regexp.MustCompile(`(@|==)\d`)

// startable checks that every entry can be launched, pinned, once its required values are given.
func startable(t *testing.T, name string, m *manifest.Manifest) {
	t.Helper()
	for key, spec := range m.Servers {
		_, missing, err := manifest.Launch(m, spec, nil)
		if err != nil {
			t.Errorf("%s %s: %v", name, key, err)
			continue
		}
		vars := map[string]string{}
		for _, v := range missing {
			vars[v.Name] = "value"
			if v.Description == "" {
				t.Errorf("%s %s: %s is not described", name, key, v.Name)
			}
		}
		l, missing, err := manifest.Launch(m, spec, vars)
		if err != nil || len(missing) > 0 {
			t.Errorf("%s %s: %v, missing %v", name, key, err, missing)
			continue
		}
		pinned := l.URL != ""
		for _, a := range l.Args {
			pinned = pinned || pinnedRE.MatchString(a)
		}
		if !pinned {
			t.Errorf("%s %s is not pinned: %s %v", name, key, l.Command, l.Args)
		}
	}
}
