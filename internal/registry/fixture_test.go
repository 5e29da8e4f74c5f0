package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

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

// watchedStore counts what workers ask for, and holds up submissions when a test wants them at once.
type watchedStore struct {
	*sqlstore.Store
	claims   atomic.Int64
	installs atomic.Int64
	gate     func()      // called before each Submit
	loses    atomic.Bool // the answer to the next claim that finds a job
}

func (s *watchedStore) ClaimJob(ctx context.Context, worker string, kinds []string, now, till time.Time) (*hub.Job, error) {
	defer s.claims.Add(1)
	job, err := s.Store.ClaimJob(ctx, worker, kinds, now, till)
	if err == nil && s.loses.CompareAndSwap(true, false) {
		return nil, hub.Errorf(hub.Unavailable, "the connection broke after the commit")
	}
	return job, err
}

func (s *watchedStore) AddInstalls(ctx context.Context, counts map[string]int64) error {
	s.installs.Add(1)
	return s.Store.AddInstalls(ctx, counts)
}

func (s *watchedStore) Submit(ctx context.Context, sub hub.Submission) error {
	if s.gate != nil {
		s.gate()
	}
	return s.Store.Submit(ctx, sub)
}

// brokenBlobs opens blobs, unless a test says how it fails.
type brokenBlobs struct {
	hub.Blobs
	mu   sync.Mutex
	fail func() error
	open int
}

func (b *brokenBlobs) breaks(fail func() error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}

func (b *brokenBlobs) Open(ctx context.Context, digest string, offset, length int64) (io.ReadCloser, error) {
	b.mu.Lock()
	fail := b.fail
	b.open++
	b.mu.Unlock()
	if fail != nil {
		if err := fail(); err != nil {
			return nil, err
		}
	}
	return b.Blobs.Open(ctx, digest, offset, length)
}

// fixture is a registry on the embedded backends, each of which can be made to fail.
type fixture struct {
	t     *testing.T
	clock *clock
	store *watchedStore
	blobs *brokenBlobs
	log   *slog.Logger
	stop  func() // ends what run started last
	*registry.Service
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Now: f.clock.now, Log: f.log})
	must(t, err)
	blobs, err := blobstore.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	must(t, err)
	t.Cleanup(func() { store.Close() })
	f.store, f.blobs = &watchedStore{Store: store}, &brokenBlobs{Blobs: blobs}
	f.Service = f.another("test")
	return f
}

// another makes a second process on the same store.
func (f *fixture) another(worker string) *registry.Service {
	return registry.New(registry.Config{Store: f.store, Blobs: f.blobs, Log: f.log, Now: f.clock.now, Worker: worker, MaxBytes: 1 << 20})
}

// run runs a service until the test ends or the returned function is called.
func (f *fixture) run(s *registry.Service) (stop func()) { return f.start(s, true) }

// runWeb runs the service without jobs.
func (f *fixture) runWeb() (stop func()) { return f.start(f.Service, false) }

func (f *fixture) start(s *registry.Service, jobs bool) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	done := make(chan struct{})
	go func() { s.Run(ctx, jobs); close(done) }()
	stop = func() { cancel(); <-done }
	f.t.Cleanup(stop)
	f.stop = stop
	return stop
}

// kick makes the running worker look for work at once: one that starts does so first.
func (f *fixture) kick() {
	f.t.Helper()
	f.stop()
	f.run(f.Service)
}

// await fails unless ok becomes true within ten seconds.
func (f *fixture) await(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	f.t.Fatalf("never happened: %s", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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

var (
	acme   = hub.Actor{AccountID: "acme-id", Name: "acme", Role: hub.RoleUser, Scopes: []hub.Scope{hub.ScopePublish}, Namespaces: []string{"acme", "io.github.acme"}, RequestID: "req-acme"}
	other  = hub.Actor{AccountID: "other-id", Name: "other", Role: hub.RoleUser, Scopes: []hub.Scope{hub.ScopePublish}, Namespaces: []string{"other"}}
	reader = hub.Actor{AccountID: "acme-id", Name: "acme", Role: hub.RoleUser, Scopes: []hub.Scope{hub.ScopeRead}, Namespaces: []string{"acme"}}
	admin  = hub.System("test")
)

// remoteJSON is an mcp.json that needs no bundle.
func remoteJSON(name, version string) []byte {
	return fmt.Appendf(nil, `{"name": %q, "version": %q, "description": "Keeps notes for an assistant.", "license": "MIT",
		"servers": {"notes": {"url": "https://notes.example.com/mcp", "transport": "streamable-http", "capabilities": {"tools": ["write_note"]}}}}`, name, version)
}

func (f *fixture) publish(name, version string) *hub.Version {
	f.t.Helper()
	v, err := f.Publish(f.t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON(name, version)})
	must(f.t, err)
	return v
}

// submitBundle publishes a version with a bundle, whose stages are a job.
func (f *fixture) submitBundle(version string) *hub.Version {
	f.t.Helper()
	manifest := fmt.Appendf(nil, `{"name": "@acme/weather", "version": %q, "description": "Tells the weather of a city.", "license": "MIT", "servers": {"weather": {"command": "bin/weather"}}}`, version)
	v, err := f.Publish(f.t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: manifest,
		Bundle: bytes.NewReader(targz(f.t, map[string]string{"mcp.json": string(manifest), "bin/weather": "#!/bin/sh\n", "README.md": "# Weather"}))})
	must(f.t, err)
	return v
}

func targz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for name, text := range files {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, err := w.Write([]byte(text))
		must(t, err)
	}
	must(t, w.Close())
	must(t, zip.Close())
	return b.Bytes()
}

func (f *fixture) state(id string) hub.State {
	f.t.Helper()
	v, err := f.store.VersionByID(f.t.Context(), id)
	must(f.t, err)
	return v.State
}
