//go:build !linux

package tree

import (
	"os"
	"path/filepath"
)

// directory is where files are looked at.
type directory struct{ path string }

func openDir(path string) (directory, error) {
	_, err := os.Stat(path)
	return directory{path}, err
}

func (d directory) close() {}

func (d directory) lstat(name string) (status, error) {
	info, err := os.Lstat(filepath.Join(d.path, name))
	if err != nil {
		return status{}, err
	}
	return status{regular: info.Mode().IsRegular(), size: info.Size(), time: info.ModTime().UnixNano()}, nil
}
