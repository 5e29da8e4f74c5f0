package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Prefixes of the secrets, so that people and secret scanners know one when they see it.
const (
	KeyPrefix     = "mcph_"
	refreshPrefix = "mcphr_"
	setupPrefix   = "mcphs_"
)

// newSecret returns a secret with 256 random bits.
func newSecret(prefix string) string {
	b := make([]byte, 32)
	rand.Read(b)
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// hashSecret is the form in which a secret is stored.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
