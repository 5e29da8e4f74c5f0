package search

import (
	"context"
	"errors"
	"testing"
)

// TestTurns guards: a search waits for its turn while as many run as may, and gives up when nobody waits for it any more.
func TestTurns(t *testing.T) {
	s := &Service{turns: make(chan struct{}, 1)}
	s.turns <- struct{}{}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Find(ctx, Query{Text: "database", Limit: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("a search without a turn: %v, want that it was given up", err)
	}
	if len(s.turns) != 1 {
		t.Error("a search that never ran gave a turn back")
	}
}
