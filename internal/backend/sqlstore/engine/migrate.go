package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/mcphub/mcphub/internal/hub"
)

// errApplied stops a migration that another process made while this one waited for its transaction.
var errApplied = errors.New("sqlstore: the migration was applied by another process")

// migrate brings the schema to the newest version this program knows, one transaction a step. Only one
// process does it at a time: PostgreSQL holds an advisory lock, SQLite's transactions exclude each other
// and each looks again what is left to do.
func (db *DB) migrate(ctx context.Context, files fs.FS) error {
	steps, newest, err := db.migrations(files)
	if err != nil {
		return err
	}
	if have, err := db.checkSchema(ctx, newest); err != nil || have == newest {
		return err
	}
	opts := []goose.ProviderOption{goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true)}
	if db.goose == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(db.goose, db.Write.DB, nil, opts...)
	if err != nil {
		return fmt.Errorf("sqlstore: migrations: %w", err)
	}
	for {
		done, err := p.Up(ctx)
		if n := len(done); n > 0 {
			db.log.InfoContext(ctx, "database schema changed", "schema", done[n-1].Source.Version, "steps", n)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errApplied) {
			return fmt.Errorf("sqlstore: migrate: %w", db.Fail(err))
		}
	}
	_, err = db.checkSchema(ctx, newest)
	return err
}

// migrations returns the steps in the words of the dialect, and the number of the last.
func (db *DB) migrations(files fs.FS) (steps []*goose.Migration, newest int64, err error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("sqlstore: migration %s has no number: %w", name, err)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, 0, err
		}
		run := db.step(n, db.words.Replace(string(text)))
		steps = append(steps, goose.NewGoMigration(n, &goose.GoFunc{RunTx: run}, nil))
		newest = max(newest, n)
	}
	return steps, newest, nil
}

func (db *DB) step(n int64, text string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		have, err := schemaOf(ctx, tx)
		if err != nil {
			return err
		}
		if have >= n {
			return errApplied
		}
		_, err = tx.ExecContext(ctx, text)
		return err
	}
}

// checkSchema returns the number of the last migration, and refuses a database that a newer program changed.
func (db *DB) checkSchema(ctx context.Context, newest int64) (int64, error) {
	have, err := db.Schema(ctx)
	if err != nil {
		return 0, err
	}
	if have > newest {
		return 0, hub.Errorf(hub.Conflict, "the database has schema %d, this program knows %d", have, newest).
			WithHint("use a newer mcphub; schemas are never taken back")
	}
	return have, nil
}

// Schema returns the number of the last migration of the database, 0 for an empty one.
func (db *DB) Schema(ctx context.Context) (int64, error) {
	var there bool
	where := "FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'"
	if db.goose == goose.DialectPostgres {
		where = "FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'"
	}
	if err := db.Read.DB.QueryRowContext(ctx, "SELECT count(*) > 0 "+where).Scan(&there); err != nil || !there {
		return 0, db.Fail(err)
	}
	n, err := schemaOf(ctx, db.Read.DB)
	return n, db.Fail(err)
}

func schemaOf(ctx context.Context, from interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (n int64, err error) {
	err = from.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&n)
	return n, err
}
