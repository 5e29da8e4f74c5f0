package hub

import (
	"context"
	"time"
)

// Accounts stores accounts. Every method is one atomic step.
type Accounts interface {
	// Account returns an account by ID, name or e-mail (any case). NotFound when there is none.
	Account(ctx context.Context, ref string) (*Account, error)

	// Accounts returns all accounts by name.
	Accounts(ctx context.Context) ([]*Account, error)

	// CreateAccount stores a new account with its own namespace and appends ev. Exists when the name,
	// the e-mail or the namespace is taken.
	CreateAccount(ctx context.Context, a *Account, ev Event) error

	// UpdateAccount stores role, password hash, e-mail and the disabled mark of an account and appends
	// ev. Disabling deletes its tokens, a new password hash its refresh tokens. NotFound when there is
	// none.
	UpdateAccount(ctx context.Context, a *Account, ev Event) error
}

// Namespaces stores who owns which scope.
type Namespaces interface {
	// Namespace returns a scope's owner. NotFound when nobody claimed it.
	Namespace(ctx context.Context, scope string) (*Namespace, error)

	// NamespacesOf returns the scopes of an account, sorted.
	NamespacesOf(ctx context.Context, accountID string) ([]string, error)

	// ClaimNamespace gives a free scope to an account and appends ev. Exists when it is taken.
	ClaimNamespace(ctx context.Context, n Namespace, ev Event) error
}

// Tokens stores the hashes of secrets.
type Tokens interface {
	// CreateToken stores a token and appends ev, unless ev has no action.
	CreateToken(ctx context.Context, t *Token, ev Event) error

	// TokenByHash returns a token that was neither revoked nor spent nor is expired at now. NotFound
	// otherwise.
	TokenByHash(ctx context.Context, hash string, now time.Time) (*Token, error)

	// Spend marks a one-time token (refresh, setup) as used and returns it. Conflict when it was used
	// before (a stolen refresh token: the whole family is revoked in the same step); NotFound when it
	// is unknown or expired.
	Spend(ctx context.Context, hash string, now time.Time) (*Token, error)

	// TokensOf returns an account's unexpired API keys, newest first.
	TokensOf(ctx context.Context, accountID string, now time.Time) ([]*Token, error)

	// RevokeToken deletes a token of an account (any account when accountID is "") and, for a refresh
	// token, its family, and appends ev. NotFound when there is none.
	RevokeToken(ctx context.Context, accountID, id string, ev Event) error

	// TouchToken notes when a token was last used. A write a minute at most; unknown IDs are ignored.
	TouchToken(ctx context.Context, id string, at time.Time) error
}

// Settings stores small secrets and marks of the hub itself, such as its signing key.
type Settings interface {
	// Setting returns a value. NotFound when it was never set.
	Setting(ctx context.Context, key string) ([]byte, error)

	// SetSettingOnce stores a value unless one is there, and returns the one that is there after it.
	SetSettingOnce(ctx context.Context, key string, value []byte) ([]byte, error)

	// SetSetting stores a value over any other.
	SetSetting(ctx context.Context, key string, value []byte) error

	// SwapSetting stores a value in the place of old, and reports false, having changed nothing, when the
	// value is another one or was never set.
	SwapSetting(ctx context.Context, key string, old, value []byte) (bool, error)
}
