package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

const password = "correct horse battery"

func (s *site) makeAccount(name string, role hub.Role) {
	s.t.Helper()
	_, err := s.auth.CreateAccount(s.t.Context(), hub.System("test"), auth.NewAccount{Name: name, Email: name + "@example.com", Password: password, Role: role})
	must(s.t, err)
}

func (s *site) signIn(name string) {
	s.t.Helper()
	if w := s.send("POST", "/login", url.Values{"user": {name}, "password": {password}}); w.Code != 303 || w.Header().Get("Location") != "/tools/account" {
		s.t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
}

// TestSetup guards: a mistake keeps what was typed but the password, the link makes one administrator, and is
// gone then.
func TestSetup(t *testing.T) {
	s := newSite(t)
	token, err := s.auth.SetupToken(t.Context())
	must(t, err)
	has(t, "the form", s.page("GET", "/setup?token="+token, nil, 200), `value="`+token+`"`, `action="/tools/setup"`, `autocomplete="new-password"`)
	form := func(name, email, password string) url.Values {
		return url.Values{"token": {token}, "name": {name}, "email": {email}, "password": {password}}
	}
	page := s.page("POST", "/setup", form("boss", "boss@example.com", "short"), 422)
	has(t, "a short password", page, `value="boss"`, `value="boss@example.com"`, `value="`+token+`"`, `role="alert"`, "he password has 5 characters; it needs 10 to 256")
	hasNot(t, "the password is not sent back", page, `value="short"`)
	has(t, "a hostile name", s.page("POST", "/setup", form(`"><script>`, "boss@example.com", password), 422), "&lt;script&gt;")
	s.makeAccount("acme", hub.RoleUser)
	has(t, "a name that is taken", s.page("POST", "/setup", form("acme", "boss@example.com", password), 422), `value="acme"`, "exists")
	has(t, "done", s.page("POST", "/setup", form("boss", "boss@example.com", password), 201), "Welcome, boss", "mcpm login --user boss")
	has(t, "signed in at once", s.page("GET", "/account", nil, 200), "boss@example.com")
	used := s.page("GET", "/setup?token="+token, nil, 410)
	has(t, "used, looking", used, "This link was used already", "mcphub admin user add")
	hasNot(t, "it is no withdrawn version", used, "taken back")
	has(t, "used, sending", s.page("POST", "/setup", form("boss2", "boss2@example.com", password), 410), "This link was used already")
	if a, err := s.store.Account(t.Context(), "boss"); err != nil || a.Role != hub.RoleAdmin {
		t.Errorf("account %+v %v", a, err)
	}
}

func TestSetupRefuses(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{"/setup", "/setup?token=", "/setup?token=mcphs_nonsense"} {
		s.page("GET", target, nil, 410)
	}
	s.page("POST", "/setup", url.Values{"token": {"mcphs_nonsense"}, "name": {"boss"}}, 410)
	token, err := s.auth.SetupToken(t.Context())
	must(t, err)
	s.page("POST", "/setup?token="+token+"&name=boss&email=boss@example.com&password=correct+horse+battery", url.Values{}, 410) // secrets in an address are not taken
	s.page("POST", "/setup", url.Values{"token": {token}, "name": {strings.Repeat("x", 20_000)}}, 400)
	must(t, s.store.Close())
	has(t, "a lost database is told", s.page("GET", "/setup?token="+token, nil, 503), "The hub cannot answer")
}

func TestLogin(t *testing.T) {
	s := newSite(t)
	s.makeAccount("acme", hub.RoleUser)
	if w := s.send("GET", "/account/keys", nil); w.Code != 303 || w.Header().Get("Location") != "/tools/login?next=%2Faccount%2Fkeys" {
		t.Errorf("a page of an account: %d %s", w.Code, w.Header().Get("Location"))
	}
	has(t, "the form", s.page("GET", "/login?next=/account/keys", nil, 200), `name="next" value="/account/keys"`, `autocomplete="current-password"`)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "account"} {
		has(t, next, s.page("GET", "/login?next="+url.QueryEscape(next), nil, 200), `name="next" value="/account"`)
	}
	page := s.page("POST", "/login", url.Values{"user": {"acme"}, "password": {"wrong wrong wrong"}}, 401)
	has(t, "a wrong password", page, "The name or the password is wrong.", `value="acme"`)
	hasNot(t, "the password is not sent back", page, "wrong wrong wrong")
	s.signIn("acme")
	has(t, "signed in", s.page("GET", "/", nil, 200), "<span>acme</span>")
	w := s.send("GET", "/", nil)
	if cc := w.Header().Get("Cache-Control"); cc != "no-store" {
		t.Errorf("a page for one person: Cache-Control %q", cc)
	}
	has(t, "the account", s.page("GET", "/account", nil, 200), "acme@example.com", "@acme")
	has(t, "no servers", s.page("GET", "/account/servers", nil, 200), "Nothing published yet")
	s.publish("@acme/notes", "1.0.0", "Keeps notes.", "")
	has(t, "a server", s.page("GET", "/account/servers", nil, 200), `href="/tools/servers/@acme/notes"`)
	if w := s.send("POST", "/logout", url.Values{}); w.Code != 303 || len(s.cookies) != 0 {
		t.Errorf("signing out: %d, cookies %v", w.Code, s.cookies)
	}
	has(t, "signed out", s.page("GET", "/", nil, 200), ">Sign in</a>")
	for i := range 30 {
		if w := s.send("POST", "/login", url.Values{"user": {"acme"}, "password": {"wrong wrong wrong"}}); w.Code == 429 {
			return
		} else if i == 29 {
			t.Error("thirty wrong passwords are taken one after the other")
		}
	}
}

