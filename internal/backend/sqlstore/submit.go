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

	err = s.submit(ctx, srv, v, ev, job, "")
	if hub.KindOf(err) != hub.Exists {
		return err
	}
	replaces, why := s.refused(ctx, srv, v, err)
	if replaces == "" {
		return why
	}
	if err = s.submit(ctx, srv, v, ev, job, replaces); hub.KindOf(err) == hub.Exists {
		_, err = s.refused(ctx, srv, v, err) // somebody was faster
	}
	return err
}

// submit stores everything in one round trip, and first removes the rejected version it replaces.
func (s *Store) submit(ctx context.Context, srv *serverRow, v *versionRow, ev eventRow, job *jobRow, replaces string) error {
	return s.db.Tx(ctx, func(tx bun.Tx) error {
		if replaces != "" {
			_, err := tx.NewRaw("DELETE FROM versions WHERE id = ? AND state = ?", replaces, hub.Rejected).Exec(ctx)
			if err != nil {
				return err
			}
		}
		b := engine.NewBatch(tx)
		b.Add(tx.NewInsert().Model(srv).On("CONFLICT (id) DO NOTHING"))
		b.Add(tx.NewInsert().Model(v))
		b.Add(tx.NewInsert().Model(v.texts()))
		b.Add(tx.NewInsert().Model(job))
		s.appendEvents(tx, b, ev)
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
