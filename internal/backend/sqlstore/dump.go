package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// A dump is lines of JSON: a header, then [table, row] for each row, then a footer that counts them, so
// that a dump which was cut off is noticed. It is the same from every database and fits into every one.

const dumpFormat = 1

type dumpHeader struct {
	Format int       `json:"mcphubDump"`
	Schema int64     `json:"schema"`
	At     time.Time `json:"at"`
}

type dumpFooter struct {
	Rows int64 `json:"rows"`
}

// tables lists all tables, each before those that refer to it.
var tables = []table{
	rowsOf[serverRow]{"servers"}, rowsOf[versionRow]{"versions"}, rowsOf[textRow]{"version_texts"},
	rowsOf[capabilityRow]{"capabilities"}, rowsOf[accountRow]{"accounts"}, rowsOf[namespaceRow]{"namespaces"},
	rowsOf[tokenRow]{"tokens"}, rowsOf[settingRow]{"settings"}, rowsOf[eventRow]{"events"},
	rowsOf[cursorRow]{"cursors"}, rowsOf[jobRow]{"jobs"}, rowsOf[replayRow]{"replays"},
	rowsOf[dayRow]{"installs_by_day"},
}

type table interface {
	name() string
	dump(ctx context.Context, db *bun.DB, tx bun.Tx, put func(row []byte) error) error
	load(ctx context.Context, db *engine.DB, tx bun.Tx, rows [][]byte) error
}

type rowsOf[T any] struct{ table string }

func (r rowsOf[T]) name() string { return r.table }

func (r rowsOf[T]) dump(ctx context.Context, db *bun.DB, tx bun.Tx, put func([]byte) error) error {
	var model T
	sel := tx.NewSelect().Model(&model)
	for _, pk := range db.Table(typeOf[T]()).PKs {
		sel.Order(pk.Name)
	}
	rows, err := sel.Rows(ctx)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row T
		if err := db.ScanRow(ctx, rows, &row); err != nil {
			return err
		}
		b, err := encodeRow(db, &row)
		if err != nil {
			return err
		}
		if err := put(b); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r rowsOf[T]) load(ctx context.Context, db *engine.DB, tx bun.Tx, raw [][]byte) error {
	rows := make([]T, len(raw))
	for i, b := range raw {
		if err := decodeRow(db.Write, b, &rows[i]); err != nil {
			return hub.Errorf(hub.Invalid, "the dump holds a row of %s that cannot be read", r.table).WithCause(err)
		}
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	if db.Refused(err) {
		return hub.Errorf(hub.Invalid, "the dump holds rows of %s that do not fit to the others", r.table).
			WithHint("it was changed or cut off; take another").WithCause(err)
	}
	return err
}

// Dump writes all records as they are at one moment. Others may go on writing.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	schema, err := s.db.Schema(ctx)
	if err != nil {
		return err
	}
	tx, err := s.db.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(dumpHeader{Format: dumpFormat, Schema: schema, At: s.now().UTC()}); err != nil {
		return err
	}
	var n int64
	for _, t := range tables {
		err := t.dump(ctx, s.db.Read, tx, func(row []byte) error {
			n++
			return enc.Encode([]any{t.name(), json.RawMessage(row)})
		})
		if err != nil {
			return fmt.Errorf("sqlstore: dump %s: %w", t.name(), s.db.Fail(err))
		}
	}
	return enc.Encode(dumpFooter{Rows: n})
}

// Backup writes a dump to a new file that only its owner can read. Exists when there is a file of that
// name; the file appears when it is whole.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return hub.Errorf(hub.Exists, "the file %q is there already", path).WithHint("choose another name")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mcphub-backup-*") // made with mode 0600
	if err != nil {
		return hub.Errorf(hub.Unavailable, "the backup %q cannot be written", path).WithCause(err)
	}
	defer os.Remove(f.Name()) // does nothing once it is renamed
	defer f.Close()
	if err := s.Dump(ctx, f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(f.Name(), path)); err != nil {
		return hub.Errorf(hub.Unavailable, "the backup %q cannot be written", path).WithCause(err)
	}
	return nil
}

// Load fills an empty store from a dump, all or nothing. Conflict when the store holds records or the dump
// comes from a newer schema; Invalid when it is no dump or was cut off.
func (s *Store) Load(ctx context.Context, r io.Reader) error {
	newest, err := s.db.Schema(ctx)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(r)
	var h dumpHeader
	if err := dec.Decode(&h); err != nil || h.Format != dumpFormat {
		return hub.Errorf(hub.Invalid, "this is no dump of mcphub that this program can read").WithCause(err)
	}
	if h.Schema > newest {
		return hub.Errorf(hub.Conflict, "the dump has schema %d, this program knows %d", h.Schema, newest).
			WithHint("use a newer mcphub")
	}
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		for _, t := range tables {
			var some int
			if err := tx.NewRaw("SELECT count(*) FROM (SELECT 1 FROM ? LIMIT 1) AS x", bun.Ident(t.name())).Scan(ctx, &some); err != nil {
				return err
			}
			if some > 0 {
				return hub.Errorf(hub.Conflict, "the store is not empty: it holds %s", t.name()).
					WithHint("load a dump into a new database")
			}
		}
		if err := s.loadRows(ctx, tx, dec); err != nil {
			return err
		}
		if s.db.SeqReset == "" {
			return nil
		}
		_, err := tx.NewRaw(s.db.SeqReset).Exec(ctx)
		return err
	})
}

// Rows are inserted in groups; a group is bounded by both.
const (
	loadRows  = 200
	loadBytes = 1 << 20
)

func (s *Store) loadRows(ctx context.Context, tx bun.Tx, dec *json.Decoder) error {
	byName := map[string]table{}
	for _, t := range tables {
		byName[t.name()] = t
	}
	var n int64
	var size int
	var current string
	var group [][]byte
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		err := byName[current].load(ctx, s.db, tx, group)
		group, size = nil, 0
		return err
	}
	for {
		var line json.RawMessage
		if err := dec.Decode(&line); err != nil {
			return hub.Errorf(hub.Invalid, "the dump ends after %d rows without its last line", n).
				WithHint("it was cut off; take another").WithCause(err)
		}
		if bytes.HasPrefix(line, []byte("{")) {
			var f dumpFooter
			if err := json.Unmarshal(line, &f); err != nil || f.Rows != n {
				return hub.Errorf(hub.Invalid, "the dump holds %d rows and says %d", n, f.Rows).WithCause(err)
			}
			return flush()
		}
		var row []json.RawMessage
		var name string
		if err := json.Unmarshal(line, &row); err != nil || len(row) != 2 || json.Unmarshal(row[0], &name) != nil || byName[name] == nil {
			return hub.Errorf(hub.Invalid, "line %d of the dump is not [table, row] of a table this program knows", n+2).WithCause(err)
		}
		if name != current || len(group) >= loadRows || size >= loadBytes {
			if err := flush(); err != nil {
				return err
			}
			current = name
		}
		n++
		group = append(group, row[1])
		size += len(row[1])
	}
}
