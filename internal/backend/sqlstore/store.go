package sqlstore

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

// Options are what a Store needs besides its address. The zero value is right for production.
type Options struct {
	Now func() time.Time // clock of everything the store dates itself; time.Now when nil
	Log *slog.Logger     // slog.Default() when nil
}

// Store keeps all records of a hub. It is safe for concurrent use, also by several processes on the same
// database.
type Store struct {
	write *bun.DB
	read  *bun.DB // the same as write on PostgreSQL
	d     dialect
	now   func() time.Time
	log   *slog.Logger
	hot   sync.Map // query text -> *sql.Stmt (SQLite) or rebound text (PostgreSQL)
}

var (
	_ hub.Servers      = (*Store)(nil)
	_ hub.Versions     = (*Store)(nil)
	_ hub.Catalog      = (*Store)(nil)
	_ hub.Capabilities = (*Store)(nil)
	_ hub.Accounts     = (*Store)(nil)
	_ hub.Namespaces   = (*Store)(nil)
	_ hub.Tokens       = (*Store)(nil)
	_ hub.Settings     = (*Store)(nil)
	_ hub.Events       = (*Store)(nil)
	_ hub.Jobs         = (*Store)(nil)
	_ hub.Replays      = (*Store)(nil)
	_ hub.Pinger       = (*Store)(nil)
)

// Open opens the database at url, "sqlite:PATH" or "postgres://...", and brings its schema up to date. It
// fails with Invalid for any other url, with Unavailable when the database cannot be reached, and with
// Conflict when the schema is newer than this program knows.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	s := &Store{now: opts.Now, log: opts.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		err = s.openSQLite(rest)
	case "postgres", "postgresql":
		err = s.openPostgres(url)
	default:
		return nil, hub.Errorf(hub.Invalid, "database %q: the scheme %q is not known", redact(url), scheme).
			WithHint("write sqlite:PATH or postgres://user@host/database")
	}
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// redact cuts everything that may be a password from a database address.
func redact(url string) string {
	if _, host, ok := strings.Cut(url, "@"); ok {
		scheme, _, _ := strings.Cut(url, ":")
		return scheme + "://...@" + host
	}
	return url
}

// Close closes all connections. The store is of no use after it.
func (s *Store) Close() error {
	s.hot.Range(func(_, v any) bool {
		if st, ok := v.(*sql.Stmt); ok {
			st.Close()
		}
		return true
	})
	err := s.write.Close()
	if s.read != s.write {
		if rerr := s.read.Close(); err == nil {
			err = rerr
		}
	}
	return err
}

// Ping fails with Unavailable when the database does not answer.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.DB.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return hub.Errorf(hub.Unavailable, "the database (%s) does not answer", s.d.name).WithCause(err)
	}
	return nil
}

// tx runs fn in one transaction that writes, and maps what fails in it. fn must not use anything else to
// reach the database: on SQLite the only writing connection is taken.
func (s *Store) tx(ctx context.Context, fn func(tx bun.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(err)
	}
	defer tx.Rollback() // no-op after Commit
	if err := fn(tx); err != nil {
		return s.fail(err)
	}
	return s.fail(tx.Commit())
}

// query runs a read that is asked often, with "?" for each argument. It is prepared once, so its text must
// come from a small set.
func (s *Store) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	known, ok := s.hot.Load(text)
	if !ok {
		prepared, err := s.d.prepare(ctx, s.read.DB, text)
		if err != nil {
			return nil, s.fail(err)
		}
		var lost bool
		if known, lost = s.hot.LoadOrStore(text, prepared); lost {
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
		rows, err = s.read.DB.QueryContext(ctx, q, append(s.d.prepareArgs(), args...)...)
	}
	return rows, s.fail(err)
}

// stamp is the time of a change in microseconds: now, but later than prev.
func (s *Store) stamp(prev int64) int64 {
	return max(micros(s.now()), prev+1)
}

// micros returns t as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the inverse of micros.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
