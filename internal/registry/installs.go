package registry

import (
	"context"
	"sync"
	"time"
)

// installCounts gathers installs in memory, so that an install costs no write of its own.
type installCounts struct {
	mu     sync.Mutex
	counts map[string]int64
}

// maxCounted bounds the memory between two flushes.
const maxCounted = 10000

// CountInstall notes that mcpm installs a version of the server with this ID.
func (s *Service) CountInstall(serverID string) {
	s.installs.mu.Lock()
	defer s.installs.mu.Unlock()
	if s.installs.counts == nil {
		s.installs.counts = map[string]int64{}
	}
	if _, ok := s.installs.counts[serverID]; ok || len(s.installs.counts) < maxCounted {
		s.installs.counts[serverID]++
	}
}

// flushInstalls writes the counts every few seconds and once more at the end.
func (s *Service) flushInstalls(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.writeInstalls(ctx)
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			s.writeInstalls(end)
			return
		}
	}
}

func (s *Service) writeInstalls(ctx context.Context) {
	s.installs.mu.Lock()
	counts := s.installs.counts
	s.installs.counts = nil
	s.installs.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	if err := s.store.AddInstalls(ctx, counts); err != nil {
		s.log.Error("install counts were lost", "servers", len(counts), "error", err)
	}
}
