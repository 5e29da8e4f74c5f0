package auth

import (
	"context"
	"net/mail"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// reserved names would look like the hub itself, or like a catalogue it mirrors.
var reserved = map[string]bool{
	"system": true, "anonymous": true, "admin": true, "administrator": true, "root": true, "mcphub": true, "mcpm": true,
	"official": true, "security": true, "support": true, "staff": true, "api": true, "www": true, "docs": true,
}

// NewAccount is what a new account is made from.
type NewAccount struct {
	Name, Email, Password string
	Role                  hub.Role
}

// CreateAccount checks and stores a new account. The caller has decided that it may be made.
func (s *Service) CreateAccount(ctx context.Context, actor hub.Actor, n NewAccount) (*hub.Account, error) {
	a, err := s.prepare(ctx, n)
	if err != nil {
		return nil, err
	}
	return a, s.store.CreateAccount(ctx, a, s.event(hub.ActionAccountCreated, actor.AccountID, actor.Name, a.ID, a.Name, actor.RequestID))
}

// prepare checks what a new account is made from.
func (s *Service) prepare(ctx context.Context, n NewAccount) (*hub.Account, error) {
	name, err := hub.ParseScope(n.Name)
	if err != nil || strings.Contains(name, ".") {
		return nil, hub.Errorf(hub.Invalid, "account name %q: use 2 to %d of a-z, 0-9 and single hyphens", n.Name, hub.MaxScope)
	}
	if reserved[name] && n.Role != hub.RoleAdmin {
		return nil, hub.Errorf(hub.Invalid, "account name %q is reserved", name).WithHint("choose another name")
	}
	addr, err := mail.ParseAddress(n.Email)
	if err != nil || addr.Address != n.Email || len(n.Email) > 254 {
		return nil, hub.Errorf(hub.Invalid, "%q is not an e-mail address", n.Email)
	}
	hash, err := HashPassword(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	if n.Role == "" {
		n.Role = hub.RoleUser
	}
	return &hub.Account{ID: newID(), Name: name, Email: strings.ToLower(n.Email), PasswordHash: hash, Role: n.Role, CreatedAt: s.now()}, nil
}

// SetPassword replaces an account's password.
func (s *Service) SetPassword(ctx context.Context, actor hub.Actor, a *hub.Account, password string) error {
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return err
	}
	a.PasswordHash = hash
	return s.store.UpdateAccount(ctx, a, s.event(hub.ActionAccountUpdated, actor.AccountID, actor.Name, a.ID, a.Name, actor.RequestID))
}

// SetDisabled disables or enables an account. Disabling ends all of its sessions and keys.
func (s *Service) SetDisabled(ctx context.Context, actor hub.Actor, a *hub.Account, disabled bool) error {
	a.Disabled = disabled
	return s.store.UpdateAccount(ctx, a, s.event(hub.ActionAccountUpdated, actor.AccountID, actor.Name, a.ID, a.Name, actor.RequestID))
}

// SetupToken returns a one-time secret that makes the first administrator, or "" when there is one.
func (s *Service) SetupToken(ctx context.Context) (string, error) {
	needed, err := s.needsAdmin(ctx)
	if err != nil || !needed {
		return "", err
	}
	secret := newSecret(setupPrefix)
	now := s.now()
	return secret, s.store.CreateToken(ctx, &hub.Token{ID: newID(), Kind: hub.TokenSetup, Name: "first administrator",
		Hash: hashSecret(secret), Prefix: secret[:10], CreatedAt: now, ExpiresAt: now.Add(SetupTTL)}, hub.Event{})
}

// CheckSetup fails with Gone unless secret would make the first administrator.
func (s *Service) CheckSetup(ctx context.Context, secret string) error {
	needed, err := s.needsAdmin(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return linkGone()
	}
	t, err := s.store.TokenByHash(ctx, hashSecret(secret), s.now())
	if hub.KindOf(err) == hub.NotFound || (err == nil && t.Kind != hub.TokenSetup) {
		return linkGone()
	}
	return err
}

func linkGone() error {
	return hub.Errorf(hub.Gone, "this link was used, is over, or the hub has an administrator").
		WithHint("make one on the server: mcphub admin user add NAME --email ADDRESS --admin")
}

// Setup makes the first administrator. The link is spent before the account is stored, so that two
// people who open it at once cannot both become one; what was typed is checked before that, so that a
// mistake does not cost the link. One at a time: each start of the hub makes a link of its own.
func (s *Service) Setup(ctx context.Context, secret string, n NewAccount, requestID string) (*hub.Account, error) {
	if err := s.CheckSetup(ctx, secret); err != nil {
		return nil, err
	}
	n.Role = hub.RoleAdmin
	a, err := s.prepare(ctx, n)
	if err != nil {
		return nil, err
	}
	s.setup.Lock()
	defer s.setup.Unlock()
	if err := s.CheckSetup(ctx, secret); err != nil {
		return nil, err
	}
	for _, ref := range []string{a.Name, a.Email} {
		_, err := s.store.Account(ctx, ref)
		if err == nil {
			return nil, hub.Errorf(hub.Exists, "an account with the name or e-mail address %q exists", ref).WithHint("choose another one")
		}
		if hub.KindOf(err) != hub.NotFound {
			return nil, err
		}
	}
	_, err = s.store.Spend(ctx, hashSecret(secret), s.now())
	if k := hub.KindOf(err); k == hub.Conflict || k == hub.NotFound {
		return nil, linkGone() // another hub on this database was faster
	}
	if err != nil {
		return nil, err
	}
	return a, s.store.CreateAccount(ctx, a, s.event(hub.ActionAccountCreated, "", "setup link", a.ID, a.Name, requestID))
}

func (s *Service) needsAdmin(ctx context.Context) (bool, error) {
	all, err := s.store.Accounts(ctx)
	if err != nil {
		return false, err
	}
	for _, a := range all {
		if a.Role == hub.RoleAdmin && !a.Disabled {
			return false, nil
		}
	}
	return true, nil
}
