package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Bucket keeps the registry's files in an object store. Objects cannot grow, so each request that adds to an
// upload makes an object of its own; what ends the upload joins them, on the server when there is only one.
type Bucket struct {
	bucket *blob.Bucket
	prefix string // ends with a slash
}

var _ driver.StorageDriver = (*Bucket)(nil)

// NewBucket returns the driver on a bucket, with keys that begin with prefix and a slash.
func NewBucket(b *blob.Bucket, prefix string) *Bucket {
	return &Bucket{bucket: b, prefix: strings.Trim(prefix, "/") + "/"}
}

// Name returns the name of the driver.
func (b *Bucket) Name() string { return driverName }

func (b *Bucket) key(p string) (string, error) {
	rel, err := clean(p)
	return b.prefix + rel, err
}

// folderKey is key for what may be the root.
func (b *Bucket) folderKey(p string) (string, error) {
	rel, err := cleanFolder(p)
	return b.prefix + rel, err
}

// bucketFailed is failed for errors of gocloud.
func bucketFailed(p string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return notFound(p)
	}
	return failed(p, err)
}

// GetContent returns a small object.
func (b *Bucket) GetContent(ctx context.Context, p string) ([]byte, error) {
	key, err := b.key(p)
	if err != nil {
		return nil, err
	}
	data, err := b.bucket.ReadAll(ctx, key)
	return data, bucketFailed(p, err)
}

// PutContent stores a small object.
func (b *Bucket) PutContent(ctx context.Context, p string, content []byte) error {
	key, err := b.key(p)
	if err != nil {
		return err
	}
	return bucketFailed(p, b.bucket.WriteAll(ctx, key, content, octets))
}

var octets = &blob.WriterOptions{ContentType: "application/octet-stream"}

// Reader opens an object at an offset.
func (b *Bucket) Reader(ctx context.Context, p string, offset int64) (io.ReadCloser, error) {
	key, err := b.key(p)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, driver.InvalidOffsetError{Path: p, Offset: offset, DriverName: driverName}
	}
	if offset > 0 { // object stores refuse a range that begins at the end
		info, err := b.bucket.Attributes(ctx, key)
		if err != nil {
			return nil, bucketFailed(p, err)
		}
		if offset >= info.Size {
			return io.NopCloser(strings.NewReader("")), nil
		}
	}
	r, err := b.bucket.NewRangeReader(ctx, key, offset, -1, nil)
	if err != nil {
		return nil, bucketFailed(p, err)
	}
	return r, nil
}

// Stat tells the size and age of an object, or that a path is a folder: the beginning of keys.
func (b *Bucket) Stat(ctx context.Context, p string) (driver.FileInfo, error) {
	key, err := b.folderKey(p)
	if err != nil {
		return nil, err
	}
	info, err := b.bucket.Attributes(ctx, key)
	if err == nil {
		return driver.FileInfoInternal{FileInfoFields: driver.FileInfoFields{Path: p, Size: info.Size, ModTime: info.ModTime}}, nil
	}
	if gcerrors.Code(err) != gcerrors.NotFound {
		return nil, failed(p, err)
	}
	first, err := b.bucket.List(&blob.ListOptions{Prefix: folder(key)}).Next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, notFound(p)
	}
	if err != nil {
		return nil, failed(p, err)
	}
	return driver.FileInfoInternal{FileInfoFields: driver.FileInfoFields{Path: p, IsDir: true, ModTime: first.ModTime}}, nil
}

func folder(key string) string { return strings.TrimSuffix(key, "/") + "/" }

// List returns the paths right under one.
func (b *Bucket) List(ctx context.Context, p string) ([]string, error) {
	key, err := b.folderKey(p)
	if err != nil {
		return nil, err
	}
	var out []string
	it := b.bucket.List(&blob.ListOptions{Prefix: folder(key), Delimiter: "/"})
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, failed(p, err)
		}
		out = append(out, path.Join(p, path.Base(obj.Key)))
	}
	if len(out) == 0 && p != "/" {
		return nil, notFound(p)
	}
	return out, nil
}

// Move gives an object another key; on the server, without its bytes coming here.
func (b *Bucket) Move(ctx context.Context, from, to string) error {
	a, err := b.key(from)
	if err != nil {
		return err
	}
	c, err := b.key(to)
	if err != nil {
		return err
	}
	if err := b.bucket.Copy(ctx, c, a, nil); err != nil {
		return bucketFailed(from, err)
	}
	return bucketFailed(from, b.bucket.Delete(ctx, a))
}

