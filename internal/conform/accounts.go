package conform

import (
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func account(name string) *hub.Account {
	return &hub.Account{ID: id(), Name: name, Email: name + "@mail.example", PasswordHash: "$argon2id$x", Role: hub.RoleUser,
		CreatedAt: time.Date(2025, 4, 1, 8, 0, 0, 1000, time.UTC)}
}

func accounts(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Account finds by ID, name or e-mail in any case", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		for _, ref := range []string{a.ID, "ada", "Ada", "ada@mail.example", "ADA@Mail.Example"} {
			got, err := f.Account(f.ctx, ref)
			f.ok(err)
			equal(f, ref, got, a)
		}
		for _, ref := range []string{"", "adam", id()} {
			_, err := f.Account(f.ctx, ref)
			f.kind(err, hub.NotFound)
		}
	})
	each(t, open, "Account: an ID comes before a name of the same letters", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		f.ok(f.CreateAccount(f.ctx, account(a.ID), event("")))
		got, err := f.Account(f.ctx, a.ID)
		f.ok(err)
		equal(f, "name", got.Name, "ada")
	})
	each(t, open, "Account: one without e-mail is not found by an empty one", func(f *fix) {
		for _, name := range []string{"ada", "bob"} {
			a := account(name)
			a.Email = ""
			f.ok(f.CreateAccount(f.ctx, a, event("")))
		}
		_, err := f.Account(f.ctx, "")
		f.kind(err, hub.NotFound)
	})
	each(t, open, "Accounts returns all by name", func(f *fix) {
		for _, name := range []string{"carl", "ada-2", "ada", "bob"} {
			f.ok(f.CreateAccount(f.ctx, account(name), event("")))
		}
		all, err := f.Accounts(f.ctx)
		f.ok(err)
		var got []string
		for _, a := range all {
			got = append(got, a.Name)
		}
		equal(f, "names", strings.Join(got, " "), "ada ada-2 bob carl")
	})
	each(t, open, "CreateAccount gives it its own namespace and appends ev", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event(hub.ActionAccountCreated)))
		n, err := f.Namespace(f.ctx, "ada")
		f.ok(err)
		equal(f, "owner", []string{n.AccountID, n.ClaimedBy}, []string{a.ID, a.ID})
		evs := f.all()
		equal(f, "event", []string{evs[0].Action, evs[0].Subject}, []string{hub.ActionAccountCreated, a.ID})
	})
	each(t, open, "CreateAccount: Exists when the name, the e-mail or the namespace is taken", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		f.ok(f.ClaimNamespace(f.ctx, hub.Namespace{Scope: "acme", AccountID: a.ID, ClaimedBy: a.ID}, event("")))
		n := len(f.all())
		mail := account("bob")
		mail.Email = "ADA@mail.example"
		for what, b := range map[string]*hub.Account{"name": account("ada"), "e-mail": mail, "namespace": account("acme")} {
			err := f.CreateAccount(f.ctx, b, event(""))
			f.kind(err, hub.Exists)
			if !strings.Contains(err.Error(), what) {
				f.Fatalf("%q does not say that the %s is taken", err, what)
			}
		}
		equal(f, "events", len(f.all()), n)
		all, err := f.Accounts(f.ctx)
		f.ok(err)
		equal(f, "accounts", len(all), 1)
	})
	each(t, open, "CreateAccount: of many with one name exactly one wins", func(f *fix) {
		got := beside.Together(10, func(int) error { return f.CreateAccount(f.ctx, account("ada"), event("")) })
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Exists: 9})
	})
	accountChanges(t, open)
	namespaces(t, open)
}

