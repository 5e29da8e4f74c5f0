package beside

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Clock is a clock that a test moves. The backends of Cache and Limiter must ask it for the time.
type Clock struct{ at time.Time }

// NewClock returns a clock that stands still.
func NewClock() *Clock { return &Clock{at: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return c.at }

// Add moves the clock.
func (c *Clock) Add(d time.Duration) { c.at = c.at.Add(d) }

// Cache runs the suite of hub.Cache.
func Cache(t *testing.T, open func(t *testing.T, c *Clock) hub.Cache) {
	ctx := context.Background()
	t.Run("Get returns the value and true, until its time is over", func(t *testing.T) {
		clock := NewClock()
		c := open(t, clock)
		c.Set(ctx, "k", []byte("v"), time.Minute)
		clock.Add(time.Minute - 1)
		if b, ok := c.Get(ctx, "k"); !ok || string(b) != "v" {
			t.Fatalf("got %q %v", b, ok)
		}
		clock.Add(1)
		if b, ok := c.Get(ctx, "k"); ok {
			t.Fatalf("got %q after its time", b)
		}
	})
	t.Run("Get returns false when it is not there", func(t *testing.T) {
		if b, ok := open(t, NewClock()).Get(ctx, "k"); ok || b != nil {
			t.Fatalf("got %q %v", b, ok)
		}
	})
	t.Run("Set replaces value and time, also with an empty value", func(t *testing.T) {
		clock := NewClock()
		c := open(t, clock)
		c.Set(ctx, "k", []byte("old"), time.Second)
		c.Set(ctx, "k", []byte{}, time.Hour)
		clock.Add(time.Minute)
		if b, ok := c.Get(ctx, "k"); !ok || len(b) != 0 {
			t.Fatalf("got %q %v", b, ok)
		}
		c.Set(ctx, "k", []byte("x"), 0)
		if _, ok := c.Get(ctx, "k"); ok {
			t.Fatal("a value without time is kept")
		}
	})
	t.Run("many may use it at once", func(t *testing.T) {
		c := open(t, NewClock())
		got := Together(8, func(i int) error {
			for j := range 500 {
				key := fmt.Sprint(j % 50)
				c.Set(ctx, key, []byte(key), time.Hour)
				if b, ok := c.Get(ctx, key); ok && string(b) != key {
					return fmt.Errorf("%s holds %s", key, b)
				}
			}
			return nil
		})
		if got[""] != 8 {
			t.Fatal(got)
		}
	})
}

// Limiter runs the suite of hub.Limiter.
func Limiter(t *testing.T, open func(t *testing.T, c *Clock) hub.Limiter) {
	ctx := context.Background()
	rate := hub.Rate{Limit: 5, Window: 10 * time.Second}
	t.Run("Allow: a burst of up to Limit is allowed, the next call is not", func(t *testing.T) {
		l := open(t, NewClock())
		for i := range 5 {
			a := l.Allow(ctx, "k", rate)
			want := hub.Allowance{OK: true, Limit: 5, Remaining: 4 - i, Reset: time.Duration(i+1) * 2 * time.Second}
			if a != want {
				t.Fatalf("call %d: %+v, want %+v", i, a, want)
			}
		}
		if a, want := l.Allow(ctx, "k", rate), (hub.Allowance{Limit: 5, Reset: 10 * time.Second, Retry: 2 * time.Second}); a != want {
			t.Fatalf("%+v, want %+v", a, want)
		}
	})
	t.Run("Allow: Retry is when the next call is allowed, and a refused call costs nothing", func(t *testing.T) {
		clock := NewClock()
		l := open(t, clock)
		for range 5 {
			l.Allow(ctx, "k", rate)
		}
		for range 20 {
			clock.Add(l.Allow(ctx, "k", rate).Retry - 1)
			if a := l.Allow(ctx, "k", rate); a.OK || a.Retry != 1 {
				t.Fatalf("too early: %+v", a)
			}
			clock.Add(1)
			if a := l.Allow(ctx, "k", rate); !a.OK {
				t.Fatalf("in time: %+v", a)
			}
		}
	})
	t.Run("Allow: calls spread evenly over the window are all allowed", func(t *testing.T) {
		clock := NewClock()
		l := open(t, clock)
		odd := hub.Rate{Limit: 7, Window: time.Second}
		for i := range 100 {
			if a := l.Allow(ctx, "k", odd); !a.OK {
				t.Fatalf("call %d: %+v", i, a)
			}
			clock.Add(time.Second / 7)
		}
	})
	t.Run("Allow: Reset is when Remaining is Limit again", func(t *testing.T) {
		clock := NewClock()
		l := open(t, clock)
		l.Allow(ctx, "k", rate)
		clock.Add(l.Allow(ctx, "k", rate).Reset)
		if a := l.Allow(ctx, "k", rate); a.Remaining != 4 {
			t.Fatalf("%+v", a)
		}
	})
	limiterKeys(t, open)
}

func limiterKeys(t *testing.T, open func(t *testing.T, c *Clock) hub.Limiter) {
	ctx := context.Background()
	rate := hub.Rate{Limit: 5, Window: 10 * time.Second}
	t.Run("Allow counts under each key alone", func(t *testing.T) {
		l := open(t, NewClock())
		for _, key := range []string{"a", "b"} {
			for range 5 {
				if !l.Allow(ctx, key, rate).OK {
					t.Fatal(key)
				}
			}
		}
	})
	t.Run("Allow: of many calls at once exactly Limit are allowed", func(t *testing.T) {
		l := open(t, NewClock())
		got := Together(20, func(int) error {
			if !l.Allow(ctx, "k", rate).OK {
				return hub.Errorf(hub.RateLimited, "no")
			}
			return nil
		})
		if got[""] != 5 || got[hub.RateLimited] != 15 {
			t.Fatal(got)
		}
	})
	t.Run("Allow: a rate of nothing allows nothing", func(t *testing.T) {
		if a := open(t, NewClock()).Allow(ctx, "k", hub.Rate{Window: time.Second}); a.OK || a.Retry <= 0 {
			t.Fatalf("%+v", a)
		}
	})
}
