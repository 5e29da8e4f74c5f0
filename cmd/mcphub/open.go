package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/backend/bleveindex"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/localvec"
	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/backend/opensearch"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/backend/weaviate"
	"github.com/mcphub/mcphub/internal/embed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

// now is the clock of the program.
func now() time.Time { return time.Now().UTC() }

// databaseFile is where a hub with nothing configured keeps its records, in its data directory.
const databaseFile = "mcphub.db"

// targets are what the settings of the engines mean: what was set, and in the data directory what was not.
func (c *config) targets() (database, blobs, search, vectors string) {
	at := func(name string) string { return filepath.Join(c.Data, name) }
	dir, err := filepath.Abs(at("blobs")) // a file URL has no relative path
	if err != nil {
		dir = at("blobs") // there is no working directory; what is relative fails when it is opened
	}
	return cmp.Or(c.Database, "sqlite:"+at(databaseFile)), cmp.Or(c.Blobs, "file://"+filepath.ToSlash(dir)), cmp.Or(c.Search, "bleve:"+at("index")), cmp.Or(c.Vectors, "local:"+at("vectors"))
}

// openStore opens the database. SQLite lives in the data directory unless a URL says otherwise.
// relaxed does not wait for the disk at each commit: for work that can be done again.
func openStore(ctx context.Context, c *config, log *slog.Logger, relaxed bool) (*sqlstore.Store, error) {
	target, _, _, _ := c.targets()
	if c.Database == "" {
		if err := makeData(c.Data); err != nil {
			return nil, err
		}
	}
	switch scheme, _, _ := strings.Cut(target, ":"); scheme {
	case "sqlite", "postgres", "postgresql":
	default:
		return nil, noBackend("database", target, "sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME")
	}
	return sqlstore.Open(ctx, target, sqlstore.Options{Now: now, Log: log, Relaxed: relaxed})
}

func openBlobs(ctx context.Context, c *config) (*blobstore.Store, error) {
	_, target, _, _ := c.targets()
	switch scheme, _, _ := strings.Cut(target, ":"); scheme {
	case "file", "mem":
	default:
		return nil, noBackend("blobs", target, "file:///DIR, mem://")
	}
	return blobstore.Open(ctx, target)
}

// textEngine and vectorEngine are what search stands on.
type textEngine interface {
	hub.Index
	io.Closer
}

type vectorEngine interface {
	hub.Vectors
	io.Closer
}

// openIndex opens what is found by words. The name is that of an engine that several hubs share, "" for one of this
// process.
func openIndex(c *config) (engine textEngine, name string, err error) {
	_, _, target, _ := c.targets()
	switch scheme, dir, _ := strings.Cut(target, ":"); scheme {
	case "bleve":
		x, err := bleveindex.Open(dir)
		if err != nil {
			return nil, "", err
		}
		return x, "", nil
	case "opensearch", "opensearchs", "elasticsearch", "elasticsearchs":
		x, err := opensearch.Open(c.Search)
		if err != nil {
			return nil, "", err
		}
		return x, x.Name(), nil
	}
	return nil, "", noBackend("search", c.Search, "bleve:DIR, opensearch://HOST:PORT[,HOST:PORT]/NAME, elasticsearch://HOST:PORT/NAME")
}

// openVectors opens what is found by meaning; nil when it is turned off. The name is as in openIndex.
func openVectors(c *config) (engine vectorEngine, name string, err error) {
	_, _, _, target := c.targets()
	switch scheme, dir, _ := strings.Cut(target, ":"); scheme {
	case "none":
		return nil, "", nil
	case "local":
		x, err := localvec.Open(dir)
		if err != nil {
			return nil, "", err
		}
		return x, "", nil
	case "weaviate", "weaviates":
		x, err := weaviate.Open(c.Vectors)
		if err != nil {
			return nil, "", err
		}
		return x, x.Name(), nil
	}
	return nil, "", noBackend("vectors", c.Vectors, "local:DIR, weaviate://HOST:PORT/NAME, none")
}

// openEmbedder opens the model that turns texts into vectors: the built-in one unless a setting names another.
func openEmbedder(c *config, builtIn *embed.Static) (hub.Embedder, error) {
	if c.Embedding == "" {
		return builtIn, nil
	}
	base, model, ok := strings.Cut(c.Embedding, "#")
	if !ok || model == "" {
		return nil, hub.Errorf(hub.Invalid, "embedding %q names no model", c.Embedding).WithHint("write https://HOST/v1#MODEL")
	}
	// The operator named this address, which is often on this machine or its network.
	client := source.NewClient(source.GuardOptions{AllowPrivate: true})
	return embed.NewRemote(embed.RemoteOptions{URL: base, Model: model, Key: c.EmbeddingKey, Client: client})
}

// openCache makes the cache of pages and answers, the one of searches, and the limiter.
func openCache(c *config) (all, searches hub.Cache, limiter hub.Limiter, err error) {
	scheme, size, _ := strings.Cut(c.Cache, ":")
	if scheme != "memory" {
		return nil, nil, nil, noBackend("cache", c.Cache, "memory:SIZE, such as memory:32MiB")
	}
	n, err := parseSize(size)
	if err != nil {
		return nil, nil, nil, err
	}
	share := n * 3 / 8
	return memcache.NewCache(n-share, time.Now), memcache.NewCache(share, time.Now), memcache.NewLimiter(100_000, time.Now), nil
}

func noBackend(setting, value, works string) error {
	scheme, _, _ := strings.Cut(value, ":")
	return hub.Errorf(hub.Invalid, "%s: this version cannot stand on %q", setting, scheme).WithHint("use %s", works)
}

// parseSize reads "32MiB", "1GiB" or a number of bytes.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "KMGiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift, ok := map[string]int{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[s[len(digits):]]
	if err != nil || !ok || n <= 0 || n > 1<<40 {
		return 0, hub.Errorf(hub.Invalid, "%q is not a size", s).WithHint("write it like 32MiB")
	}
	return n << shift, nil
}

// parseQuota is parseSize for what may be 0, which is no limit.
func parseQuota(s string) (int64, error) {
	if s == "0" {
		return 0, nil
	}
	n, err := parseSize(s)
	if err != nil {
		return 0, hub.Errorf(hub.Invalid, "image-quota %q is not a size", s).WithHint("write it like 10GiB, or 0 for no limit")
	}
	return n, nil
}

func makeData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return hub.Errorf(hub.Unavailable, "cannot make the data directory %s: %v", dir, err).WithHint("choose another with --data DIR")
	}
	return nil
}

// newLog makes the log on standard error.
func newLog(c *config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, hub.Errorf(hub.Invalid, "log-level %q is not one of debug, info, warn, error", c.LogLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, opts)), nil
	}
	return nil, hub.Errorf(hub.Invalid, "log-format %q is not one of text, json", c.LogFormat)
}
