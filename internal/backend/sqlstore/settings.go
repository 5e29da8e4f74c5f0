package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

type settingRow struct {
	bun.BaseModel `bun:"table:settings"`

	Key   string `bun:"key,pk"`
	Value []byte `bun:"value"`
}

type cursorRow struct {
	bun.BaseModel `bun:"table:cursors"`

	Projector string `bun:"projector,pk"`
	Seq       int64  `bun:"seq"`
}

type replayRow struct {
	bun.BaseModel `bun:"table:replays,alias:r"`

	Key       string `bun:"key,pk"`
	Digest    string `bun:"digest"`
	Done      bool   `bun:"done"`
	Status    int    `bun:"status"`
	Body      []byte `bun:"body"`
	CreatedAt int64  `bun:"created_at"`
}

// Setting implements hub.Settings.
func (s *Store) Setting(ctx context.Context, key string) ([]byte, error) {
	row := new(settingRow)
	err := s.db.One(ctx, row, "SELECT * FROM settings WHERE key = ?", key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, hub.Errorf(hub.NotFound, "the setting %s was never set", shortQuote(key))
	}
	return row.Value, err
}

// SetSettingOnce implements hub.Settings.
func (s *Store) SetSettingOnce(ctx context.Context, key string, value []byte) ([]byte, error) {
	row := &settingRow{Key: key, Value: bytesOf(value)}
	if _, err := s.db.Write.NewInsert().Model(row).On("CONFLICT (key) DO NOTHING").Exec(ctx); err != nil {
		return nil, s.db.Fail(err)
	}
	return s.Setting(ctx, key)
}

// SetSetting implements hub.Settings.
func (s *Store) SetSetting(ctx context.Context, key string, value []byte) error {
	row := &settingRow{Key: key, Value: bytesOf(value)}
	_, err := s.db.Write.NewInsert().Model(row).On("CONFLICT (key) DO UPDATE").Set("value = excluded.value").Exec(ctx)
	return s.db.Fail(err)
}

// SwapSetting implements hub.Settings.
func (s *Store) SwapSetting(ctx context.Context, key string, old, value []byte) (bool, error) {
	res, err := s.db.Write.NewUpdate().Model((*settingRow)(nil)).Set("value = ?", bytesOf(value)).Where("key = ? AND value = ?", key, bytesOf(old)).Exec(ctx)
	if err != nil {
		return false, s.db.Fail(err)
	}
	n, err := res.RowsAffected()
	return n == 1, s.db.Fail(err)
}

// BeginReplay implements hub.Replays.
func (s *Store) BeginReplay(ctx context.Context, r hub.Replay, staleBefore time.Time) (*hub.Replay, error) {
	row := &replayRow{Key: r.Key, Digest: r.Digest, Body: []byte{}, CreatedAt: micros(r.CreatedAt)}
	if row.CreatedAt == 0 {
		row.CreatedAt = s.stamp(0)
	}
	var stored *hub.Replay
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		res, err := tx.NewInsert().Model(row).On("CONFLICT (key) DO UPDATE").
			Set("digest = excluded.digest, done = FALSE, status = 0, body = excluded.body, created_at = excluded.created_at").
			Where("NOT r.done AND r.created_at < ?", micros(staleBefore)).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		old := new(replayRow)
		if err := tx.NewSelect().Model(old).Where("key = ?", r.Key).Scan(ctx); err != nil {
			return err
		}
		stored = &hub.Replay{Key: old.Key, Digest: old.Digest, Done: old.Done, Status: old.Status, Body: old.Body, CreatedAt: instant(old.CreatedAt)}
		return nil
	})
	return stored, err
}

// FinishReplay implements hub.Replays.
func (s *Store) FinishReplay(ctx context.Context, r hub.Replay) error {
	_, err := s.db.Write.NewRaw("UPDATE replays SET done = TRUE, status = ?, body = ? WHERE key = ?", r.Status, bytesOf(r.Body), r.Key).Exec(ctx)
	return s.db.Fail(err)
}

// DropReplay implements hub.Replays.
func (s *Store) DropReplay(ctx context.Context, key string, olderThan time.Time) error {
	_, err := s.db.Write.NewRaw("DELETE FROM replays WHERE key = ? OR created_at < ?", key, micros(olderThan)).Exec(ctx)
	return s.db.Fail(err)
}
