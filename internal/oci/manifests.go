package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3"
	_ "github.com/distribution/distribution/v3/manifest/manifestlist" // the kinds of manifest that are understood
	_ "github.com/distribution/distribution/v3/manifest/ocischema"
	_ "github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

// parseReference reads the last part of a manifest's path: a digest, or a tag.
func parseReference(q *request) (tag string, dgst digest.Digest, err error) {
	if strings.Contains(q.ref, ":") {
		dgst, err = parseDigest(q.ref)
		return "", dgst, err
	}
	if _, err := reference.WithTag(q.repository, q.ref); err != nil {
		return "", "", problemf(tagInvalid, "%q is no tag: use up to 128 letters, digits, '_', '.' and '-', beginning with a letter, digit or '_'", short(q.ref))
	}
	return q.ref, "", nil
}

// getManifest answers GET and HEAD of a manifest.
func (s *Service) getManifest(w http.ResponseWriter, r *http.Request, q *request) error {
	if _, err := s.authorize(r, q, pull); err != nil {
		return err
	}
	ctx := r.Context()
	repo, err := s.images.Repository(ctx, q.repository)
	if err != nil {
		return err
	}
	tag, dgst, err := parseReference(q)
	if err != nil {
		return err
	}
	if tag != "" {
		desc, err := repo.Tags(ctx).Get(ctx, tag)
		if err != nil {
			return err
		}
		dgst = desc.Digest
	}
	known, err := s.known(ctx, q.namespace)
	if err != nil {
		return err
	}
	bad, err := s.inQuarantine(ctx, known, q.name)
	if err != nil {
		return err
	}
	if by, ok := bad[dgst]; ok {
		return problemf(denied, "%s:%s belongs to %s, which is quarantined; choose another version", q.name, q.ref, by.label)
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return err
	}
	m, err := manifests.Get(ctx, dgst)
	if err != nil {
		return err
	}
	kind, payload, err := m.Payload()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Docker-Content-Digest", dgst.String())
	h.Set("Etag", `"`+dgst.String()+`"`)
	if r.Header.Get("If-None-Match") == h.Get("Etag") {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(payload)))
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = w.Write(payload) // a client that is gone reads nothing
	return nil
}

// putManifest answers PUT: it stores a manifest, and gives it a tag when the path has one.
func (s *Service) putManifest(w http.ResponseWriter, r *http.Request, q *request) error {
	c, err := s.authorize(r, q, push)
	if err != nil {
		return err
	}
	tag, want, err := parseReference(q)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(s.body(w, r, layout.MaxManifest))
	if err != nil {
		return err
	}
	dgst := digest.FromBytes(body)
	if tag == "" && want != dgst {
		return problemf(digestInvalid, "the manifest is %s, and the path says %s", dgst, want)
	}
	kind := r.Header.Get("Content-Type")
	m, desc, err := distribution.UnmarshalManifest(kind, body)
	if err != nil {
		return &problem{code: manifestInvalid, message: "this is no manifest of the kind " + strconv.Quote(short(kind)) + ": " + short(err.Error()), cause: err}
	}
	if _, err := layout.ReadReferences(body); err != nil {
		return &problem{code: manifestInvalid, message: err.Error(), cause: err}
	}
	if err := s.room(r.Context(), q.namespace, int64(len(body))); err != nil {
		return err
	}
	lock := s.locks.of(q.name)
	lock.Lock()
	defer lock.Unlock()
	ctx := context.WithoutCancel(r.Context()) // manifest and tag belong together
	if tag != "" {
		if err := s.mayTag(ctx, q, tag, dgst); err != nil {
			return err
		}
	}
	if err := s.store(ctx, q, m, tag, desc); err != nil {
		return err
	}
	s.usage.grow(q.namespace, int64(len(body)))
	s.Log.InfoContext(ctx, "image pushed", "account", c.AccountID, "repository", q.name, "tag", tag, "digest", dgst)
	created(w, q, "manifests", dgst)
	return nil
}

