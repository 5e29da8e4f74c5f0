// Package layout knows where the storage of the distribution project keeps what: links of repositories to
// blobs, tags, uploads. That project keeps the paths to itself, and what counts bytes and takes away garbage
// has to find them. They are those of its version 2 of the layout.
package layout

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
)

const root = "/docker/registry/v2"

// Repositories is the folder of all repositories; the first folder in it is the namespace.
const Repositories = root + "/repositories"

// Blobs is the folder of all bytes, in folders of two characters of their digests.
const Blobs = root + "/blobs/sha256"

// Trash is where blobs wait before they are gone.
const Trash = root + "/trash"

// Blob is the file of a blob's bytes.
func Blob(d digest.Digest) string { return path.Join(Blobs, d.Encoded()[:2], d.Encoded(), "data") }

// Trashed is the file of a blob in the trash.
func Trashed(d digest.Digest) string { return path.Join(Trash, d.Encoded()) }

// Repository is the folder of a repository.
func Repository(name string) string { return path.Join(Repositories, name) }

// Layers is the folder of a repository's links to blobs that are no manifests.
func Layers(name string) string { return path.Join(Repository(name), "_layers/sha256") }

// Layer is the link of a repository to a blob.
func Layer(name string, d digest.Digest) string {
	return path.Join(Layers(name), d.Encoded(), "link")
}

// Revisions is the folder of a repository's links to manifests.
func Revisions(name string) string { return path.Join(Repository(name), "_manifests/revisions/sha256") }

// Revision is the link of a repository to a manifest.
func Revision(name string, d digest.Digest) string {
	return path.Join(Revisions(name), d.Encoded(), "link")
}

// Tags is the folder of a repository's tags.
func Tags(name string) string { return path.Join(Repository(name), "_manifests/tags") }

// TagCurrent is the link of a tag to its manifest.
func TagCurrent(name, tag string) string { return path.Join(Tags(name), tag, "current/link") }

// Uploads is the folder of what is being uploaded to a repository.
func Uploads(name string) string { return path.Join(Repository(name), "_uploads") }

// Upload is the folder of one upload.
func Upload(name, id string) string { return path.Join(Uploads(name), id) }

// DigestOf returns the SHA-256 digest that a name of 64 hexadecimal digits stands for; false for another name.
func DigestOf(name string) (digest.Digest, bool) {
	d := digest.NewDigestFromEncoded(digest.SHA256, name)
	return d, d.Validate() == nil
}

// Missing reports whether an error of the storage says that there is no such path.
func Missing(err error) bool {
	var missing driver.PathNotFoundError
	return errors.As(err, &missing)
}

// Names returns the names right in a folder; none when there is no such folder.
func Names(ctx context.Context, d driver.StorageDriver, folder string) ([]string, error) {
	paths, err := d.List(ctx, folder)
	if Missing(err) {
		return nil, nil
	}
	for i, p := range paths {
		paths[i] = path.Base(p)
	}
	return paths, err
}

// Digests returns the digests that the names in a folder stand for, and leaves out other names.
func Digests(ctx context.Context, d driver.StorageDriver, folder string) ([]digest.Digest, error) {
	names, err := Names(ctx, d, folder)
	var out []digest.Digest
	for _, name := range names {
		if dgst, ok := DigestOf(name); ok {
			out = append(out, dgst)
		}
	}
	return out, err
}

// maxDepth is how deep a repository's name may nest: 255 characters have no room for more parts.
const maxDepth = 128

// RepositoriesIn calls fn for each repository whose name begins with the parts given, "" for all, until it fails.
func RepositoriesIn(ctx context.Context, d driver.StorageDriver, name string, fn func(name string) error) error {
	return repositories(ctx, d, name, maxDepth, fn)
}

func repositories(ctx context.Context, d driver.StorageDriver, name string, depth int, fn func(string) error) error {
	names, err := Names(ctx, d, Repository(name))
	if err != nil || depth == 0 {
		return err
	}
	is := false
	for _, n := range names {
		if strings.HasPrefix(n, "_") { // a part of a name never begins with it
			is = true
			continue
		}
		if err := repositories(ctx, d, path.Join(name, n), depth-1, fn); err != nil {
			return err
		}
	}
	if is && name != "" {
		return fn(name)
	}
	return nil
}

// ReadTag returns the manifest of a tag; Missing when there is none.
func ReadTag(ctx context.Context, d driver.StorageDriver, name, tag string) (digest.Digest, error) {
	b, err := d.GetContent(ctx, TagCurrent(name, tag))
	if err != nil {
		return "", err
	}
	return digest.Parse(string(b))
}
