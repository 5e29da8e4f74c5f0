package trust

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// IsSHA256 reports whether s is "sha256:" and 64 hex digits.
func IsSHA256(s string) bool {
	h, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(h) != 64 || strings.ToLower(h) != h {
		return false
	}
	_, err := hex.DecodeString(h)
	return err == nil
}

// IsSHA512 reports whether s is "sha512-" and such a sum in base64, as subresource integrity has it.
func IsSHA512(s string) bool {
	rest, ok := strings.CutPrefix(s, "sha512-")
	sum, err := base64.StdEncoding.DecodeString(rest)
	return ok && err == nil && len(sum) == sha512.Size
}
