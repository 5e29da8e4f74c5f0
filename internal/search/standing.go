package search

import (
	"context"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	standingAge   = time.Minute // after which the standing of a server is read again
	maxStandings  = 50_000      // that are kept
	standingBatch = 100         // that are read at once
)

// standings keep how well servers are described and how often they are installed, which every search asks for and
// which changes slowly.
type standings struct {
	mu    sync.Mutex
	since time.Time
	known map[string]hub.Standing
}

// of returns the standings of servers. Those that are not known yet are read.
func (k *standings) of(ctx context.Context, store Store, ids []string) (map[string]hub.Standing, error) {
	out := make(map[string]hub.Standing, len(ids))
	var missing []string
	k.mu.Lock()
	if k.known == nil || len(k.known) > maxStandings || time.Since(k.since) > standingAge {
		k.known, k.since = map[string]hub.Standing{}, time.Now()
	}
	known := k.known
	for _, id := range ids {
		if st, ok := known[id]; ok {
			out[id] = st
		} else {
			missing = append(missing, id)
		}
	}
	k.mu.Unlock()
	for len(missing) > 0 {
		n := min(len(missing), standingBatch)
		found, err := store.Standings(ctx, missing[:n])
		if err != nil {
			return nil, err
		}
		missing = missing[n:]
		k.mu.Lock()
		for id, st := range found {
			out[id], known[id] = st, st
		}
		k.mu.Unlock()
	}
	return out, nil
}

// forget lets all be read again.
func (k *standings) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = nil
}
