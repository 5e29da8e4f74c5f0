package tree

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

// Tree is a tree that was looked at.
type Tree struct {
	Dir    string
	Note   string
	Digest string   // of all its files
	Added  []string // files that are not of it, some of them; only looked for when it was read as a whole
}

// Open looks at a tree and returns it. Each file must have the size and the time it was written with, and one that has
// not its bytes; with whole the bytes of every file are read. digest is what the tree is to be, "" when that is not
// known. NotFound when there is no such tree; Integrity, naming the file, when one is not what it was.
func (s Store) Open(id, digest string, whole bool) (*Tree, error) {
	raw, err := os.ReadFile(s.indexPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hub.Errorf(hub.NotFound, "its packages are not in the store of this machine").WithHint("mcpm install")
	}
	if err != nil {
		return nil, err
	}
	if len(raw) > maxIndex {
		return nil, s.tampered(id, "the list of its files", "it is too long")
	}
	x, err := parseIndex(raw)
	if err != nil {
		return nil, s.tampered(id, filepath.Base(s.indexPath(id)), err.Error())
	}
	sum := make(chan string, 1)
	go func() { sum <- x.digest() }() // beside looking at the files
	wrong := s.look(id, x, whole)
	got := <-sum
	if digest != "" && got != digest {
		return nil, hub.Errorf(hub.Integrity, "it is not what was locked").WithIssues([]hub.Issue{
			{Message: "list      " + filepath.Base(s.indexPath(id)) + ", of all files of its packages"}, {Message: "locked    " + digest}, {Message: "in store  " + got}, {Message: "kept in   " + s.treePath(id)},
		}).WithHint("if mcpm-lock.json was edited, restore it from version control; if not, " + repair)
	}
	if wrong != nil {
		return nil, wrong
	}
	t := &Tree{Dir: s.treePath(id), Note: x.note, Digest: got}
	if whole {
		t.Added, err = s.added(id, x)
	}
	return t, err
}

// Note returns what was kept beside a tree. NotFound when there is no such tree.
func (s Store) Note(id string) (string, error) {
	f, err := os.Open(s.indexPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return "", hub.Errorf(hub.NotFound, "its packages are not in the store of this machine").WithHint("mcpm install")
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
	if !lines.Scan() || lines.Text() != indexHead || !lines.Scan() {
		return "", s.tampered(id, filepath.Base(s.indexPath(id)), "its beginning is damaged")
	}
	return lines.Text(), nil
}

// look compares the files with the list, several at a time, and returns what is wrong with the first that differs.
func (s Store) look(id string, x *index, whole bool) error {
	dir, err := openDir(s.treePath(id))
	if errors.Is(err, fs.ErrNotExist) && len(x.files) > 0 {
		return s.tampered(id, x.files[0].path, "it is gone")
	}
	if err != nil {
		return err
	}
	defer dir.close()
	workers := min(4, runtime.GOMAXPROCS(0)+1)
	part := len(x.files)/workers + 1
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		files := x.files[min(w*part, len(x.files)):min((w+1)*part, len(x.files))]
		wg.Go(func() {
			for _, f := range files {
				if errs[w] = s.lookAt(id, dir, f, whole); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s Store) lookAt(id string, dir directory, f file, whole bool) error {
	is, err := dir.lstat(filepath.FromSlash(f.path))
	if errors.Is(err, fs.ErrNotExist) {
		return s.tampered(id, f.path, "it is gone")
	}
	if err != nil {
		return err
	}
	if f.link != "" {
		if target, err := os.Readlink(s.inTree(id, f)); err != nil || filepath.ToSlash(target) != f.link {
			return s.tampered(id, f.path, "it leads elsewhere")
		}
		return nil
	}
	if !is.regular {
		return s.tampered(id, f.path, "it is no file any more")
	}
	if !whole && is.size == f.size && is.time == f.time {
		return nil
	}
	got, _, err := sumOf(s.inTree(id, f))
	if err != nil {
		return err
	}
	if got != f.sum {
		return s.differs(id, f.path, sriOf(f.sum), sriOf(got))
	}
	return nil
}

func (s Store) inTree(id string, f file) string {
	return filepath.Join(s.treePath(id), filepath.FromSlash(f.path))
}

// status is what a file is.
type status struct {
	regular    bool
	size, time int64 // in bytes; in nanoseconds since 1970
}

// added lists files that are not of the tree, at most ten.
func (s Store) added(id string, x *index) ([]string, error) {
	known := make(map[string]bool, len(x.files))
	for _, f := range x.files {
		known[f.path] = true
	}
	var out []string
	err := filepath.WalkDir(s.treePath(id), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.treePath(id), p)
		if err != nil {
			return err
		}
		if !known[filepath.ToSlash(rel)] && len(out) < 10 {
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	return out, err
}

// sriOf spells the hex of a SHA-512 as lockfiles do.
func sriOf(sum string) string {
	b, err := hex.DecodeString(sum)
	if err != nil {
		return sum
	}
	return "sha512-" + base64.StdEncoding.EncodeToString(b)
}

func (s Store) tampered(id, name, why string) error {
	return hub.Errorf(hub.Integrity, "it is not what was locked").WithIssues([]hub.Issue{
		{Message: "file      " + name}, {Message: "why       " + why}, {Message: "kept in   " + s.treePath(id)},
	}).WithHint(repair)
}

func (s Store) differs(id, name, locked, got string) error {
	return hub.Errorf(hub.Integrity, "it is not what was locked").WithIssues([]hub.Issue{
		{Message: "file      " + name}, {Message: "locked    " + locked}, {Message: "on disk   " + got}, {Message: "kept in   " + s.treePath(id)},
	}).WithHint(repair)
}

const repair = "mcpm cache verify --repair fetches the locked bytes again; if this comes back, tell the publisher"
