// Package search finds servers: by words, by meaning, by what they are and by what they can do. It keeps the
// text index and the vectors in step with the store by following the event log, each by itself, so that one
// engine that is down delays nothing but itself; while the text index is down, names are searched in the store.
package search

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

// Store is what search reads of the records, and where it keeps its place in the event log.
type Store interface {
	hub.Servers
	hub.Matches
	hub.Catalog
	hub.Capabilities
	hub.Events
	hub.Settings
}

// Config is what a Service is made from.
type Config struct {
	Store    Store
	Index    hub.Index
	Vectors  hub.Vectors            // nil: words only
	Embedder hub.Embedder           // nil when Vectors is
	Hosts    []string               // IDs of the host applications that can use any server through mcpm
	Known    func(word string) bool // reports words of the language, which are not corrected however rare; nil: none
	Speaks   func(word string) bool // reports words the embedder has a meaning for; nil: all of them
	Log      *slog.Logger
	Worker   string // name of this process in cursors; unique among hubs on one database
	Changed  func() // called when answers may have changed
	AtOnce   int    // searches that run at once, others wait for their turn; 0 for any number

	// IndexName and VectorsName name engines that several hubs on one database share: one of them keeps it in step for
	// all. "" for one that belongs to this process.
	IndexName, VectorsName string
}

// Service finds servers. Its methods may be called by many at once.
type Service struct {
	store     Store
	index     hub.Index
	vectors   hub.Vectors
	embedder  hub.Embedder
	hosts     []string
	known     func(string) bool
	speaks    func(string) bool // nil: every word
	log       *slog.Logger
	worker    string
	changed   func()
	turns     chan struct{} // nil: nobody waits
	concepts  concepts
	standings standings
	text      *follower
	meaning   *follower // nil without vectors
}

// New makes a Service. Nothing is followed until Run is called.
func New(c Config) *Service {
	s := &Service{store: c.Store, index: c.Index, vectors: c.Vectors, embedder: c.Embedder, hosts: c.Hosts, known: c.Known, speaks: c.Speaks, log: c.Log, worker: c.Worker}
	if c.AtOnce > 0 {
		s.turns = make(chan struct{}, c.AtOnce)
	}
	if s.known == nil {
		s.known = func(string) bool { return false }
	}
	s.changed = func() {
		s.standings.forget()
		if c.Changed != nil {
			c.Changed()
		}
	}
	s.text = &follower{s: s, name: "index", lease: s.leaseOf("index", c.IndexName), cursor: "index." + cmp.Or(c.IndexName, c.Worker), count: c.Index.Count, update: s.updateText, rebuild: s.rebuildText}
	if s.vectors != nil {
		s.meaning = &follower{s: s, name: "vectors", lease: s.leaseOf("vectors", c.VectorsName), count: c.Vectors.Count, update: s.updateVectors,
			cursor: "vectors." + cmp.Or(c.VectorsName, c.Worker) + "." + c.Embedder.Model(), rebuild: s.rebuildVectors}
	}
	return s
}

// leaseOf makes the lease on a shared engine; nil for one that belongs to this process.
func (s *Service) leaseOf(kind, name string) *lease {
	if name == "" {
		return nil
	}
	return &lease{settings: s.store, key: kind + ".lease." + name, worker: s.worker}
}

func (s *Service) followers() []*follower {
	if s.meaning == nil {
		return []*follower{s.text}
	}
	return []*follower{s.text, s.meaning}
}

// Run keeps the engines in step with the store until ctx ends. It embeds the concepts, so that no question waits for it.
func (s *Service) Run(ctx context.Context) {
	var wg sync.WaitGroup
	if s.vectors != nil {
		wg.Go(func() {
			if _, err := s.concepts.get(ctx, s.embedder); err != nil {
				s.log.WarnContext(ctx, "concepts were not embedded; the next question tries it again", "error", err)
			}
		})
	}
	for _, f := range s.followers() {
		wg.Go(func() { f.run(ctx) })
	}
	wg.Wait()
}

// Lag is how many events each engine is behind, by "index" and "vectors".
func (s *Service) Lag() map[string]int64 {
	out := map[string]int64{}
	for _, f := range s.followers() {
		out[f.name] = f.lag()
	}
	return out
}

// Reindex fills every engine anew from the store. What was there is found until the new is whole.
func (s *Service) Reindex(ctx context.Context) error {
	for _, f := range s.followers() {
		if err := f.fill(ctx); err != nil {
			return err
		}
	}
	return nil
}

// askedKey is the setting by which a command asks the running hubs to fill their engines anew.
const askedKey = "index.asked"

// AskReindex makes every hub on this store fill its engines anew, now or at its next start.
func AskReindex(ctx context.Context, settings hub.Settings) error {
	return settings.SetSetting(ctx, askedKey, []byte(newID()))
}
