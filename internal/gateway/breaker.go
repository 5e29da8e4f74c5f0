package gateway

import (
	"fmt"
	"sync"
	"time"
)

const (
	breakAfter = 5 // failures in a row
	firstBreak = time.Second
	lastBreak  = time.Minute
)

// breaker keeps requests from a server that fails again and again: they are answered at once, and it gets time to recover.
// After a pause one request is let through; when that fails too, the pause doubles. The zero value is ready.
type breaker struct {
	Now func() time.Time // nil for the clock

	mu       sync.Mutex
	failures int
	pause    time.Duration
	until    time.Time
	trying   bool // one request is on its way to find out
}

func (b *breaker) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// enter reports whether a request may be made, and else says why not. Each one that may is ended with leave.
func (b *breaker) enter() (reason string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return "", true
	}
	if wait := b.until.Sub(b.now()); wait > 0 || b.trying {
		return fmt.Sprintf("failed %d times in a row; it is tried again in %s", b.failures, max(wait, time.Second).Round(time.Second)), false
	}
	b.trying = true
	return "", true
}

// leave notes how a request ended, and reports whether the server is left alone from now on.
func (b *breaker) leave(failed bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if !failed {
		b.failures, b.pause = 0, 0
		return false
	}
	b.failures++
	if b.failures < breakAfter {
		return false
	}
	first := b.pause == 0
	b.pause = min(max(2*b.pause, firstBreak), lastBreak)
	b.until = b.now().Add(b.pause)
	return first
}
