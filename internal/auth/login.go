package auth

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/hub"
)

// Session is what a sign-in gives.
type Session struct {
	Access  string
	Expires time.Time
	Refresh string
	Account *hub.Account
}

// Login checks a password and starts a session. Every failure is the same Unauthenticated and takes as
// long, whether the account exists or not.
func (s *Service) Login(ctx context.Context, user, password, requestID string) (*Session, error) {
	acc, err := s.checkPassword(ctx, user, password)
	if err != nil {
		return nil, err
	}
	return s.session(ctx, acc, uuid.NewString(), requestID)
}

// checkPassword returns the account of a name or e-mail address whose password this is.
func (s *Service) checkPassword(ctx context.Context, user, password string) (*hub.Account, error) {
	acc, err := s.store.Account(ctx, user)
	if err != nil && hub.KindOf(err) != hub.NotFound {
		return nil, err
	}
	hash := s.dummy
	if err == nil && acc.PasswordHash != "" {
		hash = acc.PasswordHash
	}
	ok, verr := VerifyPassword(ctx, hash, password)
	if verr != nil {
		return nil, verr
	}
	if err != nil || !ok || acc.Disabled || acc.PasswordHash == "" {
		return nil, hub.Errorf(hub.Unauthenticated, "wrong name or password").WithHint("an administrator can set a new one: mcphub admin user password NAME")
	}
	return acc, nil
}

// passwordScopes are those of a sign-in with a password.
func passwordScopes(a *hub.Account) []hub.Scope {
	if a.Role == hub.RoleAdmin {
		return []hub.Scope{hub.ScopeAdmin}
	}
	return []hub.Scope{hub.ScopePublish}
}

