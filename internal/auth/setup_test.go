package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

const goneLink = "this link was used, is over, or the hub has an administrator"

var badAccounts = []struct {
	rule    string
	account auth.NewAccount
	message string
}{
	{"one letter", auth.NewAccount{Name: "a"}, `account name "a": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"nothing", auth.NewAccount{}, `account name "": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"forty letters", auth.NewAccount{Name: strings.Repeat("a", 40)}, `account name "` + strings.Repeat("a", 40) + `": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"capitals", auth.NewAccount{Name: "Acme"}, `account name "Acme": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"a reverse domain", auth.NewAccount{Name: "io.github.acme"}, `account name "io.github.acme": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"a slash", auth.NewAccount{Name: "acme/x"}, `account name "acme/x": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"two hyphens", auth.NewAccount{Name: "a--b"}, `account name "a--b": use 2 to 39 of a-z, 0-9 and single hyphens`},
	{"reserved", auth.NewAccount{Name: "admin"}, `account name "admin" is reserved`},
	{"the hub's own", auth.NewAccount{Name: "system"}, `account name "system" is reserved`},
	{"no address", auth.NewAccount{Name: "acme"}, `"" is not an e-mail address`},
	{"an address with a name", auth.NewAccount{Name: "acme", Email: "Acme <a@example.com>"}, `"Acme <a@example.com>" is not an e-mail address`},
	{"no domain", auth.NewAccount{Name: "acme", Email: "acme"}, `"acme" is not an e-mail address`},
	{"two lines", auth.NewAccount{Name: "acme", Email: "a@example.com\r\nBcc: b@example.com"}, `"a@example.com\r\nBcc: b@example.com" is not an e-mail address`},
	{"a short password", auth.NewAccount{Name: "acme", Email: "a@example.com", Password: "short"}, "the password has 5 characters; it needs 10 to 256"},
}

func TestBadAccounts(t *testing.T) {
	f := newFixture(t)
	for _, c := range badAccounts {
		_, err := f.auth.CreateAccount(t.Context(), hub.System("test"), c.account)
		refused(t, c.rule, err, hub.Invalid, c.message)
	}
	if all, err := f.store.Accounts(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a refused account is there: %v %v", all, err)
	}
	f.account("acme", hub.RoleUser)
	for rule, n := range map[string]auth.NewAccount{
		"the name": {Name: "acme", Email: "b@example.com", Password: goodPassword}, "the address in capitals": {Name: "other", Email: "ACME@example.com", Password: goodPassword},
	} {
		if _, err := f.auth.CreateAccount(t.Context(), hub.System("test"), n); hub.KindOf(err) != hub.Exists {
			t.Errorf("%s is taken, and: %v", rule, err)
		}
	}
}

func boss(i int) auth.NewAccount {
	return auth.NewAccount{Name: fmt.Sprintf("boss-%d", i), Email: fmt.Sprintf("boss-%d@example.com", i), Password: goodPassword}
}

func (f *fixture) setupLink() string {
	f.t.Helper()
	secret, err := f.auth.SetupToken(f.t.Context())
	must(f.t, err)
	if secret == "" {
		f.t.Fatal("no setup link")
	}
	return secret
}

// TestSetupOnce guards: the link makes one administrator, and with one there is no link any more.
func TestSetupOnce(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser) // users do not count
	link := f.setupLink()
	must(t, f.auth.CheckSetup(t.Context(), link))
	must(t, f.auth.CheckSetup(t.Context(), link)) // looking does not spend it
	for rule, secret := range map[string]string{"empty": "", "unknown": "mcphs_nonsense"} {
		_, err := f.auth.Setup(t.Context(), secret, boss(0), "test")
		refused(t, rule, err, hub.Gone, goneLink)
	}
	a, err := f.auth.Setup(t.Context(), link, boss(1), "test")
	must(t, err)
	if a.Role != hub.RoleAdmin {
		t.Errorf("role %q", a.Role)
	}
	if _, actor := f.login(a.Name); !actor.Admin() {
		t.Errorf("%+v is no administrator", actor)
	}
	_, err = f.auth.Setup(t.Context(), link, boss(2), "test")
	refused(t, "a second time", err, hub.Gone, goneLink)
	refused(t, "looking at it", f.auth.CheckSetup(t.Context(), link), hub.Gone, goneLink)
	if secret, err := f.auth.SetupToken(t.Context()); secret != "" || err != nil {
		t.Errorf("a new link: %q %v", secret, err)
	}
}

// TestSetupKeepsTheLink guards: a mistake in the form does not cost the link.
func TestSetupKeepsTheLink(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	link := f.setupLink()
	_, err := f.auth.Setup(t.Context(), link, auth.NewAccount{Name: "boss", Email: "boss@example.com", Password: "short"}, "test")
	refused(t, "a short password", err, hub.Invalid, "the password has 5 characters; it needs 10 to 256")
	_, err = f.auth.Setup(t.Context(), link, auth.NewAccount{Name: "acme", Email: "boss@example.com", Password: goodPassword}, "test")
	refused(t, "a name that is taken", err, hub.Exists, `an account with the name or e-mail address "acme" exists`)
	_, err = f.auth.Setup(t.Context(), link, auth.NewAccount{Name: "boss", Email: "Acme@example.com", Password: goodPassword}, "test")
	refused(t, "an address that is taken", err, hub.Exists, `an account with the name or e-mail address "acme@example.com" exists`)
	_, err = f.auth.Setup(t.Context(), link, auth.NewAccount{Name: "boss", Email: "boss@example.com", Password: goodPassword}, "test")
	must(t, err)
}

// TestSetupAtOnce guards: of many who open a link at once, or the links of two starts, one becomes administrator.
func TestSetupAtOnce(t *testing.T) {
	f := newFixture(t)
	links := []string{f.setupLink(), f.setupLink()}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = f.auth.Setup(t.Context(), links[i%2], boss(i), "test") })
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			continue
		}
		refused(t, fmt.Sprintf("loser %d", i), err, hub.Gone, goneLink)
	}
	all, err := f.store.Accounts(t.Context())
	must(t, err)
	if won != 1 || len(all) != 1 {
		t.Errorf("%d became administrator, and there are %d accounts", won, len(all))
	}
}

func TestSetupExpires(t *testing.T) {
	f := newFixture(t)
	link := f.setupLink()
	f.clock.add(auth.SetupTTL)
	refused(t, "after a day", f.auth.CheckSetup(t.Context(), link), hub.Gone, goneLink)
	_, err := f.auth.Setup(t.Context(), link, boss(1), "test")
	refused(t, "after a day", err, hub.Gone, goneLink)
	must(t, f.auth.CheckSetup(t.Context(), f.setupLink()))

	link = f.setupLink()
	admin := f.account("boss", hub.RoleAdmin)
	refused(t, "once there is an administrator", f.auth.CheckSetup(t.Context(), link), hub.Gone, goneLink)
	must(t, f.auth.SetDisabled(t.Context(), hub.System("test"), admin, true))
	must(t, f.auth.CheckSetup(t.Context(), f.setupLink())) // a disabled one does not count

	_, key, err := f.auth.IssueKey(t.Context(), hub.System("test"), f.account("acme", hub.RoleUser).ID, "ci", []hub.Scope{hub.ScopePublish}, 0)
	must(t, err)
	_, err = f.auth.Setup(t.Context(), key, boss(3), "test")
	refused(t, "an API key is no setup link", err, hub.Gone, goneLink)
}
