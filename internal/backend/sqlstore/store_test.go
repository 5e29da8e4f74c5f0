package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/conform"
)

var quiet = sqlstore.Options{Log: slog.New(slog.DiscardHandler)}

func openAt(t testing.TB, url string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), url, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openSQLite(t testing.TB) *sqlstore.Store {
	t.Helper()
	return openAt(t, "sqlite:"+filepath.Join(t.TempDir(), "hub.db"))
}

// postgresURL makes an empty schema in the test's PostgreSQL and returns its address.
func postgresURL(t testing.TB) string {
	t.Helper()
	base := os.Getenv("MCPHUB_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("MCPHUB_TEST_ALL") == "1" {
			t.Fatal("MCPHUB_TEST_POSTGRES is not set: run make services")
		}
		t.Skip("MCPHUB_TEST_POSTGRES is not set: run make services")
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + fmt.Sprintf("%x", uuid.New())
	if _, err := db.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestSQLite(t *testing.T) {
	conform.Store(t, func(t *testing.T) conform.Backend { return openSQLite(t) })
}

func TestPostgres(t *testing.T) {
	postgresURL(t) // skips once instead of in every subtest
	conform.Store(t, func(t *testing.T) conform.Backend { return openAt(t, postgresURL(t)) })
}

// clock is a clock that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }
