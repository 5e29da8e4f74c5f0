package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"filippo.io/age"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// maxFile is the largest file that is read: some hundred secrets of the largest size.
const maxFile = 16 << 20

// File keeps secrets in secrets.age, one JSON document encrypted with age. Its key is given with MCPM_SECRETS_KEY,
// or made once and kept in secrets.key beside it. A file that cannot be read is never replaced.
type File struct {
	Dir string // both files are here
	Key string // an age secret key, or a passphrase; "" for the key file
}

// document is what the file holds.
type document struct {
	Version int               `json:"version"`
	Secrets map[string]string `json:"secrets"`
}

// Path returns the encrypted file.
func (f *File) Path() string { return filepath.Join(f.Dir, "secrets.age") }

// KeyPath returns the file of the key, which is there only when no other key was given.
func (f *File) KeyPath() string { return filepath.Join(f.Dir, "secrets.key") }

// Get implements Store.
func (f *File) Get(_ context.Context, keys []string) (map[string]string, error) {
	data, err := f.encrypted()
	if err != nil || data == nil {
		return nil, err
	}
	k, err := f.key(false)
	if err != nil {
		return nil, err
	}
	doc, err := f.open(data, k)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(doc.Secrets, func(key, _ string) bool { return !slices.Contains(keys, key) })
	return doc.Secrets, nil
}

// Put implements Store. The file is replaced in one step, and only after all of it could be read.
func (f *File) Put(_ context.Context, set map[string]string, remove []string) error {
	unlock, err := f.lock()
	if err != nil {
		return err
	}
	defer unlock()
	data, err := f.encrypted()
	if err != nil {
		return err
	}
	if data == nil && len(set) == 0 {
		return nil
	}
	k, err := f.key(data == nil)
	if err != nil {
		return err
	}
	doc := document{Version: 1, Secrets: map[string]string{}}
	if data != nil {
		if doc, err = f.open(data, k); err != nil {
			return err
		}
	}
	maps.Copy(doc.Secrets, set)
	for _, key := range remove {
		delete(doc.Secrets, key)
	}
	sealed, err := seal(doc, k)
	if err != nil {
		return err
	}
	if len(sealed) > maxFile {
		return hub.Errorf(hub.TooLarge, "%s would have %d bytes; at most %d are kept", f.Path(), len(sealed), maxFile).
			WithHint("mcpm config NAME --unset KEY removes a secret")
	}
	return install.WriteFile(f.Path(), sealed, 0o600)
}

// encrypted reads the file; nil when there is none.
func (f *File) encrypted() ([]byte, error) { return install.ReadFile(f.Path(), maxFile) }

func (f *File) lock() (func(), error) {
	if err := makePrivate(filepath.Join(f.Dir, "locks")); err != nil {
		return nil, err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(f.Dir, "locks", "secrets.lock")).Lock()
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "%s cannot be locked: %v", f.Path(), err).WithCause(err)
	}
	return unlock, nil
}

// open decrypts what the file held. Unavailable when the key is another one, Integrity when it is damaged.
func (f *File) open(data []byte, k *key) (document, error) {
	r, err := age.Decrypt(bytes.NewReader(data), k.identity)
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(r)
	}
	var doc document
	if err == nil {
		err = json.Unmarshal(plain, &doc)
	}
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return doc, f.wrongKey(k)
	case err != nil: // the cause names bytes of the file at most
		return doc, hub.Errorf(hub.Integrity, "%s is damaged and was left as it is", f.Path()).
			WithHint("put a backup in its place, or move it away and store its values again with mcpm config").WithCause(errors.New("age could not read it"))
	case doc.Version != 1:
		return doc, hub.Errorf(hub.Invalid, "%s is of version %d, which this mcpm does not know", f.Path(), doc.Version).WithHint("update mcpm")
	}
	if doc.Secrets == nil {
		doc.Secrets = map[string]string{}
	}
	return doc, nil
}

func (f *File) wrongKey(k *key) error {
	e := hub.Errorf(hub.Unavailable, "%s is encrypted with another key than %s", f.Path(), k.from)
	if f.Key != "" {
		return e.WithHint("give MCPM_SECRETS_KEY the key it was made with, or unset it to use %s", f.KeyPath())
	}
	return e.WithHint("set MCPM_SECRETS_KEY to the key it was made with, or put the key file from before back")
}

func seal(doc document, k *key) ([]byte, error) {
	plain, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, k.recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
