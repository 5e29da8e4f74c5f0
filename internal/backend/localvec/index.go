package localvec

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

// Index is a hub.Vectors.
type Index struct {
	dir    string // "" in memory
	load   func() // begins to read, once
	loaded chan struct{}

	mu     sync.RWMutex
	err    error // why nothing works
	set    *set
	file   *logFile // nil in memory
	closed bool
}

var _ hub.Vectors = (*Index)(nil)

const (
	fileName = "vectors.log"
	// minStale is how many replaced or removed servers a file may hold before it is written anew.
	minStale = 1000
)

// Open opens the vectors in a directory, which is created; in memory when dir is empty. What is in
// it is read when it is first asked for, so that a start does not wait for it.
func Open(dir string) (*Index, error) {
	x := &Index{dir: dir, load: func() {}, loaded: make(chan struct{}), set: newSet()}
	if dir == "" {
		close(x.loaded)
		return x, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed("created", err)
	}
	x.load = sync.OnceFunc(func() {
		go func() {
			defer close(x.loaded)
			x.mu.Lock()
			defer x.mu.Unlock()
			x.file, x.err = openLog(filepath.Join(dir, fileName), x.set)
		}()
	})
	return x, nil
}

func failed(what string, err error) error {
	return hub.Errorf(hub.Unavailable, "the vectors cannot be %s", what).WithCause(err)
}

// ready waits until everything is read.
func (x *Index) ready(ctx context.Context) error {
	x.load()
	select {
	case <-x.loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// usable is called with mu held.
func (x *Index) usable() error {
	if x.closed {
		return failed("used: they are closed", nil)
	}
	return x.err
}

// Close closes the file.
func (x *Index) Close() error {
	x.load()
	<-x.loaded
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	if x.file == nil {
		return nil
	}
	return x.file.close()
}

// Put implements hub.Vectors.
func (x *Index) Put(ctx context.Context, docs []hub.VectorDoc) error {
	return x.change(ctx, func(s *set) ([]entry, error) {
		entries := make([]entry, len(docs))
		dims := s.dims
		for i, d := range docs {
			var err error
			if entries[i], err = newEntry(d, &dims); err != nil {
				return nil, err
			}
		}
		return entries, nil
	})
}

// Delete implements hub.Vectors.
func (x *Index) Delete(ctx context.Context, ids []string) error {
	return x.change(ctx, func(s *set) ([]entry, error) {
		var entries []entry
		for _, id := range ids {
			if _, ok := s.byID[id]; ok {
				entries = append(entries, entry{id: id, removed: true})
			}
		}
		return entries, nil
	})
}

// change writes entries to the file, then to memory.
func (x *Index) change(ctx context.Context, make func(*set) ([]entry, error)) error {
	if err := x.ready(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.usable(); err != nil {
		return err
	}
	entries, err := make(x.set)
	if err != nil || len(entries) == 0 {
		return err
	}
	if x.file != nil {
		if err := x.file.append(entries); err != nil {
			return err
		}
	}
	for _, e := range entries {
		x.set.apply(e)
	}
	if stale := x.set.stale; stale > minStale && stale > len(x.set.byID) {
		return x.compact()
	}
	return nil
}

// compact writes everything anew, in memory and on disk.
func (x *Index) compact() error {
	fresh := newSet()
	for e := range x.set.entries() {
		fresh.apply(e)
	}
	return x.replace(fresh)
}

// replace writes a set to a new file and takes it for the old one.
func (x *Index) replace(fresh *set) error {
	fresh.center()
	if x.dir != "" {
		file, err := writeLog(filepath.Join(x.dir, fileName), fresh)
		if err != nil {
			return err
		}
		_ = x.file.close() // it was replaced
		x.file = file
	}
	x.set = fresh
	return nil
}

// Rebuild implements hub.Vectors.
func (x *Index) Rebuild(ctx context.Context, fill func(put func(context.Context, []hub.VectorDoc) error) error) error {
	if err := x.ready(ctx); err != nil {
		return err
	}
	fresh, err := Open("")
	if err != nil {
		return err
	}
	if err := fill(fresh.Put); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return x.usable()
	}
	if x.file == nil && x.dir != "" {
		return x.err
	}
	return x.replace(fresh.set)
}

// Count implements hub.Vectors.
func (x *Index) Count(ctx context.Context) (int64, error) {
	if err := x.ready(ctx); err != nil {
		return 0, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	return int64(len(x.set.byID)), x.usable()
}

// Nearest implements hub.Vectors.
func (x *Index) Nearest(ctx context.Context, q hub.VectorQuery) ([]hub.Hit, error) {
	if q.Limit < 1 || q.Limit > hub.MaxSearch {
		return nil, hub.Errorf(hub.Invalid, "a search shows 1 to %d results, not %d", hub.MaxSearch, q.Limit)
	}
	if err := x.ready(ctx); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := x.usable(); err != nil {
		return nil, err
	}
	if len(x.set.byID) == 0 {
		return nil, nil
	}
	if len(q.Vector) != x.set.dims {
		return nil, hub.Errorf(hub.Invalid, "the vector has %d dimensions, the index has %d", len(q.Vector), x.set.dims)
	}
	return x.set.nearest(q), nil
}
