package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

// TestLoginTellsNothing guards: an unknown account, a disabled one, one without a password and a wrong
// password cannot be told apart by the answer.
func TestLoginTellsNothing(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	off := f.account("gone", hub.RoleUser)
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), off, true))
	must(t, f.store.CreateAccount(t.Context(), &hub.Account{ID: "0198f000-0000-7000-8000-000000000001", Name: "robot", Email: "robot@example.com", Role: hub.RoleUser}, hub.Event{Action: hub.ActionAccountCreated}))
	var hints []string
	for rule, c := range map[string][2]string{
		"unknown account": {"nobody", goodPassword}, "disabled account": {"gone", goodPassword}, "wrong password": {"acme", "wrong horse battery"},
		"no password set": {"robot", goodPassword}, "no password given": {"acme", ""}, "nobody at all": {"", ""},
	} {
		s, err := f.auth.Login(t.Context(), c[0], c[1], "test")
		refused(t, rule, err, hub.Unauthenticated, "wrong name or password")
		var e *hub.Error
		if errors.As(err, &e) {
			hints = append(hints, e.Hint)
		}
		if s != nil {
			t.Errorf("%s: a session", rule)
		}
	}
	for _, h := range hints {
		if h != hints[0] {
			t.Errorf("the hints differ: %q", hints)
		}
	}
	for _, ref := range []string{"acme", "acme@example.com", "ACME@Example.com"} {
		if _, err := f.auth.Login(t.Context(), ref, goodPassword, "test"); err != nil {
			t.Errorf("%s cannot sign in: %v", ref, err)
		}
	}
}

func TestLoginScopes(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	f.account("boss", hub.RoleAdmin)
	_, user := f.login("acme")
	_, admin := f.login("boss")
	if user.Admin() || !user.Can(hub.ScopePublish) || user.Can(hub.ScopeAdmin) || len(user.Namespaces) != 1 || user.Namespaces[0] != "acme" || user.KeyID != "" {
		t.Errorf("a user's login may do %+v", user)
	}
	if !admin.Admin() {
		t.Errorf("an administrator's login may do %+v", admin)
	}
}

const spentRefresh = "the refresh token is unknown, over or was used before"

// TestRefreshRotates guards: each refresh token is good for one use, and the next session works.
func TestRefreshRotates(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	s, _ := f.login("acme")
	seen := map[string]bool{s.Refresh: true}
	for range 3 {
		next, err := f.auth.Refresh(t.Context(), s.Refresh, "test")
		must(t, err)
		if seen[next.Refresh] {
			t.Fatal("a refresh token came twice")
		}
		seen[next.Refresh] = true
		f.actor(next.Access)
		s = next
	}
}

// TestRefreshReuse guards: a token used twice was copied, so the whole login ends, and no other one.
func TestRefreshReuse(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	first, _ := f.login("acme")
	other, _ := f.login("acme")
	second, err := f.auth.Refresh(t.Context(), first.Refresh, "test")
	must(t, err)
	third, err := f.auth.Refresh(t.Context(), second.Refresh, "test")
	must(t, err)
	_, err = f.auth.Refresh(t.Context(), first.Refresh, "thief")
	refused(t, "the copy", err, hub.Unauthenticated, spentRefresh)
	_, err = f.auth.Refresh(t.Context(), third.Refresh, "test")
	refused(t, "the newest of the family", err, hub.Unauthenticated, spentRefresh)
	if _, err := f.auth.Refresh(t.Context(), other.Refresh, "test"); err != nil {
		t.Errorf("another login ended too: %v", err)
	}
}

func TestRefreshEnds(t *testing.T) {
	f := newFixture(t)
	a := f.account("acme", hub.RoleUser)
	_, user := f.login("acme")
	_, key, err := f.auth.NewKey(t.Context(), user, "ci", nil, 0)
	must(t, err)
	for rule, secret := range map[string]string{"unknown": "mcphr_nonsense", "empty": "", "an API key": key} {
		_, err := f.auth.Refresh(t.Context(), secret, "test")
		refused(t, rule, err, hub.Unauthenticated, spentRefresh)
	}
	f.actor(key) // an API key sent by mistake is not spent

	old, _ := f.login("acme")
	f.clock.add(auth.RefreshTTL)
	_, err = f.auth.Refresh(t.Context(), old.Refresh, "test")
	refused(t, "after its time", err, hub.Unauthenticated, spentRefresh)

	s, _ := f.login("acme")
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), a, true))
	_, err = f.auth.Refresh(t.Context(), s.Refresh, "test")
	refused(t, "disabled account", err, hub.Unauthenticated, spentRefresh)
	_, err = f.auth.Actor(t.Context(), "Bearer "+s.Access, "test")
	refused(t, "access token of a disabled account", err, hub.Unauthenticated, "this account is disabled or was removed")
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), a, false))
	f.login("acme")
}

func TestLogout(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	s, user := f.login("acme")
	next, err := f.auth.Refresh(t.Context(), s.Refresh, "test")
	must(t, err)
	must(t, f.auth.Logout(t.Context(), next.Refresh, "test"))
	_, err = f.auth.Refresh(t.Context(), next.Refresh, "test")
	refused(t, "after logout", err, hub.Unauthenticated, spentRefresh)
	must(t, f.auth.Logout(t.Context(), next.Refresh, "test")) // again, or of nobody: no error
	must(t, f.auth.Logout(t.Context(), "nonsense", "test"))

	_, key, err := f.auth.NewKey(t.Context(), user, "ci", nil, 0)
	must(t, err)
	must(t, f.auth.Logout(t.Context(), key, "test"))
	f.actor(key) // logout ends logins, not API keys
}

// TestSetPassword guards: the new password is the only one afterwards, and its rules hold here too.
func TestSetPassword(t *testing.T) {
	f := newFixture(t)
	a := f.account("acme", hub.RoleUser)
	refused(t, "short", f.auth.SetPassword(t.Context(), hub.System("test"), a, "short"), hub.Invalid, "the password has 5 characters; it needs 10 to 256")
	f.login("acme")
	must(t, f.auth.SetPassword(t.Context(), hub.System("test"), a, "another good one"))
	_, err := f.auth.Login(t.Context(), "acme", goodPassword, "test")
	refused(t, "the old password", err, hub.Unauthenticated, "wrong name or password")
	_, err = f.auth.Login(t.Context(), "acme", "another good one", "test")
	must(t, err)
}

// TestExpiry guards: an access token lasts AccessTTL and not longer.
func TestExpiry(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	s, _ := f.login("acme")
	if !s.Expires.Equal(f.clock.now().Add(auth.AccessTTL)) {
		t.Errorf("expires %s", s.Expires)
	}
	f.clock.add(auth.AccessTTL - time.Second)
	f.actor(s.Access)
	f.clock.add(time.Second)
	_, err := f.auth.Actor(t.Context(), "Bearer "+s.Access, "test")
	refused(t, "after its time", err, hub.Unauthenticated, badToken)
}
