package oci

import (
	"context"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
)

// usages remembers how many bytes each namespace has: measured, and what was added since. Measuring reads the whole
// folder of a namespace, so it is done anew after a minute, and before anything is refused.
type usages struct {
	mu   sync.Mutex
	kept map[string]*measured
}

type measured struct {
	bytes int64
	at    time.Time
}

// fresh is how long a measure is good: other hubs on the same storage may add to a namespace too.
const fresh = time.Minute

func (u *usages) of(namespace string, now time.Time) (int64, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := u.kept[namespace]
	if m == nil || now.Sub(m.at) > fresh {
		return 0, false
	}
	return m.bytes, true
}

func (u *usages) set(namespace string, bytes int64, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.kept == nil || len(u.kept) >= maxKnown {
		u.kept = map[string]*measured{}
	}
	u.kept[namespace] = &measured{bytes: bytes, at: now}
}

func (u *usages) grow(namespace string, n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := u.kept[namespace]; m != nil {
		m.bytes += n
	}
}

func (u *usages) forget(namespace string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.kept, namespace)
}

// room fails with both figures unless a namespace may have n bytes more.
func (s *Service) room(ctx context.Context, namespace string, n int64) error {
	if s.Quota <= 0 {
		return nil
	}
	used, ok := s.usage.of(namespace, s.Now())
	if ok && used+n <= s.Quota {
		return nil
	}
	used, err := s.measure(ctx, namespace)
	if err != nil {
		return err
	}
	s.usage.set(namespace, used, s.Now())
	if used+n <= s.Quota {
		return nil
	}
	return problemf(denied, "the images of %s have %s of the %s that a namespace may have here, and %s more do not fit; "+
		"delete images that are not needed any more, or ask an administrator of this hub", spelled(namespace), size(used), size(s.Quota), size(n))
}

// spelled is a namespace as people write it.
func spelled(namespace string) string {
	name := hub.Name(namespace + "/x").String()
	return name[:len(name)-len("/x")]
}

// size writes bytes for people, in binary units.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// measure adds up the bytes of a namespace: each blob once, however many of its repositories have it, and what is
// being uploaded.
func (s *Service) measure(ctx context.Context, namespace string) (int64, error) {
	total, seen := int64(0), map[digest.Digest]bool{}
	err := layout.RepositoriesIn(ctx, s.Storage, namespace, func(name string) error {
		for _, folder := range []string{layout.Layers(name), layout.Revisions(name)} {
			digests, err := layout.Digests(ctx, s.Storage, folder)
			if err != nil {
				return err
			}
			for _, d := range digests {
				if seen[d] {
					continue
				}
				seen[d] = true
				n, err := s.stored(ctx, d)
				if err != nil {
					return err
				}
				total += n
			}
		}
		n, err := s.uploading(ctx, name)
		total += n
		return err
	})
	return total, err
}

// stored returns the size of a blob, 0 when it is not there.
func (s *Service) stored(ctx context.Context, d digest.Digest) (int64, error) {
	info, err := s.Storage.Stat(ctx, layout.Blob(d))
	if layout.Missing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// uploading returns the bytes of a repository's unfinished uploads.
func (s *Service) uploading(ctx context.Context, name string) (int64, error) {
	ids, err := layout.Names(ctx, s.Storage, layout.Uploads(name))
	total := int64(0)
	for _, id := range ids {
		if received, ok := s.busy.Load(id); ok {
			total += received.(*atomic.Int64).Load() // nothing else is in it
			continue
		}
		err := s.Storage.Walk(ctx, layout.Upload(name, id), func(f driver.FileInfo) error {
			switch base := path.Base(f.Path()); {
			case f.IsDir() && base == "hashstates":
				return driver.ErrSkipDir
			case !f.IsDir() && base != "startedat":
				total += f.Size()
			}
			return nil
		})
		if err != nil && !layout.Missing(err) { // it ended in between
			return 0, err
		}
	}
	return total, err
}

// Usage is what a namespace has of images.
type Usage struct {
	Namespace    string // as people write it
	Repositories int
	Tags         int
	Bytes        int64 // each blob once; uploads that are not finished count
	Quota        int64 // 0 for no limit
}

// UsageOf measures a namespace. Errors: those of MayPushImages, as what is not public counts too.
func (s *Service) UsageOf(ctx context.Context, actor hub.Actor, namespace string) (*Usage, error) {
	namespace, err := hub.ParseScope(namespace)
	if err != nil {
		return nil, err
	}
	if err := s.Catalogue.MayPushImages(actor, namespace); err != nil {
		return nil, err
	}
	u := &Usage{Namespace: spelled(namespace), Quota: s.Quota}
	err = layout.RepositoriesIn(ctx, s.Storage, namespace, func(name string) error {
		tags, err := layout.Names(ctx, s.Storage, layout.Tags(name))
		u.Repositories++
		u.Tags += len(tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	u.Bytes, err = s.measure(ctx, namespace)
	return u, err
}

// Namespaces returns those that have images, sorted.
func (s *Service) Namespaces(ctx context.Context) ([]string, error) {
	return layout.Names(ctx, s.Storage, layout.Repositories)
}
