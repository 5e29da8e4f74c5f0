package memcache

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/mcphub/mcphub/internal/hub"
)

// entryOverhead is what an entry takes besides its key and value, about.
const entryOverhead = 128

// Cache is a hub.Cache bounded by bytes. The least useful entries make room for new ones.
type Cache struct {
	entries *otter.Cache[string, entry]
	now     func() time.Time
	max     int64
}

type entry struct {
	value []byte
	until time.Time
}

var _ hub.Cache = (*Cache)(nil)

// NewCache returns a cache that holds about maxBytes, keys and bookkeeping counted. now is its clock;
// time.Now when nil.
func NewCache(maxBytes int64, now func() time.Time) *Cache {
	if now == nil {
		now = time.Now
	}
	maxBytes = max(maxBytes, 1)
	return &Cache{now: now, max: maxBytes, entries: otter.Must(&otter.Options[string, entry]{
		MaximumWeight: uint64(maxBytes),
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, entry]) time.Duration {
			return max(e.Value.until.Sub(now()), 1) // what is over gives its place up at once, however often it was asked for
		}),
		Weigher: func(key string, e entry) uint32 {
			return uint32(min(int64(len(key)+len(e.value)+entryOverhead), 1<<31))
		},
	})}
}

// Get implements hub.Cache.
func (c *Cache) Get(_ context.Context, key string) ([]byte, bool) {
	e, ok := c.entries.GetIfPresent(key)
	if !ok || !c.now().Before(e.until) {
		return nil, false
	}
	return e.value, true
}

// Set implements hub.Cache. A value that would take more than an eighth of the cache is not kept: it would
// push out many for one.
func (c *Cache) Set(_ context.Context, key string, value []byte, ttl time.Duration) {
	if ttl <= 0 || int64(len(key)+len(value)) > c.max/8 {
		c.entries.Invalidate(key)
		return
	}
	c.entries.Set(key, entry{value: value, until: c.now().Add(ttl)})
}
