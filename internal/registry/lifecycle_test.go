package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// steps are all changes between the states of a published version: "" when the owner may, "admin" when only
// an administrator may, "no" when nobody may.
var steps = map[hub.State]map[hub.State]string{
	hub.Published:   {hub.Published: "no", hub.Deprecated: "", hub.Yanked: "", hub.Quarantined: "admin", hub.Unpublished: "", hub.Rejected: "no", hub.Submitted: "no"},
	hub.Deprecated:  {hub.Published: "", hub.Deprecated: "", hub.Yanked: "", hub.Quarantined: "admin", hub.Unpublished: ""},
	hub.Yanked:      {hub.Published: "", hub.Deprecated: "", hub.Yanked: "", hub.Quarantined: "admin", hub.Unpublished: ""},
	hub.Quarantined: {hub.Published: "admin", hub.Deprecated: "no", hub.Yanked: "admin", hub.Quarantined: "no", hub.Unpublished: "admin"},
	hub.Unpublished: {hub.Published: "no", hub.Deprecated: "no", hub.Yanked: "no", hub.Quarantined: "no", hub.Unpublished: "no"},
}

// TestStateTable guards every change of state: who may, what the version is afterwards, and that a refused
// one changes nothing.
func TestStateTable(t *testing.T) {
	f := newFixture(t)
	n := 0
	for from, row := range steps {
		for to, who := range row {
			n++
			version := fmt.Sprintf("1.%d.0", n)
			rule := string(from) + " to " + string(to)
			v := f.publish("@acme/notes", version)
			if from != hub.Published {
				_, err := f.ChangeState(t.Context(), admin, "@acme/notes", version, registry.Change{To: from, Message: "before"})
				must(t, err)
			}
			change := registry.Change{To: to, Message: "because"}
			_, err := f.ChangeState(t.Context(), acme, "@acme/notes", version, change)
			if (who == "") != (err == nil) {
				t.Errorf("%s by the owner: %v", rule, err)
			}
			if who == "admin" {
				refused(t, rule, err, hub.Forbidden, "@acme/notes "+version+": only administrators put versions in and out of quarantine")
			}
			if who != "" {
				if got := f.state(v.ID); got != from {
					t.Errorf("%s was refused, and it is %s", rule, got)
				}
				_, err = f.ChangeState(t.Context(), admin, "@acme/notes", version, change)
				if (who == "admin") != (err == nil) {
					t.Errorf("%s by an administrator: %v", rule, err)
				}
				if who == "no" {
					refused(t, rule, err, hub.Conflict, fmt.Sprintf("@acme/notes %s is %s and cannot become %s", version, from, to))
					continue
				}
			}
			if got := f.state(v.ID); got != to {
				t.Errorf("%s: it is %s", rule, got)
			}
			events, err := f.store.EventsOf(t.Context(), v.ID, 50)
			must(t, err)
			if last := events[len(events)-1]; last.Action != hub.ActionOf(to) || last.Reason != "because" || len(last.Before) == 0 || len(last.After) == 0 {
				t.Errorf("%s: the last event is %+v", rule, last)
			}
		}
	}
}

// TestSameAgain guards: a change that changes nothing is refused, and a new message is a change.
func TestSameAgain(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	old := registry.Change{To: hub.Deprecated, Message: "old"}
	_, err := f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", old)
	must(t, err)
	_, err = f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", old)
	refused(t, "twice the same", err, hub.Conflict, "@acme/notes 1.0.0 is deprecated already")
	v, err := f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", registry.Change{To: hub.Deprecated, Message: "use another", Replacement: "@acme/notes"})
	must(t, err)
	if v.Message != "use another" || v.Replacement != "@acme/notes" {
		t.Errorf("version %+v", v)
	}
	_, err = f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", registry.Change{To: hub.Deprecated, Replacement: "@acme/nothing"})
	refused(t, "a replacement that is not there", err, hub.Invalid, `the replacement "@acme/nothing" is not on this hub`)
	_, err = f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", registry.Change{To: hub.Yanked, Message: strings.Repeat("ä", 501)})
	refused(t, "a long message", err, hub.Invalid, "the message has 501 characters; at most 500 are allowed")
}

