package main

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/opencontainers/go-digest"
)

// imagesPrefix begins the names of entries that are files of container images.
const imagesPrefix = "images/"

// addImages writes all files of container images but unfinished uploads. Links come before what they name: a blob that
// is pushed meanwhile and not yet linked is only too much, a link without its blob would be a broken image.
func addImages(ctx context.Context, storage driver.StorageDriver, out *tar.Writer) (n int, err error) {
	for _, folder := range []string{layout.Repositories, layout.Blobs} {
		var files []string
		err := storage.Walk(ctx, folder, func(f driver.FileInfo) error {
			if f.IsDir() && path.Base(f.Path()) == "_uploads" {
				return driver.ErrSkipDir
			}
			if !f.IsDir() {
				files = append(files, f.Path())
			}
			return nil
		})
		if err != nil && !layout.Missing(err) {
			return n, err
		}
		for _, file := range files {
			err := addImage(ctx, storage, out, file)
			if layout.Missing(err) {
				continue // it was deleted in between
			}
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

func addImage(ctx context.Context, storage driver.StorageDriver, out *tar.Writer, file string) error {
	info, err := storage.Stat(ctx, file)
	if err != nil {
		return err
	}
	r, err := storage.Reader(ctx, file, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := out.WriteHeader(&tar.Header{Name: imagesPrefix + strings.TrimPrefix(file, "/"), Mode: 0o600, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(r, info.Size())) // a link may be written anew meanwhile; tar says when it is shorter
	return err
}

// restoreImage stores one file again. The bytes of a blob are compared with the digest in its name.
func restoreImage(ctx context.Context, storage driver.StorageDriver, file string, r io.Reader) error {
	verify := digest.Canonical.Digester()
	w, err := storage.Writer(ctx, file, false)
	if err != nil {
		return hub.Errorf(hub.Integrity, "the backup has an image file %q, which cannot be", file).WithHint("use another backup").WithCause(err)
	}
	if _, err := io.Copy(io.MultiWriter(w, verify.Hash()), r); err != nil {
		return errors.Join(err, w.Cancel(ctx))
	}
	if want, ok := layout.DigestOf(path.Base(path.Dir(file))); ok && path.Base(file) == "data" && want != verify.Digest() {
		return errors.Join(hub.Errorf(hub.Integrity, "blob %s arrived as %s", want, verify.Digest()).WithHint("use another backup"), w.Cancel(ctx))
	}
	return errors.Join(w.Commit(ctx), w.Close())
}
