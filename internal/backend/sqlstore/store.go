package sqlstore

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// Options are what a Store needs besides its address. The zero value is right for production.
type Options struct {
	Now func() time.Time // clock of everything the store dates itself; time.Now when nil
	Log *slog.Logger     // slog.Default() when nil

	// Relaxed does not wait for the disk at each commit. A crash of the program loses nothing, but a power
	// cut may take back the last commits, whole and in order: for work that can be repeated, such as an
	// import.
	Relaxed bool
}

// Store keeps all records of a hub. It is safe for concurrent use, also by several processes on the same
// database.
type Store struct {
	db  *engine.DB
	now func() time.Time
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

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database at url, "sqlite:PATH" or "postgres://...", and brings its schema up to date. It
// fails with Invalid for any other url, with Unavailable when the database cannot be reached, and with
// Conflict when the schema is newer than this program knows.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	db, err := engine.Open(ctx, url, migrations, opts.Log, opts.Relaxed)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, now: opts.Now}, nil
}

// Close closes all connections. The store is of no use after it.
func (s *Store) Close() error { return s.db.Close() }

// Ping fails with Unavailable when the database does not answer.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Schema returns the number of the last migration of the database.
func (s *Store) Schema(ctx context.Context) (int64, error) { return s.db.Schema(ctx) }

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
