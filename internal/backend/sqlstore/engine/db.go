package engine

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

// DB is a database that was opened and brought up to date. It is safe for concurrent use.
type DB struct {
	Dialect
	Write *bun.DB
	Read  *bun.DB // the same as Write on PostgreSQL; on SQLite it cannot write

	log *slog.Logger
	hot sync.Map // query text -> *sql.Stmt (SQLite) or rebound text (PostgreSQL)
}

// Open opens the database at url, "sqlite:PATH" or "postgres://...", and applies the migrations in files
// that it does not have yet. It fails with Invalid for any other url, with Unavailable when the database
// cannot be reached, and with Conflict when its schema is newer than files. A relaxed one does not wait for
// the disk at each commit.
func Open(ctx context.Context, url string, files fs.FS, log *slog.Logger, relaxed bool) (*DB, error) {
	db := &DB{log: log}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		err = db.openSQLite(rest, relaxed)
	case "postgres", "postgresql":
		err = db.openPostgres(url, relaxed)
	default:
		return nil, hub.Errorf(hub.Invalid, "database %q: the scheme %q is not known", redact(url), scheme).
			WithHint("write sqlite:PATH or postgres://user@host/database")
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.migrate(ctx, files); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// redact cuts everything that may be a password from a database address.
func redact(url string) string {
	if _, host, ok := strings.Cut(url, "@"); ok {
		scheme, _, _ := strings.Cut(url, ":")
		return scheme + "://...@" + host
	}
	return url
}

// Close closes all connections. The database is of no use after it.
func (db *DB) Close() error {
	db.hot.Range(func(_, v any) bool {
		if st, ok := v.(*sql.Stmt); ok {
			st.Close()
		}
		return true
	})
	err := db.Write.Close()
	if db.Read != db.Write {
		if rerr := db.Read.Close(); err == nil {
			err = rerr
		}
	}
	return err
}

// Ping fails with Unavailable when the database does not answer.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.Read.DB.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return hub.Errorf(hub.Unavailable, "the database (%s) does not answer", db.Name).WithCause(err)
	}
	return nil
}

// Tx runs fn in one transaction that writes, and maps what fails in it. fn must not use anything else to
// reach the database: on SQLite the only writing connection is taken.
func (db *DB) Tx(ctx context.Context, fn func(tx bun.Tx) error) error {
	tx, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return db.Fail(err)
	}
	defer tx.Rollback() // no-op after Commit
	if err := fn(tx); err != nil {
		return db.Fail(err)
	}
	return db.Fail(tx.Commit())
}

// Query runs a read that is asked often, with "?" for each argument. It is prepared once, so its text must
// come from a small set.
func (db *DB) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	known, ok := db.hot.Load(text)
	if !ok {
		prepared, err := db.prepare(ctx, db.Read.DB, text)
		if err != nil {
			return nil, db.Fail(err)
		}
		var lost bool
		if known, lost = db.hot.LoadOrStore(text, prepared); lost {
			if st, ok := prepared.(*sql.Stmt); ok {
				st.Close()
			}
		}
	}
	var rows *sql.Rows
	var err error
	switch q := known.(type) {
	case *sql.Stmt:
		rows, err = q.QueryContext(ctx, args...)
	case string:
		rows, err = db.Read.DB.QueryContext(ctx, q, append(db.prepareArgs(), args...)...)
	}
	return rows, db.Fail(err)
}

// QueryFresh runs a read whose best plan depends on its arguments, a part of a name above all. PostgreSQL gives a prepared
// statement one plan for all arguments after its fifth run, and walks all names then.
func (db *DB) QueryFresh(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if db.freshArgs == nil {
		return db.Query(ctx, text, args...)
	}
	rows, err := db.Read.DB.QueryContext(ctx, rebind(text), append(db.freshArgs(), args...)...)
	return rows, db.Fail(err)
}

// One reads the single row of a query that is asked often; sql.ErrNoRows when there is none.
func (db *DB) One(ctx context.Context, dest any, text string, args ...any) error {
	if !Storable(args...) {
		return sql.ErrNoRows
	}
	rows, err := db.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return db.Fail(err)
		}
		return sql.ErrNoRows
	}
	return db.Fail(db.Read.ScanRow(ctx, rows, dest))
}

// Number reads one number, 0 when there is no row.
func (db *DB) Number(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = db.One(ctx, &n, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Snapshot begins a transaction that reads everything as it is at one moment while others write.
func (db *DB) Snapshot(ctx context.Context) (bun.Tx, error) {
	tx, err := db.Read.BeginTx(ctx, db.snapshot)
	return tx, db.Fail(err)
}
