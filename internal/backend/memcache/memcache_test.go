package memcache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/conform"
	"github.com/mcphub/mcphub/internal/hub"
)

func TestCache(t *testing.T) {
	conform.Cache(t, func(t *testing.T, c *conform.Clock) hub.Cache { return memcache.NewCache(1<<20, c.Now) })
}

func TestLimiter(t *testing.T) {
	conform.Limiter(t, func(t *testing.T, c *conform.Clock) hub.Limiter { return memcache.NewLimiter(1000, c.Now) })
}

func TestCacheIsBounded(t *testing.T) {
	c := memcache.NewCache(1<<20, nil)
	ctx := context.Background()
	for i := range 5000 {
		c.Set(ctx, fmt.Sprint(i), make([]byte, 1000), time.Hour)
	}
	held := 0
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		held = 0
		for i := range 5000 {
			if _, ok := c.Get(ctx, fmt.Sprint(i)); ok {
				held++
			}
		}
		if held <= 1<<20/1000 {
			break
		}
	}
	if held > 1<<20/1000 || held == 0 {
		t.Errorf("%d values of 1000 bytes in a cache of 1 MiB", held)
	}
	c.Set(ctx, "huge", make([]byte, 1<<19), time.Hour)
	if _, ok := c.Get(ctx, "huge"); ok {
		t.Error("a value of half the cache is kept")
	}
}

func BenchmarkCacheGet(b *testing.B) {
	c := memcache.NewCache(1<<24, nil)
	ctx := context.Background()
	c.Set(ctx, "key", make([]byte, 1000), time.Hour)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Get(ctx, "key")
		}
	})
}

func BenchmarkAllow(b *testing.B) {
	l := memcache.NewLimiter(100_000, nil)
	ctx := context.Background()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Allow(ctx, "203.0.113.7", hub.Rate{Limit: 1000, Window: time.Second})
		}
	})
}
