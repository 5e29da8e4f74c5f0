package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens,alias:k"`

	ID        string `bun:"id,pk"`
	AccountID string `bun:"account_id"`
	Kind      string `bun:"kind"`
	Name      string `bun:"name"`
	Hash      string `bun:"hash"`
	Prefix    string `bun:"prefix"`
	Scopes    list   `bun:"scopes"`
	Family    string `bun:"family"`
	CreatedAt int64  `bun:"created_at"`
	ExpiresAt int64  `bun:"expires_at"`
	LastUsed  int64  `bun:"last_used"`
	Used      bool   `bun:"used"`
}

func (r *tokenRow) hub() *hub.Token {
	t := &hub.Token{ID: r.ID, AccountID: r.AccountID, Kind: hub.TokenKind(r.Kind), Name: r.Name, Hash: r.Hash,
		Prefix: r.Prefix, Family: r.Family, CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt),
		LastUsed: instant(r.LastUsed), Used: r.Used}
	for _, sc := range r.Scopes {
		t.Scopes = append(t.Scopes, hub.Scope(sc))
	}
	return t
}

// touchEvery is how often at most the last use of a token is written.
const touchEvery = time.Minute

// CreateToken implements hub.Tokens.
func (s *Store) CreateToken(ctx context.Context, t *hub.Token, ev hub.Event) error {
	now := s.stamp(0)
	row := &tokenRow{ID: t.ID, AccountID: t.AccountID, Kind: string(t.Kind), Name: t.Name, Hash: t.Hash, Prefix: t.Prefix,
		Family: t.Family, CreatedAt: micros(t.CreatedAt), ExpiresAt: micros(t.ExpiresAt), LastUsed: micros(t.LastUsed), Used: t.Used}
	for _, sc := range t.Scopes {
		row.Scopes = append(row.Scopes, string(sc))
	}
	if row.CreatedAt == 0 {
		row.CreatedAt = now
	}
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		b := engine.NewBatch(tx)
		b.Insert(row)
		if ev.Action != "" {
			s.appendEvents(b, newEvent(ev, "", t.AccountID, t.Name, now))
		}
		return b.Exec(ctx)
	})
}

// TokenByHash implements hub.Tokens.
func (s *Store) TokenByHash(ctx context.Context, hash string, now time.Time) (*hub.Token, error) {
	row := new(tokenRow)
	err := s.db.One(ctx, row, "SELECT * FROM tokens WHERE hash = ? AND NOT used AND (expires_at = 0 OR expires_at > ?)", hash, micros(now))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, tokenNotFound()
	}
	if err != nil {
		return nil, err
	}
	return row.hub(), nil
}

func tokenNotFound() error { return hub.Errorf(hub.NotFound, "there is no such token") }

// Spend implements hub.Tokens.
func (s *Store) Spend(ctx context.Context, hash string, now time.Time) (*hub.Token, error) {
	row := new(tokenRow)
	stolen := false
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		err := tx.NewRaw("SELECT * FROM tokens WHERE hash = ?"+s.db.RowLock, hash).Scan(ctx, row)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.Kind == string(hub.TokenAPIKey) {
			return tokenNotFound()
		}
		if err != nil {
			return err
		}
		b := engine.NewBatch(tx)
		switch {
		case row.Used:
			stolen = true
			if row.Family != "" {
				b.Addf("DELETE FROM tokens WHERE family = ?", row.Family)
			}
		case row.ExpiresAt != 0 && row.ExpiresAt <= micros(now):
			return tokenNotFound()
		default:
			row.Used, row.LastUsed = true, micros(now)
			b.Addf("UPDATE tokens SET used = TRUE, last_used = ? WHERE id = ?", row.LastUsed, row.ID)
		}
		return b.Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	if stolen {
		return nil, hub.Errorf(hub.Conflict, "the token was used before; all tokens of its login are revoked").
			WithHint("log in again; if it was not you who used it, change your password")
	}
	return row.hub(), nil
}

// TokensOf implements hub.Tokens.
func (s *Store) TokensOf(ctx context.Context, accountID string, now time.Time) ([]*hub.Token, error) {
	var rows []tokenRow
	err := s.db.Read.NewSelect().Model(&rows).Where("account_id = ? AND kind = ?", accountID, hub.TokenAPIKey).
		Where("expires_at = 0 OR expires_at > ?", micros(now)).Order("created_at DESC", "id DESC").Scan(ctx)
	if err != nil {
		return nil, s.db.Fail(err)
	}
	out := make([]*hub.Token, len(rows))
	for i := range rows {
		out[i] = rows[i].hub()
	}
	return out, nil
}

// RevokeToken implements hub.Tokens.
func (s *Store) RevokeToken(ctx context.Context, accountID, id string, ev hub.Event) error {
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		row := new(tokenRow)
		err := tx.NewRaw("SELECT * FROM tokens WHERE id = ? AND (? = '' OR account_id = ?)"+s.db.RowLock, id, accountID, accountID).Scan(ctx, row)
		if errors.Is(err, sql.ErrNoRows) {
			return hub.Errorf(hub.NotFound, "there is no token with the ID %s", shortQuote(id))
		}
		if err != nil {
			return err
		}
		b := engine.NewBatch(tx)
		b.Addf("DELETE FROM tokens WHERE id = ?", id)
		if row.Kind == string(hub.TokenRefresh) && row.Family != "" {
			b.Addf("DELETE FROM tokens WHERE family = ?", row.Family)
		}
		s.appendEvents(b, newEvent(ev, hub.ActionTokenRevoked, row.AccountID, row.Name, s.stamp(0)))
		return b.Exec(ctx)
	})
}

// TouchToken implements hub.Tokens.
func (s *Store) TouchToken(ctx context.Context, id string, at time.Time) error {
	before := micros(at.Add(-touchEvery))
	stale, err := s.db.Number(ctx, "SELECT 1 FROM tokens WHERE id = ? AND last_used <= ?", id, before)
	if err != nil || stale == 0 {
		return err
	}
	_, err = s.db.Write.NewRaw("UPDATE tokens SET last_used = ? WHERE id = ? AND last_used <= ?", micros(at), id, before).Exec(ctx)
	return s.db.Fail(err)
}
