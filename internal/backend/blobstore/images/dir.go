package images

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Dir keeps the registry's files in a directory. A file written in one go is there whole or not at all, also
// after a power cut; an upload grows in place until it is moved to its name.
type Dir struct{ root string }

var _ driver.StorageDriver = (*Dir)(nil)

// NewDir returns the driver on a directory, which is made when something is first written.
func NewDir(root string) *Dir { return &Dir{root: root} }

// Name returns the name of the driver.
func (d *Dir) Name() string { return driverName }

// at returns where a path is on the disk.
func (d *Dir) at(p string) (string, error) {
	rel, err := clean(p)
	return filepath.Join(d.root, filepath.FromSlash(rel)), err
}

// folder is at for what may be the root.
func (d *Dir) folder(p string) (string, error) {
	rel, err := cleanFolder(p)
	return filepath.Join(d.root, filepath.FromSlash(rel)), err
}

// GetContent returns a small file.
func (d *Dir) GetContent(_ context.Context, p string) ([]byte, error) {
	file, err := d.at(p)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	return b, failed(p, notDirectory(err))
}

// PutContent stores a small file under its name at once.
func (d *Dir) PutContent(_ context.Context, p string, content []byte) error {
	file, err := d.at(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return failed(p, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), tempPrefix+"*")
	if err != nil {
		return failed(p, err)
	}
	defer os.Remove(tmp.Name()) // does nothing once it is renamed
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return failed(p, err)
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return failed(p, err)
	}
	return failed(p, syncDir(filepath.Dir(file)))
}

// tempPrefix begins names that List does not show: files on their way to their name.
const tempPrefix = ".tmp-"

// Reader opens a file at an offset.
func (d *Dir) Reader(_ context.Context, p string, offset int64) (io.ReadCloser, error) {
	file, err := d.at(p)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, driver.InvalidOffsetError{Path: p, Offset: offset, DriverName: driverName}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, failed(p, notDirectory(err))
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, failed(p, err)
	}
	return f, nil
}

// Writer opens a file for writing, at its end when more is added to it.
func (d *Dir) Writer(_ context.Context, p string, more bool) (driver.FileWriter, error) {
	file, err := d.at(p)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, failed(p, err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !more {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(file, flags, 0o600)
	if err != nil {
		return nil, failed(p, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, failed(p, err)
	}
	return &fileWriter{file: f, size: info.Size()}, nil
}

// Stat tells the size and age of a file, or that a path is a folder.
func (d *Dir) Stat(_ context.Context, p string) (driver.FileInfo, error) {
	file, err := d.folder(p)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, failed(p, notDirectory(err))
	}
	fields := driver.FileInfoFields{Path: p, IsDir: info.IsDir(), ModTime: info.ModTime()}
	if !info.IsDir() {
		fields.Size = info.Size()
	}
	return driver.FileInfoInternal{FileInfoFields: fields}, nil
}

// List returns the paths right under one.
func (d *Dir) List(_ context.Context, p string) ([]string, error) {
	dir, err := d.folder(p)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && p == "/" {
		return nil, nil
	}
	if err != nil {
		return nil, failed(p, notDirectory(err))
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix) {
			out = append(out, path.Join(p, e.Name()))
		}
	}
	return out, nil
}

// Move renames a file, over one that may be there.
func (d *Dir) Move(_ context.Context, from, to string) error {
	a, err := d.at(from)
	if err != nil {
		return err
	}
	b, err := d.at(to)
	if err != nil {
		return err
	}
	if _, err := os.Stat(a); err != nil {
		return failed(from, err)
	}
	if err := os.MkdirAll(filepath.Dir(b), 0o700); err != nil {
		return failed(to, err)
	}
	if err := os.Rename(a, b); err != nil {
		return failed(from, err)
	}
	for dir := filepath.Dir(b); ; dir = filepath.Dir(dir) { // the folders may be new as well
		if err := syncDir(dir); err != nil || dir == d.root || len(dir) <= len(d.root) {
			return failed(to, err)
		}
	}
}

// Delete removes a file, or a folder with all that is in it.
func (d *Dir) Delete(_ context.Context, p string) error {
	file, err := d.at(p)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file); err != nil {
		return failed(p, notDirectory(err))
	}
	return failed(p, os.RemoveAll(file))
}

// RedirectURL returns nothing: the files are only read through the hub.
func (d *Dir) RedirectURL(*http.Request, string) (string, error) { return "", nil }

// Walk calls f for everything under a path.
func (d *Dir) Walk(ctx context.Context, p string, f driver.WalkFn, options ...func(*driver.WalkOptions)) error {
	return driver.WalkFallback(ctx, d, p, f, options...)
}

// notDirectory makes "a/b where a is a file" what it means here: there is no such path.
func notDirectory(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	return err
}

// syncDir makes a rename last through a power cut. Windows has no such thing.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// fileWriter is an upload in a directory.
type fileWriter struct {
	file      *os.File
	size      int64
	closed    bool
	committed bool
	cancelled bool
}

var errClosed = errors.New("image storage: the writer was closed, committed or cancelled")

// Write adds to the file.
func (w *fileWriter) Write(p []byte) (int, error) {
	if w.closed || w.committed || w.cancelled {
		return 0, errClosed
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	return n, err
}

// Size returns how many bytes were written so far, those before this writer included.
func (w *fileWriter) Size() int64 { return w.size }

// Close keeps what was written, to be added to later.
func (w *fileWriter) Close() error {
	if w.closed {
		return errClosed
	}
	w.closed = true
	return w.file.Close()
}

// Cancel throws away what was written.
func (w *fileWriter) Cancel(context.Context) error {
	if w.cancelled || w.committed {
		return errClosed
	}
	w.cancelled = true
	if !w.closed {
		w.closed = true
		w.file.Close() // its content is not wanted
	}
	if err := os.Remove(w.file.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Commit puts what was written on the disk.
func (w *fileWriter) Commit(context.Context) error {
	if w.closed || w.committed || w.cancelled {
		return errClosed
	}
	w.committed = true
	return w.file.Sync()
}
