package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// Server implements hub.Servers.
func (s *Store) Server(ctx context.Context, ref string) (*hub.Server, error) {
	// the stored spelling first, the claim second, in one question
	text, args := "SELECT * FROM servers WHERE name = ? OR (claim = ? AND holds_claim) ORDER BY name = ? DESC LIMIT 1",
		[]any{ref, hub.Name(ref).Claim(), ref}
	if _, err := uuid.Parse(ref); err == nil {
		text, args = "SELECT * FROM servers WHERE id = ?", []any{ref}
	}
	row := new(serverRow)
	switch err := s.db.One(ctx, row, text, args...); {
	case err == nil:
		return row.hub(), nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	return nil, hub.Errorf(hub.NotFound, "there is no server %s", shortQuote(ref)).
		WithHint("look for it by search; names are @scope/name or a reverse domain, such as io.github.acme/db")
}

// List implements hub.Servers.
func (s *Store) List(ctx context.Context, q hub.ServerQuery) ([]*hub.Server, error) {
	if q.Limit < 1 || q.Limit > 101 {
		return nil, hub.Errorf(hub.Invalid, "limit %d: 1 to 101 servers are read at once", q.Limit)
	}
	if !engine.Storable(q.Scope, q.PackageType, q.Transport, q.Runtime, q.License, q.Category, q.Keyword) {
		return nil, nil
	}
	rows := make([]serverRow, 0, q.Limit)
	sel := s.db.Read.NewSelect().Model(&rows).Where("s.latest_id <> ''").Where("s.latest_state <> ?", string(hub.Unpublished)).Limit(int64(q.Limit))
	if err := order(sel, q); err != nil {
		return nil, err
	}
	s.filter(sel, q)
	if err := sel.Scan(ctx); err != nil {
		return nil, s.db.Fail(err)
	}
	return serversOf(rows), nil
}

func serversOf(rows []serverRow) []*hub.Server {
	out := make([]*hub.Server, len(rows))
	for i := range rows {
		out[i] = rows[i].hub()
	}
	return out
}

// ServersByID implements hub.Servers.
func (s *Store) ServersByID(ctx context.Context, ids []string) ([]*hub.Server, error) {
	if err := atMost100(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	var rows []serverRow
	if err := s.db.Read.NewSelect().Model(&rows).Where("s.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, s.db.Fail(err)
	}
	return serversOf(rows), nil
}

// Standings implements hub.Matches.
func (s *Store) Standings(ctx context.Context, ids []string) (map[string]hub.Standing, error) {
	if err := atMost100(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := s.db.Read.NewSelect().Table("servers").Column("id", "score", "installs").Where("id IN (?)", bun.List(ids)).Rows(ctx)
	if err != nil {
		return nil, s.db.Fail(err)
	}
	defer rows.Close()
	out := make(map[string]hub.Standing, len(ids))
	for rows.Next() {
		var id string
		var st hub.Standing
		if err := rows.Scan(&id, &st.Score, &st.Installs); err != nil {
			return nil, s.db.Fail(err)
		}
		out[id] = st
	}
	return out, s.db.Fail(rows.Err())
}

func atMost100(ids []string) error {
	if len(ids) > 100 {
		return hub.Errorf(hub.Invalid, "%d records at once: at most 100 are read", len(ids))
	}
	return nil
}

// order sorts the list and starts it behind q.After. Each order has an index of the same columns.
func order(sel *bun.SelectQuery, q hub.ServerQuery) error {
	var column string
	var after int64
	if q.After != nil {
		after = q.After.Number
	}
	switch q.Sort {
	case hub.SortName, "":
		if q.After != nil {
			sel.Where("s.name > ?", q.After.Name)
		}
		sel.OrderExpr("s.name")
		return nil
	case hub.SortUpdated:
		column = "s.updated_at"
		if q.After != nil {
			after = micros(q.After.Time)
		}
		if !q.AsOf.IsZero() {
			sel.Where("s.updated_at <= ?", micros(q.AsOf))
		}
	case hub.SortInstalls:
		column = "s.installs"
	case hub.SortScore:
		column = "s.score"
	default:
		return hub.Errorf(hub.Invalid, "sort %q is not known", q.Sort).WithHint("sort by name, updated, installs or score")
	}
	if q.After != nil {
		// The first condition alone lets the index be entered in the middle.
		sel.Where("? <= ? AND (? < ? OR s.name > ?)", bun.Safe(column), after, bun.Safe(column), after, q.After.Name)
	}
	sel.OrderExpr("? DESC, s.name", bun.Safe(column))
	return nil
}

func (s *Store) filter(sel *bun.SelectQuery, q hub.ServerQuery) {
	equal := func(column, value string) {
		if value != "" {
			sel.Where("? = ?", bun.Safe(column), value)
		}
	}
	holds := func(column, value string) {
		if value != "" {
			sel.Where("?(?, ?) > 0", bun.Safe(s.db.Contains), bun.Safe(column), element(value))
		}
	}
	equal("s.scope", q.Scope)
	equal("s.latest_runtime", q.Runtime)
	equal("s.license", q.License)
	holds("s.latest_package_types", q.PackageType)
	holds("s.latest_transports", q.Transport)
	holds("s.categories", q.Category)
	holds("s.keywords", q.Keyword)
	if q.Mirrored != nil {
		if *q.Mirrored {
			sel.Where("s.origin <> ''")
		} else {
			sel.Where("s.origin = ''")
		}
	}
}

// Save implements hub.Servers.
func (s *Store) Save(ctx context.Context, srv *hub.Server, ev hub.Event) error {
	var updated int64
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		old, err := s.lockServer(ctx, tx, srv.ID)
		if err != nil {
			return err
		}
		b := engine.NewBatch(tx)
		if old == nil {
			row := newServerRow(srv, s.stamp(0))
			updated = row.UpdatedAt
			b.Insert(row)
			s.appendEvents(b, newEvent(ev, hub.ActionServerCreated, srv.ID, srv.Name.String(), updated))
		} else {
			updated = s.stamp(old.UpdatedAt)
			old.display(srv)
			old.UpdatedAt = updated
			b.Add(tx.NewUpdate().Model(old).Column(displayColumns...).Column("updated_at").WherePK())
			s.appendEvents(b, newEvent(ev, hub.ActionServerUpdated, srv.ID, srv.Name.String(), updated))
		}
		if err = b.Exec(ctx); s.db.Duplicate(err) {
			return nameTaken(srv.Name, err)
		}
		return err
	})
	if err == nil {
		srv.UpdatedAt = instant(updated)
	}
	return err
}

// lockServer reads a server that will be changed; nil when there is none.
func (s *Store) lockServer(ctx context.Context, tx bun.Tx, id string) (*serverRow, error) {
	row := new(serverRow)
	err := tx.NewRaw("SELECT * FROM servers WHERE id = ?"+s.db.RowLock, id).Scan(ctx, row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return row, err
}

func nameTaken(name hub.Name, cause error) error {
	return hub.Errorf(hub.Exists, "the name %s is taken", name).
		WithHint("names that differ only in case, '-', '_' or '.' count as one; choose another").WithCause(cause)
}

// SetTags implements hub.Servers.
func (s *Store) SetTags(ctx context.Context, serverID string, set map[string]string, ev hub.Event) error {
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		srv, err := s.lockServer(ctx, tx, serverID)
		if err != nil {
			return err
		}
		if srv == nil {
			return hub.Errorf(hub.NotFound, "there is no server with the ID %s", shortQuote(serverID))
		}
		var want []string
		for _, v := range set {
			want = append(want, v)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if len(want) > 0 {
			var have []string
			err := tx.NewRaw("SELECT version FROM versions WHERE server_id = ? AND shown >= 1 AND version IN (?)",
				serverID, bun.List(want)).Scan(ctx, &have)
			if err != nil {
				return err
			}
			for _, v := range want {
				if !slices.Contains(have, v) {
					return versionNotFound(hub.Name(srv.Name), v)
				}
			}
		}
		now := s.stamp(srv.UpdatedAt)
		b := engine.NewBatch(tx)
		b.Addf("UPDATE servers SET dist_tags = ?, updated_at = ? WHERE id = ?", tags(set), now, serverID)
		s.appendEvents(b, newEvent(ev, hub.ActionServerUpdated, serverID, hub.Name(srv.Name).String(), now))
		return b.Exec(ctx)
	})
}

// CountServers implements hub.Servers.
func (s *Store) CountServers(ctx context.Context) (servers, versions int64, err error) {
	rows, err := s.db.Query(ctx, "SELECT (SELECT count(*) FROM servers WHERE latest_id <> '' AND latest_state <> ?), (SELECT count(*) FROM versions WHERE shown >= 1)", string(hub.Unpublished))
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&servers, &versions)
	}
	return servers, versions, s.db.Fail(errors.Join(err, rows.Err()))
}
