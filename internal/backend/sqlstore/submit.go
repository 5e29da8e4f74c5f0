package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// Submit implements hub.Versions.
func (s *Store) Submit(ctx context.Context, sub hub.Submission) error {
	if sub.Version.State != hub.Submitted {
		return hub.Errorf(hub.Invalid, "a submission starts in state %s, not %s", hub.Submitted, sub.Version.State)
	}
	now := s.stamp(0)
	v, err := newVersionRow(sub.Version)
	if err != nil {
		return err
	}
	v.ServerID, v.Name, v.UpdatedAt = sub.Server.ID, string(sub.Server.Name), now
	if v.CreatedAt == 0 {
		v.CreatedAt = now
	}
	srv := newServerRow(sub.Server, now)
	ev := newEvent(sub.Event, hub.ActionVersionSubmitted, srv.ID, sub.Server.Name.String()+" "+v.Version, now)
	if ev.After == "" {
		ev.After = string(versionEvent{VersionID: v.ID, Version: v.Version, State: hub.Submitted}.json())
	}
	job := newJobRow(sub.Job, now)
	store := func(replaces string) error { return s.submit(ctx, srv, v, ev, job, replaces) }
	if len(sub.Steps) > 0 {
		submitted := *v
		// Nobody has read the server from the store, so it is most likely new, and has no row to hold.
		fresh := sub.Server.UpdatedAt.IsZero()
		store = func(replaces string) error {
			*v = submitted // a second try starts where the first did
			err := s.submitThrough(ctx, sub, v, ev, replaces, fresh)
			if fresh && hub.KindOf(err) == hub.Exists {
				fresh, *v = false, submitted
				err = s.submitThrough(ctx, sub, v, ev, replaces, false)
			}
			return err
		}
	}

	err = store("")
	if hub.KindOf(err) == hub.Exists {
		replaces, why := s.refused(ctx, srv, v, err)
		if replaces == "" {
			return why
		}
		if err = store(replaces); hub.KindOf(err) == hub.Exists {
			_, err = s.refused(ctx, srv, v, err) // somebody was faster
		}
	}
	if err != nil || len(sub.Steps) == 0 {
		return err
	}
	done, err := v.hub()
	if err == nil {
		*sub.Version = *done
	}
	return err
}

// submitThrough stores the version as it is after its steps. The row of a server that is not fresh is held
// meanwhile, since the version may take the latest mark from another one.
func (s *Store) submitThrough(ctx context.Context, sub hub.Submission, v *versionRow, ev eventRow, replaces string, fresh bool) error {
	t := hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: sub.Steps, Server: sub.Server, Event: sub.Event}
	if err := checkSteps(t, v); err != nil {
		return err
	}
	if fresh && replaces == "" {
		return s.db.Atomic(ctx, func(db bun.IDB, b *engine.Batch) error {
			c := &change{tx: db, b: b, now: s.stamp(0)}
			return s.storeThrough(ctx, c, sub, t, v, ev, true)
		})
	}
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		if err := removeRejected(ctx, tx, replaces); err != nil {
			return err
		}
		srv := new(serverRow)
		err := tx.NewRaw("SELECT * FROM servers WHERE id = ?"+s.db.RowLock, sub.Server.ID).Scan(ctx, srv)
		isNew := errors.Is(err, sql.ErrNoRows)
		if err != nil && !isNew {
			return err
		}
		c := &change{tx: tx, b: engine.NewBatch(tx), now: s.stamp(srv.UpdatedAt), srv: srv}
		if err := s.storeThrough(ctx, c, sub, t, v, ev, isNew); err != nil {
			return err
		}
		return c.b.Exec(ctx)
	})
}

// storeThrough collects the statements of submitThrough. It reads nothing when the server is new.
func (s *Store) storeThrough(ctx context.Context, c *change, sub hub.Submission, t hub.Transition, v *versionRow, ev eventRow, isNew bool) error {
	if isNew {
		c.srv = newServerRow(sub.Server, c.now)
	}
	events := append([]eventRow{ev}, c.walk(v, t)...)
	if hub.State(v.State).Visible() {
		if err := c.apply(ctx, v, hub.Submitted, true, true); err != nil {
			return err
		}
		c.storeServer(isNew, v.Latest, sub.Server)
	} else { // as in Transition: what no reader can see does not touch the server
		if isNew {
			c.b.Insert(c.srv)
		}
		c.b.Insert(v)
		c.b.Insert(v.texts())
	}
	s.appendEvents(c.b, events...)
	return nil
}

// removeRejected makes room for a version whose number a rejected one had.
func removeRejected(ctx context.Context, tx bun.Tx, id string) error {
	if id == "" {
		return nil
	}
	_, err := tx.NewRaw("DELETE FROM versions WHERE id = ? AND state = ?", id, hub.Rejected).Exec(ctx)
	return err
}

// submit stores everything in one round trip, and first removes the rejected version it replaces.
func (s *Store) submit(ctx context.Context, srv *serverRow, v *versionRow, ev eventRow, job *jobRow, replaces string) error {
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		if err := removeRejected(ctx, tx, replaces); err != nil {
			return err
		}
		b := engine.NewBatch(tx)
		b.Add(tx.NewInsert().Model(srv).On("CONFLICT (id) DO NOTHING"))
		b.Insert(v)
		b.Insert(v.texts())
		b.Insert(job)
		s.appendEvents(b, ev)
		return b.Exec(ctx)
	})
}

// refused explains a submission that met a unique index: it returns the ID of the rejected version to
// replace, or the error for the caller.
func (s *Store) refused(ctx context.Context, srv *serverRow, v *versionRow, cause error) (replaces string, err error) {
	var old struct{ ID, State string }
	err = s.db.Write.NewRaw("SELECT id, state FROM versions WHERE server_id = ? AND version = ?", srv.ID, v.Version).Scan(ctx, &old)
	switch {
	case err == nil && hub.State(old.State) == hub.Rejected:
		return old.ID, cause
	case err == nil:
		return "", hub.Errorf(hub.Exists, "%s %s is there already, in state %s", hub.Name(srv.Name), v.Version, old.State).
			WithHint("a version number is never used again; choose a higher one").WithCause(cause)
	case !errors.Is(err, sql.ErrNoRows):
		return "", s.db.Fail(err)
	}
	var others int
	err = s.db.Write.NewRaw("SELECT count(*) FROM servers WHERE (claim = ? AND holds_claim OR name = ?) AND id <> ?",
		srv.Claim, srv.Name, srv.ID).Scan(ctx, &others)
	if err != nil {
		return "", s.db.Fail(err)
	}
	if others > 0 {
		return "", nameTaken(hub.Name(srv.Name), cause)
	}
	return "", cause
}

// newID returns a new time-ordered ID.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
