package conform

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func events(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "EventsAfter returns whole events above seq, in order, at most limit", func(f *fix) {
		var want []hub.Event
		for i := range 5 {
			ev := hub.Event{At: time.Date(2025, 6, 1, 12, 0, i, 1000, time.UTC), Actor: "a", ActorName: "ada", Action: "x", Subject: fmt.Sprint("s", i%2),
				Name: "n ?", Before: json.RawMessage(`{"a":"?"}`), After: json.RawMessage(`{"b":[1]}`), Reason: "it's", RequestID: "r"}
			f.ok(f.Save(f.ctx, server(fmt.Sprintf("acme/s%d", i)), ev))
			want = append(want, ev)
		}
		seq := int64(0)
		for i := 0; i < 5; i += 2 {
			evs, err := f.EventsAfter(f.ctx, seq, 2)
			f.ok(err)
			equal(f, "count", len(evs), min(2, 5-i))
			for j, ev := range evs {
				if ev.Seq <= seq {
					f.Fatalf("%d comes after %d", ev.Seq, seq)
				}
				seq, ev.Seq = ev.Seq, 0
				equal(f, "event", ev, want[i+j])
			}
		}
		last, err := f.LastEvent(f.ctx)
		f.ok(err)
		equal(f, "LastEvent", last, seq)
	})
	each(t, open, "EventsOf returns events of one subject, oldest first", func(f *fix) {
		for i := range 6 {
			ev := event("x")
			ev.Subject, ev.Reason = fmt.Sprint("s", i%2), fmt.Sprint(i)
			f.ok(f.Save(f.ctx, server(fmt.Sprintf("acme/s%d", i)), ev))
		}
		evs, err := f.EventsOf(f.ctx, "s1", 2)
		f.ok(err)
		equal(f, "reasons", []string{evs[0].Reason, evs[1].Reason}, []string{"1", "3"})
		evs, err = f.EventsOf(f.ctx, "nobody", 2)
		f.ok(err)
		equal(f, "none", len(evs), 0)
	})
	each(t, open, "LastEvent is 0 when there is none", func(f *fix) {
		last, err := f.LastEvent(f.ctx)
		f.ok(err)
		equal(f, "last", last, 0)
	})
	each(t, open, "Cursor is 0 when it never ran, then what SetCursor stored", func(f *fix) {
		for _, want := range []int64{0, 7, 9, 3} {
			if want > 0 {
				f.ok(f.SetCursor(f.ctx, "search", want))
			}
			got, err := f.Cursor(f.ctx, "search")
			f.ok(err)
			equal(f, "cursor", got, want)
		}
		got, err := f.Cursor(f.ctx, "other")
		f.ok(err)
		equal(f, "other", got, 0)
	})
	each(t, open, "an event is never seen after one with a higher number, while many write", followers)
}

// followers lets 8 writers write and two readers follow: each must see every event once, in order.
func followers(f *fix) {
	const writers, each = 8, 25
	stop := make(chan struct{})
	seen := make([][]hub.Event, 2)
	var readers sync.WaitGroup
	for i := range seen {
		readers.Add(1)
		go func() {
			defer readers.Done()
			seq, final := int64(0), false
			for {
				evs, err := f.EventsAfter(f.ctx, seq, 7)
				if err != nil {
					f.Errorf("EventsAfter: %v", err)
					return
				}
				for _, ev := range evs {
					seq = ev.Seq
				}
				seen[i] = append(seen[i], evs...)
				if final && len(evs) == 0 {
					return
				}
				select {
				case <-stop:
					final = true
				default:
				}
			}
		}()
	}
	got := beside.Together(writers, func(w int) error {
		for i := range each {
			s := server(fmt.Sprintf("acme/w%d-%d", w, i))
			v := version(s, "1.0.0")
			if err := f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(""), Job: hub.Job{Kind: "publish"}}); err != nil {
				return err
			}
			_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: toPublished, Event: event("")})
			if err != nil {
				return err
			}
		}
		return nil
	})
	close(stop)
	readers.Wait()
	equal(f, "writers", got, map[hub.Kind]int{"": writers})
	for _, evs := range seen {
		equal(f, "events seen", len(evs), writers*each*4)
		for i := 1; i < len(evs); i++ {
			if evs[i].Seq <= evs[i-1].Seq {
				f.Fatalf("%d was seen after %d", evs[i].Seq, evs[i-1].Seq)
			}
		}
	}
}
