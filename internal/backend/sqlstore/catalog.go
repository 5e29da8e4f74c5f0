package sqlstore

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

// Page implements hub.Catalog.
func (s *Store) Page(ctx context.Context, q hub.CatalogQuery) ([]hub.CatalogRow, error) {
	if q.Limit < 1 {
		return nil, nil
	}
	var where []string
	var args []any
	add := func(cond string, values ...any) {
		where = append(where, cond)
		args = append(args, values...)
	}
	if q.Version == "latest" {
		where = append(where, "latest")
	} else {
		where = append(where, "shown >= 1")
		if q.Version != "" {
			add("version = ?", q.Version)
		}
	}
	if !q.IncludeDeleted {
		add("shown = 2")
	}
	if q.Name != "" {
		add("name = ?", string(q.Name))
	}
	if q.AfterName != "" {
		add("(name, version) > (?, ?)", string(q.AfterName), q.AfterVersion)
	}
	if q.Search != "" {
		add("name "+s.db.Like+" ? ESCAPE '!'", "%"+escapeLike(q.Search)+"%")
	}
	if !q.UpdatedSince.IsZero() {
		add("updated_at > ?", micros(q.UpdatedSince))
	}
	args = append(args, q.Limit)
	rows, err := s.db.Query(ctx, "SELECT name, version, server_json, meta_json FROM versions WHERE "+strings.Join(where, " AND ")+
		" ORDER BY name, version LIMIT ?", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]hub.CatalogRow, 0, min(q.Limit, 100))
	for rows.Next() {
		var r hub.CatalogRow
		if err := rows.Scan(&r.Name, &r.Version, &r.ServerJSON, &r.Meta); err != nil {
			return nil, s.db.Fail(err)
		}
		out = append(out, r)
	}
	return out, s.db.Fail(rows.Err())
}

// escapeLike keeps the signs of a LIKE pattern from meaning anything.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

type capabilityRow struct {
	bun.BaseModel `bun:"table:capabilities,alias:c"`

	Type     string `bun:"type,pk"`
	Name     string `bun:"name,pk"`
	ServerID string `bun:"server_id,pk"`
}

// CountCapabilities implements hub.Capabilities.
func (s *Store) CountCapabilities(ctx context.Context, q hub.CapabilityQuery) ([]hub.CapabilityCount, error) {
	if q.Limit < 1 {
		return nil, nil
	}
	sel := s.db.Read.NewSelect().Table("capabilities").ColumnExpr("type, name, count(*) AS servers").
		Group("type", "name").OrderExpr("servers DESC, type, name").Limit(int64(q.Limit))
	if q.Type != "" {
		sel.Where("type = ?", q.Type)
	}
	if q.Prefix != "" {
		// By bytes, on every database: from the prefix up to the last text that starts with it.
		sel.Where("name >= ?", q.Prefix).Where("substr(name, 1, length(?)) = ?", q.Prefix, q.Prefix)
	}
	if a := q.After; a != nil {
		sel.Having("count(*) < ? OR (count(*) = ? AND (type, name) > (?, ?))", a.Servers, a.Servers, a.Type, a.Name)
	}
	var rows []struct {
		Type    string
		Name    string
		Servers int
	}
	if err := sel.Scan(ctx, &rows); err != nil {
		return nil, s.db.Fail(err)
	}
	out := make([]hub.CapabilityCount, len(rows))
	for i, r := range rows {
		out[i] = hub.CapabilityCount{Type: hub.CapabilityType(r.Type), Name: r.Name, Servers: r.Servers}
	}
	return out, nil
}
