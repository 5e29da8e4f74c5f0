package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	// withTexts is a whole version, withMarks what rendering and marking one anew need.
	withTexts = "SELECT v.*, t.full_text, t.manifest, t.capabilities, t.readme FROM versions v JOIN version_texts t ON t.version_id = v.id WHERE "
	withMarks = "SELECT v.*, t.full_text, t.capabilities FROM versions v JOIN version_texts t ON t.version_id = v.id WHERE "
	withBytes = "SELECT v.*, t.full_text, t.manifest FROM versions v JOIN version_texts t ON t.version_id = v.id WHERE "
)

// Version implements hub.Versions.
func (s *Store) Version(ctx context.Context, serverID, version string, all bool) (*hub.Version, error) {
	if version == "latest" {
		return s.version(ctx, version, "v.server_id = ? AND v.latest", serverID)
	}
	where := "v.server_id = ? AND v.version = ?"
	if !all {
		where += " AND v.shown >= 1"
	}
	v, err := s.version(ctx, version, where, serverID, version)
	if hub.KindOf(err) != hub.NotFound {
		return v, err
	}
	var t tags
	switch terr := s.db.One(ctx, &t, "SELECT dist_tags FROM servers WHERE id = ?", serverID); {
	case errors.Is(terr, sql.ErrNoRows):
		return nil, err
	case terr != nil:
		return nil, terr
	}
	if tagged, ok := t[version]; ok {
		return s.version(ctx, version, where, serverID, tagged)
	}
	return nil, err
}

// VersionByID implements hub.Versions.
func (s *Store) VersionByID(ctx context.Context, id string) (*hub.Version, error) {
	return s.version(ctx, id, "v.id = ?", id)
}

func (s *Store) version(ctx context.Context, asked, where string, args ...any) (*hub.Version, error) {
	row := new(versionRow)
	switch err := s.db.One(ctx, row, withTexts+where, args...); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, hub.Errorf(hub.NotFound, "there is no version %s", shortQuote(asked)).
			WithHint("list the server's versions to see what there is")
	case err != nil:
		return nil, err
	}
	return row.hub()
}

// VersionsByID implements hub.Matches.
func (s *Store) VersionsByID(ctx context.Context, ids []string) (map[string]*hub.Version, error) {
	if err := atMost100(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	var rows []versionRow
	if err := s.db.Read.NewRaw(withTexts+"v.id IN (?)", bun.List(ids)).Scan(ctx, &rows); err != nil {
		return nil, s.db.Fail(err)
	}
	out := make(map[string]*hub.Version, len(rows))
	for i := range rows {
		v, err := rows[i].hub()
		if err != nil {
			return nil, err
		}
		out[v.ID] = v
	}
	return out, nil
}

// Owners implements hub.Matches.
func (s *Store) Owners(ctx context.Context, versionIDs []string) (map[string]string, error) {
	if err := atMost100(versionIDs); err != nil || len(versionIDs) == 0 {
		return nil, err
	}
	var rows []struct{ ID, ServerID string }
	if err := s.db.Read.NewSelect().Table("versions").Column("id", "server_id").Where("id IN (?)", bun.List(versionIDs)).Scan(ctx, &rows); err != nil {
		return nil, s.db.Fail(err)
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.ServerID
	}
	return out, nil
}

// Texts implements hub.Matches.
func (s *Store) Texts(ctx context.Context, ids []string, readme int) (map[string]hub.VersionTexts, error) {
	if err := atMost100(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := s.db.Read.NewSelect().Table("version_texts").Column("version_id", "capabilities").
		ColumnExpr("substr(readme, 1, ?)", readme).Where("version_id IN (?)", bun.List(ids)).Rows(ctx)
	if err != nil {
		return nil, s.db.Fail(err)
	}
	defer rows.Close()
	out := make(map[string]hub.VersionTexts, len(ids))
	for rows.Next() {
		var id string
		var capabilities, begin sql.RawBytes
		if err := rows.Scan(&id, &capabilities, &begin); err != nil {
			return nil, s.db.Fail(err)
		}
		t := hub.VersionTexts{Readme: strings.ToValidUTF8(string(begin), "")}
		if len(capabilities) > 0 {
			if err := json.Unmarshal(capabilities, &t.Capabilities); err != nil {
				return nil, err
			}
		}
		out[id] = t
	}
	return out, s.db.Fail(rows.Err())
}

// Versions implements hub.Versions.
func (s *Store) Versions(ctx context.Context, serverID string) ([]*hub.Version, error) {
	rows, err := s.db.Query(ctx, withBytes+"v.server_id = ? AND v.shown >= 1 ORDER BY v.published_at DESC, v.id DESC", serverID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*hub.Version
	for rows.Next() {
		row := new(versionRow)
		if err := s.db.Read.ScanRow(ctx, rows, row); err != nil {
			return nil, s.db.Fail(err)
		}
		v, err := row.hub()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, s.db.Fail(rows.Err())
}

// lockVersion reads a version that will be changed, with its server, locking both; nil when there is none.
func (s *Store) lockVersion(ctx context.Context, tx bun.Tx, id string) (*serverRow, *versionRow, error) {
	srv := new(serverRow)
	err := tx.NewRaw("SELECT * FROM servers WHERE id = (SELECT server_id FROM versions WHERE id = ?)"+s.db.RowLock, id).Scan(ctx, srv)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	v := new(versionRow)
	err = tx.NewRaw(withTexts+"v.id = ?", id).Scan(ctx, v)
	return srv, v, err
}

func versionNotFound(name hub.Name, version string) error {
	return hub.Errorf(hub.NotFound, "%s has no version %s", name, shortQuote(version)).
		WithHint("list the server's versions to see what there is")
}

// shortQuote shows a caller's string in a message.
func shortQuote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "..."
	}
	return strconv.Quote(s)
}
