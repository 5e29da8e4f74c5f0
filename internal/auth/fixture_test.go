package auth_test

import (
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
)

const goodPassword = "correct horse battery"

// clock is a time that moves only when a test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fixture is the service on a store of its own.
type fixture struct {
	t     *testing.T
	clock *clock
	store *sqlstore.Store
	auth  *auth.Service
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"),
		sqlstore.Options{Now: f.clock.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(t, err)
	t.Cleanup(func() { store.Close() })
	f.store = store
	f.auth, err = auth.New(t.Context(), store, f.clock.now)
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) account(name string, role hub.Role) *hub.Account {
	f.t.Helper()
	a, err := f.auth.CreateAccount(f.t.Context(), hub.System("test"),
		auth.NewAccount{Name: name, Email: name + "@example.com", Password: goodPassword, Role: role})
	must(f.t, err)
	return a
}

// login signs in and returns the session and its actor.
func (f *fixture) login(name string) (*auth.Session, hub.Actor) {
	f.t.Helper()
	s, err := f.auth.Login(f.t.Context(), name, goodPassword, "test")
	must(f.t, err)
	return s, f.actor(s.Access)
}

func (f *fixture) actor(secret string) hub.Actor {
	f.t.Helper()
	a, err := f.auth.Actor(f.t.Context(), "Bearer "+secret, "test")
	must(f.t, err)
	return a
}

// refused fails unless err is of the kind and has exactly the message.
func refused(t *testing.T, rule string, err error, kind hub.Kind, message string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: allowed", rule)
	case hub.KindOf(err) != kind || err.Error() != message:
		t.Errorf("%s: %s %q, want %s %q", rule, hub.KindOf(err), err, kind, message)
	}
}
