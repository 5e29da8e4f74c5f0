package conform

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func settings(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Setting returns a value, NotFound when it was never set", func(f *fix) {
		_, err := f.Setting(f.ctx, "key")
		f.kind(err, hub.NotFound)
		for _, value := range [][]byte{{0, 1, 255, '\'', '?'}, {}, []byte("text")} {
			f.ok(f.SetSetting(f.ctx, "key", value))
			got, err := f.Setting(f.ctx, "key")
			f.ok(err)
			if !bytes.Equal(got, value) {
				f.Fatalf("got %x, want %x", got, value)
			}
		}
	})
	each(t, open, "SetSettingOnce stores a value unless one is there, and returns the one that is there", func(f *fix) {
		got := make([][]byte, 10)
		results := beside.Together(10, func(i int) (err error) {
			got[i], err = f.SetSettingOnce(f.ctx, "key", []byte{byte(i)})
			return err
		})
		equal(f, "results", results, map[hub.Kind]int{"": 10})
		stored, err := f.Setting(f.ctx, "key")
		f.ok(err)
		for _, g := range got {
			if !bytes.Equal(g, stored) {
				f.Fatalf("one got %x, stored is %x", g, stored)
			}
		}
	})
	each(t, open, "SwapSetting stores a value in the place of old, for one of many, and nothing when another is there", func(f *fix) {
		swapped, err := f.SwapSetting(f.ctx, "key", nil, []byte("new"))
		f.ok(err)
		_, err = f.Setting(f.ctx, "key")
		if f.kind(err, hub.NotFound); swapped {
			f.Fatal("swapped what was never set")
		}
		for _, old := range [][]byte{{}, {0, 255}, []byte("text")} {
			f.ok(f.SetSetting(f.ctx, "key", old))
			var won atomic.Int64
			equal(f, "results", beside.Together(10, func(i int) error {
				ok, err := f.SwapSetting(f.ctx, "key", old, []byte{'n', byte(i)})
				if ok {
					won.Add(1)
				}
				return err
			}), map[hub.Kind]int{"": 10})
			if won.Load() != 1 {
				f.Fatalf("%d swapped %x", won.Load(), old)
			}
		}
	})
	each(t, open, "Ping answers", func(f *fix) { f.ok(f.Ping(f.ctx)) })
}

func replays(t *testing.T, open func(t *testing.T) Backend) {
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	r := hub.Replay{Key: "acc key", Digest: "sha256:1", CreatedAt: now}
	each(t, open, "BeginReplay stores r as begun and returns nil, then the one stored before", func(f *fix) {
		got, err := f.BeginReplay(f.ctx, r, now.Add(-time.Minute))
		f.ok(err)
		if got != nil {
			f.Fatalf("got %+v", got)
		}
		other := r
		other.Digest = "sha256:2"
		got, err = f.BeginReplay(f.ctx, other, now.Add(-time.Minute))
		f.ok(err)
		equal(f, "stored", []any{got.Digest, got.Done}, []any{r.Digest, false})
	})
	each(t, open, "FinishReplay stores the answer", func(f *fix) {
		_, err := f.BeginReplay(f.ctx, r, now)
		f.ok(err)
		done := r
		done.Status, done.Body = 201, []byte(`{"a":1}`)
		f.ok(f.FinishReplay(f.ctx, done))
		got, err := f.BeginReplay(f.ctx, r, now.Add(time.Hour))
		f.ok(err)
		equal(f, "stored", []any{got.Digest, got.Done, got.Status, string(got.Body), got.CreatedAt}, []any{r.Digest, true, 201, `{"a":1}`, now})
	})
	each(t, open, "BeginReplay replaces one that was begun before staleBefore and never finished", func(f *fix) {
		_, err := f.BeginReplay(f.ctx, r, now)
		f.ok(err)
		later := r
		later.CreatedAt, later.Digest = now.Add(time.Hour), "sha256:2"
		got, err := f.BeginReplay(f.ctx, later, now)
		f.ok(err)
		if got == nil {
			f.Fatal("one begun at staleBefore was replaced")
		}
		got, err = f.BeginReplay(f.ctx, later, now.Add(time.Microsecond))
		f.ok(err)
		if got != nil {
			f.Fatalf("got %+v", got)
		}
		got, err = f.BeginReplay(f.ctx, r, now)
		f.ok(err)
		equal(f, "stored", got.Digest, "sha256:2")
	})
	each(t, open, "BeginReplay: of many at once exactly one begins", func(f *fix) {
		begun := make([]bool, 10)
		got := beside.Together(10, func(i int) error {
			old, err := f.BeginReplay(f.ctx, r, now)
			begun[i] = old == nil && err == nil
			return err
		})
		equal(f, "results", got, map[hub.Kind]int{"": 10})
		n := 0
		for _, b := range begun {
			if b {
				n++
			}
		}
		equal(f, "begun", n, 1)
	})
	each(t, open, "DropReplay forgets a key and all keys from before olderThan", func(f *fix) {
		for i, key := range []string{"old", "new", "gone"} {
			_, err := f.BeginReplay(f.ctx, hub.Replay{Key: key, CreatedAt: now.Add(time.Duration(i) * time.Hour)}, now)
			f.ok(err)
		}
		f.ok(f.DropReplay(f.ctx, "gone", now.Add(time.Minute)))
		for key, want := range map[string]bool{"old": false, "new": true, "gone": false} {
			got, err := f.BeginReplay(f.ctx, hub.Replay{Key: key, CreatedAt: now}, now)
			f.ok(err)
			equal(f, key, got != nil, want)
		}
		f.ok(f.DropReplay(f.ctx, "never", time.Time{}))
	})
}
