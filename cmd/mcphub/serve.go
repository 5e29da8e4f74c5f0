package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/api"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/source"
	"github.com/mcphub/mcphub/internal/web"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
)

const anonymousHelp = auth.AnonymousNamespace

func newServe() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Start the hub", Args: cobra.NoArgs,
		Long: `Start the hub. Without settings everything is embedded in ./data: SQLite, a directory of bundles, a
search index, a cache in memory. Each flag is also a variable (MCPHUB_BASE_URL) and a line in
DATA/mcphub.yaml (base-url: ...).`,
		Example: `  mcphub serve
  mcphub serve --addr :8080 --base-url https://hub.example.com
  mcphub serve --database postgres://hub@db.example.com/hub --role web`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
}

// hubProgram is a running hub and what has to be closed after it.
type hubProgram struct {
	config   *config
	log      *slog.Logger
	store    *sqlstore.Store
	checks   map[string]hub.Pinger // the parts without which the hub does not work
	registry *registry.Service
	search   *search.Service
	auth     *auth.Service
	blobs    *blobstore.Store
	images   *oci.Service
	closers  []io.Closer
}

// serve runs the hub until ctx ends, then finishes what it answers.
func serve(ctx context.Context, c *config, out io.Writer) error {
	log, err := newLog(c)
	if err != nil {
		return err
	}
	stopLimit := limitMemory()
	defer stopLimit()
	p, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer p.close()
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return hub.Errorf(hub.Unavailable, "cannot listen on %s: %v", c.Addr, err).WithHint("choose another address with --addr HOST:PORT")
	}
	handler, err := p.handler(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ReadTimeout: 15 * time.Minute, WriteTimeout: 15 * time.Minute, // large bundles over slow lines; headers are bounded above
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { p.registry.Run(work, c.Role != "web") })
	wg.Go(func() { p.search.Run(work) })
	if c.Role != "web" {
		wg.Go(func() { p.images.Run(work) })
	}
	defer wg.Wait()
	defer stopWork()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()                                                           // when it could not be shut down
	if err := p.greet(ctx, out, listener.Addr()); err != nil && ctx.Err() == nil { // asked to end meanwhile: it ends below
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping; finishing what is being answered")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return fmt.Errorf("some requests were cut off: %w", err)
	}
	return nil
}

// open opens every part, and fills a new hub.
func open(ctx context.Context, c *config, log *slog.Logger) (*hubProgram, error) {
	p := &hubProgram{config: c, log: log}
	err := p.openParts(ctx)
	if err == nil && c.Starter {
		err = p.fill(ctx)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *hubProgram) openParts(ctx context.Context) error {
	c := p.config
	if err := makeData(c.Data); err != nil {
		return err
	}
	unlock, err := lockData(c.Data)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, unlock)
	instance, err := instanceID(c.Data)
	if err != nil {
		return err
	}
	if p.store, err = openStore(ctx, c, p.log, false); err != nil {
		return err
	}
	p.closers = append(p.closers, p.store)
	if p.blobs, err = openBlobs(ctx, c); err != nil {
		return err
	}
	p.checks = map[string]hub.Pinger{"database": p.store, "blobs": blobPing{p.blobs}}
	p.registry = registry.New(registry.Config{Store: p.store, Blobs: p.blobs, Log: p.log, Now: now, Worker: instance, MaxBytes: c.MaxBundle})
	if err := p.openSearch(instance); err != nil {
		return err
	}
	if err := p.registry.Reclaim(ctx); err != nil { // the data directory is locked: no other process has this name
		return err
	}
	p.auth, err = auth.New(ctx, p.store, now)
	return err
}

// openSearch opens both engines, and the search over them.
func (p *hubProgram) openSearch(instance string) error {
	index, name, err := openIndex(p.config)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, index)
	if name == "" { // the other hubs on a shared engine would be given up with this one, and publishing with them
		p.checks["search"] = countPing{index.Count}
	}
	c := search.Config{Store: p.store, Index: index, IndexName: name, Log: p.log, Worker: instance, Changed: p.registry.Changed}
	for _, h := range hosts.All() {
		c.Hosts = append(c.Hosts, h.ID)
	}
	model, err := embed.New()
	if err != nil {
		return err
	}
	c.Known = model.Knows
	if p.config.Embedding == "" {
		c.Speaks = model.Knows
	}
	vectors, name, err := openVectors(p.config)
	if err != nil {
		return err
	}
	if vectors != nil {
		p.closers = append(p.closers, vectors)
		c.Vectors, c.VectorsName = vectors, name
		if c.Embedder, err = openEmbedder(p.config, model); err != nil {
			return err
		}
	}
	if c.IndexName == "" && c.VectorsName == "" && p.config.Embedding == "" {
		c.AtOnce = runtime.GOMAXPROCS(0) // nothing is waited for, so more at once would only make all of them slow
	}
	p.search = search.New(c)
	return nil
}

