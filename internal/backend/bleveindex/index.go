package bleveindex

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	index "github.com/blevesearch/bleve_index_api"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	// schema changes whenever documents are made differently; an index of another one is rebuilt.
	schema    = "6"
	schemaKey = "mcphub-schema"
	folder    = "bleve" // inside the given directory, so that only what is ours is ever removed
	batchSize = 1000
)

// Index is a hub.Index.
type Index struct {
	mu      sync.RWMutex // held to write by Rebuild and Close
	index   bleve.Index
	columns *columns // of index
	orders  *orders  // of index
	numbers *numbers // of index
	scratch scratches
	dir     string // "" in memory
	rebuilt bool
	// largeFrom is how many documents make the index a large one.
	largeFrom uint64
	closed    bool
}

var _ hub.Index = (*Index)(nil)

// Open opens the index in a directory, which is created; in memory when dir is empty. An index that is
// broken, or that was made by another version of this package, is replaced by an empty one: Rebuilt tells,
// and the caller fills it again. Unavailable when another process has it open or the disk fails.
func Open(dir string) (*Index, error) {
	x := &Index{largeFrom: largeIndex, scratch: newScratches()}
	if dir == "" {
		return x, x.create()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed("created", err)
	}
	x.dir = filepath.Join(dir, folder)
	if _, err := os.Stat(x.dir); errors.Is(err, os.ErrNotExist) {
		return x, x.create()
	}
	why := x.load()
	if why == nil {
		return x, nil
	}
	if errors.Is(why, bolterrors.ErrTimeout) {
		return nil, hub.Errorf(hub.Unavailable, "the search index %q is open in another process", x.dir).
			WithHint("stop the other mcphub, or give this one another data directory").WithCause(why)
	}
	slog.Warn("the search index is rebuilt from the records", "dir", x.dir, "why", why)
	x.rebuilt = true
	if err := os.RemoveAll(x.dir); err != nil {
		return nil, failed("replaced", err)
	}
	return x, x.create()
}

// load opens what is there; any error means that it is of no use.
func (x *Index) load() (err error) {
	defer func() {
		if r := recover(); r != nil { // Bleve panics on some broken files
			err = fmt.Errorf("bleveindex: open: %v", r)
		}
	}()
	idx, err := bleve.OpenUsing(x.dir, map[string]any{"bolt_timeout": "3s"})
	if err != nil {
		return err
	}
	have, err := idx.GetInternal([]byte(schemaKey))
	if err == nil && string(have) != schema {
		err = fmt.Errorf("bleveindex: the index has schema %q, this program makes %q", have, schema)
	}
	if err != nil {
		idx.Close()
		return err
	}
	x.index, x.columns, x.orders, x.numbers = idx, new(columns), new(orders), newNumbers()
	return nil
}

func (x *Index) create() error {
	m := mapping.NewIndexMapping()
	m.ScoringModel = index.BM25Scoring
	m.DefaultMapping = mapping.NewDocumentDisabledMapping() // documents come ready, see newDocument
	idx, err := bleve.NewUsing(x.dir, m, scorch.Name, scorch.Name, map[string]any{"bolt_timeout": "3s"})
	if err != nil {
		return failed("created", err)
	}
	if err := idx.SetInternal([]byte(schemaKey), []byte(schema)); err != nil {
		idx.Close()
		return failed("created", err)
	}
	x.index, x.columns, x.orders, x.numbers = idx, new(columns), new(orders), newNumbers()
	return nil
}

// Rebuilt reports whether Open found an index it could not use and began an empty one.
func (x *Index) Rebuilt() bool { return x.rebuilt }

// Close writes what is left and closes the files.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed { // Bleve panics
		return nil
	}
	x.closed = true
	return x.index.Close()
}

// Put implements hub.Index.
func (x *Index) Put(ctx context.Context, docs []hub.Document) error {
	for len(docs) > 0 {
		n := min(len(docs), batchSize)
		part := docs[:n]
		docs = docs[n:]
		err := x.batch(ctx, func(b *bleve.Batch) error {
			for _, d := range part {
				if err := b.IndexAdvanced(newDocument(d)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete implements hub.Index.
func (x *Index) Delete(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return x.batch(ctx, func(b *bleve.Batch) error {
		for _, id := range ids {
			b.Delete(id)
		}
		return nil
	})
}

func (x *Index) batch(ctx context.Context, fill func(*bleve.Batch) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	b := x.index.NewBatch()
	if err := fill(b); err != nil {
		return failed("changed", err)
	}
	if err := x.index.Batch(b); err != nil {
		return failed("changed", err)
	}
	return nil
}

// Rebuild implements hub.Index. The new index is filled beside the old one and takes its place.
func (x *Index) Rebuild(ctx context.Context, fill func(put func(context.Context, []hub.Document) error) error) error {
	fresh := &Index{}
	if x.dir != "" {
		fresh.dir = x.dir + ".new"
		if err := os.RemoveAll(fresh.dir); err != nil {
			return failed("created", err)
		}
	}
	if err := fresh.create(); err != nil {
		return err
	}
	if err := fill(fresh.Put); err != nil {
		fresh.remove()
		return err
	}
	return x.replace(fresh)
}

// remove gives an index up.
func (x *Index) remove() {
	_ = x.Close() // what is removed need not be whole
	if x.dir != "" {
		_ = os.RemoveAll(x.dir) // Rebuild removes it again
	}
}

// replace takes the place of x's documents. Only the renaming keeps searches waiting.
func (x *Index) replace(fresh *Index) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		fresh.remove()
		return failed("replaced", bleve.ErrorIndexClosed)
	}
	old := x.index
	if x.dir == "" {
		x.index, x.columns, x.orders, x.numbers = fresh.index, fresh.columns, fresh.orders, fresh.numbers
		return old.Close()
	}
	if err := errors.Join(fresh.Close(), old.Close(), os.RemoveAll(x.dir)); err != nil {
		return failed("replaced", err)
	}
	if err := os.Rename(fresh.dir, x.dir); err != nil {
		return failed("replaced", err)
	}
	return x.load()
}

// Count implements hub.Index.
func (x *Index) Count(context.Context) (int64, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, err := x.index.DocCount()
	if err != nil {
		return 0, failed("counted", err)
	}
	return int64(n), nil
}

// failed maps an error of the engine; the context's own pass.
func failed(what string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return hub.Errorf(hub.Unavailable, "the search index cannot be %s", what).WithCause(err)
}
