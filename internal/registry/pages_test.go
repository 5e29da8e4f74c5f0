package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// publishWith publishes a remote server with more in its manifest.
func (f *fixture) publishWith(name, version, more string) {
	f.t.Helper()
	_, err := f.Publish(f.t.Context(), hub.System("test"), registry.Publish{Format: hub.FormatMCP, Manifest: fmt.Appendf(nil,
		`{"name": %q, "version": %q, "description": "Does something useful.", "license": "MIT", "servers": {"x": {"url": "https://x.example.com/mcp"}}%s}`, name, version, more)})
	must(f.t, err)
}

func TestDirectory(t *testing.T) {
	f := newFixture(t)
	d := registry.NewDirectory(f.Service)
	if o, err := d.Overview(t.Context()); err != nil || o.Servers != 0 || len(o.Uses) != 0 {
		t.Errorf("an empty hub: %+v %v", o, err)
	}
	f.publishWith("@acme/aa", "1.0.0", `, "categories": ["Databases"], "keywords": ["SQL", "dev-tools"]`)
	f.clock.add(8 * 24 * time.Hour)
	f.publishWith("@acme/bb", "1.0.0", `, "keywords": ["database"]`)
	f.publishWith("@acme/cc", "1.0.0", "")
	o, err := d.Overview(t.Context())
	must(t, err)
	got := ""
	for _, u := range o.Uses {
		got += fmt.Sprintf("%s %d;", u.Slug, u.Servers)
	}
	if o.Servers != 3 || o.NewThisWeek != 2 || got != "data 2;development 1;" || len(o.Newest) != 3 {
		t.Errorf("%+v, uses %s", o, got)
	}
	if servers, err := f.ByIDs(t.Context(), o.Best); err != nil || len(servers) != 3 || servers[0].Name != "acme/bb" || servers[1].Name != "acme/aa" || servers[2].Name != "acme/cc" {
		t.Errorf("described best: %v %v", servers, err)
	}
	f.clock.add(time.Second)
	_, err = f.ChangeState(t.Context(), hub.System("test"), "@acme/aa", "1.0.0", registry.Change{To: hub.Deprecated, Message: "old"})
	must(t, err)
	if o, err := d.Overview(t.Context()); err != nil || len(o.Best) != 2 {
		t.Errorf("one is deprecated, described best are %v %v", o.Best, err)
	}
	u, servers, err := d.OfUse(t.Context(), "data", 0, 20)
	if err != nil || u.Servers != 2 || len(servers) != 2 {
		t.Errorf("data: %+v %d %v", u, len(servers), err)
	}
	if _, servers, _ := d.OfUse(t.Context(), "data", 1, 20); len(servers) != 1 {
		t.Errorf("the second page has %d", len(servers))
	}
	for _, offset := range []int{-5, 2, 99} {
		if _, _, err := d.OfUse(t.Context(), "data", offset, 20); err != nil {
			t.Errorf("offset %d: %v", offset, err)
		}
	}
	if _, _, err := d.OfUse(t.Context(), "nothing", 0, 20); hub.KindOf(err) != hub.NotFound {
		t.Errorf("an unknown use: %v", err)
	}
	f.clock.add(time.Second)
	f.publishWith("@acme/bb", "2.0.0", `, "keywords": ["finance"]`) // it moves
	if u, _, _ := d.OfUse(t.Context(), "data", 0, 20); u.Servers != 1 {
		t.Errorf("after a change %d are for data", u.Servers)
	}
	names, err := d.Names(t.Context())
	if err != nil || len(names) != 3 || names[0].Name != "acme/aa" || names[2].Name != "acme/cc" {
		t.Errorf("names %v %v", names, err)
	}
}

// TestDirectoryOfMany guards: a catalogue of several pages is read whole, once.
func TestDirectoryOfMany(t *testing.T) {
	f := newFixture(t)
	for i := range 250 {
		f.publishWith(fmt.Sprintf("@acme/s%03d", i), "1.0.0", `, "keywords": ["sql"]`)
	}
	d := registry.NewDirectory(f.Service)
	names, err := d.Names(t.Context())
	if err != nil || len(names) != 250 {
		t.Errorf("%d names %v", len(names), err)
	}
	u, first, err := d.OfUse(t.Context(), "data", 0, 20)
	_, second, _ := d.OfUse(t.Context(), "data", 20, 20)
	if err != nil || u.Servers != 250 || len(first) != 20 || first[19].Name >= second[0].Name {
		t.Errorf("%d servers, pages of %d and %d: %v", u.Servers, len(first), len(second), err)
	}
}

