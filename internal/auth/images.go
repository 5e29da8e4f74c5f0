package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/hub"
)

// ImageTTL is how long a token for container images is good. The right of its account to a namespace is looked
// up again at each request, so it is only what was once an API key's that outlives it, for as long.
const ImageTTL = 5 * time.Minute

// imageIssuer keeps tokens for images apart from access tokens: they are signed with the same key, and neither
// is taken for the other.
const imageIssuer = "mcphub-images"

// ImageAccess is one grant in a token for container images, in the form of the distribution project's token
// protocol.
type ImageAccess struct {
	Type    string   `json:"type"` // repository
	Name    string   `json:"name"` // acme/db
	Actions []string `json:"actions"`
}

// imageClaims are those of that protocol, and the scopes of the credential that the token was made for.
type imageClaims struct {
	jwt.RegisteredClaims
	Scopes []hub.Scope   `json:"scopes,omitempty"`
	KeyID  string        `json:"key,omitempty"`
	Access []ImageAccess `json:"access"`
}

// Secret reports whether a password of HTTP Basic is an API key or an access token, which nobody guesses: a JWT begins
// with "eyJ" and has three parts.
func Secret(password string) bool {
	return strings.HasPrefix(password, KeyPrefix) || strings.HasPrefix(password, "eyJ") && strings.Count(password, ".") == 2
}

// Basic finds out who is calling from the user and password of HTTP Basic: an API key, or the access token of a session,
// as the password under any name, or the password of the account with that name or e-mail address. Unauthenticated when
// none holds.
func (s *Service) Basic(ctx context.Context, user, password, requestID string) (hub.Actor, error) {
	if strings.HasPrefix(password, KeyPrefix) {
		return s.keyActor(ctx, password, requestID)
	}
	if Secret(password) {
		return s.tokenActor(ctx, password, requestID)
	}
	acc, err := s.checkPassword(ctx, user, password)
	if err != nil {
		return hub.Actor{}, err
	}
	a, err := s.accountActor(ctx, acc.ID, requestID)
	a.Scopes = passwordScopes(acc)
	return a, err
}

// ImageToken makes a token for container images with what was granted, for the service of this name. The actor
// may be nobody.
func (s *Service) ImageToken(actor hub.Actor, service string, access []ImageAccess) (token string, expires time.Time, err error) {
	now := s.now()
	expires = now.Add(ImageTTL).Truncate(time.Second)
	c := &imageClaims{Access: access, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: imageIssuer, Audience: jwt.ClaimStrings{service}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(expires),
	}}
	if !actor.Anonymous() {
		c.Subject, c.Scopes, c.KeyID = actor.AccountID, actor.Scopes, actor.KeyID
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(s.signer.key)
	return token, expires, err
}

// ImageActor reads a token made by ImageToken for the same service: who it was made for, as the account is now,
// and what it grants. Unauthenticated when it is not valid, over, of a disabled account, or of an API key that is revoked since.
func (s *Service) ImageActor(ctx context.Context, token, service, requestID string) (hub.Actor, []ImageAccess, error) {
	c := &imageClaims{}
	_, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return s.signer.key.Public(), nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(imageIssuer), jwt.WithAudience(service),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	if err != nil {
		return hub.Actor{}, nil, hub.Errorf(hub.Unauthenticated, "the token for images is not valid or its time is over").
			WithHint("sign in again: docker login").WithCause(err)
	}
	if c.Subject == "" {
		return hub.Actor{Scopes: []hub.Scope{hub.ScopeRead}, RequestID: requestID}, c.Access, nil
	}
	a, err := s.accountActor(ctx, c.Subject, requestID)
	if err != nil {
		return hub.Actor{}, nil, err
	}
	if c.KeyID != "" {
		keys, err := s.store.TokensOf(ctx, c.Subject, s.now())
		if err != nil {
			return hub.Actor{}, nil, err
		}
		if !slices.ContainsFunc(keys, func(t *hub.Token) bool { return t.ID == c.KeyID }) {
			return hub.Actor{}, nil, hub.Errorf(hub.Unauthenticated, "the API key that this token was made with is revoked or its time is over").
				WithHint("sign in again with another: docker login")
		}
	}
	a.Scopes, a.KeyID = c.Scopes, c.KeyID
	return a, c.Access, nil
}

// Grants reports whether a token's list has an action on a repository.
func Grants(access []ImageAccess, repository, action string) bool {
	return slices.ContainsFunc(access, func(a ImageAccess) bool {
		return a.Type == "repository" && a.Name == repository && slices.Contains(a.Actions, action)
	})
}
