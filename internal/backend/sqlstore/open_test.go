package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
)

func TestOpenRefuses(t *testing.T) {
	for url, want := range map[string]hub.Kind{
		"":                            hub.Invalid,
		"mysql://me:secret@host/db":   hub.Invalid,
		"sqlite:":                     hub.Invalid,
		"sqlite::memory:":             hub.Invalid,
		"postgres://me:secret@[bad/x": hub.Invalid,
		"postgres://me:secret@127.0.0.1:1/db?connect_timeout=2": hub.Unavailable,
		"sqlite:" + filepath.Join(t.TempDir(), "none", "x.db"):  hub.Unavailable,
	} {
		_, err := sqlstore.Open(context.Background(), url, quiet)
		if hub.KindOf(err) != want {
			t.Errorf("%s: %v (%s), want %s", url, err, hub.KindOf(err), want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the message shows a password: %v", err)
		}
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	test := func(t *testing.T, url, driver, dsn string) {
		s := openAt(t, url)
		known, err := s.Schema(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, %t)", known+2, true)); err != nil {
			t.Fatal(err)
		}
		_, err = sqlstore.Open(context.Background(), url, quiet)
		want := fmt.Sprintf("the database has schema %d, this program knows %d", known+2, known)
		if hub.KindOf(err) != hub.Conflict || err.Error() != want {
			t.Fatalf("got %v (%s)", err, hub.KindOf(err))
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "hub.db")
		test(t, "sqlite:"+path, "sqlite", path)
	})
	t.Run("postgres", func(t *testing.T) {
		url := postgresURL(t)
		test(t, url, "pgx", url)
	})
}

// Several hubs that start at once on an empty database make one schema.
func TestOpenAtOnce(t *testing.T) {
	test := func(t *testing.T, url string) {
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				s, err := sqlstore.Open(context.Background(), url, quiet)
				if errs[i] = err; err == nil {
					errs[i] = s.SetSetting(context.Background(), fmt.Sprint(i), []byte("x"))
					s.Close()
				}
			})
		}
		wg.Wait()
		for i, err := range errs {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "hub.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresURL(t)) })
}

// "mcphub import" writes the file that a running hub writes: neither loses anything or fails.
func TestSQLiteTwoWriters(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "hub.db")
	stores := []*sqlstore.Store{openAt(t, url), openAt(t, url)}
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for j := range 60 {
				if err := publishOne(s, newServer(1000*i+j), "1.0.0"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		servers, versions, err := s.CountServers(context.Background())
		if err != nil || servers != 120 || versions != 120 {
			t.Errorf("%d servers, %d versions, %v", servers, versions, err)
		}
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?#%")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, "sqlite:"+filepath.Join(dir, "hub.db"))
	if err := s.SetSetting(context.Background(), "k", nil); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(f.Name(), "hub.db") {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestPingFailsWhenClosed(t *testing.T) {
	s := openSQLite(t)
	s.Close()
	if err := s.Ping(context.Background()); hub.KindOf(err) != hub.Unavailable {
		t.Errorf("got %v", err)
	}
}

// A clock that goes back, or not on, does not make a server's updated_at do so.
func TestUpdatedAtGrowsWhateverTheClockSays(t *testing.T) {
	c := &clock{t: time.Date(2025, 6, 1, 12, 0, 0, 123456789, time.UTC)}
	opts := quiet
	opts.Now = c.now
	s, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv := newServer(1)
	srv.Origin = ""
	last := time.Time{}
	for i := range 5 {
		if err := publishOne(s, srv, fmt.Sprintf("1.0.%d", i)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Server(context.Background(), srv.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !got.UpdatedAt.After(last) || got.UpdatedAt.Nanosecond()%1000 != 0 || got.UpdatedAt.Location() != time.UTC {
			t.Fatalf("%d: %s after %s", i, got.UpdatedAt, last)
		}
		last = got.UpdatedAt
		c.t = c.t.Add(time.Duration(i%2) * -time.Hour)
	}
}

func TestBackup(t *testing.T) {
	s := openSQLite(t)
	if err := publishOne(s, newServer(1), "1.0.0"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup")
	if err := s.Backup(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := s.Backup(context.Background(), path); hub.KindOf(err) != hub.Exists {
		t.Errorf("a second backup of the same name: %v", err)
	}
	if err := s.Backup(context.Background(), filepath.Join(path, "x", "y")); hub.KindOf(err) != hub.Unavailable {
		t.Errorf("a backup to nowhere: %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := openSQLite(t).Load(context.Background(), bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
}

// A hub moves from SQLite to PostgreSQL and back with nothing changed.
func TestDumpBetweenDatabases(t *testing.T) {
	ctx := context.Background()
	lite, pg := openSQLite(t), openAt(t, postgresURL(t))
	for i := range 20 {
		srv := newServer(i)
		srv.Description = `it's "\x00" \ ? ` + "漢字"
		if err := publishOne(lite, srv, "1.0.0"); err != nil {
			t.Fatal(err)
		}
	}
	dump := func(s *sqlstore.Store) string {
		var b bytes.Buffer
		if err := s.Dump(ctx, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := dump(lite)
	if err := pg.Load(ctx, strings.NewReader(first)); err != nil {
		t.Fatal(err)
	}
	back := openSQLite(t)
	if err := back.Load(ctx, strings.NewReader(dump(pg))); err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(first, "\n")
	if _, got, _ := strings.Cut(dump(back), "\n"); got != want {
		t.Error("what came back is not what went")
	}
	if err := publishOne(pg, newServer(99), "1.0.0"); err != nil {
		t.Errorf("publishing after a load: %v", err)
	}
}
