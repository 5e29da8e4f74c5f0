// Package registry is what the hub does: publish, find, change the state of a version, import, mirror,
// watch. One file a use case. It decides who may do what (every method that changes or reveals
// something takes the actor first) and knows nothing of HTTP, SQL or files.
package registry

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/mcphub/mcphub/internal/hub"
)

// Store is everything the registry keeps in one transactional place.
type Store interface {
	hub.Servers
	hub.Statistics
	hub.Versions
	hub.Catalog
	hub.Capabilities
	hub.Accounts
	hub.Namespaces
	hub.Events
	hub.Jobs
	hub.Replays
	hub.Settings
}

// Config is what a Service is made from.
type Config struct {
	Store    Store
	Blobs    hub.Blobs
	Log      *slog.Logger
	Now      func() time.Time
	Worker   string // name of this process in leases; unique among hubs on one database
	MaxBytes int64  // largest bundle accepted, in bytes of the archive
}

// DefaultMaxBundle is the largest bundle accepted when nothing else is configured: 64 MiB, as much as mcpm
// takes.
const DefaultMaxBundle = 64 << 20

// Service is the registry.
type Service struct {
	store    Store
	blobs    hub.Blobs
	log      *slog.Logger
	now      func() time.Time
	worker   string
	maxBytes int64
	stages   []Stage
	wake     chan struct{} // a job was stored
	local    atomic.Uint64 // writes of this process
	seen     atomic.Int64  // last event of any process that was noticed
	installs installCounts

	holdsLost atomic.Bool // a lease of this process may be in the store without its knowing
}

// New makes a Service. Nothing runs until Run is called; reading and publishing work without it.
func New(c Config) *Service {
	if c.MaxBytes <= 0 {
		c.MaxBytes = DefaultMaxBundle
	}
	s := &Service{
		store: c.Store, blobs: c.Blobs, log: c.Log, now: c.Now, worker: c.Worker,
		maxBytes: c.MaxBytes, wake: make(chan struct{}, 1),
	}
	s.stages = s.publishStages()
	return s
}

// Generation changes whenever something a reader could see changed, in this process at once and in
// others within a second. Answers may be kept under it.
func (s *Service) Generation() (local uint64, seen int64) { return s.local.Load(), s.seen.Load() }

// MaxBundle is the largest bundle accepted, in bytes.
func (s *Service) MaxBundle() int64 { return s.maxBytes }

// Changed tells readers of this process that there is news: answers kept before are not given any more.
func (s *Service) Changed() { s.local.Add(1) }

// wakeWorker makes the worker look for jobs now.
func (s *Service) wakeWorker() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// event starts an event by an actor.
func (s *Service) event(actor hub.Actor, action, subject, name string) hub.Event {
	return hub.Event{At: s.now(), Actor: actor.AccountID, ActorName: actor.Name, Action: action,
		Subject: subject, Name: name, RequestID: actor.RequestID}
}

// newID returns a UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// label is how people write a version: "@acme/db 1.2.0".
func label(n hub.Name, version string) string { return n.String() + " " + version }

// mayPublish fails unless the actor may publish to the namespace of name.
func mayPublish(actor hub.Actor, name hub.Name) error {
	if actor.Anonymous() {
		return hub.Errorf(hub.Unauthenticated, "publishing needs an account").WithHint("sign in first: mcpm login")
	}
	if !actor.Can(hub.ScopePublish) {
		return hub.Errorf(hub.Forbidden, "this credential may read only; publishing needs scope publish").
			WithHint("make a key with scope publish: on the page Keys of your account, or with mcphub admin key")
	}
	if actor.Admin() {
		return nil
	}
	for _, scope := range actor.Namespaces {
		if scope == name.Scope() {
			return nil
		}
	}
	return hub.Errorf(hub.Forbidden, "you may not publish %s: its namespace %q is not yours", name, name.Scope()).
		WithHint("you may publish to: %s. Reverse-DNS namespaces are given by an administrator of this hub", spaceList(actor.Namespaces))
}

func spaceList(scopes []string) string {
	if len(scopes) == 0 {
		return "nothing"
	}
	out := ""
	for i, scope := range scopes {
		if i > 0 {
			out += ", "
		}
		out += hub.Name(scope + "/*").String()
	}
	return out
}

// ClaimNamespace gives a scope to an account; one that it has already stays its own. Forbidden unless the actor is an
// administrator, Exists when another account has it.
func (s *Service) ClaimNamespace(ctx context.Context, actor hub.Actor, scope, account string) error {
	if !actor.Admin() {
		return hub.Errorf(hub.Forbidden, "namespaces are given by administrators").WithHint("ask an administrator of this hub")
	}
	scope, err := hub.ParseScope(scope)
	if err != nil {
		return err
	}
	acc, err := s.store.Account(ctx, account)
	if err != nil {
		return err
	}
	err = s.store.ClaimNamespace(ctx, hub.Namespace{Scope: scope, AccountID: acc.ID, ClaimedBy: actor.AccountID, CreatedAt: s.now()},
		s.event(actor, hub.ActionNamespaceClaimed, scope, scope))
	if hub.KindOf(err) != hub.Exists {
		return err
	}
	if have, lost := s.store.Namespace(ctx, scope); lost == nil && have.AccountID == acc.ID {
		return nil
	}
	return err
}