func (p *hubProgram) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		if err := p.closers[i].Close(); err != nil {
			p.log.Error("closing", "error", err)
		}
	}
}

// fill imports the starter catalogue into a hub that has never had a server. Accounts and keys may be there already.
func (p *hubProgram) fill(ctx context.Context) error {
	servers, _, err := p.store.CountServers(ctx)
	if err != nil || servers > 0 {
		return err
	}
	for seq := int64(0); ; { // none is shown, but some may have been taken back
		events, err := p.store.EventsAfter(ctx, seq, 500)
		if err != nil || slices.ContainsFunc(events, func(e hub.Event) bool { return e.Action == hub.ActionServerCreated }) {
			return err
		}
		if len(events) == 0 {
			break
		}
		seq = events[len(events)-1].Seq
	}
	entries, err := source.Starter()
	if err != nil {
		return err
	}
	_, err = p.registry.Import(ctx, hub.System("starter"), entries)
	return err
}

func (p *hubProgram) handler(ctx context.Context) (http.Handler, error) {
	c := p.config
	cache, searches, limiter, err := openCache(c)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	client, err := api.ClientOf(c.TrustedProxies)
	if err != nil {
		return nil, err
	}
	p.images, err = openImages(c, p.blobs, oci.Config{Catalogue: p.registry, Auth: p.auth, Limiter: limiter, Settings: p.store, Log: p.log, Client: client})
	if err != nil {
		return nil, err
	}
	p.registry.AddStage(registry.Stage{Name: "images", State: hub.Scanning, Check: p.images.CheckVersion})
	play, err := p.openPlayground(ctx, p.blobs)
	if err != nil {
		return nil, err
	}
	pages := web.New(web.Config{Playground: play, TryAnyone: c.Playground == "everyone", Registry: p.registry, Search: p.search, Auth: p.auth, Cache: cache, Searches: searches, Limiter: limiter, Client: client, Now: now,
		BaseURL: c.BaseURL, Prefix: c.prefix, Version: programVersion(), Log: p.log})
	paths, forms := web.Paths()
	return api.New(api.Config{
		Registry: p.registry, Search: p.search, Auth: p.auth, Cache: cache, Searches: searches, Limiter: limiter, Log: p.log, Now: now, Metrics: reg,
		Checks:  p.checks,
		BaseURL: c.BaseURL, Prefix: c.prefix, Version: programVersion(), Commit: commit, Mcpm: c.mcpm(programVersion()), TrustedProxies: c.TrustedProxies,
		AllowAnonymous: c.AllowAnonymous, RateLimit: c.RateLimit, KeyRateLimit: c.KeyRateLimit, AccessLog: c.AccessLog,
		HealthOnly: c.Role == "worker", Images: p.images, ImageUsage: p.imageUsage, Pages: pages, PagePaths: paths, FormPaths: forms,
	})
}

// greet tells where the hub is, and how to become its first administrator.
func (p *hubProgram) greet(ctx context.Context, out io.Writer, addr net.Addr) error {
	base := p.config.BaseURL
	if strings.HasSuffix(base, ":0") { // the system chose the port
		base = "http://" + addr.String() + p.config.prefix
	}
	servers, versions, err := p.store.CountServers(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "mcphub %s is at %s\n", programVersion(), base)
	fmt.Fprintf(&b, "  catalogue   %s, %s, in %s\n", plural(servers, "server"), plural(versions, "version"), where(p.config))
	fmt.Fprintf(&b, "  API         %s/docs/api\n", base)
	secret, err := p.auth.SetupToken(ctx)
	if err != nil {
		return err
	}
	if secret != "" {
		fmt.Fprintf(&b, "  first admin %s/setup?token=%s   (once, within 24 h)\n", base, secret)
	}
	_, err = io.WriteString(out, b.String()) // at once: whoever reads it line by line sees all of it
	return err
}

func where(c *config) string {
	if c.Database != "" {
		return strings.Trim(shown(c.Database), `"`)
	}
	return c.Data
}

type blobPing struct{ blobs hub.Blobs }

// Ping fails when blobs cannot be read and written.
func (b blobPing) Ping(ctx context.Context) error { return b.blobs.Check(ctx) }

type countPing struct {
	count func(context.Context) (int64, error)
}

// Ping fails when the search engine does not answer.
func (p countPing) Ping(ctx context.Context) error {
	_, err := p.count(ctx)
	return err
}

// instanceID names this data directory in leases and cursors; it stays the same over restarts.
func instanceID(dir string) (string, error) {
	path := filepath.Join(dir, "instance")
	b, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", hub.Errorf(hub.Unavailable, "cannot read %s: %v", path, err)
	}
	id := uuid.NewString()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", hub.Errorf(hub.Unavailable, "cannot write %s: %v", path, err).WithHint("choose another directory with --data DIR")
	}
	return id, nil
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
