package install

import (
	"context"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Credential is how mcpm signs in at one hub: an API key, or a session that renews itself.
type Credential struct {
	Account      string    `json:"account,omitempty"`
	Token        string    `json:"token,omitempty"` // an API key; it does not expire by itself
	AccessToken  string    `json:"accessToken,omitempty"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	ExpiresAt    time.Time `json:"expiresAt,omitzero"`
}

func (h Home) credentialsPath() string { return h.path("credentials.json") }

// Credential returns what is stored for a registry; the zero Credential when nothing is.
func (h Home) Credential(registry string) (Credential, error) {
	all := map[string]Credential{}
	err := readJSON(h.credentialsPath(), &all)
	return all[registry], err
}

// SetCredential stores the credential for a registry, in a file only its owner can read; the zero
// Credential removes it.
func (h Home) SetCredential(registry string, c Credential) error {
	unlock, err := h.lock("credentials")
	if err != nil {
		return err
	}
	defer unlock()
	return h.putCredential(registry, c)
}

func (h Home) putCredential(registry string, c Credential) error {
	all := map[string]Credential{}
	if err := readJSON(h.credentialsPath(), &all); err != nil {
		return err
	}
	if c == (Credential{}) {
		delete(all, registry)
	} else {
		all[registry] = c
	}
	return writeJSON(h.credentialsPath(), all, 0o600)
}

// AccessToken returns a token for a registry that is good now, or "" when nobody is logged in there. A
// session that is about to end, or whose token was rejected, is renewed by renew; only one process does
// so at a time, because a refresh token spent twice ends the session.
func (h Home) AccessToken(ctx context.Context, registry, rejected string, now time.Time,
	renew func(ctx context.Context, refreshToken string) (Credential, error)) (string, error) {
	c, err := h.Credential(registry)
	if err != nil || c.good(rejected, now) {
		return c.bearer(), err
	}
	unlock, err := h.lock("credentials")
	if err != nil {
		return "", err
	}
	defer unlock()
	if c, err = h.Credential(registry); err != nil || c.good(rejected, now) {
		return c.bearer(), err // another process renewed it while this one waited
	}
	next, err := renew(ctx, c.RefreshToken)
	if hub.KindOf(err) == hub.Unauthenticated {
		return "", hub.Errorf(hub.Unauthenticated, "the login at %s has ended", registry).WithHint("mcpm login --registry %s", registry)
	}
	if err != nil {
		return "", err
	}
	return next.AccessToken, h.putCredential(registry, next)
}

// good reports whether the credential needs no renewal, or cannot be renewed.
func (c Credential) good(rejected string, now time.Time) bool {
	if c.RefreshToken == "" {
		return true
	}
	return c.AccessToken != rejected && now.Add(30*time.Second).Before(c.ExpiresAt)
}

func (c Credential) bearer() string {
	if c.Token != "" {
		return c.Token
	}
	return c.AccessToken
}
