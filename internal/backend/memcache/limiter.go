package memcache

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/mcphub/mcphub/internal/hub"
)

// Limiter is a hub.Limiter. For each key it keeps one time: when the calls so far would be worked off if
// they were done evenly (the generic cell rate algorithm). It knows a bounded number of keys; of a key it
// forgot, a full burst is allowed again.
type Limiter struct {
	keys *otter.Cache[string, *debt]
	now  func() time.Time
}

// debt is the time at which a key's calls are worked off.
type debt struct {
	mu   sync.Mutex
	paid time.Time
}

var _ hub.Limiter = (*Limiter)(nil)

// NewLimiter returns a limiter that remembers at most maxKeys keys. now is its clock; time.Now when nil.
func NewLimiter(maxKeys int, now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{now: now, keys: otter.Must(&otter.Options[string, *debt]{MaximumSize: max(maxKeys, 1)})}
}

// Allow implements hub.Limiter. A rate without calls or without a window allows nothing.
func (l *Limiter) Allow(_ context.Context, key string, rate hub.Rate) hub.Allowance {
	if rate.Limit <= 0 || rate.Window <= 0 {
		return hub.Allowance{Retry: rate.Window, Reset: rate.Window}
	}
	d, ok := l.keys.GetIfPresent(key)
	if !ok {
		d, _ = l.keys.SetIfAbsent(key, &debt{})
	}
	each := rate.Window / time.Duration(rate.Limit)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := l.now()
	paid := d.paid
	if paid.Before(now) {
		paid = now
	}
	next := paid.Add(each)
	a := hub.Allowance{Limit: rate.Limit}
	if over := next.Sub(now) - rate.Window; over > 0 {
		a.Retry, a.Reset = over, paid.Sub(now)
		return a
	}
	d.paid = next
	a.OK = true
	a.Reset = next.Sub(now)
	a.Remaining = int((rate.Window - a.Reset) / max(each, 1))
	return a
}
