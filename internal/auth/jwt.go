package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/hub"
)

const (
	issuer     = "mcphub"
	signingKey = "auth.signing_key" // name of the hub.Settings entry: the Ed25519 seed
)

// Permission is one grant of a token of the official registry API.
type Permission struct {
	Action  string `json:"action"`   // publish or edit
	Pattern string `json:"resource"` // exact name, "prefix*" or "*"
}

// claims are ours and, for tokens given out at /v0.1/auth, those of the official registry API.
type claims struct {
	jwt.RegisteredClaims
	Name        string       `json:"name,omitempty"`
	Scopes      []hub.Scope  `json:"scopes,omitempty"`
	Method      string       `json:"auth_method,omitempty"`
	MethodSub   string       `json:"auth_method_sub,omitempty"`
	Permissions []Permission `json:"permissions,omitempty"`
}

// signer makes and checks the hub's access tokens.
type signer struct {
	key ed25519.PrivateKey
	now func() time.Time

	// Checking a signature costs more than reading a row, and a client sends the same token many times:
	// those that held are remembered until their time is over.
	mu    sync.Mutex
	known map[[sha256.Size]byte]*claims
}

// maxKnown bounds the memory of known; past it all are forgotten.
const maxKnown = 1000

// newSigner reads the hub's signing key, or makes it at the first start. Several hubs on one database
// share it.
func newSigner(ctx context.Context, settings hub.Settings, now func() time.Time) (*signer, error) {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	seed, err := settings.SetSettingOnce(ctx, signingKey, seed)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, hub.Errorf(hub.Integrity, "the stored signing key has %d bytes, not %d", len(seed), ed25519.SeedSize).
			WithHint("restore the database from a backup")
	}
	return &signer{key: ed25519.NewKeyFromSeed(seed), now: now}, nil
}

func (s *signer) sign(subject string, ttl time.Duration, fill func(*claims)) (string, time.Time, error) {
	now := s.now()
	expires := now.Add(ttl).Truncate(time.Second)
	c := &claims{RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Subject: subject, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(expires),
	}}
	fill(c)
	text, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(s.key)
	return text, expires, err
}

func (s *signer) verify(text string) (*claims, error) {
	sum := sha256.Sum256([]byte(text))
	s.mu.Lock()
	c := s.known[sum]
	s.mu.Unlock()
	if c != nil && s.now().Before(c.ExpiresAt.Time) {
		return c, nil
	}
	c = &claims{}
	_, err := jwt.ParseWithClaims(text, c, func(*jwt.Token) (any, error) { return s.key.Public(), nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	if err != nil {
		return nil, hub.Errorf(hub.Unauthenticated, "the access token is not valid or its time is over").
			WithHint("sign in again: mcpm login").WithCause(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxKnown {
		s.known = map[[sha256.Size]byte]*claims{}
	}
	s.known[sum] = c
	return c, nil
}