func (s *Service) store(ctx context.Context, q *request, m distribution.Manifest, tag string, desc v1.Descriptor) error {
	repo, err := s.images.Repository(ctx, q.repository)
	if err != nil {
		return err
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return err
	}
	if _, err := manifests.Put(ctx, m); err != nil {
		return unfitManifest(err)
	}
	if tag == "" {
		return nil
	}
	return repo.Tags(ctx).Tag(ctx, tag, desc)
}

// unfitManifest tells which blob a manifest needs and the repository does not have.
func unfitManifest(err error) error {
	var all distribution.ErrManifestVerification
	if !errors.As(err, &all) {
		return err
	}
	for _, e := range all {
		var blob distribution.ErrManifestBlobUnknown
		if errors.As(e, &blob) {
			return &problem{code: manifestBlobUnknown, message: "the manifest names " + blob.Digest.String() + ", which was not pushed to this repository", cause: err}
		}
	}
	return &problem{code: manifestInvalid, message: "the manifest cannot be taken: " + short(all.Error()), cause: err}
}

// mayTag fails when a tag belongs to a published version and stands for another manifest.
func (s *Service) mayTag(ctx context.Context, q *request, tag string, dgst digest.Digest) error {
	u, err := s.fresh(ctx, q.namespace)
	if err != nil {
		return err
	}
	by, ok := u.tags[q.name][tag]
	if !ok {
		return nil
	}
	now, err := layout.ReadTag(ctx, s.Storage, q.name, tag)
	if layout.Missing(err) || err == nil && now == dgst {
		return nil
	}
	if err != nil {
		return err
	}
	return problemf(denied, "the tag %s of %s belongs to %s, which is published, so it stays %s; push the new image under another tag, and publish a new version with it",
		tag, q.name, by.label, now)
}

// deleteManifest answers DELETE: of a tag the tag, of a digest the manifest and its tags.
func (s *Service) deleteManifest(w http.ResponseWriter, r *http.Request, q *request) error {
	c, err := s.authorize(r, q, remove)
	if err != nil {
		return err
	}
	tag, dgst, err := parseReference(q)
	if err != nil {
		return err
	}
	lock := s.locks.of(q.name)
	lock.Lock()
	defer lock.Unlock()
	ctx := context.WithoutCancel(r.Context())
	u, err := s.fresh(ctx, q.namespace)
	if err != nil {
		return err
	}
	repo, err := s.images.Repository(ctx, q.repository)
	if err != nil {
		return err
	}
	if tag != "" {
		err = s.untag(ctx, u, repo, q, tag)
	} else {
		err = s.forgetManifest(ctx, u, repo, q, dgst)
	}
	if err != nil {
		return err
	}
	s.usage.forget(q.namespace)
	s.Log.InfoContext(ctx, "image deleted", "account", c.AccountID, "repository", q.name, "reference", q.ref)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (s *Service) untag(ctx context.Context, u *uses, repo distribution.Repository, q *request, tag string) error {
	if by, ok := u.tags[q.name][tag]; ok {
		return stays(by, "the tag "+tag)
	}
	tags := repo.Tags(ctx)
	if _, err := tags.Get(ctx, tag); err != nil {
		return err
	}
	return tags.Untag(ctx, tag)
}

func (s *Service) forgetManifest(ctx context.Context, u *uses, repo distribution.Repository, q *request, dgst digest.Digest) error {
	held, err := s.held(ctx, u, q.name, nil)
	if err != nil {
		return err
	}
	if by, ok := held[dgst]; ok {
		return stays(by, dgst.String())
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return err
	}
	err = manifests.Delete(ctx, dgst)
	if errors.Is(err, distribution.ErrBlobUnknown) {
		return problemf(manifestUnknown, "%s has no manifest %s", q.name, dgst)
	}
	if err != nil {
		return err
	}
	tags := repo.Tags(ctx)
	named, err := tags.Lookup(ctx, v1.Descriptor{Digest: dgst})
	for _, tag := range named {
		err = errors.Join(err, tags.Untag(ctx, tag))
	}
	return err
}

func stays(by use, what string) error {
	return problemf(denied, "%s belongs to %s, which is published, so it stays; withdraw the version with mcpm unpublish, or yank it and leave the image", what, by.label)
}
