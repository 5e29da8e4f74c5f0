package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

func TestFacts(t *testing.T) {
	m := parse(t, `{"version":"1.2.3","title":"T","description":"D","license":"MIT","homepage":"https://a.example","repository":"https://github.com/a/b","keywords":["k"],
		"icons":[{"src":"http://a.example/i.png"},{"src":"https://a.example/i.png"}],"servers":{
		"a":{"command":"npx","args":["-y","x@1.0.0"],"capabilities":{"tools":["b","a"],"prompts":["p"]}},
		"b":{"url":"https://a.example/mcp","transport":"sse","capabilities":{"tools":[{"name":"a","description":"second"}],"resources":[{"name":"r","uri":"x://r"}]}},
		"c":{"command":"docker","args":["run","x/y"]}}}`)
	want := hub.LatestFacts{Version: "1.2.3", PackageTypes: []string{"bundle", "npm", "oci", "remote"}, Transports: []string{"sse", "stdio"}, Runtime: "node", Tools: 2, Resources: 1, Prompts: 1}
	if d := cmp.Diff(want, manifest.Facts(m, true)); d != "" {
		t.Error(d)
	}
	caps := []hub.Capability{{Type: hub.Tool, Name: "a"}, {Type: hub.Tool, Name: "b"}, {Type: hub.Resource, Name: "r", URI: "x://r"}, {Type: hub.Prompt, Name: "p"}}
	if d := cmp.Diff(caps, manifest.CapabilitiesOf(m)); d != "" {
		t.Error(d)
	}
	srv := hub.Server{Title: "T", Description: "D", License: "MIT", Homepage: "https://a.example", Repository: "https://github.com/a/b", Keywords: []string{"k"}, Icon: "https://a.example/i.png"}
	if d := cmp.Diff(srv, manifest.ServerFacts(m)); d != "" {
		t.Error(d)
	}
}

func TestRepositoryOf(t *testing.T) {
	const root = "https://github.com/a/b"
	for s, want := range map[string]manifest.Repository{
		root: {URL: root, Source: "github"}, root + ".git": {URL: root, Source: "github"}, "git+" + root + ".git": {URL: root, Source: "github"},
		root + "/tree/main/src/x": {URL: root, Source: "github", Subfolder: "src/x"}, root + "/blob/main/README.md#top": {URL: root, Source: "github", Subfolder: "README.md"},
		"git@github.com:a/b.git": {URL: root, Source: "github"}, "git+ssh://git@github.com/a/b.git": {URL: root, Source: "github"}, "a/b": {URL: root, Source: "github"}, "github:a/b": {URL: root, Source: "github"},
		"https://gitlab.com/a/g/b/-/tree/main/x": {URL: "https://gitlab.com/a/g/b", Source: "gitlab", Subfolder: "x"},
		"https://git.acme.example/a/b":           {URL: "https://git.acme.example/a/b"}, "what?": {URL: "what?"},
	} {
		if got := manifest.RepositoryOf(s); got != want {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

// The description of server.json is cut at a word, and nothing of it is lost.
func TestLongDescription(t *testing.T) {
	m := parse(t, `{"name":"@a/bb","version":"1.0.0","description":"Reads and writes the records of a customer database, and finds the ones, that belong together by meaning and not by spelling"}`)
	sj, full := m.ServerJSON()
	if sj.Description != "Reads and writes the records of a customer database, and finds the ones, that belong together by…" || full != m.Description || sj.Name != "a/bb" {
		t.Errorf("%q %q %s", sj.Description, full, sj.Name)
	}
}
