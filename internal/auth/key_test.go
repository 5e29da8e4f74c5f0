package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// TestKeyScopes guards: a key never holds more than its maker.
func TestKeyScopes(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	f.account("boss", hub.RoleAdmin)
	_, user := f.login("acme")
	_, admin := f.login("boss")
	reader := user
	reader.Scopes = []hub.Scope{hub.ScopeRead}
	for _, c := range []struct {
		rule    string
		actor   hub.Actor
		scopes  []hub.Scope
		kind    hub.Kind
		message string
	}{
		{"a user's key may publish", user, []hub.Scope{hub.ScopePublish}, "", ""},
		{"no scopes means read", user, nil, "", ""},
		{"a user's key is no administrator", user, []hub.Scope{hub.ScopeAdmin}, hub.Forbidden, `you cannot give away scope "admin": you do not hold it`},
		{"one of several is too much", user, []hub.Scope{hub.ScopeRead, hub.ScopeAdmin}, hub.Forbidden, `you cannot give away scope "admin": you do not hold it`},
		{"a reader's key reads", reader, []hub.Scope{hub.ScopePublish}, hub.Forbidden, `you cannot give away scope "publish": you do not hold it`},
		{"an administrator gives all", admin, []hub.Scope{hub.ScopeAdmin}, "", ""},
		{"an unknown scope", admin, []hub.Scope{"root"}, hub.Invalid, `scope "root" is not one of read, publish, admin`},
		{"nobody", hub.Actor{Scopes: hub.Scopes}, nil, hub.Unauthenticated, "API keys belong to an account"},
	} {
		k, secret, err := f.auth.NewKey(t.Context(), c.actor, "ci", c.scopes, 0)
		if c.kind != "" {
			refused(t, c.rule, err, c.kind, c.message)
			if k != nil || secret != "" {
				t.Errorf("%s: a key came with the refusal", c.rule)
			}
			continue
		}
		must(t, err)
		got := f.actor(secret)
		want := c.scopes
		if want == nil {
			want = []hub.Scope{hub.ScopeRead}
		}
		if len(got.Scopes) != len(want) || got.Scopes[0] != want[0] || got.KeyID != k.ID || got.AccountID != c.actor.AccountID {
			t.Errorf("%s: the key may do %+v", c.rule, got)
		}
	}
}

// TestKeyCannotBreed guards: a key that leaked makes no other keys, unless it is an administrator's of scope
// admin.
func TestKeyCannotBreed(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	f.account("boss", hub.RoleAdmin)
	for rule, c := range map[string]struct {
		account string
		scope   hub.Scope
		breeds  bool
	}{
		"a user's": {"acme", hub.ScopePublish, false}, "an administrator's for publishing": {"boss", hub.ScopePublish, false}, "an administrator's": {"boss", hub.ScopeAdmin, true},
	} {
		_, maker := f.login(c.account)
		_, secret, err := f.auth.NewKey(t.Context(), maker, "first", []hub.Scope{c.scope}, 0)
		must(t, err)
		_, _, err = f.auth.NewKey(t.Context(), f.actor(secret), "second", []hub.Scope{hub.ScopeRead}, 0)
		if c.breeds {
			must(t, err)
		} else {
			refused(t, rule, err, hub.Forbidden, "an API key cannot make API keys")
		}
	}
}

// TestKeyIsKeptAsHash guards: the secret is shown once and is in no list and no row.
func TestKeyIsKeptAsHash(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	_, user := f.login("acme")
	k, secret, err := f.auth.NewKey(t.Context(), user, "ci", nil, 0)
	must(t, err)
	if !strings.HasPrefix(secret, "mcph_") || len(secret) < 40 || !strings.HasPrefix(secret, k.Prefix) || len(k.Prefix) > 10 {
		t.Errorf("secret %q, prefix %q", secret, k.Prefix)
	}
	keys, err := f.auth.Keys(t.Context(), user)
	must(t, err)
	if len(keys) != 1 || keys[0].ID != k.ID || len(keys[0].Hash) != 64 || strings.Contains(secret, keys[0].Hash) {
		t.Errorf("keys %+v", keys)
	}
}

func TestKeyExpiresAndIsRevoked(t *testing.T) {
	f := newFixture(t)
	a := f.account("acme", hub.RoleUser)
	f.account("other", hub.RoleUser)
	_, user := f.login("acme")
	_, other := f.login("other")
	_, brief, err := f.auth.NewKey(t.Context(), user, "brief", nil, time.Hour)
	must(t, err)
	k, forever, err := f.auth.NewKey(t.Context(), user, "forever", nil, 0)
	must(t, err)
	f.clock.add(time.Hour - time.Second)
	f.actor(brief)
	f.clock.add(time.Second)
	_, err = f.auth.Actor(t.Context(), "Bearer "+brief, "test")
	refused(t, "after its hour", err, hub.Unauthenticated, badKey)
	f.clock.add(10 * 365 * 24 * time.Hour)
	f.actor(forever)
	if keys, err := f.auth.Keys(t.Context(), user); err != nil || len(keys) != 1 {
		t.Errorf("an expired key is listed: %v %v", keys, err)
	}

	if err := f.auth.RevokeKey(t.Context(), other, k.ID); hub.KindOf(err) != hub.NotFound {
		t.Errorf("somebody else revokes it: %v", err)
	}
	refused(t, "nobody revokes", f.auth.RevokeKey(t.Context(), hub.Actor{}, k.ID), hub.Unauthenticated, "API keys belong to an account")
	f.actor(forever)
	must(t, f.auth.RevokeKey(t.Context(), user, k.ID))
	_, err = f.auth.Actor(t.Context(), "Bearer "+forever, "test")
	refused(t, "revoked", err, hub.Unauthenticated, badKey)

	_, last, err := f.auth.NewKey(t.Context(), user, "last", nil, 0)
	must(t, err)
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), a, true))
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), a, false))
	_, err = f.auth.Actor(t.Context(), "Bearer "+last, "test")
	refused(t, "the account was disabled in between", err, hub.Unauthenticated, badKey)
	_, err = f.auth.Keys(t.Context(), hub.Actor{})
	refused(t, "nobody lists", err, hub.Unauthenticated, "API keys belong to an account")
}

// TestLastUse guards: when a key was used is noted, once a minute at the most.
func TestLastUse(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	_, user := f.login("acme")
	_, secret, err := f.auth.NewKey(t.Context(), user, "ci", nil, 0)
	must(t, err)
	lastUse := func() time.Time {
		keys, err := f.auth.Keys(t.Context(), user)
		must(t, err)
		return keys[0].LastUsed
	}
	if !lastUse().IsZero() {
		t.Error("a new key was used")
	}
	f.actor(secret)
	first := f.clock.now()
	f.clock.add(30 * time.Second)
	f.actor(secret)
	if got := lastUse(); !got.Equal(first) {
		t.Errorf("half a minute later: %s, want %s", got, first)
	}
	f.clock.add(31 * time.Second)
	f.actor(secret)
	if got := lastUse(); !got.Equal(f.clock.now()) {
		t.Errorf("a minute later: %s, want %s", got, f.clock.now())
	}
}
