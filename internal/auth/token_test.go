package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

const badToken = "the access token is not valid or its time is over"

// TestForgedTokens guards: only a token signed by this hub, for this hub, in time, of EdDSA, is believed.
func TestForgedTokens(t *testing.T) {
	f := newFixture(t)
	a := f.account("boss", hub.RoleAdmin)
	seed, err := f.store.Setting(t.Context(), "auth.signing_key")
	must(t, err)
	key := ed25519.NewKeyFromSeed(seed)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	now := f.clock.now()
	sign := func(method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{"iss": "mcphub", "sub": a.ID, "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "scopes": []string{"admin"}}
		if change != nil {
			change(c)
		}
		text, err := jwt.NewWithClaims(method, c).SignedString(key)
		must(t, err)
		return text
	}
	if actor := f.actor(sign(jwt.SigningMethodEdDSA, key, nil)); !actor.Admin() {
		t.Fatalf("the token that the others are made from is not good: %+v", actor)
	}
	good := sign(jwt.SigningMethodEdDSA, key, nil)
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	other := sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { c["scopes"] = []string{"read"} })
	_, otherRest, _ := strings.Cut(other, ".")
	otherBody, _, _ := strings.Cut(otherRest, ".")
	for rule, text := range map[string]string{
		"alg none":                        sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"HS256 with the public key":       sign(jwt.SigningMethodHS256, []byte(key.Public().(ed25519.PublicKey)), nil),
		"HS256 with the seed":             sign(jwt.SigningMethodHS256, seed, nil),
		"another hub's key":               sign(jwt.SigningMethodEdDSA, stranger, nil),
		"another issuer":                  sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { c["iss"] = "other" }),
		"no issuer":                       sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { delete(c, "iss") }),
		"expired":                         sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { c["exp"] = now.Unix() }),
		"no end":                          sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { delete(c, "exp") }),
		"from the future":                 sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { c["nbf"] = now.Add(time.Minute).Unix() }),
		"another body, the old signature": head + "." + otherBody + "." + signature,
		"a signature cut short":           good[:len(good)-4],
		"no signature":                    head + "." + body + ".",
		"two parts":                       head + "." + body,
		"words":                           "nonsense",
	} {
		_, err := f.auth.Actor(t.Context(), "Bearer "+text, "test")
		refused(t, rule, err, hub.Unauthenticated, badToken)
	}
	for rule, subject := range map[string]string{"an account that never was": "0198f000-0000-7000-8000-00000000dead", "a name for an ID": "boss", "nobody": ""} {
		_, err := f.auth.Actor(t.Context(), "Bearer "+sign(jwt.SigningMethodEdDSA, key, func(c jwt.MapClaims) { c["sub"] = subject }), "test")
		refused(t, rule, err, hub.Unauthenticated, "this account is disabled or was removed")
	}
}

const (
	badHeader = "the Authorization header is not of the form Bearer TOKEN"
	badKey    = "the API key is unknown, revoked or expired"
)

func TestHeaderForms(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	s, user := f.login("acme")
	_, key, err := f.auth.NewKey(t.Context(), user, "ci", nil, 0)
	must(t, err)
	for _, c := range []struct{ rule, header, message string }{
		{"the word alone", "Bearer", badHeader},
		{"nothing after the word", "Bearer ", badHeader},
		{"spaces after the word", "Bearer    ", badHeader},
		{"another scheme", "Basic YWNtZTpwYXNz", badHeader},
		{"the secret alone", key, badHeader},
		{"an unknown key", "Bearer mcph_nonsense", badKey},
		{"a refresh token is not for calling", "Bearer " + s.Refresh, badToken},
		{"a key with a character more", "Bearer " + key + "x", badKey},
		{"a key in capitals", "Bearer " + strings.ToUpper(key), badToken},
		{"a key with a space in it", "Bearer " + key[:10] + " " + key[10:], badKey},
		{"upper-case word", "BEARER " + key, ""},
		{"lower-case word", "bearer " + s.Access, ""},
		{"more space", "Bearer   " + key + " ", ""},
	} {
		actor, err := f.auth.Actor(t.Context(), c.header, "req-1")
		if c.message != "" {
			refused(t, c.rule, err, hub.Unauthenticated, c.message)
			continue
		}
		if err != nil || actor.Name != "acme" || actor.RequestID != "req-1" {
			t.Errorf("%s: %+v %v", c.rule, actor, err)
		}
	}
	nobody, err := f.auth.Actor(t.Context(), "", "req-1")
	if err != nil || !nobody.Anonymous() || !nobody.Can(hub.ScopeRead) || nobody.Can(hub.ScopePublish) {
		t.Errorf("no header is %+v %v, and should be nobody who may read", nobody, err)
	}
}

// TestRegistryToken guards: the token for publishing without an account is good for one namespace, minutes,
// and nothing that belongs to accounts.
func TestRegistryToken(t *testing.T) {
	f := newFixture(t)
	text, expires, err := f.auth.RegistryToken()
	must(t, err)
	a := f.actor(text)
	if a.Admin() || !a.Can(hub.ScopePublish) || a.Can(hub.ScopeAdmin) || len(a.Namespaces) != 1 || a.Namespaces[0] != auth.AnonymousNamespace {
		t.Errorf("actor %+v", a)
	}
	if !expires.Equal(f.clock.now().Add(auth.RegistryTTL)) {
		t.Errorf("expires %s", expires)
	}
	_, err = f.auth.Account(t.Context(), a)
	refused(t, "it has no account", err, hub.Unauthenticated, "nobody is signed in")
	_, _, err = f.auth.NewKey(t.Context(), a, "x", nil, 0)
	refused(t, "it makes no keys", err, hub.Unauthenticated, "API keys belong to an account")
	f.clock.add(auth.RegistryTTL)
	_, err = f.auth.Actor(t.Context(), "Bearer "+text, "test")
	refused(t, "after its time", err, hub.Unauthenticated, badToken)
}

// TestSigningKeyIsShared guards: two hubs on one database believe each other's tokens.
func TestSigningKeyIsShared(t *testing.T) {
	f := newFixture(t)
	f.account("acme", hub.RoleUser)
	s, _ := f.login("acme")
	second, err := auth.New(t.Context(), f.store, f.clock.now)
	must(t, err)
	if _, err := second.Actor(t.Context(), "Bearer "+s.Access, "test"); err != nil {
		t.Error(err)
	}
	must(t, f.store.SetSetting(t.Context(), "auth.signing_key", []byte("short")))
	_, err = auth.New(t.Context(), f.store, f.clock.now)
	refused(t, "a damaged key", err, hub.Integrity, "the stored signing key has 5 bytes, not 32")
}
