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

// Download opens what is to be read, from a byte on. One that cannot begin there fails with Unavailable and is asked to
// begin at 0.
type Download func(from int64) (io.ReadCloser, error)

// SaveBundle reads a bundle, checks it against its integrity and unpacks it into the store. A download that breaks off is
// kept and goes on there the next time; bytes that fail the check are not. Two processes may do so at once.
func (h Home) SaveBundle(a Artifact, open Download) (err error) {
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
	tmp, err := os.OpenFile(filepath.Join(filepath.Dir(dir), partPrefix+filepath.Base(dir)), os.O_RDWR|os.O_CREATE, 0o600) // under the lock, so nobody else writes it
	if err != nil {
		return err
	}
	defer tmp.Close()
	if err := receive(tmp, a.Integrity, bundle.DefaultLimits.Packed, open); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // a tree without its archive is not trusted
		return err
	}
	if _, err := bundle.Unpack(tmp, dir, bundle.DefaultLimits); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), dir+".tgz") // the mark that the tree is whole
}

// partPrefix begins the name of a download that is not whole.
const partPrefix = ".part-"

// receive completes a download and leaves it at its beginning. What had been kept of an earlier try and does not fit is
// fetched anew, once.
func receive(tmp *os.File, integrity string, limit int64, open Download) error {
	from, err := tmp.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	err = download(tmp, from, integrity, limit, open)
	if from > 0 && err != nil && !errors.Is(err, errBroke) { // what was kept is of no use, or the hub only begins at the beginning
		err = download(tmp, 0, integrity, limit, open)
	}
	if k := hub.KindOf(err); k == hub.Integrity || k == hub.TooLarge {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return err
}

// errBroke is the cause of a download that may go on later.
var errBroke = errors.New("install: the download broke off")

func download(tmp *os.File, from int64, integrity string, limit int64, open Download) error {
	r, err := open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := tmp.Truncate(from); err != nil {
		return err
	}
	if _, err := tmp.Seek(from, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(tmp, io.LimitReader(r, limit+1-from))
	if err != nil {
		return hub.Errorf(hub.Unavailable, "the download broke off after %d bytes", from+n).WithHint("try again; it goes on there").WithCause(errors.Join(errBroke, err))
	}
	if from+n > limit {
		return hub.Errorf(hub.TooLarge, "it has more than %d bytes", limit)
	}
	return check(tmp, integrity)
}

func check(tmp *os.File, integrity string) error {
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := trust.CheckSRI(integrity, tmp); err != nil {
		return err
	}
	_, err := tmp.Seek(0, io.SeekStart)
	return err
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
		return "", nil, hub.Errorf(hub.NotFound, "its bundle is not in the store of this machine").WithHint("mcpm install")
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
		if rel, _ := filepath.Rel(dir, p); !known[rel] {
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
