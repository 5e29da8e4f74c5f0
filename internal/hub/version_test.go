package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestParseVersion(t *testing.T) {
	for _, good := range []string{"1.0.0", "0.0.1-alpha.1", "2.0.0-rc.1+build.5", "2026.8.31"} {
		if v, err := hub.ParseVersion(good); err != nil || v.Original() != good {
			t.Errorf("%s: %v %v", good, v, err)
		}
	}
	for _, bad := range []string{"", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "latest", "^1.0.0", "1.0.0 ", "1.0.0\n"} {
		if _, err := hub.ParseVersion(bad); hub.KindOf(err) != hub.Invalid {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := hub.ParseVersion("1.0.0-" + strings.Repeat("a", 300)); err == nil || !strings.Contains(err.Error(), "306 characters; at most 255") {
		t.Errorf("a long one: %v", err)
	}
}

// TestCompareVersions has the rules of the official registry: SemVer by precedence, above anything else;
// build metadata does not count; two others by time.
func TestCompareVersions(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.10.0", "1.9.0", 1}, {"1.0.0-beta", "1.0.0", -1}, {"1.0.0+2", "1.0.0+1", 0}, {"v1.2.0", "1.2.0", 0},
		{"1.0.0", "2025.06.18", 1}, {"2025.06.18", "1.0.0", -1}, {"snapshot", "nightly", -1}, {"2025.06.18", "2025.05.01", -1},
	} {
		if got := hub.CompareVersions(c.a, early, c.b, late); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestLatest(t *testing.T) {
	at := func(n int64) time.Time { return time.Unix(n, 0) }
	for _, c := range []struct {
		rule string
		keys []hub.VersionKey
		want string
	}{
		{"none", nil, ""},
		{"highest stable", []hub.VersionKey{{"a", "1.0.0", hub.Published, at(1), false}, {"b", "2.0.0-beta", hub.Published, at(2), false}, {"c", "1.1.0", hub.Published, at(1), false}}, "c"},
		{"only prereleases", []hub.VersionKey{{"a", "1.0.0-alpha", hub.Published, at(2), false}, {"b", "1.0.0-beta", hub.Published, at(1), false}}, "b"},
		{"deprecated counts, yanked does not", []hub.VersionKey{{"a", "1.0.0", hub.Deprecated, at(1), false}, {"b", "2.0.0", hub.Yanked, at(2), false}}, "a"},
		{"all withdrawn: the highest keeps the mark", []hub.VersionKey{{"a", "1.0.0", hub.Unpublished, at(1), false}, {"b", "2.0.0", hub.Yanked, at(2), false}}, "b"},
		{"ours with equal precedence: the first stays", []hub.VersionKey{{"a", "1.0.0", hub.Published, at(1), false}, {"b", "1.0.0+2", hub.Published, at(2), false}}, "a"},
		{"mirrored with equal precedence: the later wins", []hub.VersionKey{{"a", "0.0.0+x", hub.Published, at(1), true}, {"b", "0.0.0+y", hub.Published, at(2), true}}, "b"},
		{"mirrored that is not SemVer: the later wins", []hub.VersionKey{{"a", "2025.06.18", hub.Published, at(2), true}, {"b", "2025.07.01x", hub.Published, at(1), true}}, "a"},
	} {
		if got := hub.Latest(c.keys); got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
		// the order they come in must not matter
		for i, j := 0, len(c.keys)-1; i < j; i, j = i+1, j-1 {
			c.keys[i], c.keys[j] = c.keys[j], c.keys[i]
		}
		if got := hub.Latest(c.keys); got != c.want {
			t.Errorf("%s, reversed: %q, want %q", c.rule, got, c.want)
		}
	}
}

// TestStates: whatever was published once is visible for ever, and what is withdrawn is deleted at /v0.1.
func TestStates(t *testing.T) {
	all := []hub.State{hub.Submitted, hub.Validating, hub.Scanning, hub.InReview, hub.Published, hub.Rejected, hub.Deprecated, hub.Yanked, hub.Quarantined, hub.Unpublished}
	for _, from := range all {
		for _, to := range all {
			if from.CanBecome(to) && from.Visible() && !to.Visible() {
				t.Errorf("%s -> %s hides what was published", from, to)
			}
		}
		if from.Resolvable() && !from.Fetchable() || from.Pending() && from.Visible() {
			t.Errorf("%s contradicts itself", from)
		}
	}
	for status, state := range map[hub.Status]hub.State{hub.StatusActive: hub.Published, hub.StatusDeprecated: hub.Deprecated, hub.StatusDeleted: hub.Yanked} {
		if got, ok := status.StateOf(); !ok || got != state || state.Status() != status {
			t.Errorf("%s <-> %s", status, state)
		}
	}
	if hub.Unpublished.CanBecome(hub.Published) || hub.Rejected.CanBecome(hub.Published) {
		t.Error("a number came back")
	}
}

func TestActorScopes(t *testing.T) {
	for _, c := range []struct {
		have []hub.Scope
		want hub.Scope
		ok   bool
	}{
		{[]hub.Scope{hub.ScopePublish}, hub.ScopeRead, true}, {[]hub.Scope{hub.ScopePublish}, hub.ScopePublish, true},
		{[]hub.Scope{hub.ScopePublish}, hub.ScopeAdmin, false}, {[]hub.Scope{hub.ScopeAdmin}, hub.ScopePublish, true},
		{nil, hub.ScopeRead, false}, {[]hub.Scope{"everything"}, hub.ScopeRead, false}, {[]hub.Scope{hub.ScopeAdmin}, "everything", false},
	} {
		if got := (hub.Actor{Scopes: c.have}).Can(c.want); got != c.ok {
			t.Errorf("%v can %s: %v", c.have, c.want, got)
		}
	}
	if (hub.Actor{Role: hub.RoleUser, Scopes: hub.Scopes}).Admin() || (hub.Actor{Role: hub.RoleAdmin, Scopes: []hub.Scope{hub.ScopePublish}}).Admin() {
		t.Error("an administrator needs both the role and the scope")
	}
}
