package secret

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// minPassphrase is the shortest passphrase that is taken. age makes guessing slow, not impossible.
const minPassphrase = 12

// key opens and closes the file.
type key struct {
	identity  age.Identity
	recipient age.Recipient
	from      string // in words
}

// key returns the key of the file: the one that was given, else that of the key file, which is made when there is
// nothing yet that another one was used for.
func (f *File) key(fresh bool) (*key, error) {
	if f.Key != "" {
		return givenKey(f.Key)
	}
	text, err := install.ReadFile(f.KeyPath(), 1<<16)
	if err != nil {
		return nil, err
	}
	if text == nil && !fresh {
		return nil, hub.Errorf(hub.Unavailable, "%s is there, and its key %s is not", f.Path(), f.KeyPath()).
			WithHint("put the key back, or set MCPM_SECRETS_KEY to the key it was made with")
	}
	if text == nil {
		return f.makeKey()
	}
	if err := f.private(); err != nil {
		return nil, err
	}
	k, err := parseKey(string(text), f.KeyPath())
	if err != nil {
		return nil, hub.Errorf(hub.Integrity, "%s holds no age secret key; it was left as it is", f.KeyPath()).
			WithHint("put a backup in its place, or set MCPM_SECRETS_KEY")
	}
	return k, nil
}

// private refuses a key that other users can read, as ssh does.
func (f *File) private() error {
	info, err := os.Stat(f.KeyPath())
	if err != nil {
		return hub.Errorf(hub.Invalid, "%v", err).WithCause(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return hub.Errorf(hub.Forbidden, "%s can be read by other users (mode %04o)", f.KeyPath(), info.Mode().Perm()).
			WithHint("chmod 600 %s", f.KeyPath())
	}
	return nil
}

// makeKey makes the key file. The caller holds the lock.
func (f *File) makeKey() (*key, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("# mcpm keeps secrets in secrets.age with this key. Who has both files can read them.\n# public key: %s\n%s\n", id.Recipient(), id)
	if err := makePrivate(f.Dir); err != nil {
		return nil, err
	}
	if err := install.WriteFile(f.KeyPath(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	return &key{id, id.Recipient(), f.KeyPath()}, nil
}

// givenKey reads MCPM_SECRETS_KEY: an age secret key, or else a passphrase. What was given is in no error.
func givenKey(s string) (*key, error) {
	const from = "MCPM_SECRETS_KEY"
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(s)), "AGE-SECRET-KEY-") {
		k, err := parseKey(s, from)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "MCPM_SECRETS_KEY begins like an age secret key, and is none").WithHint("age-keygen makes one")
		}
		return k, nil
	}
	if n := utf8.RuneCountInString(s); n < minPassphrase {
		return nil, hub.Errorf(hub.Invalid, "MCPM_SECRETS_KEY is a passphrase of %d characters; at least %d are needed", n, minPassphrase).
			WithHint("age-keygen makes a key that needs no passphrase")
	}
	id, err := age.NewScryptIdentity(s)
	if err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(s)
	if err != nil {
		return nil, err
	}
	return &key{id, r, from}, nil
}

func parseKey(text, from string) (*key, error) {
	ids, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 {
		return nil, hub.Errorf(hub.Invalid, "%s holds %d keys", from, len(ids))
	}
	switch id := ids[0].(type) {
	case *age.X25519Identity:
		return &key{id, id.Recipient(), from}, nil
	case *age.HybridIdentity:
		return &key{id, id.Recipient(), from}, nil
	}
	return nil, hub.Errorf(hub.Invalid, "%s holds a key of an unknown kind", from)
}

func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return hub.Errorf(hub.Invalid, "%s cannot be made: %v", dir, err).WithCause(err)
	}
	return nil
}
