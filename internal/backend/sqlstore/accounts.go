package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:a"`

	ID           string `bun:"id,pk"`
	Name         string `bun:"name"`
	Email        string `bun:"email"`
	PasswordHash string `bun:"password_hash"`
	Role         string `bun:"role"`
	Disabled     bool   `bun:"disabled"`
	CreatedAt    int64  `bun:"created_at"`
}

func (r *accountRow) hub() *hub.Account {
	return &hub.Account{ID: r.ID, Name: r.Name, Email: r.Email, PasswordHash: r.PasswordHash, Role: hub.Role(r.Role),
		Disabled: r.Disabled, CreatedAt: instant(r.CreatedAt)}
}

type namespaceRow struct {
	bun.BaseModel `bun:"table:namespaces,alias:n"`

	Scope     string `bun:"scope,pk"`
	AccountID string `bun:"account_id"`
	ClaimedBy string `bun:"claimed_by"`
	CreatedAt int64  `bun:"created_at"`
}

// Account implements hub.Accounts. An ID is tried first, so that nobody can take another's place by
// choosing the other's ID as a name.
func (s *Store) Account(ctx context.Context, ref string) (*hub.Account, error) {
	lower := strings.ToLower(ref)
	for _, try := range []struct{ text, arg string }{
		{"SELECT * FROM accounts WHERE id = ?", ref},
		{"SELECT * FROM accounts WHERE name = ?", lower},
		{"SELECT * FROM accounts WHERE email = ? AND email <> ''", lower},
	} {
		row := new(accountRow)
		switch err := s.db.One(ctx, row, try.text, try.arg); {
		case err == nil:
			return row.hub(), nil
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	return nil, hub.Errorf(hub.NotFound, "there is no account %s", shortQuote(ref))
}

// Accounts implements hub.Accounts.
func (s *Store) Accounts(ctx context.Context) ([]*hub.Account, error) {
	var rows []accountRow
	if err := s.db.Read.NewSelect().Model(&rows).Order("name").Scan(ctx); err != nil {
		return nil, s.db.Fail(err)
	}
	out := make([]*hub.Account, len(rows))
	for i := range rows {
		out[i] = rows[i].hub()
	}
	return out, nil
}

// CreateAccount implements hub.Accounts.
func (s *Store) CreateAccount(ctx context.Context, a *hub.Account, ev hub.Event) error {
	now := s.stamp(0)
	row := &accountRow{ID: a.ID, Name: strings.ToLower(a.Name), Email: strings.ToLower(a.Email), PasswordHash: a.PasswordHash,
		Role: string(a.Role), Disabled: a.Disabled, CreatedAt: micros(a.CreatedAt)}
	if row.CreatedAt == 0 {
		row.CreatedAt = now
	}
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		b := engine.NewBatch(tx)
		b.Insert(row)
		b.Insert(&namespaceRow{Scope: row.Name, AccountID: a.ID, ClaimedBy: a.ID, CreatedAt: row.CreatedAt})
		s.appendEvents(b, newEvent(ev, hub.ActionAccountCreated, a.ID, row.Name, now))
		return b.Exec(ctx)
	})
	if hub.KindOf(err) == hub.Exists {
		return s.accountTaken(ctx, row, err)
	}
	return err
}

// accountTaken says which part of a new or changed account another one has.
func (s *Store) accountTaken(ctx context.Context, row *accountRow, cause error) error {
	for _, try := range []struct{ text, arg, what string }{
		{"SELECT 1 FROM accounts WHERE name = ? AND id <> ?", row.Name, "the account name"},
		{"SELECT 1 FROM accounts WHERE email = ? AND email <> '' AND id <> ?", row.Email, "the e-mail address"},
		{"SELECT 1 FROM namespaces WHERE scope = ? AND account_id <> ?", row.Name, "the namespace"},
	} {
		n, err := s.db.Number(ctx, try.text, try.arg, row.ID)
		if err != nil {
			return err
		}
		if n == 1 {
			return hub.Errorf(hub.Exists, "%s %s is taken", try.what, shortQuote(try.arg)).WithHint("choose another").WithCause(cause)
		}
	}
	return cause
}

// UpdateAccount implements hub.Accounts.
func (s *Store) UpdateAccount(ctx context.Context, a *hub.Account, ev hub.Event) error {
	row := &accountRow{ID: a.ID, Email: strings.ToLower(a.Email), PasswordHash: a.PasswordHash, Role: string(a.Role), Disabled: a.Disabled}
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		var old string
		err := tx.NewRaw("SELECT password_hash FROM accounts WHERE id = ?", a.ID).Scan(ctx, &old)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		res, err := tx.NewUpdate().Model(row).Column("role", "password_hash", "email", "disabled").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return hub.Errorf(hub.NotFound, "there is no account with the ID %s", shortQuote(a.ID)).WithCause(err)
		}
		b := engine.NewBatch(tx)
		if a.Disabled {
			b.Addf("DELETE FROM tokens WHERE account_id = ?", a.ID)
		} else if old != a.PasswordHash { // who knew the old password is out
			b.Addf("DELETE FROM tokens WHERE account_id = ? AND kind = ?", a.ID, string(hub.TokenRefresh))
		}
		s.appendEvents(b, newEvent(ev, hub.ActionAccountUpdated, a.ID, a.Name, s.stamp(0)))
		return b.Exec(ctx)
	})
	if hub.KindOf(err) == hub.Exists {
		return s.accountTaken(ctx, row, err)
	}
	return err
}

// Namespace implements hub.Namespaces.
func (s *Store) Namespace(ctx context.Context, scope string) (*hub.Namespace, error) {
	row := new(namespaceRow)
	err := s.db.One(ctx, row, "SELECT * FROM namespaces WHERE scope = ?", scope)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, hub.Errorf(hub.NotFound, "nobody claimed the namespace %s", shortQuote(scope))
	}
	if err != nil {
		return nil, err
	}
	return &hub.Namespace{Scope: row.Scope, AccountID: row.AccountID, ClaimedBy: row.ClaimedBy, CreatedAt: instant(row.CreatedAt)}, nil
}

// NamespacesOf implements hub.Namespaces.
func (s *Store) NamespacesOf(ctx context.Context, accountID string) ([]string, error) {
	var out []string
	err := s.db.Read.NewRaw("SELECT scope FROM namespaces WHERE account_id = ? ORDER BY scope", accountID).Scan(ctx, &out)
	return out, s.db.Fail(err)
}

// ClaimNamespace implements hub.Namespaces.
func (s *Store) ClaimNamespace(ctx context.Context, n hub.Namespace, ev hub.Event) error {
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		now := s.stamp(0)
		row := &namespaceRow{Scope: n.Scope, AccountID: n.AccountID, ClaimedBy: n.ClaimedBy, CreatedAt: micros(n.CreatedAt)}
		if row.CreatedAt == 0 {
			row.CreatedAt = now
		}
		b := engine.NewBatch(tx)
		b.Insert(row)
		s.appendEvents(b, newEvent(ev, hub.ActionNamespaceClaimed, n.Scope, n.Scope, now))
		err := b.Exec(ctx)
		if s.db.Duplicate(err) {
			return hub.Errorf(hub.Exists, "the namespace %s is taken", shortQuote(n.Scope)).WithCause(err)
		}
		return err
	})
}
