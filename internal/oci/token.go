package oci

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

// maxScopes is how many repositories one token may be asked for; docker asks for those it may mount blobs from.
const maxScopes = 20

// giveToken answers the token protocol of the distribution project: whoever the request says it is from gets what
// of the asked it may do, which may be nothing.
func (s *Service) giveToken(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return problemf(unsupported, "tokens are asked for with GET and HTTP Basic")
	}
	q := r.URL.Query()
	if service := q.Get("service"); service != "" && service != s.host {
		return problemf(denied, "this hub gives no tokens for %q; it is %s", short(service), s.host)
	}
	actor, err := s.basic(r)
	if err != nil {
		p := problemOf(err)
		if p.code == unauthorized {
			p.challenge = `Basic realm="mcphub"`
		}
		return p
	}
	scopes := strings.Fields(strings.Join(q["scope"], " "))
	if len(scopes) > maxScopes {
		return problemf(denied, "a token is for %d repositories at the most, not %d", maxScopes, len(scopes))
	}
	access := []auth.ImageAccess{}
	for _, scope := range scopes {
		granted, err := s.grant(r, actor, scope)
		if err != nil {
			return err
		}
		if granted != nil {
			access = append(access, *granted)
		}
	}
	token, expires, err := s.Auth.ImageToken(actor, s.host, access)
	if err != nil {
		return err
	}
	issued := s.Now().UTC().Truncate(time.Second)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]any{"token": token, "access_token": token,
		"expires_in": int(expires.Sub(issued) / time.Second), "issued_at": issued.Format(time.RFC3339)})
}

// basic finds out who asks for a token. Passwords are guessed at no more often than at the sign-in of the API,
// whose limits these are.
func (s *Service) basic(r *http.Request) (hub.Actor, error) {
	if r.Header.Get("Authorization") == "" {
		return hub.Actor{Scopes: []hub.Scope{hub.ScopeRead}}, nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return hub.Actor{}, hub.Errorf(hub.Unauthenticated, "the Authorization header is not one of HTTP Basic").
			WithHint("send the name of an account and its password, or any name and an API key")
	}
	if !auth.Secret(password) {
		for key, rate := range map[string]hub.Rate{"l:" + s.client(r): {Limit: 10, Window: time.Minute}, "u:" + strings.ToLower(user): {Limit: 100, Window: time.Minute}} {
			if a := s.Limiter.Allow(r.Context(), key, rate); !a.OK {
				p := problemf(tooManyRequests, "too many sign-ins with a password; wait, or sign in with an API key")
				p.retry = int(a.Retry/time.Second) + 1
				return hub.Actor{}, p
			}
		}
	}
	return s.Auth.Basic(r.Context(), user, password, "")
}

func (s *Service) client(r *http.Request) string {
	if s.Client != nil {
		return s.Client(r)
	}
	return r.RemoteAddr
}

// grant returns what of a scope ("repository:acme/db:pull,push") the actor may do; nil when it is nothing.
func (s *Service) grant(r *http.Request, actor hub.Actor, scope string) (*auth.ImageAccess, error) {
	kind, rest, _ := strings.Cut(scope, ":")
	name, actions, ok := strings.Cut(rest, ":")
	if !ok || kind != "repository" {
		return nil, nil
	}
	_, namespace, err := parseName(name)
	if err != nil {
		return nil, nil //nolint:nilerr // nothing is granted on what cannot be
	}
	var granted []string
	for _, action := range strings.Split(actions, ",") {
		if slices.Contains(granted, action) {
			continue
		}
		may := false
		switch action {
		case pull:
			if may, err = s.mayPull(r.Context(), actor, name, namespace); err != nil {
				return nil, err
			}
		case push, remove:
			may = s.Catalogue.MayPushImages(actor, namespace) == nil
		}
		if may {
			granted = append(granted, action)
		}
	}
	if granted == nil {
		return nil, nil
	}
	return &auth.ImageAccess{Type: kind, Name: name, Actions: granted}, nil
}

// challenge is the WWW-Authenticate header that says where a token is had, and which.
func (s *Service) challenge(r *http.Request, scope, reason string) string {
	out := fmt.Sprintf("Bearer realm=%q,service=%q", s.realm(r), s.host)
	if scope != "" {
		out += fmt.Sprintf(",scope=%q", scope)
	}
	if reason != "" {
		out += fmt.Sprintf(",error=%q", reason)
	}
	return out
}

// realm is the address of TokenPath: on the public address of the hub, and for who reached it over this machine's
// own network on the address they used. No other name that a request claims is believed.
func (s *Service) realm(r *http.Request) string {
	if loopback(r.Host) {
		return "http://" + r.Host + TokenPath
	}
	return (&url.URL{Scheme: s.base.Scheme, Host: s.base.Host, Path: TokenPath}).String()
}

// loopback reports whether a host, perhaps with a port, is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
