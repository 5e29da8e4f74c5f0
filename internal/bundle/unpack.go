package bundle

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/mcphub/mcphub/internal/hub"
)

// Unpack writes the files of a bundle to dir, which must not exist yet: all of them, or nothing. They are
// written to a temporary directory beside dir, which is renamed at the end. The rules and errors are those
// of Check, and Exists when dir is there. Files get mode 0644 or 0755, owned by the caller.
func Unpack(r io.Reader, dir string, limits Limits) (Info, error) {
	if _, err := os.Lstat(dir); err == nil {
		return Info{}, hub.Errorf(hub.Exists, "the directory %s exists already", show(dir))
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return Info{}, err
	}
	tmp, err := os.MkdirTemp(parent, ".unpack-*")
	if err != nil {
		return Info{}, err
	}
	info, err := unpackTo(r, tmp, limits)
	if err == nil {
		err = os.Chmod(tmp, 0o755)
	}
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		_ = os.RemoveAll(tmp) // the first error is the one to tell
		if _, there := os.Lstat(dir); there == nil && hub.KindOf(err) == "" {
			return Info{}, hub.Errorf(hub.Exists, "the directory %s exists already", show(dir)).WithCause(err)
		}
		return Info{}, err
	}
	return info, nil
}

func unpackTo(r io.Reader, tmp string, limits Limits) (Info, error) {
	// The names were checked; the root is the second lock on the same door.
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return Info{}, err
	}
	defer root.Close()
	var disk error
	info, err := walk(r, limits, func(e Entry, body io.Reader) error {
		from := &readWatcher{r: body}
		err := writeEntry(root, e, from)
		if from.err == nil {
			disk = err
		}
		return err
	})
	if disk != nil {
		return Info{}, disk // a full disk is not a damaged archive
	}
	return info, err
}

// readWatcher remembers whether a copy failed on the reading side.
type readWatcher struct {
	r   io.Reader
	err error
}

func (w *readWatcher) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func writeEntry(root *os.Root, e Entry, body io.Reader) error {
	name := filepath.FromSlash(e.Path)
	if dir := path.Dir(e.Path); dir != "." {
		if err := root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
			return err
		}
	}
	perm := os.FileMode(0o644)
	if e.Exec {
		perm = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err == nil {
		err = f.Chmod(perm) // whatever the umask says
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
