package tree

import (
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Store keeps files and trees under a directory:
//
//	files/ab/cdef...    a file, by the SHA-512 of its bytes; with ".x" behind it one that may be executed
//	trees/ID/           a tree
//	trees/ID.index      the list of its files; without it there is no tree
//	tmp/                what is being made
//
// The caller keeps others away while it changes a tree of the same ID.
type Store struct{ Dir string }

func (s Store) path(elem ...string) string { return filepath.Join(append([]string{s.Dir}, elem...)...) }

func (s Store) treePath(id string) string  { return s.path("trees", id) }
func (s Store) indexPath(id string) string { return s.path("trees", id+".index") }

func (s Store) filePath(sum string, exec bool) string {
	name := sum[2:]
	if exec {
		name += ".x"
	}
	return s.path("files", sum[:2], name)
}

// Temp makes a directory to bring files into, on the same disk as the store.
func (s Store) Temp() (string, error) {
	if err := os.MkdirAll(s.path("tmp"), 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(s.path("tmp"), "in-*")
}

// Path is the directory of a tree, whether it is there or not.
func (s Store) Path(id string) string { return s.treePath(id) }

// Has reports whether a tree is whole.
func (s Store) Has(id string) bool {
	_, err := os.Stat(s.indexPath(id))
	return err == nil
}

// Add takes what is in dir, which goes, as the tree with an ID, and returns its digest. note is kept beside it. A
// tree that is there is replaced. Links may lead to places in the tree only; devices and sockets are refused.
func (s Store) Add(id, dir, note string) (digest string, err error) {
	defer os.RemoveAll(dir)
	if strings.ContainsAny(note, "\r\n") {
		return "", hub.Errorf(hub.Invalid, "the note of a tree is one line")
	}
	x := &index{note: note}
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		f, err := s.take(p, filepath.ToSlash(rel), d)
		if err != nil {
			return err
		}
		if x.files = append(x.files, f); len(x.files) > maxFiles {
			return hub.Errorf(hub.TooLarge, "the packages have more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	x.sort()
	if err := s.place(id, dir, x); err != nil {
		return "", err
	}
	return x.digest(), nil
}

// place makes the tree whole: the old list goes first and the new one comes last.
func (s Store) place(id, dir string, x *index) error {
	if err := errors.Join(s.Remove(id), os.MkdirAll(s.path("trees"), 0o700)); err != nil {
		return err
	}
	// A server that root starts in a sandbox is nobody; from outside, trees itself is closed to others.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := os.Rename(dir, s.treePath(id)); err != nil {
		return err
	}
	return s.writeIndex(id, x)
}

func (s Store) writeIndex(id string, x *index) error {
	f, err := os.CreateTemp(s.path("trees"), ".index-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails harmlessly after the rename
	_, err = f.Write(x.bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.indexPath(id))
}

// Remove takes a tree away. The files stay until GC.
func (s Store) Remove(id string) error {
	if err := os.Remove(s.indexPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(s.treePath(id))
}

// take reads a file, keeps its bytes, and puts a link to them in its place.
func (s Store) take(p, rel string, d fs.DirEntry) (file, error) {
	f := file{path: rel}
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(p)
		if err != nil {
			return f, err
		}
		if f.link = filepath.ToSlash(target); !inside(rel, f.link) {
			return f, hub.Errorf(hub.Invalid, "%s is a link that leads out of the packages", rel)
		}
		return f, nil
	}
	info, err := d.Info()
	if err != nil {
		return f, err
	}
	if !info.Mode().IsRegular() {
		return f, hub.Errorf(hub.Invalid, "%s is neither a file nor a link", rel)
	}
	f.exec = info.Mode()&0o111 != 0
	if f.sum, f.size, err = sumOf(p); err != nil {
		return f, err
	}
	if err := s.share(p, f); err != nil {
		return f, err
	}
	if info, err = os.Lstat(p); err != nil {
		return f, err
	}
	f.time = info.ModTime().UnixNano()
	return f, nil
}

// share makes p a link to the kept file of the same bytes, or keeps p itself when there is none. Where the disk has no
// links, p stays a copy.
func (s Store) share(p string, f file) error {
	kept := s.filePath(f.sum, f.exec)
	mode := fs.FileMode(0o444)
	if f.exec {
		mode = 0o555
	}
	if same, err := sameFile(kept, f); err != nil {
		return err
	} else if !same { // there is none, or not as it was written
		if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
			return err
		}
		if err := os.Chmod(p, mode); err != nil {
			return err
		}
		next := kept + ".new" + filepath.Base(filepath.Dir(p))
		_ = os.Remove(next) // of a program that was stopped
		if err := os.Link(p, next); err != nil {
			return nil //nolint:nilerr // no links here: every tree has its own copies
		}
		return os.Rename(next, kept)
	}
	next := p + ".mcpm-link"
	if err := os.Link(kept, next); err != nil {
		return os.Chmod(p, mode)
	}
	return os.Rename(next, p)
}

// sameFile reports whether a kept file has the bytes it is named after.
func sameFile(kept string, f file) (bool, error) {
	info, err := os.Lstat(kept)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.size {
		return false, err
	}
	sum, _, err := sumOf(kept)
	return sum == f.sum, err
}

// sumOf returns the hex of a file's SHA-512, and its size.
func sumOf(p string) (string, int64, error) {
	f, err := os.Open(p)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha512.New()
	n, err := io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), n, err
}
