package search

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/hub"
)

const (
	newsPoll   = 250 * time.Millisecond // how often a follower looks for events
	giveWay    = 5 * time.Second        // the longest that an engine waits for a burst of events to end
	eventBatch = 500
	fillBatch  = 100 // servers read at once
	retryAfter = 5 * time.Second
	startDelay = 250 * time.Millisecond
)

// follower keeps one engine in step with the event log.
type follower struct {
	s       *Service
	name    string
	cursor  string // its place in the event log
	lease   *lease // on a shared engine, else nil
	count   func(context.Context) (int64, error)
	update  func(ctx context.Context, found []*hub.Server, gone []string) error
	rebuild func(ctx context.Context, each func(put func([]*hub.Server) error) error) error

	burst time.Time    // when the events began that the engine waits to end; zero for none
	seen  atomic.Int64 // last event that was noticed
	done  atomic.Int64 // last event the engine knows of
	ready atomic.Bool  // the engine was filled at least once
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// lag is how many events the engine does not know of; at least one until it is known to have been filled.
func (f *follower) lag() int64 {
	lag := max(0, f.seen.Load()-f.done.Load())
	if !f.ready.Load() {
		return max(1, lag)
	}
	return lag
}

func (f *follower) run(ctx context.Context) {
	wait := time.NewTimer(startDelay) // the first answers come first
	defer wait.Stop()
	defer f.yield()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		next := newsPoll
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			f.s.log.Error("search is behind", "engine", f.name, "error", err)
			next = retryAfter
			f.yield() // another hub may reach the engine
		}
		wait.Reset(next)
	}
}

// catchUp tells the engine everything that happened since it last was told.
func (f *follower) catchUp(ctx context.Context) error {
	last, err := f.s.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	before := f.seen.Swap(last)
	if held, err := f.hold(ctx); err != nil || !held {
		return errors.Join(err, f.watch(ctx, last))
	}
	if err := f.fillIfAsked(ctx); err != nil {
		return err
	}
	if f.ready.Load() && (f.done.Load() == last || f.givesWay(last > before)) {
		return nil
	}
	cursor, err := f.s.store.Cursor(ctx, f.cursor)
	if err != nil {
		return err
	}
	if !f.ready.Load() {
		count, err := f.count(ctx)
		if err != nil {
			return err
		}
		if last > 0 && (cursor == 0 || count == 0) { // never filled, lost, or of another format or model
			return f.fill(ctx)
		}
	}
	for cursor < last {
		events, err := f.s.store.EventsAfter(ctx, cursor, eventBatch)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		if err := f.tell(ctx, events); err != nil {
			return err
		}
		cursor = events[len(events)-1].Seq
		if err := f.s.store.SetCursor(ctx, f.cursor, cursor); err != nil {
			return err
		}
		f.s.changed()
	}
	f.done.Store(cursor)
	f.ready.Store(true)
	return nil
}

// givesWay reports whether to wait before the engine is told of events, because more of them are coming: publishing
// comes first, and a server that changes ten times is read once.
func (f *follower) givesWay(more bool) bool {
	now := time.Now()
	if more && f.burst.IsZero() {
		f.burst = now
	}
	if more && now.Sub(f.burst) < giveWay {
		return true
	}
	f.burst = time.Time{}
	return false
}

// hold reports whether this process may change the engine.
func (f *follower) hold(ctx context.Context) (bool, error) {
	if f.lease == nil {
		return true, nil
	}
	return f.lease.hold(ctx)
}

// keep lengthens the lease. Conflict when another hub has it now.
func (f *follower) keep(ctx context.Context) error {
	held, err := f.hold(ctx)
	if err == nil && !held {
		err = hub.Errorf(hub.Conflict, "another hub keeps this engine in step now")
	}
	return err
}

// yield gives the lease back. A failure costs the others its rest.
func (f *follower) yield() {
	if f.lease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := f.lease.release(ctx); err != nil {
		f.s.log.Warn("a lease was not given back", "engine", f.name, "error", err)
	}
}

// watch notes how far the hub came that keeps the engine in step.
func (f *follower) watch(ctx context.Context, last int64) error {
	cursor, err := f.s.store.Cursor(ctx, f.cursor)
	if err != nil {
		return err
	}
	if before := f.done.Swap(cursor); before != cursor {
		f.s.changed()
	}
	if cursor > 0 || last == 0 {
		f.ready.Store(true)
	}
	return nil
}

