// Package images is where the registry of container images keeps its files: a driver of the distribution
// project's storage over a directory, and one over any bucket of gocloud.dev/blob, both under a prefix beside
// the hub's bundles. A room of its own because bundles are named by what is in them, and these files by paths
// that the registry chooses.
package images

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Prefix is the folder, or the beginning of the keys, under which everything here is kept.
const Prefix = "oci"

// driverName is how errors of the storage name this driver.
const driverName = "mcphub"

// clean returns a path of the storage relative to the prefix, without a slash at its beginning. The expression of the
// storage allows "..", which would lead out of the prefix.
func clean(p string) (string, error) {
	if !driver.PathRegexp.MatchString(p) || path.Clean(p) != p {
		return "", driver.InvalidPathError{Path: p, DriverName: driverName}
	}
	return strings.TrimPrefix(p, "/"), nil
}

// cleanFolder is clean for what may be the root, which is "".
func cleanFolder(p string) (string, error) {
	if p == "/" {
		return "", nil
	}
	return clean(p)
}

func notFound(p string) error { return driver.PathNotFoundError{Path: p, DriverName: driverName} }

// failed names what went wrong with a path; what is missing is told in the storage's own way.
func failed(p string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return notFound(p)
	}
	return fmt.Errorf("image storage: %s: %w", p, err)
}
