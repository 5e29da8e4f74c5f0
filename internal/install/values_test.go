package install_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

func TestValueInJSON(t *testing.T) {
	for text, want := range map[string]install.Value{
		`"read"`:                          {Text: "read", Plain: true},
		`""`:                              {Plain: true},
		`{"kept":"keychain"}`:             {Kept: "keychain"},
		`{"kept":"file","inArgs":true}`:   {Kept: "file", InArgs: true},
		`{"inArgs":true}`:                 {InArgs: true},
		`{"inArgs":true,"value":"plain"}`: {Text: "plain", Plain: true, InArgs: true},
	} {
		var got install.Value
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
		if back, err := json.Marshal(got); err != nil || string(back) != text {
			t.Errorf("%s is written as %s %v", text, back, err)
		}
		if got.Set() != (want.Plain || want.Kept != "") {
			t.Errorf("%s: set is %v", text, got.Set())
		}
	}
	for _, text := range []string{`1`, `["a"]`, `{"kept":1}`} {
		if err := json.Unmarshal([]byte(text), &install.Value{}); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

// A project's own value is over the one of all projects; leave for an argument in either place counts.
func TestValuesOfProjects(t *testing.T) {
	h := install.Home{Dir: t.TempDir()}
	p := install.Project{Dir: "/home/ana/shop"}
	name, err := hub.ParseName("@acme/db")
	if err != nil {
		t.Fatal(err)
	}
	set := func(p install.Project, v map[string]install.Value, unset ...string) {
		t.Helper()
		if err := h.SetValues(p, name, v, unset); err != nil {
			t.Fatal(err)
		}
	}
	set(h.Global(), map[string]install.Value{"A": {Kept: "keychain"}, "B": {Text: "all", Plain: true}, "C": {Kept: "file", InArgs: true}})
	set(p, map[string]install.Value{"A": {InArgs: true}, "B": {Text: "mine", Plain: true}, "C": {Kept: "keychain"}})
	want := map[string]install.Value{
		"A": {Kept: "keychain", InArgs: true, Global: true}, "B": {Text: "mine", Plain: true}, "C": {Kept: "keychain", InArgs: true},
	}
	got, err := h.Values(p, name)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	own, err := h.OwnValues(h.Global(), name)
	if err != nil || own["B"].Text != "all" || own["A"].Global {
		t.Errorf("%+v %v", own, err)
	}
	set(p, nil, "A", "B", "C")
	set(h.Global(), nil, "A", "B", "C")
	data, err := os.ReadFile(h.ValuesPath())
	if err != nil || strings.TrimSpace(string(data)) != "{}" {
		t.Errorf("%s %v", data, err)
	}
	info, err := os.Stat(h.ValuesPath())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