// shows reports whether an event is one of a version that readers can see; the steps before are not.
func shows(action string) bool {
	state, ok := strings.CutPrefix(action, "version.")
	return ok && hub.State(state).Visible()
}

// tell updates the servers that events are about.
func (f *follower) tell(ctx context.Context, events []hub.Event) error {
	known := map[string]bool{}
	var ids []string
	add := func(id string) {
		if !known[id] {
			known[id] = true
			ids = append(ids, id)
		}
	}
	var versions []string
	for _, e := range events {
		switch {
		case strings.HasPrefix(e.Action, "server."):
			add(e.Subject)
		case shows(e.Action):
			versions = append(versions, e.Subject)
		}
	}
	for part := range slices.Chunk(versions, fillBatch) {
		owners, err := f.s.store.Owners(ctx, part)
		if err != nil {
			return err
		}
		for _, id := range part {
			add(cmp.Or(owners[id], id)) // an import names the server: its version may be an older row
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), fillBatch)
		found, gone, err := f.s.findable(ctx, ids[:n])
		if err != nil {
			return err
		}
		if err := f.change(ctx, found, gone); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// change is update while the lease lasts: what comes later could be older than what another hub wrote.
func (f *follower) change(ctx context.Context, found []*hub.Server, gone []string) error {
	if err := f.keep(ctx); err != nil {
		return err
	}
	if f.lease != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, f.lease.till)
		defer cancel()
	}
	return f.update(ctx, found, gone)
}

// findable splits servers into those that can be found and those that cannot.
func (s *Service) findable(ctx context.Context, ids []string) (found []*hub.Server, gone []string, err error) {
	rows, err := s.store.ServersByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]*hub.Server, len(rows))
	for _, srv := range rows {
		byID[srv.ID] = srv
	}
	for _, id := range ids {
		if srv := byID[id]; srv != nil && srv.Latest.State.Resolvable() {
			found = append(found, srv)
		} else {
			gone = append(gone, id)
		}
	}
	return found, gone, nil
}

// fill fills the engine anew from the store.
func (f *follower) fill(ctx context.Context) error {
	last, err := f.s.store.LastEvent(ctx) // before reading: what happens meanwhile is told again, not lost
	if err != nil {
		return err
	}
	start := time.Now()
	servers := 0
	err = f.rebuild(ctx, func(put func([]*hub.Server) error) error {
		q := hub.ServerQuery{Sort: hub.SortName, Limit: fillBatch}
		for {
			page, err := f.s.store.List(ctx, q)
			if err != nil {
				return err
			}
			found := make([]*hub.Server, 0, len(page))
			for _, srv := range page {
				if srv.Latest.State.Resolvable() {
					found = append(found, srv)
				}
			}
			if err := f.keep(ctx); err != nil {
				return err
			}
			if err := put(found); err != nil {
				return err
			}
			servers += len(found)
			if len(page) < q.Limit {
				return f.keep(ctx) // what comes now is the switch
			}
			q.After = &hub.ServerAfter{Name: page[len(page)-1].Name}
		}
	})
	if err != nil {
		return err
	}
	if err := f.s.store.SetCursor(ctx, f.cursor, last); err != nil {
		return err
	}
	f.s.log.Info("filled anew", "engine", f.name, "servers", servers, "took", time.Since(start))
	f.seen.Store(max(f.seen.Load(), last))
	f.done.Store(last)
	f.ready.Store(true)
	f.s.changed()
	return nil
}

// fillIfAsked fills the engine when that was asked for since it last was.
func (f *follower) fillIfAsked(ctx context.Context) error {
	asked, err := f.s.store.Setting(ctx, askedKey)
	if hub.KindOf(err) == hub.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	mine := askedKey + "." + f.cursor
	done, err := f.s.store.Setting(ctx, mine)
	if err != nil && hub.KindOf(err) != hub.NotFound {
		return err
	}
	if string(done) == string(asked) {
		return nil
	}
	f.s.log.Info("filling anew, as asked", "engine", f.name)
	if err := f.fill(ctx); err != nil {
		return err
	}
	return f.s.store.SetSetting(ctx, mine, asked)
}
