// Package sweep takes away what no image needs any more, beside a hub, or several, that go on working. A room of its
// own because it trusts nothing but the storage: what it does has to hold whoever else writes there.
//
// First it learns what is needed: manifests that have a tag, that a version names, or that are young, what they name,
// and what is about them. Links to anything else go, when they are old. Blobs without a link are moved to the trash,
// not removed: an upload that found one there the moment before may be linking it. After a pause everything is read
// again; what has a link by then comes back, and the links that manifests of the meantime need are made again.
package sweep

import (
	"context"
	"fmt"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

// Grace is how long what nothing needs is kept: an upload may take hours, and its manifest comes last.
const Grace = 24 * time.Hour

// Settle is how long a request may take between finding a blob and linking it.
const Settle = 15 * time.Second

// Config is what a Sweeper is made from.
type Config struct {
	Storage driver.StorageDriver
	// Held returns the manifests of a repository that versions need.
	Held   func(ctx context.Context, repository string) ([]digest.Digest, error)
	Now    func() time.Time
	Grace  time.Duration // youngest age of what goes
	Settle time.Duration // pause before the trash is emptied
	Dry    bool          // count, and leave everything
}

// Report counts what was removed, or in a dry run what would be.
type Report struct {
	Repositories int   // looked through
	Uploads      int   // abandoned
	Manifests    int   // of repositories
	Layers       int   // links of repositories to blobs
	Blobs        int   // gone from the storage
	Bytes        int64 // of those blobs
	Restored     int   // blobs and links that were asked for again in the meantime
}

// sweeper is one run.
type sweeper struct {
	Config
	start  time.Time
	report Report
	linked map[digest.Digest]bool // blobs that a repository has after this run
}

// Run sweeps once. What it fails at is left for the next run.
func Run(ctx context.Context, c Config) (*Report, error) {
	s := &sweeper{Config: c, start: c.Now(), linked: map[digest.Digest]bool{}}
	err := layout.RepositoriesIn(ctx, s.Storage, "", func(name string) error {
		if err := s.repository(ctx, name); err != nil {
			return fmt.Errorf("sweep %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return &s.report, err // nothing is removed while it is not known what is needed
	}
	if s.Dry {
		return &s.report, s.countBlobs(ctx)
	}
	if err := s.discard(ctx); err != nil {
		return &s.report, err
	}
	left, err := layout.Digests(ctx, s.Storage, layout.Trash)
	if err != nil || len(left) == 0 {
		return &s.report, err
	}
	if err := s.pause(ctx); err != nil {
		return &s.report, err
	}
	return &s.report, s.settle(ctx, left)
}

// pause waits until requests that were under way when blobs were moved have linked theirs. What is in the trash may
// have been put there by another run just now, so it does not matter whether this one moved any.
func (s *sweeper) pause(ctx context.Context) error {
	timer := time.NewTimer(s.Settle)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// old reports whether a file has been there for longer than the grace. One that is gone is not.
func (s *sweeper) old(ctx context.Context, path string) (bool, error) {
	info, err := s.Storage.Stat(ctx, path)
	if layout.Missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return s.start.Sub(info.ModTime()) >= s.Grace, nil
}

// drop removes a file or folder, unless this is a dry run.
func (s *sweeper) drop(ctx context.Context, path string) error {
	if s.Dry {
		return nil
	}
	if err := s.Storage.Delete(ctx, path); !layout.Missing(err) {
		return err
	}
	return nil
}
