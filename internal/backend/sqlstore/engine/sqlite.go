package engine

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mcphub/mcphub/internal/hub"
)

// Reading connections, and how much each connection keeps in memory. With these a hub of 100,000 versions
// stays well below 150 MB; the operating system's file cache does the rest.
const (
	sqliteReaders     = 4
	sqliteReaderCache = "-1000" // KiB
	sqliteWriterCache = "-2000"
)

var sqliteWords = Dialect{
	Name:  "sqlite",
	goose: goose.DialectSQLite3,
	words: strings.NewReplacer("{text}", "TEXT", "{bytes}", "BLOB", "{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT",
		"{name_search}", "SELECT 1;", "{name_search_soon}", "SELECT 1;"),
	Like:     "LIKE",
	Contains: "instr",
	prepare: func(ctx context.Context, db *sql.DB, text string) (any, error) {
		return db.PrepareContext(ctx, text)
	},
	fault: sqliteFault,
}

func (db *DB) openSQLite(path string, relaxed bool) error {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return hub.Errorf(hub.Invalid, "database %q names no file", "sqlite:"+path).WithHint("write sqlite:PATH")
	}
	// The file holds password hashes: create it for its owner only. Its -wal and -shm files get its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return hub.Errorf(hub.Unavailable, "the database file %q cannot be opened", path).
			WithHint("check that its folder exists and that this user may write there").WithCause(err)
	}
	f.Close()

	db.Dialect = sqliteWords
	sync := "synchronous(FULL)"
	if relaxed {
		sync = "synchronous(NORMAL)"
	}
	w, err := sql.Open("sqlite", sqliteDSN(path, "immediate", sqliteWriterCache, sync))
	if err != nil {
		return err
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", sqliteDSN(path, "deferred", sqliteReaderCache, "query_only(1)"))
	if err != nil {
		w.Close()
		return err
	}
	r.SetMaxOpenConns(sqliteReaders)
	r.SetMaxIdleConns(sqliteReaders)
	db.Write = bun.NewDB(w, sqlitedialect.New())
	db.Read = bun.NewDB(r, sqlitedialect.New())
	// The first connection turns the write-ahead log on, which a reading one may not.
	if err := w.Ping(); err != nil {
		db.Close()
		return db.Fail(err)
	}
	return nil
}

// sqliteDSN writes the address of one kind of connection. busy_timeout comes first, since turning the
// write-ahead log on may have to wait for another process.
func sqliteDSN(path, txlock, cache string, more ...string) string {
	q := url.Values{"_txlock": {txlock}}
	for _, p := range append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)",
		"mmap_size(0)", "temp_store(2)", "journal_size_limit(67108864)", "wal_autocheckpoint(4000)", "cache_size(" + cache + ")"}, more...) {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func sqliteFault(err error) (fault, bool) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return faultUnknown, false
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return faultDuplicate, true
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return faultOrphan, true
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return faultBusy, true
	case sqlite3.SQLITE_FULL:
		return faultFull, true
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return faultDown, true
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return faultReadOnly, true
	}
	return faultUnknown, true
}

// idleAfter is how long a PostgreSQL connection may stay unused.
const idleAfter = 5 * time.Minute
