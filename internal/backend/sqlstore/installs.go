package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

type dayRow struct {
	bun.BaseModel `bun:"table:installs_by_day"`

	ServerID string `bun:"server_id,pk"`
	Day      int64  `bun:"day,pk"` // days since 1970, UTC
	Installs int64  `bun:"installs"`
}

const secondsOfDay = 24 * 60 * 60

func dayOf(t time.Time) int64 { return t.Unix() / secondsOfDay }

// AddInstalls implements hub.Servers.
func (s *Store) AddInstalls(ctx context.Context, counts map[string]int64) error {
	if len(counts) == 0 {
		return nil
	}
	ids := make([]string, 0, len(counts))
	for id := range counts {
		ids = append(ids, id)
	}
	slices.Sort(ids) // the same order for everybody, so that two never wait for each other
	today := dayOf(s.now())
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		b := engine.NewBatch(tx)
		for _, id := range ids {
			b.Addf("UPDATE servers SET installs = installs + ? WHERE id = ?", counts[id], id)
			b.Addf("INSERT INTO installs_by_day (server_id, day, installs) SELECT id, ?, ? FROM servers WHERE id = ? "+
				"ON CONFLICT (server_id, day) DO UPDATE SET installs = installs_by_day.installs + excluded.installs", today, counts[id], id)
		}
		return b.Exec(ctx)
	})
}

// InstallsByDay implements hub.Statistics.
func (s *Store) InstallsByDay(ctx context.Context, serverID string, since time.Time) ([]hub.DayCount, error) {
	rows, err := s.db.Query(ctx, "SELECT day, installs FROM installs_by_day WHERE server_id = ? AND day >= ? ORDER BY day", serverID, dayOf(since))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []hub.DayCount
	for rows.Next() {
		var day, n int64
		if err := rows.Scan(&day, &n); err != nil {
			return nil, s.db.Fail(err)
		}
		out = append(out, hub.DayCount{Day: time.Unix(day*secondsOfDay, 0).UTC(), Count: n})
	}
	return out, s.db.Fail(rows.Err())
}

// Trending implements hub.Statistics.
func (s *Store) Trending(ctx context.Context, since time.Time, limit int) ([]hub.ServerCount, error) {
	rows, err := s.db.Query(ctx, "SELECT d.server_id, sum(d.installs) AS n FROM installs_by_day d JOIN servers s ON s.id = d.server_id "+
		"WHERE d.day >= ? AND s.latest_id <> '' GROUP BY d.server_id ORDER BY n DESC, d.server_id LIMIT ?", dayOf(since), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []hub.ServerCount
	for rows.Next() {
		var c hub.ServerCount
		if err := rows.Scan(&c.ServerID, &c.Count); err != nil {
			return nil, s.db.Fail(err)
		}
		out = append(out, c)
	}
	return out, s.db.Fail(rows.Err())
}
