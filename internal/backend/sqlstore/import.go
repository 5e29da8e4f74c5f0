package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// Import implements hub.Versions. The version's updated_at is the time of the import, for it is from then
// that readers here can see it. Neither s nor v is changed.
func (s *Store) Import(ctx context.Context, srv *hub.Server, v *hub.Version, ev hub.Event) (hub.ImportResult, error) {
	if srv.Origin == "" || !v.State.Visible() {
		return "", hub.Errorf(hub.Invalid, "%s %s: an import needs an origin and a visible state, not %q", srv.Name, v.Version, v.State)
	}
	row, err := newVersionRow(v)
	if err != nil {
		return "", err
	}
	if done, err := s.imported(ctx, srv, row); done || err != nil {
		return hub.Unchanged, err
	}
	var result hub.ImportResult
	err = s.db.Tx(ctx, func(tx bun.Tx) (err error) {
		result, err = s.importInto(ctx, tx, srv, row, ev)
		return err
	})
	return result, err
}

// imported reports by reading alone whether the import would change nothing, as most repeated ones do.
func (s *Store) imported(ctx context.Context, srv *hub.Server, v *versionRow) (bool, error) {
	n, err := s.db.Number(ctx, `SELECT 1 FROM versions v JOIN servers s ON s.id = v.server_id
		WHERE s.name = ? AND s.origin <> '' AND v.version = ? AND v.manifest_digest = ? AND v.state = ?`,
		string(srv.Name), v.Version, v.ManifestDigest, v.State)
	return n == 1, err
}

func (s *Store) importInto(ctx context.Context, tx bun.Tx, srv *hub.Server, v *versionRow, ev hub.Event) (hub.ImportResult, error) {
	row, isNew, err := s.importServer(ctx, tx, srv)
	if err != nil {
		return "", err
	}
	old := new(versionRow)
	err = tx.NewRaw(withTexts+"v.server_id = ? AND v.version = ?", row.ID, v.Version).Scan(ctx, old)
	insert := errors.Is(err, sql.ErrNoRows)
	if err != nil && !insert {
		return "", err
	}
	c := &change{tx: tx, b: engine.NewBatch(tx), now: s.stamp(max(row.UpdatedAt, old.UpdatedAt)), srv: row}
	before := hub.State(old.State)
	var prior json.RawMessage
	switch {
	case insert:
		v.ServerID, v.Name, v.Latest = row.ID, row.Name, false
		for _, at := range []*int64{&v.CreatedAt, &v.PublishedAt, &v.StatusChangedAt} {
			if *at == 0 {
				*at = c.now
			}
		}
	case old.ManifestDigest != v.ManifestDigest:
		return "", hub.Errorf(hub.Exists, "%s %s is stored with other bytes: %s, not %s", hub.Name(row.Name), v.Version, old.ManifestDigest, v.ManifestDigest).
			WithHint("a version never changes; the other catalogue must give the new bytes a new number")
	case old.State == v.State, before == hub.Quarantined: // moderation here outweighs what is said elsewhere
		return hub.Unchanged, nil
	default:
		prior = versionEvent{VersionID: old.ID, Version: old.Version, State: before, Message: old.Message, Replacement: old.Replacement}.json()
		old.State, old.Message, old.Replacement, old.StatusChangedAt = v.State, v.Message, v.Replacement, c.now
		v = old
	}
	if err := c.apply(ctx, v, before, insert || !before.Visible(), insert); err != nil {
		return "", err
	}
	c.storeServer(isNew, v.Latest, srv)
	out := newEvent(ev, hub.ActionOf(hub.State(v.State)), row.ID, hub.Name(row.Name).String()+" "+v.Version, c.now)
	out.Subject = row.ID // the caller cannot know the stored one
	if out.After == "" {
		out.Before = string(prior)
		out.After = string(versionEvent{VersionID: v.ID, Version: v.Version, State: hub.State(v.State), Message: v.Message, Replacement: v.Replacement}.json())
	}
	s.appendEvents(c.b, out)
	if err := c.b.Exec(ctx); err != nil {
		return "", err
	}
	if isNew {
		return hub.Imported, nil
	}
	return hub.Updated, nil
}

// importServer returns the stored server of the name, or a new row that is not stored yet.
func (s *Store) importServer(ctx context.Context, tx bun.Tx, srv *hub.Server) (row *serverRow, isNew bool, err error) {
	row = new(serverRow)
	err = tx.NewRaw("SELECT * FROM servers WHERE name = ?"+s.db.RowLock, srv.Name).Scan(ctx, row)
	if err == nil && row.Origin != "" {
		return row, false, nil
	}
	if err == nil {
		return nil, false, publishedHere(srv.Name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, false, err
	}
	fresh := newServerRow(srv, s.stamp(0))
	var holder struct{ Origin string }
	err = tx.NewRaw("SELECT origin FROM servers WHERE claim = ? AND holds_claim", fresh.Claim).Scan(ctx, &holder)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fresh, true, nil
	case err != nil:
		return nil, false, err
	case holder.Origin == "":
		return nil, false, publishedHere(srv.Name)
	}
	fresh.HoldsClaim = false
	return fresh, true, nil
}

func publishedHere(name hub.Name) error {
	return hub.Errorf(hub.Exists, "the name %s belongs to a server that was published here", name).
		WithHint("a mirrored server never replaces it")
}
