package install

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/trust"
)

// HasBundle reports whether a bundle is in the store.
func (h Home) HasBundle(a Artifact) bool {
	dir, err := h.bundlePath(a.Integrity)
	return err == nil && isDir(dir) && isFile(dir+".tgz")
}

// SaveBundle reads a bundle from r, checks it against its integrity and unpacks it into the store. What
// fails the check, or breaks off, leaves nothing behind. Two processes may do so at once.
func (h Home) SaveBundle(a Artifact, r io.Reader) (err error) {
	defer func() { err = diskError(err) }()
	dir, err := h.bundlePath(a.Integrity)
	if err != nil {
		return err
	}
	unlock, err := h.lock("store-" + filepath.Base(dir)[:16])
	if err != nil {
		return err
	}
	defer unlock()
	if h.HasBundle(a) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(dir), ".fetch-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	limit := bundle.DefaultLimits.Packed
	n, err := io.Copy(tmp, io.LimitReader(r, limit+1))
	if err != nil {
		return hub.Errorf(hub.Unavailable, "the download broke off after %d bytes", n).WithHint("try again").WithCause(err)
	}
	if n > limit {
		return hub.Errorf(hub.TooLarge, "the bundle has more than %d bytes", limit)
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := trust.CheckSRI(a.Integrity, tmp); err != nil {
		return err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // a tree without its archive is not trusted
		return err
	}
	if _, err := bundle.Unpack(tmp, dir, bundle.DefaultLimits); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), dir+".tgz") // the mark that the tree is whole
}

// OpenBundle returns the directory of a bundle after comparing every file in it with the locked archive.
// NotFound when it is not in the store; Integrity, naming the file, when one was changed or removed.
// Files that were added beside them are returned, so that a person can be told.
func (h Home) OpenBundle(a Artifact) (dir string, added []string, err error) {
	dir, err = h.bundlePath(a.Integrity)
	if err != nil {
		return "", nil, err
	}
	if !h.HasBundle(a) {
		return "", nil, hub.Errorf(hub.NotFound, "its bundle was not fetched on this machine yet").WithHint("mcpm install")
	}
	f, err := os.Open(dir + ".tgz")
	if err != nil {
		return "", nil, diskError(err)
	}
	defer f.Close()
	if err := trust.CheckSRI(a.Integrity, f); err != nil {
		return "", nil, tampered(dir, filepath.Base(dir)+".tgz", err.Error())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", nil, diskError(err)
	}
	known, err := compareTree(f, dir)
	if err != nil {
		return "", nil, err
	}
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if rel, _ := filepath.Rel(dir, p); !known[rel] && len(added) < 10 {
			added = append(added, rel)
		}
		return nil
	})
	return dir, added, diskError(err)
}

// compareTree reads the archive along with the files it was unpacked to.
func compareTree(archive io.Reader, dir string) (map[string]bool, error) {
	gz, err := gzip.NewReader(bufio.NewReaderSize(archive, 256<<10))
	if err != nil {
		return nil, tampered(dir, "the archive", err.Error())
	}
	known := map[string]bool{}
	tr := tar.NewReader(gz)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return known, nil
		}
		if err != nil {
			return nil, tampered(dir, "the archive", err.Error())
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		rel := filepath.Clean(filepath.FromSlash(h.Name))
		if !filepath.IsLocal(rel) {
			return nil, tampered(dir, rel, "it leads out of the bundle")
		}
		known[rel] = true
		f, err := os.Open(filepath.Join(dir, rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, tampered(dir, rel, "it is gone")
		}
		if err != nil {
			return nil, diskError(err)
		}
		same, err := sameBytes(tr, f)
		f.Close()
		if err != nil {
			return nil, diskError(err)
		}
		if !same {
			return nil, tampered(dir, rel, "it was changed")
		}
	}
}

func sameBytes(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if ended(errA) && ended(errB) {
			return true, nil
		}
		if errA != nil && !ended(errA) {
			return false, errA
		}
		if errB != nil && !ended(errB) {
			return false, errB
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func tampered(dir, file, why string) error {
	return hub.Errorf(hub.Integrity, "it is not what was locked").WithIssues([]hub.Issue{
		{Message: "file      " + file}, {Message: "why       " + strings.TrimSpace(why)}, {Message: "kept in   " + dir},
	}).WithHint("remove that directory and run mcpm install, which fetches the locked bytes again")
}

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}
