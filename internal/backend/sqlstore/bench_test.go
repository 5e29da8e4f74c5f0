package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// both runs a benchmark on SQLite and, when there is one, on PostgreSQL.
func both(b *testing.B, bench func(b *testing.B, s *sqlstore.Store)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, openSQLite(b)) })
	b.Run("postgres", func(b *testing.B) { bench(b, openAt(b, postgresURL(b))) })
}

func newServer(i int) *hub.Server {
	return &hub.Server{ID: newID(), Name: hub.Name(fmt.Sprintf("io.github.user%05d/server-%d", i, i%7)), Title: "A server",
		Description: "What this server does, in a sentence of the usual length for such things.", Origin: "https://registry.example"}
}

func newVersion(s *hub.Server, number string) *hub.Version {
	manifest := fmt.Appendf(nil, `{"name":%q,"version":%q,"description":%q,"padding":"%0800d"}`, s.Name, number, s.Description, 0)
	sum := sha256.Sum256(manifest)
	return &hub.Version{ID: newID(), ServerID: s.ID, Name: s.Name, Version: number, State: hub.Submitted, Format: hub.FormatMCP,
		Manifest: manifest, ManifestDigest: "sha256:" + hex.EncodeToString(sum[:]), ServerJSON: manifest, Readme: "# Title\n\nText.",
		Capabilities: []hub.Capability{{Type: hub.Tool, Name: "read"}, {Type: hub.Tool, Name: "tool" + strconv.Itoa(len(s.Name))}},
		Facts:        hub.LatestFacts{PackageTypes: []string{"npm"}, Transports: []string{"stdio"}, Tools: 2}}
}

// size is the number of servers, with four versions each, that reading benchmarks run over.
func size() int {
	if n, err := strconv.Atoi(os.Getenv("MCPHUB_BENCH_SERVERS")); err == nil {
		return n
	}
	return 500
}

func fill(b *testing.B, s *sqlstore.Store) []*hub.Server {
	b.Helper()
	var all []*hub.Server
	for i := range size() {
		srv := newServer(i)
		all = append(all, srv)
		for j := range 4 {
			v := newVersion(srv, fmt.Sprintf("1.%d.0", j))
			v.State, v.Mirrored = hub.Published, true
			if _, err := s.Import(context.Background(), srv, v, hub.Event{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	return all
}

func BenchmarkRead(b *testing.B) {
	both(b, func(b *testing.B, s *sqlstore.Store) {
		ctx := context.Background()
		start := time.Now()
		all := fill(b, s)
		b.Logf("imported %d versions in %s", 4*len(all), time.Since(start))
		last, err := s.Server(ctx, all[len(all)-1].ID)
		if err != nil {
			b.Fatal(err)
		}
		middle := all[len(all)/2].Name
		page := func(q hub.CatalogQuery) func() error {
			q.Limit = 30
			return func() error { _, err := s.Page(ctx, q); return err }
		}
		list := func(q hub.ServerQuery) func() error {
			q.Limit = 30
			return func() error { _, err := s.List(ctx, q); return err }
		}
		for name, run := range map[string]func() error{
			"Page":               page(hub.CatalogQuery{AfterName: middle, AfterVersion: "1.1.0"}),
			"PageLatest":         page(hub.CatalogQuery{AfterName: middle, Version: "latest"}),
			"PageNumber":         page(hub.CatalogQuery{AfterName: middle, Version: "1.2.0"}),
			"PageSearchMany":     page(hub.CatalogQuery{Search: "server-3"}),
			"PageSearchNone":     page(hub.CatalogQuery{Search: "nothing"}),
			"PageSearchOne":      page(hub.CatalogQuery{Search: "user00321", Version: "latest"}),
			"PageSinceFew":       page(hub.CatalogQuery{UpdatedSince: last.UpdatedAt.Add(-time.Microsecond)}),
			"PageSinceAll":       page(hub.CatalogQuery{UpdatedSince: last.CreatedAt.Add(-time.Hour)}),
			"ListUpdated":        list(hub.ServerQuery{Sort: hub.SortUpdated}),
			"ListFilteredRare":   list(hub.ServerQuery{Sort: hub.SortName, PackageType: "cargo"}),
			"ListFilteredCommon": list(hub.ServerQuery{Sort: hub.SortName, PackageType: "npm"}),
			"Version":            func() error { _, err := s.Version(ctx, last.ID, "latest", false); return err },
			"Server":             func() error { _, err := s.Server(ctx, string(last.Name)); return err },
			"Versions":           func() error { _, err := s.Versions(ctx, last.ID); return err },
			"CountServers":       func() error { _, _, err := s.CountServers(ctx); return err },
			"Capabilities": func() error {
				_, err := s.CountCapabilities(ctx, hub.CapabilityQuery{Limit: 30})
				return err
			},
		} {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// publishOne is what publishing costs the store: Submit, then Transition to published.
func publishOne(s *sqlstore.Store, srv *hub.Server, number string) error {
	v := newVersion(srv, number)
	job := newID()
	err := s.Submit(context.Background(), hub.Submission{Server: srv, Version: v, Job: hub.Job{ID: job, Kind: hub.JobPublish, Subject: v.ID}})
	if err != nil {
		return err
	}
	_, err = s.Transition(context.Background(), hub.Transition{VersionID: v.ID, From: hub.Submitted, Server: srv, DoneJob: job,
		Steps: []hub.Step{{To: hub.Validating}, {To: hub.Scanning}, {To: hub.Published}}})
	return err
}

func BenchmarkPublish(b *testing.B) {
	both(b, func(b *testing.B, s *sqlstore.Store) {
		srv := newServer(1)
		for i := 0; b.Loop(); i++ {
			if err := publishOne(s, srv, fmt.Sprintf("1.0.%d", i)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPublishAtOnce(b *testing.B) {
	both(b, func(b *testing.B, s *sqlstore.Store) {
		srv := newServer(1)
		for i := 0; b.Loop(); i++ {
			err := s.Submit(context.Background(), hub.Submission{Server: srv, Version: newVersion(srv, fmt.Sprintf("1.0.%d", i)),
				Steps: []hub.Step{{To: hub.Validating}, {To: hub.Scanning}, {To: hub.Published}}})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkImportUnchanged(b *testing.B) {
	both(b, func(b *testing.B, s *sqlstore.Store) {
		srv := newServer(1)
		v := newVersion(srv, "1.0.0")
		v.State, v.Mirrored = hub.Published, true
		for b.Loop() {
			if _, err := s.Import(context.Background(), srv, v, hub.Event{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkImport(b *testing.B) {
	run := func(b *testing.B, s *sqlstore.Store) {
		for i := 0; b.Loop(); i++ {
			srv := newServer(i / 4)
			v := newVersion(srv, fmt.Sprintf("1.%d.0", i%4))
			v.State, v.Mirrored = hub.Published, true
			if _, err := s.Import(context.Background(), srv, v, hub.Event{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	both(b, run)
	b.Run("relaxed", func(b *testing.B) {
		opts := quiet
		opts.Relaxed = true
		s, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(b.TempDir(), "hub.db"), opts)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		run(b, s)
	})
}
