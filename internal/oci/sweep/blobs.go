package sweep

import (
	"context"
	"path"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

// eachUnlinked calls fn for each old blob that no repository has.
func (s *sweeper) eachUnlinked(ctx context.Context, fn func(d digest.Digest, f driver.FileInfo) error) error {
	err := s.Storage.Walk(ctx, layout.Blobs, func(f driver.FileInfo) error {
		if f.IsDir() || path.Base(f.Path()) != "data" || s.start.Sub(f.ModTime()) < s.Grace {
			return nil
		}
		d, ok := layout.DigestOf(path.Base(path.Dir(f.Path())))
		if !ok || s.linked[d] {
			return nil
		}
		return fn(d, f)
	})
	if layout.Missing(err) {
		return nil
	}
	return err
}

func (s *sweeper) countBlobs(ctx context.Context) error {
	return s.eachUnlinked(ctx, func(_ digest.Digest, f driver.FileInfo) error {
		s.report.Blobs++
		s.report.Bytes += f.Size()
		return nil
	})
}

// discard moves blobs that no repository has to the trash.
func (s *sweeper) discard(ctx context.Context) error {
	var all []digest.Digest // moved afterwards: what is walked must not change under the walk
	err := s.eachUnlinked(ctx, func(d digest.Digest, _ driver.FileInfo) error {
		all = append(all, d)
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := s.Storage.Move(ctx, layout.Blob(d), layout.Trashed(d)); err != nil && !layout.Missing(err) {
			return err
		}
	}
	return nil
}

// settle looks at all repositories again, repairs what was pushed in the meantime on what this run took away, and
// empties the trash of the rest.
func (s *sweeper) settle(ctx context.Context, trash []digest.Digest) error {
	trashed := map[digest.Digest]bool{}
	for _, d := range trash {
		trashed[d] = true
	}
	linked := map[digest.Digest]bool{}
	err := layout.RepositoriesIn(ctx, s.Storage, "", func(name string) error { return s.repair(ctx, name, trashed, linked) })
	if err != nil {
		return err // nothing is removed while it is not known what is needed
	}
	for _, d := range trash {
		if !trashed[d] {
			continue // back already
		}
		if linked[d] {
			if err := s.restore(ctx, d); err != nil {
				return err
			}
			continue
		}
		info, err := s.Storage.Stat(ctx, layout.Trashed(d))
		if layout.Missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.drop(ctx, layout.Trashed(d)); err != nil {
			return err
		}
		s.report.Blobs++
		s.report.Bytes += info.Size()
	}
	return nil
}

// restore brings a blob back, unless it was uploaded anew.
func (s *sweeper) restore(ctx context.Context, d digest.Digest) error {
	s.report.Restored++
	_, err := s.Storage.Stat(ctx, layout.Blob(d))
	switch {
	case err == nil:
		return s.drop(ctx, layout.Trashed(d))
	case !layout.Missing(err):
		return err
	}
	return s.Storage.Move(ctx, layout.Trashed(d), layout.Blob(d))
}

// repair notes what a repository has links to, and makes the links anew that manifests younger than this run need and
// lost to it.
func (s *sweeper) repair(ctx context.Context, name string, trashed, linked map[digest.Digest]bool) error {
	layers, err := layout.Digests(ctx, s.Storage, layout.Layers(name))
	if err != nil {
		return err
	}
	has := map[digest.Digest]bool{}
	for _, d := range layers {
		has[d], linked[d] = true, true
	}
	revisions, err := layout.Digests(ctx, s.Storage, layout.Revisions(name))
	if err != nil {
		return err
	}
	for _, d := range revisions {
		linked[d] = true
		info, err := s.Storage.Stat(ctx, layout.Revision(name, d))
		if layout.Missing(err) || err == nil && info.ModTime().Before(s.start.Add(-time.Minute)) {
			continue // the clocks of an object store and of this machine may differ a little
		}
		if err != nil {
			return err
		}
		if err := s.relink(ctx, name, d, has, linked, trashed); err != nil {
			return err
		}
	}
	return nil
}

// relink makes what a manifest names belong to its repository again.
func (s *sweeper) relink(ctx context.Context, name string, manifest digest.Digest, has, linked, trashed map[digest.Digest]bool) error {
	if trashed[manifest] {
		if err := s.restore(ctx, manifest); err != nil { // it is read below
			return err
		}
		delete(trashed, manifest)
	}
	refs, err := layout.LoadReferences(ctx, s.Storage, manifest)
	if layout.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, b := range refs.Blobs {
		if has[b] {
			continue
		}
		s.report.Restored++
		if err := s.Storage.PutContent(ctx, layout.Layer(name, b), []byte(b)); err != nil {
			return err
		}
		has[b], linked[b] = true, true
	}
	for _, m := range refs.Manifests {
		linked[m] = true
		_, err := s.Storage.Stat(ctx, layout.Revision(name, m))
		if err == nil {
			continue // with all it names: this run took nothing from it
		}
		if !layout.Missing(err) {
			return err
		}
		s.report.Restored++
		if err := s.Storage.PutContent(ctx, layout.Revision(name, m), []byte(m)); err != nil {
			return err
		}
		if err := s.relink(ctx, name, m, has, linked, trashed); err != nil {
			return err
		}
	}
	return nil
}
