package oci_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci"
)

func TestPingAsksForAToken(t *testing.T) {
	f := newFixture(t, "", nil)
	a := f.do(http.MethodGet, "/v2/", "", nil)
	f.want("ping by nobody", a, http.StatusUnauthorized, "UNAUTHORIZED")
	if want := `Bearer realm="` + f.url + `/v2/token",service="` + f.host + `"`; a.header.Get("WWW-Authenticate") != want {
		t.Errorf("challenge %s, not %s", a.header.Get("WWW-Authenticate"), want)
	}
	if a.header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
		t.Error("the version of the protocol is not said")
	}
	f.want("ping with a token", f.do(http.MethodGet, "/v2/", f.token("acme", password), nil), http.StatusOK, "")
	f.want("ping with nonsense", f.do(http.MethodGet, "/v2/", "nonsense", nil), http.StatusUnauthorized, "UNAUTHORIZED")
	f.want("POST", f.do(http.MethodPost, "/v2/", "", nil), http.StatusMethodNotAllowed, "UNSUPPORTED")
}

// granted returns what a token grants, as "acme/db:pull,push".
func granted(t *testing.T, token string) string {
	t.Helper()
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	must(t, err)
	var c struct {
		Access []struct {
			Name    string
			Actions []string
		}
	}
	must(t, json.Unmarshal(body, &c))
	var out []string
	for _, a := range c.Access {
		out = append(out, a.Name+":"+strings.Join(a.Actions, ","))
	}
	return strings.Join(out, " ")
}

func TestTokenGrantsNoMoreThanTheRight(t *testing.T) {
	f := newFixture(t, "", nil)
	session, err := f.auth.Login(t.Context(), "acme", password, "")
	must(t, err)
	f.pushImage("acme/db", "1.0.0", f.publisher("acme/db"), "one")
	f.publish("acme", "acme/db", "1.0.0", f.host+"/acme/db:1.0.0")
	all := func(name string) string { return "repository:" + name + ":pull,push,delete" }
	for _, c := range []struct{ what, user, secret, scope, want string }{
		{"its own namespace", "acme", password, all("acme/db"), "acme/db:pull,push,delete"},
		{"a deeper name", "acme", password, all("acme/db/tools"), "acme/db/tools:pull,push,delete"},
		{"another's public repository", "other", password, all("acme/db"), "acme/db:pull"},
		{"another's repository", "other", password, all("acme/secret"), ""},
		{"nobody, public", "", "", all("acme/db"), "acme/db:pull"},
		{"nobody, not public", "", "", all("acme/secret"), ""},
		{"a key to publish", "anything", f.key("acme", hub.ScopePublish), all("acme/db"), "acme/db:pull,push,delete"},
		{"the access token of a session", "mcpm", session.Access, all("acme/db"), "acme/db:pull,push,delete"},
		{"a key to read", "acme", f.key("acme", hub.ScopeRead), all("acme/secret"), "acme/secret:pull"},
		{"e-mail address", "acme@example.com", password, all("acme/db"), "acme/db:pull,push,delete"},
		{"an action that is none", "acme", password, "repository:acme/db:pull,*,pull", "acme/db:pull"},
		{"the whole registry", "acme", password, "registry:catalog:*", ""},
		{"a name that cannot be", "acme", password, all("acme/../other/db"), ""},
		{"a namespace that begins alike", "acme", password, all("acmes/db"), ""},
	} {
		if got := granted(t, f.token(c.user, c.secret, c.scope)); got != c.want {
			t.Errorf("%s: %q granted, want %q", c.what, got, c.want)
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	f := newFixture(t, "", nil)
	ask := func(user, secret, query string) answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+oci.TokenPath+query, nil)
		must(t, err)
		r.SetBasicAuth(user, secret)
		return f.send(r)
	}
	f.want("another service", ask("acme", password, "?service=registry.example.com"), http.StatusForbidden, "DENIED")
	f.want("too many scopes", ask("acme", password, "?"+strings.Repeat("&scope=repository:acme/db:pull", 21)), http.StatusForbidden, "DENIED")
	f.want("an unknown key", ask("acme", "mcph_unknown", ""), http.StatusUnauthorized, "UNAUTHORIZED")
	for range 9 {
		ask("acme", "wrong password", "")
	}
	a := ask("acme", password, "")
	f.want("after many guesses", a, http.StatusTooManyRequests, "TOOMANYREQUESTS")
	if a.header.Get("Retry-After") == "" {
		t.Error("it is not said how long to wait")
	}
	f.want("a key all the same", ask("acme", f.mustKey(), ""), http.StatusOK, "")
}

// mustKey is a key that is made without the limit on passwords.
func (f *fixture) mustKey() string { return f.key("acme", hub.ScopePublish) }

func TestTokensAreKeptApart(t *testing.T) {
	f := newFixture(t, "", nil)
	session, err := f.auth.Login(t.Context(), "acme", password, "")
	must(t, err)
	f.want("an access token of the API", f.do(http.MethodGet, "/v2/", session.Access, nil), http.StatusUnauthorized, "UNAUTHORIZED")
	if _, err := f.auth.Actor(t.Context(), "Bearer "+f.publisher("acme/db"), ""); hub.KindOf(err) != hub.Unauthenticated {
		t.Errorf("the API takes a token for images: %v", err)
	}
}