func TestDependents(t *testing.T) {
	f := newFixture(t)
	d := registry.NewDirectory(f.Service)
	f.publishWith("@acme/base", "1.0.0", "")
	f.publishWith("@acme/one", "1.0.0", `, "dependencies": {"@acme/base": "^1.0.0"}`)
	f.publishWith("@acme/two", "1.0.0", `, "dependencies": {"@acme/base": "*", "@acme/one": "*"}`)
	names, complete, err := d.Dependents(t.Context(), "acme/base")
	if err != nil || !complete || fmt.Sprint(names) != "[@acme/one @acme/two]" {
		t.Errorf("%v %v %v", names, complete, err)
	}
	f.publishWith("@acme/one", "2.0.0", "")
	if names, _, _ := d.Dependents(t.Context(), "acme/base"); fmt.Sprint(names) != "[@acme/two]" {
		t.Errorf("after it needs it no more: %v", names)
	}
}

func TestFeature(t *testing.T) {
	f := newFixture(t)
	boss := hub.Actor{AccountID: "1", Name: "boss", Role: hub.RoleAdmin, Scopes: hub.Scopes}
	if list, err := f.Featured(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("nothing chosen: %v %v", list, err)
	}
	f.publishWith("@acme/aa", "1.0.0", "")
	f.publishWith("@acme/bb", "1.0.0", "")
	if err := f.Feature(t.Context(), acme, []string{"@acme/aa"}); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a user chooses: %v", err)
	}
	if err := f.Feature(t.Context(), hub.Actor{AccountID: "1", Role: hub.RoleAdmin, Scopes: []hub.Scope{hub.ScopePublish}}, nil); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a key of an administrator that may publish only chooses: %v", err)
	}
	if err := f.Feature(t.Context(), boss, []string{"@acme/none"}); hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), "@acme/none") {
		t.Errorf("a name that is not here: %v", err)
	}
	if err := f.Feature(t.Context(), boss, make([]string, 13)); hub.KindOf(err) != hub.Invalid {
		t.Errorf("too many: %v", err)
	}
	must(t, f.Feature(t.Context(), boss, []string{"@acme/bb", "acme/aa", "@acme/bb"}))
	list, err := f.Featured(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "acme/bb" {
		t.Errorf("chosen: %v %v", list, err)
	}
	must(t, f.Feature(t.Context(), boss, nil))
	if list, _ := f.Featured(t.Context()); len(list) != 0 {
		t.Errorf("chosen back: %v", list)
	}
}

func TestMineAndWithdrawals(t *testing.T) {
	f := newFixture(t)
	f.publishWith("@acme/aa", "1.0.0", "")
	f.publishWith("@other/bb", "1.0.0", "")
	if _, err := f.Mine(t.Context(), hub.Actor{}); hub.KindOf(err) != hub.Unauthenticated {
		t.Errorf("nobody: %v", err)
	}
	if mine, err := f.Mine(t.Context(), acme); err != nil || len(mine) != 1 || mine[0].Name != "acme/aa" {
		t.Errorf("mine: %v %v", mine, err)
	}
	d := registry.NewDirectory(f.Service)
	if list, err := d.Withdrawals(t.Context(), 10); err != nil || len(list) != 0 {
		t.Errorf("none withdrawn: %v %v", list, err)
	}
	_, err := f.ChangeState(t.Context(), acme, "@acme/aa", "1.0.0", registry.Change{To: hub.Deprecated, Message: "old"})
	must(t, err)
	_, err = f.ChangeState(t.Context(), acme, "@acme/aa", "1.0.0", registry.Change{To: hub.Yanked, Message: "broken"})
	must(t, err)
	list, err := d.Withdrawals(t.Context(), 10)
	if err != nil || len(list) != 1 || list[0].Name != "@acme/aa" || list[0].Version != "1.0.0" || list[0].State != hub.Yanked || list[0].Reason != "broken" {
		t.Errorf("withdrawn: %+v %v", list, err)
	}
}
