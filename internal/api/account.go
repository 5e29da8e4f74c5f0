package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

// loginRate bounds guesses of passwords from one address, loginRateName those at one account from
// everywhere; the second is higher, so that a stranger cannot easily keep an owner out.
var (
	loginRate     = hub.Rate{Limit: 10, Window: time.Minute}
	loginRateName = hub.Rate{Limit: 100, Window: time.Minute}
)

func (s *server) accountRoutes(api huma.API) {
	op := func(method, path, summary string) huma.Operation {
		return huma.Operation{Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{"account"}, MaxBodyBytes: 16 << 10}
	}
	signed := func(o huma.Operation) huma.Operation {
		o.Security = []map[string][]string{{"bearer": {}}}
		return o
	}
	register(s, api, op(http.MethodPost, "/auth/login", "Sign in with a password"), s.login)
	register(s, api, op(http.MethodPost, "/auth/token", "Get a new access token with a refresh token"), s.refresh)
	register(s, api, op(http.MethodPost, "/auth/logout", "End a login"), s.logout)
	register(s, api, signed(op(http.MethodGet, "/me", "Who am I")), s.me)
	if s.ImageUsage != nil {
		register(s, api, signed(op(http.MethodGet, "/namespaces/{namespace}/images", "What a namespace has of container images")), s.imageUsage)
	}
	register(s, api, signed(op(http.MethodGet, "/keys", "List my API keys")), s.listKeys)
	create := signed(op(http.MethodPost, "/keys", "Make an API key"))
	create.DefaultStatus = http.StatusCreated
	register(s, api, create, s.newKey)
	register(s, api, signed(op(http.MethodDelete, "/keys/{id}", "Revoke an API key")), s.revokeKey)
}

type loginIn struct {
	Body   wire.Login
	client string
}

// Resolve notes the caller's address.
func (in *loginIn) Resolve(ctx huma.Context) []error {
	in.client = humagin.Unwrap(ctx).GetString(keyClient)
	return nil
}

func (s *server) login(ctx context.Context, in *loginIn) (*jsonOut[wire.Session], error) {
	user := strings.ToLower(in.Body.User)
	for key, rate := range map[string]hub.Rate{"l:" + in.client: loginRate, "u:" + user: loginRateName} {
		if a := s.Limiter.Allow(ctx, key, rate); !a.OK {
			return nil, hub.Errorf(hub.RateLimited, "too many tries to sign in").WithHint("wait %d seconds", max(1, seconds(a.Retry)))
		}
	}
	session, err := s.Auth.Login(ctx, in.Body.User, in.Body.Password, contextRequestID(ctx))
	if err != nil {
		return nil, err
	}
	return s.session(ctx, session)
}

type refreshIn struct{ Body wire.Refresh }

func (s *server) refresh(ctx context.Context, in *refreshIn) (*jsonOut[wire.Session], error) {
	session, err := s.Auth.Refresh(ctx, in.Body.RefreshToken, contextRequestID(ctx))
	if err != nil {
		return nil, err
	}
	return s.session(ctx, session)
}

func (s *server) session(ctx context.Context, session *auth.Session) (*jsonOut[wire.Session], error) {
	actor, err := s.Auth.Actor(ctx, "Bearer "+session.Access, contextRequestID(ctx))
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.Session]{Body: wire.Session{AccessToken: session.Access, ExpiresAt: session.Expires.UTC(),
		RefreshToken: session.Refresh, Account: account(session.Account, actor)}}, nil
}

func account(a *hub.Account, actor hub.Actor) wire.Account {
	out := wire.Account{ID: a.ID, Name: a.Name, Email: a.Email, Role: a.Role, Scopes: actor.Scopes, CreatedAt: a.CreatedAt.UTC(), Namespaces: []string{}}
	for _, scope := range actor.Namespaces {
		out.Namespaces = append(out.Namespaces, strings.TrimSuffix(hub.Name(scope+"/x").String(), "/x"))
	}
	return out
}

func (s *server) logout(ctx context.Context, in *refreshIn) (*struct{}, error) {
	return nil, s.Auth.Logout(ctx, in.Body.RefreshToken, contextRequestID(ctx))
}

func (s *server) me(ctx context.Context, _ *struct{}) (*jsonOut[wire.Account], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.Auth.Account(ctx, actor)
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.Account]{Body: account(a, actor)}, nil
}

type namespaceIn struct {
	Namespace string `path:"namespace" maxLength:"200" example:"acme"`
}

func (s *server) imageUsage(ctx context.Context, in *namespaceIn) (*jsonOut[wire.ImageUsage], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.ImageUsage(ctx, actor, in.Namespace)
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.ImageUsage]{Body: *u}, nil
}

func (s *server) listKeys(ctx context.Context, _ *struct{}) (*jsonOut[wire.KeyList], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Auth.Keys(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &jsonOut[wire.KeyList]{Body: wire.KeyList{Keys: make([]wire.Key, len(tokens))}}
	for i, t := range tokens {
		out.Body.Keys[i] = key(t)
	}
	return out, nil
}

func key(t *hub.Token) wire.Key {
	k := wire.Key{ID: t.ID, Name: t.Name, Prefix: t.Prefix, Scopes: t.Scopes, CreatedAt: t.CreatedAt.UTC()}
	if !t.ExpiresAt.IsZero() {
		at := t.ExpiresAt.UTC()
		k.ExpiresAt = &at
	}
	if !t.LastUsed.IsZero() {
		at := t.LastUsed.UTC()
		k.LastUsed = &at
	}
	return k
}

type newKeyIn struct{ Body wire.NewKeyRequest }

func (s *server) newKey(ctx context.Context, in *newKeyIn) (*jsonOut[wire.NewKey], error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	t, secret, err := s.Auth.NewKey(ctx, actor, in.Body.Name, in.Body.Scopes, time.Duration(in.Body.Days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	return &jsonOut[wire.NewKey]{Body: wire.NewKey{Key: key(t), Secret: secret}}, nil
}

type keyRef struct {
	ID string `path:"id" format:"uuid"`
}

func (s *server) revokeKey(ctx context.Context, in *keyRef) (*struct{}, error) {
	actor, err := actorOf(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.Auth.RevokeKey(ctx, actor, in.ID)
}
