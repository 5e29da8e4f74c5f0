package oci

import (
	"context"
	"net/http"
	"strings"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
)

// The actions of the token protocol.
const (
	pull   = "pull"
	push   = "push"
	remove = "delete"
)

// caller is who makes a request, and what its token grants.
type caller struct {
	hub.Actor
	access []auth.ImageAccess
	token  bool // there is one; it may be nobody's
}

func (s *Service) caller(r *http.Request) (*caller, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return &caller{Actor: hub.Actor{Scopes: []hub.Scope{hub.ScopeRead}}}, nil
	}
	kind, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return nil, hub.Errorf(hub.Unauthenticated, "this registry takes tokens, which are had at %s", TokenPath)
	}
	actor, access, err := s.Auth.ImageActor(r.Context(), strings.TrimSpace(token), s.host, "")
	return &caller{Actor: actor, access: access, token: true}, err
}

// ping answers /v2/, where clients find out whether they need a token, and docker login whether it has one.
func (s *Service) ping(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return problemf(unsupported, "%s is not possible on /v2/", r.Method)
	}
	c, err := s.caller(r)
	if err != nil || !c.token {
		return s.unauthorized(r, "", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write([]byte("{}"))
	return err
}

// unauthorized asks for a token, or for a better one.
func (s *Service) unauthorized(r *http.Request, scope string, cause error) error {
	p := problemf(unauthorized, "authentication is required; sign in: docker login %s", s.host)
	reason := ""
	if cause != nil {
		if p = problemOf(cause); p.code != unauthorized {
			return p
		}
		reason = "invalid_token"
	} else if r.Header.Get("Authorization") != "" {
		reason = "insufficient_scope"
	}
	p.challenge = s.challenge(r, scope, reason)
	return p
}

// mayPull reports whether an actor may read a repository. Everybody may once a version of a server of its namespace
// that can be seen is started from an image in it; until then those who may push to it.
func (s *Service) mayPull(ctx context.Context, actor hub.Actor, name, namespace string) (bool, error) {
	if s.Catalogue.MayPushImages(actor, namespace) == nil {
		return true, nil
	}
	if !actor.Anonymous() && ownsNamespace(actor, namespace) {
		return true, nil // with a key that may only read
	}
	u, err := s.known(ctx, namespace)
	if err != nil {
		return false, err
	}
	return u.public[name], nil
}

func ownsNamespace(actor hub.Actor, namespace string) bool {
	for _, n := range actor.Namespaces {
		if n == namespace {
			return actor.Can(hub.ScopeRead)
		}
	}
	return false
}

// authorize fails unless the request may do the action. What one may not read is not there, for those who are signed
// in, and takes a sign-in for those who are not: neither answer tells whether there is such a repository.
func (s *Service) authorize(r *http.Request, q *request, action string) (*caller, error) {
	scope := "repository:" + q.name + ":" + pull
	if action != pull {
		scope += "," + action
	}
	c, err := s.caller(r)
	if err != nil {
		return nil, s.unauthorized(r, scope, err)
	}
	if action == pull {
		may, err := s.mayPull(r.Context(), c.Actor, q.name, q.namespace)
		switch {
		case err != nil:
			return nil, err
		case may && (!c.token || auth.Grants(c.access, q.name, pull)):
			return c, nil
		case may || c.Anonymous():
			return nil, s.unauthorized(r, scope, nil)
		}
		return nil, problemf(nameUnknown, "there is no repository %s here, or it is not public", q.name)
	}
	if c.Anonymous() {
		return nil, s.unauthorized(r, scope, nil)
	}
	if err := s.Catalogue.MayPushImages(c.Actor, q.namespace); err != nil {
		return nil, err
	}
	if !auth.Grants(c.access, q.name, action) {
		return nil, s.unauthorized(r, scope, nil)
	}
	return c, nil
}
