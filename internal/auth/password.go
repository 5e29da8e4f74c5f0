package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"golang.org/x/crypto/argon2"
)

// argon2id parameters: the second recommended option of RFC 9106 section 4 costs 64 MiB; a hub that
// embeds everything takes OWASP's smaller one (19 MiB, 2 passes) and bounds how many run at once.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// Limits of a password, in characters. There are no rules about its letters (NIST SP 800-63B).
const (
	MinPassword = 10
	MaxPassword = 256
)

// hashing bounds the memory that sign-ins can take: 4 x 19 MiB.
var hashing = make(chan struct{}, 4)

// HashPassword returns a PHC string for a new password. Invalid when it is too short or too long.
func HashPassword(ctx context.Context, password string) (string, error) {
	n := utf8.RuneCountInString(password)
	if n < MinPassword || n > MaxPassword {
		return "", hub.Errorf(hub.Invalid, "the password has %d characters; it needs %d to %d", n, MinPassword, MaxPassword).
			WithHint("three or four random words make a good one")
	}
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key, err := derive(ctx, password, salt, argonTime, argonMemory, argonThreads, argonKey)
	if err != nil {
		return "", err
	}
	return phc(salt, key), nil
}

func phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime,
		argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// nobodysHash is a hash that no password makes. To find that out takes as long as with any other.
func nobodysHash() string {
	salt, key := make([]byte, argonSalt), make([]byte, argonKey)
	rand.Read(salt)
	rand.Read(key)
	return phc(salt, key)
}

// VerifyPassword reports whether password makes the PHC string. A string it cannot read never matches.
func VerifyPassword(ctx context.Context, phc, password string) (bool, error) {
	var version int
	var memory, passes uint32
	var threads uint8
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || len(password) > 4*MaxPassword {
		return false, nil
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, nil
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil || memory > 1<<20 || passes == 0 || passes > 16 || threads == 0 {
		return false, nil
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false, nil
	}
	got, err := derive(ctx, password, salt, passes, memory, threads, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func derive(ctx context.Context, password string, salt []byte, passes, memory uint32, threads uint8, size uint32) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return nil, hub.Errorf(hub.Unavailable, "too many sign-ins at once").WithHint("try again in a few seconds").WithCause(ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, passes, memory, threads, size), nil
}