// TestRenew guards: when the access token is over the session goes on, also when two pages are opened at once; one
// that was ended is forgotten.
func TestRenew(t *testing.T) {
	s := newSite(t)
	s.makeAccount("acme", hub.RoleUser)
	s.signIn("acme")
	delete(s.cookies, "mcphub_access")
	old := s.cookies["mcphub_renew"]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			other := &site{t: t, handler: s.handler, cookies: map[string]string{"mcphub_renew": old}}
			if w := other.send("GET", "/account", nil); w.Code != 200 || other.cookies["mcphub_renew"] == old {
				t.Errorf("a page opened at once with others: %d", w.Code)
			}
		})
	}
	wg.Wait()
	s.cookies = map[string]string{"mcphub_access": "nonsense", "mcphub_renew": "nonsense"}
	if w := s.send("GET", "/account", nil); w.Code != 303 || len(s.cookies) != 0 {
		t.Errorf("a session that ended: %d, %v", w.Code, s.cookies)
	}
}

func TestKeys(t *testing.T) {
	s := newSite(t)
	s.makeAccount("acme", hub.RoleUser)
	s.signIn("acme")
	has(t, "none", s.page("GET", "/account/keys", nil, 200), "No keys")
	page := s.page("POST", "/account/keys", url.Values{"name": {"<b>build"}, "scope": {"publish"}, "ttl": {"90"}}, 201)
	m := regexp.MustCompile(`<code>(mcph_[A-Za-z0-9_-]{20,})</code>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no key in %s", page)
	}
	if a, err := s.auth.Actor(t.Context(), "Bearer "+m[1], ""); err != nil || a.Name != "acme" || !a.Can(hub.ScopePublish) || a.Can(hub.ScopeAdmin) {
		t.Errorf("the key is for %+v %v", a, err)
	}
	page = s.page("GET", "/account/keys", nil, 200)
	has(t, "one", page, "&lt;b&gt;build", "1 key,")
	hasNot(t, "the secret is shown once", page, m[1])
	s.page("POST", "/account/keys", url.Values{"name": {"x"}, "scope": {"root"}}, 422)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)[1]
	if w := s.send("POST", "/account/keys/revoke", url.Values{"id": {id}}); w.Code != 303 {
		t.Errorf("revoking: %d", w.Code)
	}
	if _, err := s.auth.Actor(t.Context(), "Bearer "+m[1], ""); err == nil {
		t.Error("a revoked key works")
	}
	s.makeAccount("other", hub.RoleUser)
	stranger := &site{t: t, handler: s.handler, cookies: map[string]string{}}
	page = s.page("POST", "/account/keys", url.Values{"name": {"mine"}, "scope": {"read"}}, 201)
	id = regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)[1]
	stranger.signIn("other")
	stranger.send("POST", "/account/keys/revoke", url.Values{"id": {id}})
	has(t, "somebody else cannot revoke it", s.page("GET", "/account/keys", nil, 200), ">mine<")
}

// TestForeignForms guards: another site cannot make a signed-in browser do something.
func TestForeignForms(t *testing.T) {
	s := newSite(t)
	s.makeAccount("acme", hub.RoleUser)
	s.signIn("acme")
	form := url.Values{"name": {"x"}, "scope": {"read"}}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, target := range []string{"/account/keys", "/logout", "/login", "/account/keys/revoke", "/account/featured", "/setup"} {
			if w := s.send("POST", target, form, header...); w.Code != 403 {
				t.Errorf("%s with %v: %d", target, header, w.Code)
			}
		}
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://hub.example.com"}, {}} {
		if w := s.send("POST", "/account/keys", form, header...); w.Code != 201 {
			t.Errorf("our own form with %v: %d", header, w.Code)
		}
	}
}

func TestFeatured(t *testing.T) {
	s := filled(t)
	s.makeAccount("acme", hub.RoleUser)
	s.makeAccount("boss", hub.RoleAdmin)
	s.signIn("acme")
	s.page("GET", "/account/featured", nil, 403)
	s.page("POST", "/account/featured", url.Values{"names": {"@acme/db"}}, 403)
	s.signIn("boss")
	has(t, "a name that is not here", s.page("POST", "/account/featured", url.Values{"names": {"@acme/none"}}, 422), "@acme/none")
	if w := s.send("POST", "/account/featured", url.Values{"names": {"@acme/db\n@acme/notes\n"}}); w.Code != 303 {
		t.Errorf("featuring: %d %s", w.Code, w.Body)
	}
	has(t, "what is chosen", s.page("GET", "/account/featured?saved", nil, 200), "@acme/db\n@acme/notes", "The first page shows them now")
	has(t, "the first page", s.page("GET", "/", nil, 200), ">Featured<")
}
