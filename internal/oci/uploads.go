package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

func mounted(err error) bool {
	var m distribution.ErrBlobMounted
	return errors.As(err, &m)
}

// startUpload answers POST: it mounts a blob, takes a whole one, or starts an upload.
func (s *Service) startUpload(w http.ResponseWriter, r *http.Request, q *request) error {
	c, err := s.authorize(r, q, push)
	if err != nil {
		return err
	}
	ctx, query := r.Context(), r.URL.Query()
	if from, dgst := query.Get("from"), query.Get("mount"); from != "" && dgst != "" {
		d, ok, err := s.mount(r, q, c, from, dgst)
		if err != nil {
			return err
		}
		if ok {
			created(w, q, "blobs", d)
			return nil
		}
	}
	if err := s.room(ctx, q.namespace, max(0, r.ContentLength)); err != nil {
		return err
	}
	repo, err := s.images.Repository(ctx, q.repository)
	if err != nil {
		return err
	}
	upload, err := repo.Blobs(ctx).Create(ctx)
	if err != nil {
		return err
	}
	q.ref = upload.ID()
	_, done, err := s.occupy(ctx, q.ref)
	if err != nil {
		return err
	}
	defer done()
	if whole := query.Get("digest"); whole != "" {
		return s.finish(w, r, q, upload, whole)
	}
	if err := upload.Close(); err != nil {
		return err
	}
	progress(w, q, 0)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// created says where what was stored is.
func created(w http.ResponseWriter, q *request, kind string, d digest.Digest) {
	h := w.Header()
	h.Set("Location", "/v2/"+q.name+"/"+kind+"/"+d.String())
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
}

// progress says where an upload goes on, and how much of it is here.
func progress(w http.ResponseWriter, q *request, size int64) {
	h := w.Header()
	h.Set("Location", "/v2/"+q.name+"/blobs/uploads/"+q.ref)
	h.Set("Docker-Upload-UUID", q.ref)
	h.Set("Range", fmt.Sprintf("0-%d", max(0, size-1)))
	h.Set("Content-Length", "0")
}

// resume opens an upload for one request at a time; done gives it to the next.
func (s *Service) resume(r *http.Request, q *request) (upload distribution.BlobWriter, done func(), err error) {
	if _, err := s.authorize(r, q, push); err != nil {
		return nil, nil, err
	}
	id, err := uuid.Parse(q.ref)
	if err != nil || id.String() != q.ref {
		return nil, nil, distribution.ErrBlobUploadUnknown
	}
	received, done, err := s.occupy(r.Context(), q.ref)
	if err != nil {
		return nil, nil, err
	}
	repo, err := s.images.Repository(r.Context(), q.repository)
	if err == nil {
		// What was received of a body is kept when its sender goes, so that it can go on from there.
		ctx := context.WithoutCancel(r.Context())
		upload, err = repo.Blobs(ctx).Resume(ctx, q.ref)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	received.Store(upload.Size())
	return upload, done, nil
}

// How long a request waits for another one that writes to the same upload: a client that goes on after a cut may be
// here before the hub has noticed the cut.
const (
	occupiedWait = 5 * time.Second
	occupiedLook = 20 * time.Millisecond
)

// occupy takes an upload for one request. The counter is how many bytes of it are here, for the measure: what is still
// on its way to a bucket is not to be seen there.
func (s *Service) occupy(ctx context.Context, id string) (received *atomic.Int64, done func(), err error) {
	received = new(atomic.Int64)
	for end := time.Now().Add(occupiedWait); ; {
		if _, taken := s.busy.LoadOrStore(id, received); !taken {
			return received, func() { s.busy.Delete(id) }, nil
		}
		if time.Now().After(end) {
			return nil, nil, problemf(blobUploadInvalid, "another request is writing to this upload; wait for its end")
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(occupiedLook):
		}
	}
}

// uploadStatus answers GET: how much of an upload is here.
func (s *Service) uploadStatus(w http.ResponseWriter, r *http.Request, q *request) error {
	upload, done, err := s.resume(r, q)
	if err != nil {
		return err
	}
	defer done()
	size := upload.Size()
	if err := upload.Close(); err != nil {
		return err
	}
	progress(w, q, size)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// continueUpload answers PATCH: it adds to an upload.
func (s *Service) continueUpload(w http.ResponseWriter, r *http.Request, q *request) error {
	upload, done, err := s.resume(r, q)
	if err != nil {
		return err
	}
	defer done()
	err = s.receive(w, r, q, upload)
	size := upload.Size()
	err = errors.Join(err, upload.Close())
	if err != nil {
		return s.afterFailure(r, q, err)
	}
	progress(w, q, size)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// afterFailure removes an upload that can never end well, and keeps one that can go on.
func (s *Service) afterFailure(r *http.Request, q *request, err error) error {
	var p *problem
	var digest distribution.ErrBlobInvalidDigest
	if errors.As(err, &p) && p.code == denied || errors.As(err, &digest) || errors.Is(err, distribution.ErrBlobInvalidLength) {
		if e := s.Storage.Delete(context.WithoutCancel(r.Context()), layout.Upload(q.name, q.ref)); e != nil && !layout.Missing(e) {
			s.Log.ErrorContext(r.Context(), "an upload was not removed", "repository", q.name, "upload", q.ref, "error", e)
		}
		s.usage.forget(q.namespace)
	}
	return err
}

// receive writes the body of a request to an upload, as far as the namespace has room.
func (s *Service) receive(w http.ResponseWriter, r *http.Request, q *request, upload distribution.BlobWriter) error {
	if err := checkRange(r, upload.Size()); err != nil {
		return err
	}
	ctx := r.Context()
	if err := s.room(ctx, q.namespace, max(0, r.ContentLength)); err != nil {
		return err
	}
	received, _ := s.busy.Load(q.ref)
	from := &metered{Reader: s.body(w, r, max(0, maxBlob-upload.Size())), count: func(n int64) error {
		if err := s.room(ctx, q.namespace, n); err != nil {
			return err
		}
		s.usage.grow(q.namespace, n)
		received.(*atomic.Int64).Add(n) // put there by occupy, which every way to here goes through
		return nil
	}}
	n, err := upload.ReadFrom(from)
	if err != nil {
		return err
	}
	if r.ContentLength >= 0 && n != r.ContentLength {
		return problemf(sizeInvalid, "%d bytes were announced, and %d came", r.ContentLength, n)
	}
	return nil
}

// checkRange fails when a request says that its bytes go elsewhere than to the end of what is here.
func checkRange(r *http.Request, size int64) error {
	text := r.Header.Get("Content-Range")
	if text == "" {
		return nil
	}
	first, last, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "-")
	last, _, _ = strings.Cut(last, "/")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err1 != nil || err2 != nil || from > to {
		return problemf(rangeInvalid, "Content-Range %q is not of the form FIRST-LAST", short(text))
	}
	if from != size {
		return problemf(rangeInvalid, "the upload has %d bytes, and these begin at %d; ask for its status and go on from there", size, from)
	}
	if r.ContentLength >= 0 && to-from+1 != r.ContentLength {
		return problemf(sizeInvalid, "Content-Range %q and Content-Length %d do not agree", short(text), r.ContentLength)
	}
	return nil
}

// metered counts what is read before it is passed on.
type metered struct {
	io.Reader
	count func(n int64) error
}

// Read reads on, and fails when count does.
func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if n > 0 {
		if e := m.count(int64(n)); e != nil {
			return 0, e
		}
	}
	return n, err
}

// finishUpload answers PUT: it takes the rest of an upload, if any, and checks the whole.
func (s *Service) finishUpload(w http.ResponseWriter, r *http.Request, q *request) error {
	upload, done, err := s.resume(r, q)
	if err != nil {
		return err
	}
	defer done()
	return s.finish(w, r, q, upload, r.URL.Query().Get("digest"))
}

func (s *Service) finish(w http.ResponseWriter, r *http.Request, q *request, upload distribution.BlobWriter, text string) error {
	dgst, err := parseDigest(text)
	if err == nil {
		err = s.receive(w, r, q, upload)
	}
	if err != nil {
		return s.afterFailure(r, q, errors.Join(err, upload.Close()))
	}
	ctx := context.WithoutCancel(r.Context())
	if _, err := upload.Commit(ctx, v1.Descriptor{Digest: dgst}); err != nil {
		return s.afterFailure(r, q, err)
	}
	created(w, q, "blobs", dgst)
	return nil
}

// cancelUpload answers DELETE: it throws an upload away.
func (s *Service) cancelUpload(w http.ResponseWriter, r *http.Request, q *request) error {
	upload, done, err := s.resume(r, q)
	if err != nil {
		return err
	}
	defer done()
	if err := errors.Join(upload.Close(), s.Storage.Delete(r.Context(), layout.Upload(q.name, q.ref))); err != nil {
		return err
	}
	s.usage.forget(q.namespace)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