// TestNothingLeaks looks at a repository that is there and not public, and at one that is not there.
func TestNothingLeaks(t *testing.T) {
	f := newFixture(t, "", nil)
	d := f.pushImage("acme/secret", "1.0.0", f.publisher("acme/secret"), "one")
	stranger := f.token("other", password, "repository:acme/secret:pull", "repository:acme/none:pull")
	for _, path := range []string{"/manifests/1.0.0", "/manifests/" + d.String(), "/tags/list", "/blobs/" + d.String()} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			secret, none := f.do(method, "/v2/acme/secret"+path, "", nil), f.do(method, "/v2/acme/none"+path, "", nil)
			same := strings.ReplaceAll(string(secret.body), "acme/secret", "acme/none") == string(none.body)
			if secret.status != http.StatusUnauthorized || none.status != http.StatusUnauthorized || !same {
				t.Errorf("%s %s by nobody: %d %s and %d %s", method, path, secret.status, secret.body, none.status, none.body)
			}
			secret, none = f.do(method, "/v2/acme/secret"+path, stranger, nil), f.do(method, "/v2/acme/none"+path, stranger, nil)
			same = strings.ReplaceAll(string(secret.body), "acme/secret", "acme/none") == string(none.body)
			if secret.status != http.StatusNotFound || none.status != http.StatusNotFound || !same {
				t.Errorf("%s %s by another: %d %s and %d %s", method, path, secret.status, secret.body, none.status, none.body)
			}
		}
	}
	// a blob of a hidden repository cannot be had by mounting it
	layer := f.pushBlob("acme/secret", f.publisher("acme/secret"), []byte("hidden"))
	own := f.token("other", password, "repository:other/db:pull,push", "repository:acme/secret:pull")
	a := f.do(http.MethodPost, "/v2/other/db/blobs/uploads/?from=acme/secret&mount="+layer.String(), own, nil)
	f.want("mount of a hidden blob", a, http.StatusAccepted, "")
	f.want("the blob after it", f.do(http.MethodGet, "/v2/other/db/blobs/"+layer.String(), own, nil), http.StatusNotFound, "BLOB_UNKNOWN")
}

func TestPushNeedsRightAndGrant(t *testing.T) {
	f := newFixture(t, "", nil)
	start := "/v2/acme/db/blobs/uploads/"
	f.want("by nobody", f.do(http.MethodPost, start, "", nil), http.StatusUnauthorized, "UNAUTHORIZED")
	f.want("by nobody with a token", f.do(http.MethodPost, start, f.token("", ""), nil), http.StatusUnauthorized, "UNAUTHORIZED")
	a := f.do(http.MethodPost, start, f.token("other", password, "repository:acme/db:pull,push"), nil)
	f.want("by another", a, http.StatusForbidden, "DENIED")
	if _, message := a.problem(); !strings.Contains(message, "@other/") {
		t.Errorf("it is not said where other may push: %s", message)
	}
	a = f.do(http.MethodPost, start, f.token("acme", password, "repository:acme/db:pull"), nil)
	f.want("with a token to pull", a, http.StatusUnauthorized, "UNAUTHORIZED")
	if !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="repository:acme/db:pull,push",error="insufficient_scope"`) {
		t.Errorf("challenge %s", a.header.Get("WWW-Authenticate"))
	}
	f.want("with a token for another repository", f.do(http.MethodPost, start, f.publisher("acme/dbs"), nil), http.StatusUnauthorized, "UNAUTHORIZED")
	f.want("with a key to read", f.do(http.MethodPost, start, f.token("acme", f.key("acme", hub.ScopeRead), "repository:acme/db:pull,push"), nil), http.StatusForbidden, "DENIED")
	token := f.publisher("acme/db")
	f.want("with the right", f.do(http.MethodPost, start, token, nil), http.StatusAccepted, "")
	actor, err := f.auth.Basic(t.Context(), "acme", password, "")
	must(t, err)
	acc, err := f.auth.Account(t.Context(), actor)
	must(t, err)
	must(t, f.auth.SetDisabled(t.Context(), hub.System(""), acc, true))
	f.want("after the account was disabled", f.do(http.MethodPost, start, token, nil), http.StatusUnauthorized, "UNAUTHORIZED")
}

func TestNames(t *testing.T) {
	f := newFixture(t, "", nil)
	for _, name := range []string{"db", "Acme/db", "acme/DB", "acme/-db", "a/db", "acme/", "@acme/db", "acme/db/", "acme//db", "_x/db", "acme/" + strings.Repeat("x", 260)} {
		f.want(name, f.do(http.MethodGet, "/v2/"+name+"/manifests/latest", "", nil), http.StatusBadRequest, "NAME_INVALID")
	}
	for _, name := range []string{"acme/db", "io.github.acme/db", "acme/manifests", "acme/blobs/uploads", "acme/tags/list"} {
		f.want(name, f.do(http.MethodGet, "/v2/"+name+"/manifests/latest", "", nil), http.StatusUnauthorized, "UNAUTHORIZED")
	}
	f.want("no such path", f.do(http.MethodGet, "/v2/_catalog", "", nil), http.StatusNotFound, "NOT_FOUND")
}

// TestRevokedKey: a token does no more than its key, and nothing once that is revoked.
func TestRevokedKey(t *testing.T) {
	f := newFixture(t, "", nil)
	key := f.mustKey()
	token := f.token("acme", key, "repository:acme/db:pull,push")
	f.want("with the key", f.do(http.MethodGet, "/v2/", token, nil), http.StatusOK, "")
	owner, err := f.auth.Basic(t.Context(), "acme", key, "")
	must(t, err)
	must(t, f.auth.RevokeKey(t.Context(), owner, owner.KeyID))
	a := f.do(http.MethodGet, "/v2/", token, nil)
	f.want("after it was revoked", a, http.StatusUnauthorized, "UNAUTHORIZED")
	f.want("a push", f.do(http.MethodPost, "/v2/acme/db/blobs/uploads/", token, nil), http.StatusUnauthorized, "UNAUTHORIZED")
	f.want("with the password", f.do(http.MethodGet, "/v2/", f.publisher("acme/db"), nil), http.StatusOK, "")
}