// Delete removes an object, or all whose keys are under a path.
func (b *Bucket) Delete(ctx context.Context, p string) error {
	key, err := b.key(p)
	if err != nil {
		return err
	}
	keys, err := b.under(ctx, folder(key))
	if err != nil {
		return failed(p, err)
	}
	err = b.bucket.Delete(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound && len(keys) > 0 {
		err = nil // a folder has no object of its own
	}
	for _, k := range keys {
		if e := b.bucket.Delete(ctx, k); gcerrors.Code(e) != gcerrors.NotFound {
			err = errors.Join(err, e)
		}
	}
	return bucketFailed(p, err)
}

// under returns all keys with a prefix, in order.
func (b *Bucket) under(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	it := b.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, obj.Key)
	}
}

// RedirectURL returns nothing: the objects are only read through the hub.
func (b *Bucket) RedirectURL(*http.Request, string) (string, error) { return "", nil }

// Walk calls f for everything under a path.
func (b *Bucket) Walk(ctx context.Context, p string, f driver.WalkFn, options ...func(*driver.WalkOptions)) error {
	return driver.WalkFallback(ctx, b, p, f, options...)
}

// partsSuffix is what the folder of an upload's parts adds to its path.
const partsSuffix = ".parts"

// Writer starts an object, or adds to one that was not committed.
func (b *Bucket) Writer(ctx context.Context, p string, more bool) (driver.FileWriter, error) {
	key, err := b.key(p)
	if err != nil {
		return nil, err
	}
	w := &partWriter{bucket: b.bucket, key: key, ctx: ctx, number: 1}
	it := b.bucket.List(&blob.ListOptions{Prefix: key + partsSuffix + "/"})
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return w, nil
		}
		if err != nil {
			return nil, failed(p, err)
		}
		if !more {
			if err := b.bucket.Delete(ctx, obj.Key); err != nil {
				return nil, failed(p, err)
			}
			continue
		}
		w.parts = append(w.parts, obj.Key)
		w.size += obj.Size
		if _, err := fmt.Sscanf(path.Base(obj.Key), "%d", &w.number); err != nil {
			return nil, failed(p, err)
		}
		w.number++
	}
}

// partWriter adds one part to an upload.
type partWriter struct {
	bucket *blob.Bucket
	key    string
	ctx    context.Context // of the request that adds
	parts  []string        // keys of what is there
	number int             // of the part that is written next
	size   int64
	part   *blob.Writer // open once something is written
	ended  bool
}

// Write adds to the part.
func (w *partWriter) Write(p []byte) (int, error) {
	if w.ended {
		return 0, errClosed
	}
	if w.part == nil {
		key := fmt.Sprintf("%s%s/%08d", w.key, partsSuffix, w.number)
		part, err := w.bucket.NewWriter(context.WithoutCancel(w.ctx), key, octets)
		if err != nil {
			return 0, err
		}
		w.part = part
		w.parts = append(w.parts, key)
		w.number++
	}
	n, err := w.part.Write(p)
	w.size += int64(n)
	return n, err
}

// Size returns how many bytes the upload has.
func (w *partWriter) Size() int64 { return w.size }

// flush ends the part, so that it is kept.
func (w *partWriter) flush() error {
	if w.part == nil {
		return nil
	}
	part := w.part
	w.part = nil
	return part.Close()
}

// Close keeps what was written, to be added to later.
func (w *partWriter) Close() error {
	w.ended = true
	return w.flush()
}

// Cancel throws the upload away.
func (w *partWriter) Cancel(ctx context.Context) error {
	w.ended = true
	return errors.Join(w.flush(), w.drop(ctx))
}

func (w *partWriter) drop(ctx context.Context) error {
	var err error
	for _, key := range w.parts {
		if e := w.bucket.Delete(ctx, key); gcerrors.Code(e) != gcerrors.NotFound {
			err = errors.Join(err, e)
		}
	}
	w.parts = nil
	return err
}

// Commit joins the parts into the object.
func (w *partWriter) Commit(ctx context.Context) error {
	if w.ended {
		return errClosed
	}
	w.ended = true
	if err := w.flush(); err != nil {
		return err
	}
	switch len(w.parts) {
	case 0:
		return w.bucket.WriteAll(ctx, w.key, nil, octets)
	case 1:
		if err := w.bucket.Copy(ctx, w.key, w.parts[0], nil); err != nil {
			return err
		}
	default:
		if err := w.join(ctx); err != nil {
			return err
		}
	}
	return w.drop(ctx)
}

// join streams the parts, one after the other, into the object.
func (w *partWriter) join(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close it makes the object not come to be
	out, err := w.bucket.NewWriter(ctx, w.key, octets)
	if err != nil {
		return err
	}
	slices.Sort(w.parts)
	for _, key := range w.parts {
		if err := w.appendPart(ctx, out, key); err != nil {
			cancel()
			return errors.Join(err, out.Close())
		}
	}
	return out.Close()
}

func (w *partWriter) appendPart(ctx context.Context, out io.Writer, key string) error {
	in, err := w.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}
