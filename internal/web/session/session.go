// Package session keeps what browsers know of a sign-in in step.
package session

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
)

// Renewals remembers for a moment which session a refresh token gave: a browser that opens two pages at once
// sends it twice, and a token that is spent twice ends the login.
type Renewals struct {
	mu    sync.Mutex
	spent map[[32]byte]*renewal
}

type renewal struct {
	once    sync.Once
	at      time.Time
	session *auth.Session
	err     error
}

// grace is how long the answer to a refresh token is remembered.
const grace = 20 * time.Second

// Renew calls refresh, unless the secret was spent a moment ago: then it returns what came of it.
func (x *Renewals) Renew(secret string, now time.Time, refresh func() (*auth.Session, error)) (*auth.Session, error) {
	key := sha256.Sum256([]byte(secret))
	x.mu.Lock()
	if x.spent == nil {
		x.spent = map[[32]byte]*renewal{}
	}
	for k, r := range x.spent {
		if now.Sub(r.at) > grace {
			delete(x.spent, k)
		}
	}
	r := x.spent[key]
	if r == nil {
		r = &renewal{at: now}
		x.spent[key] = r
	}
	x.mu.Unlock()
	r.once.Do(func() { r.session, r.err = refresh() })
	return r.session, r.err
}
