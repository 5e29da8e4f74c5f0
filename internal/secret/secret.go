// Package secret keeps what nobody else may read: in the system's keychain, which is the Secret Service on
// Linux, the Keychain on macOS and the Credential Manager on Windows, or, where none answers, in a file
// encrypted with age. Vault decides between them and says why; it never falls back without a word.
//
// The keychain protects a secret from other users, from who gets hold of the disk, and while it is locked from
// everyone. The file protects it as far as its key is away: with MCPM_SECRETS_KEY, from everyone who does not
// have that; with the key file beside it, only from who gets the one file without the other (a backup, a
// synchronised directory, a look over the shoulder). Neither protects from a program that runs as the user.
package secret

import (
	"context"
	"net/url"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Place is where a secret is kept. Its text is written into config.json.
type Place string

// The places there are.
const (
	InKeychain Place = "keychain"
	InFile     Place = "file"
)

// MaxValue is the largest secret that is kept, in bytes: an environment variable must be able to hold it.
const MaxValue = 64 << 10

// Store keeps secrets by key. Two processes may use one at a time.
type Store interface {
	// Get returns the secrets that are there; one that is not is left out. Unavailable when the store cannot be
	// reached or opened now, Integrity when it is damaged.
	Get(ctx context.Context, keys []string) (map[string]string, error)
	// Put stores the secrets of set and removes those of remove; removing what is not there is no error. Errors
	// are those of Get, and TooLarge for a secret that this store does not take, which then keeps its old value.
	Put(ctx context.Context, set map[string]string, remove []string) error
}

// Key names the secret called input of a server: in a project's directory, or for all of them with "". The key is
// plain ASCII without control characters, so that no name or directory can be taken for something else.
func Key(project string, server hub.Name, input string) string {
	key := server.String() + " " + url.PathEscape(input)
	if project != "" {
		key += " " + strings.ReplaceAll(url.PathEscape(project), "%2F", "/")
	}
	return key
}

// Vault chooses where secrets are kept.
type Vault struct {
	Keychain Store // nil where there is none
	File     Store
	Mode     string // of MCPM_SECRETS: "keychain" or "file" for that and nothing else, "" for the better one
}

// ParseMode checks the value of MCPM_SECRETS; "auto" is "".
func ParseMode(s string) (string, error) {
	switch s {
	case "", "auto":
		return "", nil
	case string(InKeychain), string(InFile):
		return s, nil
	}
	return "", hub.Errorf(hub.Invalid, "MCPM_SECRETS is %q", s).WithHint("it is auto, keychain or file")
}

// Kept says where a secret went. Why is the reason that it is not in the keychain, nil when it is or when the
// file was asked for.
type Kept struct {
	Place Place
	Why   error
}

// Put keeps a secret, in the file when the keychain does not take it and Mode allows that.
func (v *Vault) Put(ctx context.Context, key, value string) (Kept, error) {
	if len(value) > MaxValue {
		return Kept{}, hub.Errorf(hub.TooLarge, "the value has %d bytes; at most %d can be kept", len(value), MaxValue)
	}
	one := map[string]string{key: value}
	if v.Mode == string(InFile) {
		return Kept{Place: InFile}, v.File.Put(ctx, one, nil)
	}
	err := v.keychain().Put(ctx, one, nil)
	if err == nil {
		return Kept{Place: InKeychain}, nil
	}
	if ctx.Err() != nil {
		return Kept{}, ctx.Err()
	}
	if v.Mode == string(InKeychain) {
		return Kept{}, refused(err)
	}
	return Kept{InFile, err}, v.File.Put(ctx, one, nil)
}

// refused says that the file was not taken instead.
func refused(err error) error {
	return hub.Errorf(hub.Forbidden, "the system keychain did not take it: %v", err).
		WithHint("MCPM_SECRETS=keychain allows nothing else; MCPM_SECRETS=auto would use an encrypted file").WithCause(err)
}

// Get returns the secrets of a place that are there. It never looks in the other place.
func (v *Vault) Get(ctx context.Context, place Place, keys []string) (map[string]string, error) {
	s, err := v.at(place)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, keys)
}

// Remove removes secrets from a place; one that is not there is no error.
func (v *Vault) Remove(ctx context.Context, place Place, keys []string) error {
	s, err := v.at(place)
	if err != nil {
		return err
	}
	return s.Put(ctx, nil, keys)
}

func (v *Vault) at(place Place) (Store, error) {
	switch place {
	case InKeychain:
		return v.keychain(), nil
	case InFile:
		return v.File, nil
	}
	return nil, hub.Errorf(hub.Invalid, "%.40q is no place that this mcpm keeps secrets in", string(place)).WithHint("a newer mcpm wrote it; update mcpm")
}

func (v *Vault) keychain() Store {
	if v.Keychain == nil {
		return none{}
	}
	return v.Keychain
}

// none is the keychain of a system that has none.
type none struct{}

func (none) Get(context.Context, []string) (map[string]string, error) { return nil, errNone() }

func (none) Put(context.Context, map[string]string, []string) error { return errNone() }

func errNone() error { return hub.Errorf(hub.Unavailable, "this system has no keychain") }