// Refresh spends a refresh token and gives the next. A token spent before means it was copied: the
// whole login is revoked.
func (s *Service) Refresh(ctx context.Context, refresh, requestID string) (*Session, error) {
	t, err := s.store.Spend(ctx, hashSecret(refresh), s.now())
	if k := hub.KindOf(err); k == hub.NotFound || k == hub.Conflict || (err == nil && t.Kind != hub.TokenRefresh) {
		return nil, hub.Errorf(hub.Unauthenticated, "the refresh token is unknown, over or was used before").
			WithHint("sign in again: mcpm login").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	acc, err := s.store.Account(ctx, t.AccountID)
	if err != nil || acc.Disabled {
		return nil, hub.Errorf(hub.Unauthenticated, "this account is disabled or was removed").WithCause(err)
	}
	return s.session(ctx, acc, t.Family, requestID)
}

// Logout revokes the login a refresh token belongs to. An unknown token, or one of another kind, is no
// error.
func (s *Service) Logout(ctx context.Context, refresh, requestID string) error {
	t, err := s.store.TokenByHash(ctx, hashSecret(refresh), s.now())
	if hub.KindOf(err) == hub.NotFound || (err == nil && t.Kind != hub.TokenRefresh) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.store.RevokeToken(ctx, t.AccountID, t.ID, s.event(hub.ActionTokenRevoked, t.AccountID, "", t.ID, "login", requestID))
}

func (s *Service) session(ctx context.Context, acc *hub.Account, family, requestID string) (*Session, error) {
	scopes := passwordScopes(acc)
	access, expires, err := s.signer.sign(acc.ID, AccessTTL, func(c *claims) { c.Name, c.Scopes = acc.Name, scopes })
	if err != nil {
		return nil, err
	}
	refresh := newSecret(refreshPrefix)
	now := s.now()
	err = s.store.CreateToken(ctx, &hub.Token{
		ID: newID(), AccountID: acc.ID, Kind: hub.TokenRefresh, Name: "login", Hash: hashSecret(refresh), Prefix: refresh[:10],
		Scopes: scopes, Family: family, CreatedAt: now, ExpiresAt: now.Add(RefreshTTL),
	}, hub.Event{})
	if err != nil {
		return nil, err
	}
	return &Session{Access: access, Expires: expires, Refresh: refresh, Account: acc}, nil
}

// NewKey makes an API key for the actor's account. Its scopes must be within the actor's own; the
// secret is returned once and not kept. Forbidden for nobody and for keys that are not of scope admin:
// a key that leaked must not breed.
func (s *Service) NewKey(ctx context.Context, actor hub.Actor, name string, scopes []hub.Scope, ttl time.Duration) (*hub.Token, string, error) {
	if actor.Anonymous() || actor.AccountID == "anonymous" {
		return nil, "", hub.Errorf(hub.Unauthenticated, "API keys belong to an account").WithHint("sign in first: mcpm login")
	}
	if actor.KeyID != "" && !actor.Admin() {
		return nil, "", hub.Errorf(hub.Forbidden, "an API key cannot make API keys").WithHint("sign in with your password: mcpm login")
	}
	if len(scopes) == 0 {
		scopes = []hub.Scope{hub.ScopeRead}
	}
	for _, scope := range scopes {
		if !slices.Contains(hub.Scopes, scope) {
			return nil, "", hub.Errorf(hub.Invalid, "scope %q is not one of read, publish, admin", scope)
		}
		if !actor.Can(scope) {
			return nil, "", hub.Errorf(hub.Forbidden, "you cannot give away scope %q: you do not hold it", scope)
		}
	}
	return s.IssueKey(ctx, actor, actor.AccountID, name, scopes, ttl)
}

// IssueKey makes a key for an account without asking what the actor may do; the caller did.
func (s *Service) IssueKey(ctx context.Context, actor hub.Actor, accountID, name string, scopes []hub.Scope, ttl time.Duration) (*hub.Token, string, error) {
	secret := newSecret(KeyPrefix)
	now := s.now()
	t := &hub.Token{ID: newID(), AccountID: accountID, Kind: hub.TokenAPIKey, Name: name, Hash: hashSecret(secret),
		Prefix: secret[:len(KeyPrefix)+4], Scopes: scopes, CreatedAt: now}
	if ttl > 0 {
		t.ExpiresAt = now.Add(ttl)
	}
	ev := s.event(hub.ActionTokenCreated, actor.AccountID, actor.Name, t.ID, name, actor.RequestID)
	if err := s.store.CreateToken(ctx, t, ev); err != nil {
		return nil, "", err
	}
	return t, secret, nil
}

// Keys lists the API keys of the actor's account. A key that is not of scope admin sees only itself.
func (s *Service) Keys(ctx context.Context, actor hub.Actor) ([]*hub.Token, error) {
	if actor.Anonymous() {
		return nil, hub.Errorf(hub.Unauthenticated, "API keys belong to an account").WithHint("sign in first: mcpm login")
	}
	all, err := s.store.TokensOf(ctx, actor.AccountID, s.now())
	if err != nil || actor.KeyID == "" || actor.Admin() {
		return all, err
	}
	return slices.DeleteFunc(all, func(t *hub.Token) bool { return t.ID != actor.KeyID }), nil
}

// RevokeKey deletes one of the actor's keys. A key that is not of scope admin may end only itself: one that
// leaked must not lock its owner out.
func (s *Service) RevokeKey(ctx context.Context, actor hub.Actor, id string) error {
	if actor.Anonymous() {
		return hub.Errorf(hub.Unauthenticated, "API keys belong to an account").WithHint("sign in first: mcpm login")
	}
	if actor.KeyID != "" && actor.KeyID != id && !actor.Admin() {
		return hub.Errorf(hub.Forbidden, "an API key can revoke only itself").WithHint("sign in with your password: mcpm login")
	}
	return s.store.RevokeToken(ctx, actor.AccountID, id, s.event(hub.ActionTokenRevoked, actor.AccountID, actor.Name, id, "", actor.RequestID))
}

func (s *Service) event(action, actor, actorName, subject, name, requestID string) hub.Event {
	return hub.Event{At: s.now(), Actor: actor, ActorName: actorName, Action: action, Subject: subject, Name: name, RequestID: requestID}
}

// newID returns a UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