func accountChanges(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "UpdateAccount stores role, password hash, e-mail and the disabled mark and appends ev", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		a.Role, a.PasswordHash, a.Email, a.Disabled = hub.RoleAdmin, "new", "new@mail.example", true
		f.ok(f.UpdateAccount(f.ctx, a, event(hub.ActionAccountUpdated)))
		got, err := f.Account(f.ctx, a.ID)
		f.ok(err)
		equal(f, "account", got, a)
		equal(f, "events", len(f.all()), 2)
	})
	each(t, open, "UpdateAccount: disabling deletes its tokens", func(f *fix) {
		a, b := account("ada"), account("bob")
		for _, x := range []*hub.Account{a, b} {
			f.ok(f.CreateAccount(f.ctx, x, event("")))
			f.ok(f.CreateToken(f.ctx, token(x.ID, hub.TokenAPIKey, "h-"+x.Name), event("")))
		}
		a.Disabled = true
		f.ok(f.UpdateAccount(f.ctx, a, event("")))
		_, err := f.TokenByHash(f.ctx, "h-ada", time.Now())
		f.kind(err, hub.NotFound)
		_, err = f.TokenByHash(f.ctx, "h-bob", time.Now())
		f.ok(err)
	})
	each(t, open, "UpdateAccount: a new password hash deletes its refresh tokens, and keeps its keys", func(f *fix) {
		a := account("ada")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		f.ok(f.CreateToken(f.ctx, token(a.ID, hub.TokenAPIKey, "h-key"), event("")))
		f.ok(f.CreateToken(f.ctx, token(a.ID, hub.TokenRefresh, "h-login"), event("")))
		a.Role = hub.RoleAdmin
		f.ok(f.UpdateAccount(f.ctx, a, event("")))
		_, err := f.TokenByHash(f.ctx, "h-login", time.Now())
		f.ok(err) // the hash is the same
		a.PasswordHash = "another"
		f.ok(f.UpdateAccount(f.ctx, a, event("")))
		_, err = f.TokenByHash(f.ctx, "h-login", time.Now())
		f.kind(err, hub.NotFound)
		_, err = f.TokenByHash(f.ctx, "h-key", time.Now())
		f.ok(err)
	})
	each(t, open, "UpdateAccount: NotFound when there is none, Exists when the e-mail is another's", func(f *fix) {
		f.kind(f.UpdateAccount(f.ctx, account("ada"), event("")), hub.NotFound)
		a, b := account("ada"), account("bob")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		f.ok(f.CreateAccount(f.ctx, b, event("")))
		b.Email = a.Email
		f.kind(f.UpdateAccount(f.ctx, b, event("")), hub.Exists)
		equal(f, "events", len(f.all()), 2)
	})
}

func namespaces(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Namespace: NotFound when nobody claimed it", func(f *fix) {
		_, err := f.Namespace(f.ctx, "acme")
		f.kind(err, hub.NotFound)
	})
	each(t, open, "ClaimNamespace gives a free scope, appends ev, and NamespacesOf is sorted", func(f *fix) {
		a := account("mm")
		f.ok(f.CreateAccount(f.ctx, a, event("")))
		for _, scope := range []string{"zz", "io.github.acme", "aa"} {
			n := hub.Namespace{Scope: scope, AccountID: a.ID, ClaimedBy: "admin", CreatedAt: a.CreatedAt}
			f.ok(f.ClaimNamespace(f.ctx, n, event(hub.ActionNamespaceClaimed)))
			got, err := f.Namespace(f.ctx, scope)
			f.ok(err)
			equal(f, scope, *got, n)
		}
		got, err := f.NamespacesOf(f.ctx, a.ID)
		f.ok(err)
		equal(f, "scopes", strings.Join(got, " "), "aa io.github.acme mm zz")
		evs := f.all()
		equal(f, "event", []string{evs[1].Action, evs[1].Subject}, []string{hub.ActionNamespaceClaimed, "zz"})
	})
	each(t, open, "ClaimNamespace: Exists when it is taken, and one of many wins", func(f *fix) {
		got := beside.Together(10, func(int) error {
			return f.ClaimNamespace(f.ctx, hub.Namespace{Scope: "acme", AccountID: id()}, event(""))
		})
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Exists: 9})
		equal(f, "events", len(f.all()), 1)
	})
}
