package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Info is one tree as a list shows it.
type Info struct {
	ID    string
	Note  string
	Files int
	Bytes int64 // of all its files, shared or not
}

// List returns the trees, sorted by ID. One whose list cannot be read has no files.
func (s Store) List() ([]Info, error) {
	entries, err := os.ReadDir(s.path("trees"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []Info
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".index")
		if !ok || strings.HasPrefix(id, ".") {
			continue
		}
		info := Info{ID: id}
		if x, err := s.read(id); err == nil {
			info.Note, info.Files = x.note, len(x.files)
			for _, f := range x.files {
				info.Bytes += f.size
			}
		}
		out = append(out, info)
	}
	return out, err
}

func (s Store) read(id string) (*index, error) {
	raw, err := os.ReadFile(s.indexPath(id))
	if err != nil {
		return nil, err
	}
	return parseIndex(raw)
}

// Freed is what GC took away.
type Freed struct {
	Trees, Files int
	Bytes        int64
}

// abandoned is how old something half made must be to be taken for left behind.
const abandoned = time.Hour

// GC takes away the trees that keep does not want, the files that no tree has, and what was left half made. The caller
// keeps everybody else away. With dry it only counts.
func (s Store) GC(keep func(id string) bool, dry bool) (Freed, error) {
	var freed Freed
	trees, err := s.List()
	if err != nil {
		return freed, err
	}
	wanted := map[string]bool{}
	for _, t := range trees {
		x, err := s.read(t.ID)
		if err != nil || !keep(t.ID) {
			freed.Trees++
			if dry {
				continue
			}
			if err := s.Remove(t.ID); err != nil {
				return freed, err
			}
			continue
		}
		for _, f := range x.files {
			if f.link == "" {
				wanted[s.filePath(f.sum, f.exec)] = true
			}
		}
	}
	if err := s.sweep(&freed, wanted, dry); err != nil || dry {
		return freed, err
	}
	return freed, s.sweepUnfinished()
}

// sweep takes away kept files that nobody wants.
func (s Store) sweep(freed *Freed, wanted map[string]bool, dry bool) error {
	err := filepath.WalkDir(s.path("files"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || wanted[p] {
			return err
		}
		if info, err := d.Info(); err == nil {
			freed.Bytes += info.Size()
		}
		freed.Files++
		if dry {
			return nil
		}
		return os.Remove(p)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sweepUnfinished takes away trees without a list, and what was being made long ago.
func (s Store) sweepUnfinished() error {
	trees, err := os.ReadDir(s.path("trees"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range trees {
		whole := slices.ContainsFunc(trees, func(other fs.DirEntry) bool { return other.Name() == e.Name()+".index" })
		if e.IsDir() && !whole || strings.HasPrefix(e.Name(), ".index-") {
			if err := os.RemoveAll(s.path("trees", e.Name())); err != nil {
				return err
			}
		}
	}
	temps, err := os.ReadDir(s.path("tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range temps {
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < abandoned {
			continue
		}
		if err := os.RemoveAll(s.path("tmp", e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// SizeOf is how many bytes a file, or all files of a directory, have.
func SizeOf(path string) int64 {
	var sum int64
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error { // what goes meanwhile is not counted
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // see above
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
