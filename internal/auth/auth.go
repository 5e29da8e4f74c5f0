package auth

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// How long credentials last.
const (
	AccessTTL   = 15 * time.Minute
	RefreshTTL  = 30 * 24 * time.Hour
	RegistryTTL = 5 * time.Minute // tokens of the official registry API, as upstream
	SetupTTL    = 24 * time.Hour
)

// AnonymousNamespace is where anybody may publish when the operator allows it; the official registry's
// name for it.
const AnonymousNamespace = "io.modelcontextprotocol.anonymous"

// Store is what this room needs of a store.
type Store interface {
	hub.Accounts
	hub.Namespaces
	hub.Tokens
	hub.Settings
}

// Service knows who is who.
type Service struct {
	store  Store
	signer *signer
	now    func() time.Time
	dummy  string     // a hash to check against when there is no account, so that both take as long
	setup  sync.Mutex // held while the first administrator is made
}

// New reads or makes the signing key.
func New(ctx context.Context, store Store, now func() time.Time) (*Service, error) {
	signer, err := newSigner(ctx, store, now)
	if err != nil {
		return nil, err
	}
	return &Service{store: store, signer: signer, now: now, dummy: nobodysHash()}, nil
}

// Actor reads an Authorization header ("Bearer" and an access token or API key; the word in any case).
// An empty header is nobody. Unauthenticated when the credential is wrong, over, or of a disabled
// account.
func (s *Service) Actor(ctx context.Context, header, requestID string) (hub.Actor, error) {
	if header == "" {
		return hub.Actor{Scopes: []hub.Scope{hub.ScopeRead}, RequestID: requestID}, nil
	}
	kind, secret, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(kind, "Bearer") || strings.TrimSpace(secret) == "" {
		return hub.Actor{}, hub.Errorf(hub.Unauthenticated, "the Authorization header is not of the form Bearer TOKEN").
			WithHint("send Authorization: Bearer and an access token or an API key")
	}
	secret = strings.TrimSpace(secret)
	if strings.HasPrefix(secret, KeyPrefix) {
		return s.keyActor(ctx, secret, requestID)
	}
	return s.tokenActor(ctx, secret, requestID)
}

func (s *Service) keyActor(ctx context.Context, secret, requestID string) (hub.Actor, error) {
	t, err := s.store.TokenByHash(ctx, hashSecret(secret), s.now())
	if hub.KindOf(err) == hub.NotFound || (err == nil && t.Kind != hub.TokenAPIKey) {
		return hub.Actor{}, hub.Errorf(hub.Unauthenticated, "the API key is unknown, revoked or expired").
			WithHint("make a new one: mcpm login, then POST /api/v1/keys")
	}
	if err != nil {
		return hub.Actor{}, err
	}
	a, err := s.accountActor(ctx, t.AccountID, requestID)
	if err != nil {
		return hub.Actor{}, err
	}
	a.Scopes, a.KeyID = t.Scopes, t.ID
	if s.now().Sub(t.LastUsed) >= time.Minute {
		// when a key was used is a courtesy; failing to note it must not fail the request
		_ = s.store.TouchToken(ctx, t.ID, s.now())
	}
	return a, nil
}

func (s *Service) tokenActor(ctx context.Context, text, requestID string) (hub.Actor, error) {
	c, err := s.signer.verify(text)
	if err != nil {
		return hub.Actor{}, err
	}
	if c.Method == "none" {
		return hub.Actor{AccountID: "anonymous", Name: "anonymous", Role: hub.RoleUser, RequestID: requestID,
			Scopes: []hub.Scope{hub.ScopePublish}, Namespaces: []string{AnonymousNamespace}}, nil
	}
	a, err := s.accountActor(ctx, c.Subject, requestID)
	if err != nil {
		return hub.Actor{}, err
	}
	a.Scopes = c.Scopes
	return a, nil
}

func (s *Service) accountActor(ctx context.Context, id, requestID string) (hub.Actor, error) {
	acc, err := s.store.Account(ctx, id)
	if hub.KindOf(err) == hub.NotFound || (err == nil && (acc.Disabled || acc.ID != id)) {
		return hub.Actor{}, hub.Errorf(hub.Unauthenticated, "this account is disabled or was removed").WithHint("ask an administrator of this hub")
	}
	if err != nil {
		return hub.Actor{}, err
	}
	spaces, err := s.store.NamespacesOf(ctx, acc.ID)
	if err != nil {
		return hub.Actor{}, err
	}
	return hub.Actor{AccountID: acc.ID, Name: acc.Name, Role: acc.Role, Namespaces: spaces, RequestID: requestID}, nil
}

// RegistryToken makes a token of the official registry API for publishing without an account, into
// AnonymousNamespace only.
func (s *Service) RegistryToken() (token string, expires time.Time, err error) {
	return s.signer.sign("anonymous", RegistryTTL, func(c *claims) {
		c.Method, c.MethodSub = "none", "anonymous"
		c.Permissions = []Permission{
			{Action: "publish", Pattern: AnonymousNamespace + "/*"},
			{Action: "edit", Pattern: AnonymousNamespace + "/*"},
		}
	})
}

// Account returns the account of a signed-in actor. Unauthenticated for nobody.
func (s *Service) Account(ctx context.Context, actor hub.Actor) (*hub.Account, error) {
	if actor.Anonymous() || actor.AccountID == "anonymous" {
		return nil, hub.Errorf(hub.Unauthenticated, "nobody is signed in").WithHint("sign in: mcpm login")
	}
	return s.store.Account(ctx, actor.AccountID)
}
