package blobstore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/mcphub/mcphub/internal/backend/blobstore/images"
	"github.com/mcphub/mcphub/internal/hub"
)

const (
	stagingDir   = "staging"
	stagingStale = 24 * time.Hour // after it, a staged file is left from a crash
)

// Store is a hub.Blobs.
type Store struct {
	bucket *blob.Bucket
	dir    string // where finished files are renamed to, or "" when they are uploaded
	stage  string // where files are staged
}

var _ hub.Blobs = (*Store)(nil)

// Open opens the store at url: "file:///dir", a plain path to a directory, which is created, or "mem://",
// which forgets everything when the process ends. Invalid for any other scheme, Unavailable when the
// directory cannot be made.
func Open(ctx context.Context, url string) (*Store, error) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return openDir(url)
	}
	switch scheme {
	case "file":
		rest = strings.TrimPrefix(rest, "localhost")
		return openDir(filepath.FromSlash(rest))
	case "mem":
		return &Store{bucket: memblob.OpenBucket(nil), stage: os.TempDir()}, nil
	}
	return nil, hub.Errorf(hub.Invalid, "blobs %q: the scheme %q is not known", scheme+"://...", scheme).
		WithHint("write a directory, file:///directory or mem://")
}

func openDir(dir string) (*Store, error) {
	if dir == "" {
		return nil, hub.Errorf(hub.Invalid, "blobs: the directory has no name").WithHint("write a directory, or file:///directory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	stage := filepath.Join(dir, stagingDir)
	if err := os.MkdirAll(stage, 0o700); err != nil {
		return nil, dirFailed(dir, err)
	}
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite, DirFileMode: 0o700})
	if err != nil {
		return nil, dirFailed(dir, err)
	}
	s := &Store{bucket: b, dir: dir, stage: stage}
	s.sweep(time.Now().Add(-stagingStale))
	return s, nil
}

func dirFailed(dir string, err error) error {
	return hub.Errorf(hub.Unavailable, "the directory %q for blobs cannot be used", dir).
		WithHint("check that this user may write there").WithCause(err)
}

// sweep removes staged files that a crash left behind.
func (s *Store) sweep(before time.Time) {
	entries, err := os.ReadDir(s.stage)
	if err != nil {
		return // Check will tell
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			os.Remove(filepath.Join(s.stage, e.Name()))
		}
	}
}

// Images returns the storage of container images, under a prefix of the same directory or bucket.
func (s *Store) Images() driver.StorageDriver {
	if s.dir == "" {
		return images.NewBucket(s.bucket, images.Prefix)
	}
	return images.NewDir(filepath.Join(s.dir, images.Prefix))
}

// Close releases what the store holds.
func (s *Store) Close() error { return s.bucket.Close() }
