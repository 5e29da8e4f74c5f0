package sqlstore

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// fewChanges is how many changed versions are rather sorted than looked for in the order of the list.
const fewChanges = 1000

// Page implements hub.Catalog. All its conditions are on columns of the index it walks, so that rows are
// read only to be shown.
func (s *Store) Page(ctx context.Context, q hub.CatalogQuery) ([]hub.CatalogRow, error) {
	if q.Limit < 1 {
		return nil, nil
	}
	p := s.pageQuery(q)
	if !engine.Storable(p.args...) {
		return nil, nil
	}
	text := p.columns + p.from + " WHERE " + strings.Join(p.where, " AND ")
	if !q.UpdatedSince.IsZero() {
		few, err := s.db.Number(ctx, "SELECT count(*) FROM (SELECT 1 FROM versions WHERE shown >= 1 AND updated_at > ? LIMIT ?) AS x",
			micros(q.UpdatedSince), fewChanges)
		if err != nil {
			return nil, err
		}
		if few < fewChanges {
			// The inner limit, never reached, keeps the planner from walking the order of the outer query.
			text = "SELECT * FROM (" + text + " LIMIT 1000000000) AS v"
			p.order = "v.name, v.version"
		}
	}
	query := s.db.Query
	if q.Search != "" {
		query = s.db.QueryFresh
	}
	rows, err := query(ctx, text+" ORDER BY "+p.order+" LIMIT ?", append(p.args, q.Limit)...)
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

type pageQuery struct {
	columns, from, order string
	where                []string
	args                 []any
}

func (p *pageQuery) add(cond string, values ...any) {
	p.where = append(p.where, cond)
	p.args = append(p.args, values...)
}

func (s *Store) pageQuery(q hub.CatalogQuery) *pageQuery {
	p := &pageQuery{columns: "SELECT v.name, v.version, v.server_json, v.meta_json", from: " FROM versions v", order: "v.name, v.version"}
	searched := "v.name"
	switch {
	case q.Version == "latest" && q.Search != "" && q.Name == "":
		p.from, p.order, searched = " FROM servers l JOIN versions v ON v.id = l.latest_id", "l.name", "l.name"
		p.add("v.latest")
	case q.Version == "latest":
		p.add("v.latest")
	case q.Version != "":
		p.add("v.shown >= 1 AND v.version = ?", q.Version)
	default:
		p.add("v.shown >= 1")
		if q.Search != "" && q.Name == "" { // each name is looked at once instead of once a version
			p.from, p.order, searched = " FROM servers l CROSS JOIN versions v", "l.name, v.version", "l.name"
			p.add("v.name = l.name")
		}
	}
	if !q.IncludeDeleted {
		p.add("v.shown = 2")
	}
	if q.Name != "" {
		p.add("v.name = ?", string(q.Name))
	}
	if q.AfterName != "" {
		p.add("(v.name, v.version) > (?, ?)", string(q.AfterName), q.AfterVersion)
		if searched == "l.name" {
			p.add("l.name >= ?", string(q.AfterName))
		}
	}
	if q.Search != "" {
		p.add(searched+" "+s.db.Like+" ? ESCAPE '!'", "%"+escapeLike(q.Search)+"%")
	}
	if !q.UpdatedSince.IsZero() {
		p.add("v.updated_at > ?", micros(q.UpdatedSince))
	}
	return p
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
	if q.Limit < 1 || !engine.Storable(string(q.Type), q.Prefix) {
		return nil, nil
	}
	sel := s.db.Read.NewSelect().Table("capabilities").ColumnExpr("type, name, count(*) AS servers").
		Group("type", "name").OrderExpr("servers DESC, type, name").Limit(int64(q.Limit))
	if q.Type != "" {
		sel.Where("type = ?", q.Type)
	}
	if q.Prefix != "" {
		// By bytes, on every database: from the prefix up to the last text that starts with it. The key begins with the
		// type, so all of them are named.
		if q.Type == "" {
			sel.Where("type IN (?)", bun.List(hub.CapabilityTypes))
		}
		sel.Where("name >= ?", q.Prefix).Where("name <= ?", q.Prefix+string(utf8.MaxRune)).Where("substr(name, 1, length(?)) = ?", q.Prefix, q.Prefix)
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
