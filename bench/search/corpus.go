package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
)

// entry is one server of the corpus.
type entry struct {
	Name         hub.Name         `json:"name"`
	Title        string           `json:"title"`
	Description  string           `json:"description"`
	Keywords     []string         `json:"keywords"`
	Categories   []string         `json:"categories"`
	Capabilities []hub.Capability `json:"capabilities"`
	PackageTypes []string         `json:"packageTypes"`
	Transports   []string         `json:"transports"`
	Runtime      string           `json:"runtime"`
	License      string           `json:"license"`
	Score        int              `json:"score"`
	Readme       string           `json:"readme"`
}

// readLines decodes a file of one JSON value a line.
func readLines[T any](path string) ([]T, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []T
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		out = append(out, v)
	}
	return out, lines.Err()
}

// bench is a store with the corpus in it, and search over it.
type bench struct {
	engines
	store   *sqlstore.Store
	service map[string]*search.Service // by mode
	dir     string
}

// open puts the corpus into a store of its own and fills the engines from it.
func open(ctx context.Context, dir string, e engines) (*bench, error) {
	corpus, err := readLines[entry](filepath.Join(dir, "corpus.jsonl"))
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "search-bench-")
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(tmp, "hub.db"), sqlstore.Options{Log: quiet, Relaxed: true})
	if err != nil {
		return nil, err
	}
	b := &bench{engines: e, store: store, dir: tmp, service: map[string]*search.Service{}}
	for _, c := range corpus {
		if err := b.add(ctx, c); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	b.service[words] = search.New(search.Config{Store: store, Index: e.index, Known: e.known, Log: quiet, Worker: words})
	b.service[hybrid] = search.New(search.Config{Store: store, Index: e.index, Vectors: e.vectors, Embedder: e.embedder, Known: e.known, Speaks: e.known, Log: quiet, Worker: hybrid})
	return b, b.service[hybrid].Reindex(ctx)
}

func (b *bench) close() {
	b.store.Close()
	os.RemoveAll(b.dir)
}

func (b *bench) add(ctx context.Context, c entry) error {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	facts := hub.LatestFacts{PackageTypes: c.PackageTypes, Transports: c.Transports, Runtime: c.Runtime, Tools: len(c.Capabilities)}
	srv := &hub.Server{ID: newID(uuid.NameSpaceURL, c.Name), Name: c.Name, Title: c.Title, Description: c.Description,
		Keywords: c.Keywords, Categories: c.Categories, License: c.License, Score: c.Score, Origin: "https://catalogue.example"}
	v := &hub.Version{ID: newID(uuid.NameSpaceDNS, c.Name), ServerID: srv.ID, Name: c.Name, Version: "1.0.0", State: hub.Published,
		Format: hub.FormatMCP, Manifest: []byte("{}"), ServerJSON: []byte("{}"), Readme: c.Readme, Capabilities: c.Capabilities, Facts: facts,
		Mirrored: true, CreatedAt: at, PublishedAt: at}
	_, err := b.store.Import(ctx, srv, v, hub.Event{})
	return err
}

// writeLines writes one value a line.
func writeLines[T any](path string, list []T) error {
	var b bytes.Buffer
	for _, v := range list {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
