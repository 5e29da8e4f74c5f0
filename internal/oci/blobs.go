package oci

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/mcphub/mcphub/internal/oci/sweep"
)

// getBlob answers GET and HEAD of a blob.
func (s *Service) getBlob(w http.ResponseWriter, r *http.Request, q *request) error {
	c, err := s.authorize(r, q, pull)
	if err != nil {
		return err
	}
	dgst, err := parseDigest(q.ref)
	if err != nil {
		return err
	}
	asks := r.Method == http.MethodHead && s.Catalogue.MayPushImages(c.Actor, q.namespace) == nil
	if !asks { // so that the version that mends the one in quarantine can be pushed
		if err := s.notInQuarantine(r.Context(), q, dgst); err != nil {
			return err
		}
	}
	repo, err := s.images.Repository(r.Context(), q.repository)
	if err != nil {
		return err
	}
	if asks {
		// Who may push asks so as not to send a blob again: it must not go as garbage before the manifest comes.
		if err := s.refresh(r.Context(), q.repository, dgst); err != nil {
			return err
		}
	}
	out := &movingWriter{ResponseWriter: w, moving: s.moves(w, (*http.ResponseController).SetWriteDeadline)}
	return repo.Blobs(r.Context()).ServeBlob(r.Context(), out, r, dgst)
}

// notInQuarantine fails for a blob of an image in quarantine that no other image of the repository that a version needs has, too.
func (s *Service) notInQuarantine(ctx context.Context, q *request, dgst digest.Digest) error {
	known, err := s.known(ctx, q.namespace)
	if err != nil {
		return err
	}
	bad, err := s.inQuarantine(ctx, known, q.name)
	if err != nil || len(bad) == 0 {
		return err
	}
	by, inBad, err := s.partOf(ctx, bad, dgst)
	if err != nil || !inBad {
		return err
	}
	good, err := s.held(ctx, known, q.name, func(by use) bool { return !by.quarantined })
	if err != nil {
		return err
	}
	for d := range bad { // what both name is bad
		delete(good, d)
	}
	if _, inGood, err := s.partOf(ctx, good, dgst); err != nil || inGood {
		return err
	}
	return problemf(denied, "%s is part of %s, which is quarantined; choose another version", dgst, by.label)
}

// partOf reports which of some manifests is a blob, or names it.
func (s *Service) partOf(ctx context.Context, manifests map[digest.Digest]use, dgst digest.Digest) (use, bool, error) {
	if by, ok := manifests[dgst]; ok {
		return by, true, nil
	}
	for d, by := range manifests {
		refs, err := layout.LoadReferences(ctx, s.Storage, d)
		if layout.Missing(err) {
			continue
		}
		if err != nil {
			return use{}, false, err
		}
		if slices.Contains(refs.Blobs, dgst) {
			return by, true, nil
		}
	}
	return use{}, false, nil
}

// refresh makes the link of a repository to a blob as young as if the blob had just been pushed, when it is on its
// way to being old enough to be taken for garbage.
func (s *Service) refresh(ctx context.Context, repository reference.Named, dgst digest.Digest) error {
	info, err := s.Storage.Stat(ctx, layout.Layer(repository.Name(), dgst))
	if layout.Missing(err) {
		return nil
	}
	if err != nil || time.Since(info.ModTime()) < sweep.Grace/2 {
		return err
	}
	return s.Storage.PutContent(ctx, layout.Layer(repository.Name(), dgst), []byte(dgst))
}

// mount links a blob of another repository that the caller may read, so that it need not be sent again. It reports
// false when there is no such blob, or the caller may not know of it; the blob is then uploaded.
func (s *Service) mount(r *http.Request, q *request, c *caller, from, dgst string) (digest.Digest, bool, error) {
	d, err := parseDigest(dgst)
	if err != nil {
		return "", false, err
	}
	source, namespace, err := parseName(from)
	if err != nil {
		return "", false, nil //nolint:nilerr // there is nothing to mount under a name that cannot be
	}
	ctx := r.Context()
	if may, err := s.mayPull(ctx, c.Actor, from, namespace); err != nil || !may {
		return "", false, err
	}
	repo, err := s.images.Repository(ctx, source)
	if err != nil {
		return "", false, err
	}
	desc, err := repo.Blobs(ctx).Stat(ctx, d)
	if err != nil {
		return "", false, nil //nolint:nilerr // the blob is then uploaded, which says what is wrong with the storage
	}
	if namespace != q.namespace {
		if err := s.room(ctx, q.namespace, desc.Size); err != nil {
			return "", false, err
		}
	}
	canonical, err := reference.WithDigest(source, d)
	if err != nil {
		return "", false, err
	}
	target, err := s.images.Repository(ctx, q.repository)
	if err != nil {
		return "", false, err
	}
	upload, err := target.Blobs(ctx).Create(ctx, storage.WithMountFrom(canonical))
	if mounted(err) {
		if namespace != q.namespace {
			s.usage.grow(q.namespace, desc.Size)
		}
		return d, true, nil
	}
	if err != nil {
		return "", false, err
	}
	return "", false, upload.Cancel(ctx) // the blob went in between
}
