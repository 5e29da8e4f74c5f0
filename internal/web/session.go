package web

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

// The cookies of a sign-in: the access token of minutes, and the refresh token of days that gives the next one.
// Scripts cannot read them, and other sites cannot have them sent along with a form.
const (
	accessCookie = "mcphub_access"
	renewCookie  = "mcphub_renew"
)

type visitorKey struct{}

// visitorOf is who asks for the page; nobody when they are not signed in.
func visitorOf(r *http.Request) hub.Actor {
	a, _ := r.Context().Value(visitorKey{}).(hub.Actor)
	return a
}

// hasSession reports whether the browser says it is signed in.
func hasSession(r *http.Request) bool {
	for _, name := range []string{accessCookie, renewCookie} {
		if c, err := r.Cookie(name); err == nil && c.Value != "" {
			return true
		}
	}
	return false
}

// identify finds out who is asking, renews a session whose access token is over, and forgets one that ended.
func (s *site) identify(w http.ResponseWriter, r *http.Request) *http.Request {
	if !hasSession(r) {
		return r
	}
	ctx, id := r.Context(), w.Header().Get("X-Request-Id")
	if c, err := r.Cookie(accessCookie); err == nil && c.Value != "" {
		if actor, err := s.Auth.Actor(ctx, "Bearer "+c.Value, id); err == nil {
			return r.WithContext(context.WithValue(ctx, visitorKey{}, actor))
		}
	}
	c, err := r.Cookie(renewCookie)
	if err != nil || c.Value == "" {
		return r
	}
	session, err := s.sessions.Renew(c.Value, s.Now(), func() (*auth.Session, error) {
		return s.Auth.Refresh(context.WithoutCancel(ctx), c.Value, id) // a browser that goes away must not lose the login
	})
	if err != nil {
		if hub.KindOf(err) == hub.Unauthenticated {
			s.forget(w)
		}
		return r
	}
	actor, err := s.Auth.Actor(ctx, "Bearer "+session.Access, id)
	if err != nil {
		return r
	}
	s.remember(w, session)
	return r.WithContext(context.WithValue(ctx, visitorKey{}, actor))
}

func (s *site) remember(w http.ResponseWriter, session *auth.Session) {
	s.setCookie(w, accessCookie, session.Access, auth.AccessTTL)
	s.setCookie(w, renewCookie, session.Refresh, auth.RefreshTTL)
}

func (s *site) forget(w http.ResponseWriter) {
	s.setCookie(w, accessCookie, "", -1)
	s.setCookie(w, renewCookie, "", -1)
}

func (s *site) setCookie(w http.ResponseWriter, name, value string, ttl time.Duration) {
	age := int(ttl / time.Second)
	if ttl < 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: s.Prefix + "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(s.BaseURL, "https://")})
}

// loginRate bounds guesses from one address, loginRateName those at one account from everywhere, as the API does.
var (
	loginRate     = hub.Rate{Limit: 10, Window: time.Minute}
	loginRateName = hub.Rate{Limit: 100, Window: time.Minute}
)

// mayTry fails when there were too many tries to sign in.
func (s *site) mayTry(r *http.Request, user string) error {
	if s.Limiter == nil {
		return nil
	}
	if !s.Limiter.Allow(r.Context(), "l:"+s.caller(r), loginRate).OK || !s.Limiter.Allow(r.Context(), "u:"+strings.ToLower(user), loginRateName).OK {
		return hub.Errorf(hub.RateLimited, "too many tries to sign in").WithHint("wait a minute")
	}
	return nil
}

// caller is the address of who is asking.
func (s *site) caller(r *http.Request) string {
	if s.Client != nil {
		return s.Client(r)
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// signedIn fails unless somebody is signed in.
func signedIn(r *http.Request) (hub.Actor, error) {
	a := visitorOf(r)
	if a.Anonymous() {
		return a, hub.Errorf(hub.Unauthenticated, "this page is about your account").WithHint("sign in first")
	}
	return a, nil
}
