package conform

import (
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func token(accountID string, kind hub.TokenKind, hash string) *hub.Token {
	return &hub.Token{ID: id(), AccountID: accountID, Kind: kind, Name: "laptop", Hash: hash, Prefix: "mcph_ab",
		Scopes: []hub.Scope{hub.ScopeRead, hub.ScopePublish}, CreatedAt: time.Date(2025, 4, 1, 8, 0, 0, 0, time.UTC)}
}

func tokens(t *testing.T, open func(t *testing.T) Backend) {
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	each(t, open, "CreateToken stores a token and appends ev", func(f *fix) {
		k := token("acc", hub.TokenAPIKey, "h1")
		k.ExpiresAt = now.Add(time.Hour)
		f.ok(f.CreateToken(f.ctx, k, event(hub.ActionTokenCreated)))
		got, err := f.TokenByHash(f.ctx, "h1", now)
		f.ok(err)
		equal(f, "token", got, k)
		equal(f, "events", len(f.all()), 1)
	})
	each(t, open, "CreateToken appends no event that has no action", func(f *fix) {
		f.ok(f.CreateToken(f.ctx, token("acc", hub.TokenRefresh, "h1"), hub.Event{}))
		equal(f, "events", len(f.all()), 0)
	})
	each(t, open, "TokenByHash: NotFound when it is unknown, revoked, spent or expired", func(f *fix) {
		expired, spent, revoked := token("acc", hub.TokenAPIKey, "expired"), token("acc", hub.TokenRefresh, "spent"), token("acc", hub.TokenAPIKey, "revoked")
		expired.ExpiresAt = now
		for _, k := range []*hub.Token{expired, spent, revoked} {
			f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		}
		_, err := f.TokenByHash(f.ctx, "expired", now.Add(-time.Microsecond))
		f.ok(err)
		_, err = f.Spend(f.ctx, "spent", now)
		f.ok(err)
		f.ok(f.RevokeToken(f.ctx, "acc", revoked.ID, event("")))
		for _, hash := range []string{"unknown", "revoked", "spent", "expired", ""} {
			_, err := f.TokenByHash(f.ctx, hash, now)
			f.kind(err, hub.NotFound)
		}
	})
	each(t, open, "TokensOf returns unexpired API keys, newest first", func(f *fix) {
		for i, hash := range []string{"old", "new", "expired", "refresh", "other"} {
			k := token("acc", hub.TokenAPIKey, hash)
			k.CreatedAt = now.Add(time.Duration(i) * time.Second)
			switch hash {
			case "expired":
				k.ExpiresAt = now.Add(-time.Second)
			case "refresh":
				k.Kind = hub.TokenRefresh
			case "other":
				k.AccountID = "bob"
			}
			f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		}
		got, err := f.TokensOf(f.ctx, "acc", now)
		f.ok(err)
		if len(got) != 2 || got[0].Hash != "new" || got[1].Hash != "old" {
			f.Fatalf("tokens: %+v", got)
		}
	})
	tokenSpending(t, open, now)
	tokenRevoking(t, open, now)
	each(t, open, "TouchToken notes the last use, a write a minute at most, and ignores unknown IDs", func(f *fix) {
		k := token("acc", hub.TokenAPIKey, "h1")
		f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		for _, c := range []struct{ at, want time.Duration }{{0, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {10 * time.Second, time.Minute}} {
			f.ok(f.TouchToken(f.ctx, k.ID, now.Add(c.at)))
			got, err := f.TokenByHash(f.ctx, "h1", now)
			f.ok(err)
			equal(f, c.at.String(), got.LastUsed, now.Add(c.want))
		}
		f.ok(f.TouchToken(f.ctx, id(), now))
	})
}

func tokenSpending(t *testing.T, open func(t *testing.T) Backend, now time.Time) {
	each(t, open, "Spend marks a one-time token as used and returns it", func(f *fix) {
		for _, kind := range []hub.TokenKind{hub.TokenRefresh, hub.TokenSetup} {
			k := token("acc", kind, string(kind))
			f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
			got, err := f.Spend(f.ctx, string(kind), now)
			f.ok(err)
			equal(f, "token", []any{got.ID, got.Used}, []any{k.ID, true})
		}
	})
	each(t, open, "Spend: Conflict when it was used before, and the whole family is revoked", func(f *fix) {
		for _, hash := range []string{"first", "second", "stranger"} {
			k := token("acc", hub.TokenRefresh, hash)
			k.Family = "login-1"
			if hash == "stranger" {
				k.Family = "login-2"
			}
			f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		}
		_, err := f.Spend(f.ctx, "first", now)
		f.ok(err)
		_, err = f.Spend(f.ctx, "first", now)
		f.kind(err, hub.Conflict)
		_, err = f.TokenByHash(f.ctx, "second", now)
		f.kind(err, hub.NotFound)
		_, err = f.TokenByHash(f.ctx, "stranger", now)
		f.ok(err)
	})
	each(t, open, "Spend: NotFound when it is unknown, expired or not a one-time token", func(f *fix) {
		k := token("acc", hub.TokenSetup, "expired")
		k.ExpiresAt = now
		f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		f.ok(f.CreateToken(f.ctx, token("acc", hub.TokenAPIKey, "key"), hub.Event{}))
		for _, hash := range []string{"unknown", "expired", "key"} {
			_, err := f.Spend(f.ctx, hash, now)
			f.kind(err, hub.NotFound)
		}
	})
	each(t, open, "Spend: of many at once exactly one wins", func(f *fix) {
		f.ok(f.CreateToken(f.ctx, token("acc", hub.TokenSetup, "h"), hub.Event{}))
		got := beside.Together(10, func(int) error { _, err := f.Spend(f.ctx, "h", now); return err })
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Conflict: 9})
	})
}

func tokenRevoking(t *testing.T, open func(t *testing.T) Backend, now time.Time) {
	each(t, open, "RevokeToken deletes a token of the account and appends ev", func(f *fix) {
		k := token("acc", hub.TokenAPIKey, "h")
		f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		f.kind(f.RevokeToken(f.ctx, "bob", k.ID, event("")), hub.NotFound)
		f.ok(f.RevokeToken(f.ctx, "acc", k.ID, event(hub.ActionTokenRevoked)))
		f.kind(f.RevokeToken(f.ctx, "acc", k.ID, event("")), hub.NotFound)
		equal(f, "events", len(f.all()), 1)
	})
	each(t, open, "RevokeToken: any account when accountID is empty; a refresh token takes its family along", func(f *fix) {
		var first string
		for _, hash := range []string{"a", "b"} {
			k := token("acc", hub.TokenRefresh, hash)
			k.Family, first = "login-1", k.ID
			f.ok(f.CreateToken(f.ctx, k, hub.Event{}))
		}
		f.ok(f.RevokeToken(f.ctx, "", first, event("")))
		for _, hash := range []string{"a", "b"} {
			_, err := f.TokenByHash(f.ctx, hash, now)
			f.kind(err, hub.NotFound)
		}
	})
}
