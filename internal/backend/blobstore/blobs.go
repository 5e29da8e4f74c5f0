package blobstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	digestPrefix = "sha256:"
	keyPrefix    = "sha256/"
	checkKey     = "check" // written and removed by Check
)

// keyOf returns the key of a digest: two characters make a folder, so that no folder grows too long.
func keyOf(digest string) (string, error) {
	h, ok := strings.CutPrefix(digest, digestPrefix)
	if ok && len(h) == 2*sha256.Size && strings.Trim(h, "0123456789abcdef") == "" {
		return keyPrefix + h[:2] + "/" + h, nil
	}
	if len(digest) > 80 {
		digest = strings.ToValidUTF8(digest[:80], "") + "..."
	}
	return "", hub.Errorf(hub.Invalid, "digest %q is not %q and 64 hexadecimal digits in lower case", digest, digestPrefix)
}

// Write implements hub.Blobs.
func (s *Store) Write(ctx context.Context, r io.Reader, max int64) (digest string, size int64, err error) {
	f, err := os.CreateTemp(s.stage, "blob-*")
	if err != nil {
		return "", 0, failed("written", err)
	}
	defer os.Remove(f.Name()) // does nothing once it is renamed
	defer f.Close()
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(storage{f}, hash), io.LimitReader(&reader{ctx, r}, max+1))
	var s2 *storageError
	switch {
	case errors.As(err, &s2):
		return "", 0, failed("written", s2.error)
	case err != nil:
		return "", 0, fmt.Errorf("blobstore: read: %w", err)
	case size > max:
		return "", 0, hub.Errorf(hub.TooLarge, "there are more than %d bytes", max)
	}
	digest = digestPrefix + hex.EncodeToString(hash.Sum(nil))
	key, err := keyOf(digest)
	if err != nil {
		return "", 0, err
	}
	if attr, err := s.bucket.Attributes(ctx, key); err == nil && attr.Size == size {
		return digest, size, nil
	}
	if err := s.keep(ctx, f, key); err != nil {
		return "", 0, failed("written", err)
	}
	return digest, size, nil
}

// keep gives a staged file its name.
func (s *Store) keep(ctx context.Context, f *os.File, key string) error {
	if s.dir == "" {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return s.bucket.Upload(ctx, key, f, &blob.WriterOptions{ContentType: "application/octet-stream"})
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	to := filepath.Join(s.dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	for d := filepath.Dir(to); ; d = filepath.Dir(d) { // the folders may be new as well
		if err := syncDir(d); err != nil || d == s.dir {
			return err
		}
	}
}

// syncDir makes a rename last through a power cut. Windows has no such thing.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// reader stops when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// storage marks errors of the staged file, to tell them from those of the reader.
type storage struct{ f *os.File }

type storageError struct{ error }

func (s storage) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if err != nil {
		err = &storageError{err}
	}
	return n, err
}

// Open implements hub.Blobs. The context must live as long as the reader.
func (s *Store) Open(ctx context.Context, digest string, offset, length int64) (io.ReadCloser, error) {
	key, err := keyOf(digest)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, hub.Errorf(hub.Invalid, "offset %d: a blob starts at 0", offset)
	}
	r, err := s.bucket.NewRangeReader(ctx, key, offset, length, nil)
	if err != nil {
		return nil, missing(digest, err)
	}
	return r, nil
}

// Size implements hub.Blobs.
func (s *Store) Size(ctx context.Context, digest string) (int64, error) {
	key, err := keyOf(digest)
	if err != nil {
		return 0, err
	}
	attr, err := s.bucket.Attributes(ctx, key)
	if err != nil {
		return 0, missing(digest, err)
	}
	return attr.Size, nil
}

// Remove implements hub.Blobs.
func (s *Store) Remove(ctx context.Context, digest string) error {
	key, err := keyOf(digest)
	if err != nil {
		return err
	}
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return failed("removed", err)
	}
	return nil
}

// List implements hub.Blobs.
func (s *Store) List(ctx context.Context, fn func(digest string) error) error {
	it := s.bucket.List(&blob.ListOptions{Prefix: keyPrefix})
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return failed("listed", err)
		}
		digest := digestPrefix + path.Base(obj.Key)
		if key, err := keyOf(digest); err != nil || key != obj.Key {
			continue // not ours
		}
		if err := fn(digest); err != nil {
			return err
		}
	}
}

// Check implements hub.Blobs.
func (s *Store) Check(ctx context.Context) error {
	if err := s.bucket.WriteAll(ctx, checkKey, []byte(checkKey), nil); err != nil {
		return failed("written", err)
	}
	if _, err := s.bucket.ReadAll(ctx, checkKey); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return failed("read", err) // not found: another hub checked at the same time
	}
	if err := s.bucket.Delete(ctx, checkKey); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return failed("removed", err)
	}
	f, err := os.CreateTemp(s.stage, "check-*")
	if err != nil {
		return failed("written", err)
	}
	f.Close()
	os.Remove(f.Name())
	return nil
}

func missing(digest string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return hub.Errorf(hub.NotFound, "there is no blob %s", digest).WithCause(err)
	}
	return failed("read", err)
}

// failed maps an error of the storage; the context's own pass.
func failed(what string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC):
		return hub.Errorf(hub.Unavailable, "the disk for blobs is full").WithHint("free some space; nothing was kept").WithCause(err)
	case errors.Is(err, fs.ErrPermission):
		return hub.Errorf(hub.Unavailable, "blobs cannot be %s: permission denied", what).
			WithHint("check that this user may write in the blobs' directory").WithCause(err)
	}
	return hub.Errorf(hub.Unavailable, "blobs cannot be %s", what).WithCause(err)
}
