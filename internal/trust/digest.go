// Package trust proves that bytes are the bytes that were promised: digests in the two spellings this
// project uses, "sha256:<hex>" as in OCI for naming content, and Subresource Integrity ("sha512-<base64>",
// W3C SRI) for pinning it in a lockfile. It does no I/O of its own.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// SHA256 returns the digest of data as "sha256:<hex>".
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SRI512 returns the integrity of data as "sha512-<base64>".
func SRI512(data []byte) string {
	sum := sha512.Sum512(data)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

var digestRE = lazyregexp.New(`^sha256:[0-9a-f]{64}$`)

// IsDigest reports whether s is spelled as SHA256 spells digests.
func IsDigest(s string) bool { return digestRE.MatchString(s) }

// Hasher computes digest, integrity and size of what is written to it. The zero value is not usable.
type Hasher struct {
	sum256, sum512 hash.Hash
	size           int64
}

// NewHasher returns a Hasher that has seen nothing.
func NewHasher() *Hasher { return &Hasher{sum256: sha256.New(), sum512: sha512.New()} }

// Write adds p. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	h.sum256.Write(p)
	h.sum512.Write(p)
	h.size += int64(len(p))
	return len(p), nil
}

// SHA256 returns the digest of everything written, as "sha256:<hex>".
func (h *Hasher) SHA256() string { return "sha256:" + hex.EncodeToString(h.sum256.Sum(nil)) }

// SRI512 returns the integrity of everything written, as "sha512-<base64>".
func (h *Hasher) SRI512() string {
	return "sha512-" + base64.StdEncoding.EncodeToString(h.sum512.Sum(nil))
}

// Size returns how many bytes were written.
func (h *Hasher) Size() int64 { return h.size }

// strength orders the algorithms of Subresource Integrity; the strongest one given is the one checked.
var strength = []struct {
	name string
	new  func() hash.Hash
}{
	{"sha512", sha512.New},
	{"sha384", sha512.New384},
	{"sha256", sha256.New},
}

// CheckSRI reads r to its end and compares it with a Subresource Integrity string: one or more
// "algorithm-base64" separated by spaces, of sha512, sha384 and sha256. As in the W3C rule, only those of
// the strongest algorithm count, and one of them must match. It fails with Integrity, naming what was
// expected and what came, with Invalid when sri holds nothing that can be checked, and with the error of r.
func CheckSRI(sri string, r io.Reader) error {
	for _, alg := range strength {
		var want [][]byte
		for _, field := range strings.Fields(sri) {
			name, value, _ := strings.Cut(field, "-")
			if name != alg.name {
				continue
			}
			value, _, _ = strings.Cut(value, "?") // options, which mean nothing yet
			sum, err := base64.StdEncoding.DecodeString(value)
			if err != nil || len(sum) != alg.new().Size() {
				return hub.Errorf(hub.Invalid, "the integrity %q is not %s in base64", clip(field), name)
			}
			want = append(want, sum)
		}
		if len(want) > 0 {
			return compare(alg.name, alg.new(), want, r)
		}
	}
	return hub.Errorf(hub.Invalid, "the integrity %q holds no sha512, sha384 or sha256", clip(sri)).
		WithHint("an integrity looks like sha512-<base64>")
}

func compare(name string, h hash.Hash, want [][]byte, r io.Reader) error {
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	got := h.Sum(nil)
	var expected []string
	for _, w := range want {
		if bytes.Equal(w, got) {
			return nil
		}
		expected = append(expected, name+"-"+base64.StdEncoding.EncodeToString(w))
	}
	return hub.Errorf(hub.Integrity, "the bytes are not the ones that were promised: expected %s, got %s-%s",
		strings.Join(expected, " or "), name, base64.StdEncoding.EncodeToString(got)).
		WithHint("the file was changed after it was pinned; do not use it")
}

// CheckDigest compares data read from r with a "sha256:<hex>" digest. It fails as CheckSRI does.
func CheckDigest(digest string, r io.Reader) error {
	if !IsDigest(digest) {
		return hub.Errorf(hub.Invalid, "the digest %q is not sha256: and 64 lower case hex digits", clip(digest))
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != digest {
		return hub.Errorf(hub.Integrity, "the bytes are not the ones that were promised: expected %s, got %s", digest, got).
			WithHint("the file was changed after it was pinned; do not use it")
	}
	return nil
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "..."
	}
	return s
}