// TestUnpublishWindow guards: a version can be taken back for 24 hours, to the second, and its number stays
// used.
func TestUnpublishWindow(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	f.publish("@acme/notes", "1.1.0")
	f.clock.add(hub.UnpublishWindow)
	back := registry.Change{To: hub.Unpublished, Message: "a mistake"}
	_, err := f.ChangeState(t.Context(), acme, "@acme/notes", "1.1.0", back)
	must(t, err)
	f.clock.add(time.Minute)
	_, err = f.ChangeState(t.Context(), acme, "@acme/notes", "1.0.0", back)
	refused(t, "a minute late", err, hub.Conflict, "@acme/notes 1.0.0 was published 24h1m0s ago; versions can be unpublished for 24h0m0s")
	_, err = f.Version(t.Context(), "@acme/notes", "1.1.0")
	refused(t, "reading it", err, hub.Gone, "@acme/notes 1.1.0 was unpublished by its owner on 2026-03-02: a mistake")
	_, err = f.Publish(t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/notes", "1.1.0")})
	if hub.KindOf(err) != hub.Exists || !strings.Contains(err.Error(), "unpublished") {
		t.Errorf("the number is used again: %v", err)
	}
	srv, err := f.Server(t.Context(), "@acme/notes")
	must(t, err)
	if srv.Latest.Version != "1.0.0" {
		t.Errorf("latest is %s", srv.Latest.Version)
	}
}

var strangers = []struct {
	rule    string
	actor   hub.Actor
	kind    hub.Kind
	message string
}{
	{"nobody", hub.Actor{Scopes: hub.Scopes}, hub.Unauthenticated, "publishing needs an account"},
	{"a credential for reading", reader, hub.Forbidden, "this credential may read only; publishing needs scope publish"},
	{"another account", other, hub.Forbidden, `you may not publish @acme/notes: its namespace "acme" is not yours`},
	{"an administrator with a key for publishing", hub.Actor{AccountID: "boss", Role: hub.RoleAdmin, Scopes: []hub.Scope{hub.ScopePublish}}, hub.Forbidden, `you may not publish @acme/notes: its namespace "acme" is not yours`},
	{"an account with a namespace that begins alike", hub.Actor{AccountID: "x", Scopes: hub.Scopes, Namespaces: []string{"acm", "acme-corp"}}, hub.Forbidden, `you may not publish @acme/notes: its namespace "acme" is not yours`},
}

// TestStrangers guards: everything that changes a server asks whose it is.
func TestStrangers(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	title := "Mine"
	for _, c := range strangers {
		for what, try := range map[string]func() error{
			"publish": func() error {
				_, err := f.Publish(t.Context(), c.actor, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/notes", "2.0.0")})
				return err
			},
			"change": func() error {
				_, err := f.ChangeState(t.Context(), c.actor, "@acme/notes", "1.0.0", registry.Change{To: hub.Yanked})
				return err
			},
			"change all": func() error {
				_, err := f.ChangeAll(t.Context(), c.actor, "@acme/notes", registry.Change{To: hub.Yanked})
				return err
			},
			"tag": func() error {
				_, err := f.Tag(t.Context(), c.actor, "@acme/notes", "beta", "1.0.0")
				return err
			},
			"facts": func() error {
				_, err := f.SetFacts(t.Context(), c.actor, "@acme/notes", registry.Facts{Title: &title})
				return err
			},
			"follow": func() error {
				_, _, err := f.Stages(t.Context(), c.actor, "@acme/notes", "1.0.0")
				return err
			},
		} {
			refused(t, c.rule+": "+what, try(), c.kind, c.message)
		}
	}
	v, err := f.Version(t.Context(), "@acme/notes", "latest")
	must(t, err)
	if srv, err := f.Server(t.Context(), "@acme/notes"); err != nil || v.Version != "1.0.0" || v.State != hub.Published || srv.Title == title {
		t.Errorf("something changed: %+v %v", srv, err)
	}
}

// TestChangeAll guards: all versions that can change do, in one step, and none when one of them cannot be stored.
func TestChangeAll(t *testing.T) {
	f := newFixture(t)
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
		f.publish("@acme/notes", version)
	}
	for version, to := range map[string]hub.State{"1.1.0": hub.Quarantined, "1.2.0": hub.Unpublished, "1.3.0": hub.Deprecated} {
		_, err := f.ChangeState(t.Context(), admin, "@acme/notes", version, registry.Change{To: to})
		must(t, err)
	}
	done, err := f.ChangeAll(t.Context(), acme, "@acme/notes", registry.Change{To: hub.Yanked, Message: "all over"})
	must(t, err)
	states := map[string]hub.State{}
	_, versions, err := f.Versions(t.Context(), "@acme/notes")
	must(t, err)
	for _, v := range versions {
		states[v.Version] = v.State
	}
	want := map[string]hub.State{"1.0.0": hub.Yanked, "1.1.0": hub.Quarantined, "1.2.0": hub.Unpublished, "1.3.0": hub.Yanked}
	if len(done) != 2 || fmt.Sprint(states) != fmt.Sprint(want) {
		t.Errorf("%d changed; states %v, want %v", len(done), states, want)
	}
	_, err = f.ChangeAll(t.Context(), acme, "@acme/notes", registry.Change{To: hub.Yanked, Message: "all over"})
	refused(t, "again", err, hub.Conflict, "no version of @acme/notes would change")
	_, err = f.ChangeAll(t.Context(), acme, "@acme/notes", registry.Change{To: hub.Deprecated, Message: strings.Repeat("x", 501)})
	refused(t, "a long message", err, hub.Invalid, "the message has 501 characters; at most 500 are allowed")
	_, err = f.ChangeAll(t.Context(), acme, "@acme/nothing", registry.Change{To: hub.Yanked})
	refused(t, "no such server", err, hub.NotFound, `there is no server "@acme/nothing" here`)
}

// TestChangeAllOrNothing guards the promise of the store that ChangeAll stands on: one bad step takes the others back.
func TestChangeAllOrNothing(t *testing.T) {
	f := newFixture(t)
	one, two := f.publish("@acme/notes", "1.0.0"), f.publish("@acme/notes", "1.1.0")
	_, err := f.store.TransitionAll(t.Context(), []hub.Transition{
		{VersionID: one.ID, From: hub.Published, Steps: []hub.Step{{To: hub.Yanked}}},
		{VersionID: two.ID, From: hub.Deprecated, Steps: []hub.Step{{To: hub.Yanked}}},
	})
	if hub.KindOf(err) != hub.Conflict || f.state(one.ID) != hub.Published || f.state(two.ID) != hub.Published {
		t.Errorf("%v, and the states are %s and %s", err, f.state(one.ID), f.state(two.ID))
	}
}

func TestDistTags(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/notes", "1.0.0")
	f.publish("@acme/notes", "2.0.0-beta.1")
	_, err := f.Tag(t.Context(), acme, "@acme/notes", "beta", "2.0.0-beta.1")
	must(t, err)
	if v, err := f.Version(t.Context(), "@acme/notes", "beta"); err != nil || v.Version != "2.0.0-beta.1" {
		t.Errorf("beta is %+v %v", v, err)
	}
	if v, err := f.Version(t.Context(), "@acme/notes", "latest"); err != nil || v.Version != "1.0.0" {
		t.Errorf("a prerelease is no latest: %+v %v", v, err)
	}
	for _, tag := range []string{"latest", "", "1.0.0", "Beta", "be ta", "-beta", "béta", strings.Repeat("b", 65)} {
		_, err := f.Tag(t.Context(), acme, "@acme/notes", tag, "1.0.0")
		refused(t, "tag", err, hub.Invalid, fmt.Sprintf("dist-tag %q: use letters, digits and hyphens, starting with a letter; latest is kept by the hub", tag))
	}
	if _, err := f.Tag(t.Context(), acme, "@acme/notes", "beta", "9.9.9"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("a version that is not there: %v", err)
	}
	srv, err := f.Tag(t.Context(), acme, "@acme/notes", "beta", "")
	must(t, err)
	if len(srv.DistTags) != 0 {
		t.Errorf("tags %v", srv.DistTags)
	}
	_, err = f.Version(t.Context(), "@acme/notes", "beta")
	refused(t, "a removed tag", err, hub.NotFound, `@acme/notes has no version or tag "beta"`)
}
