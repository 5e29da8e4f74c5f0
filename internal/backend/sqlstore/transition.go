package sqlstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

// Transition implements hub.Versions.
func (s *Store) Transition(ctx context.Context, t hub.Transition) (*hub.Version, error) {
	out, err := s.TransitionAll(ctx, []hub.Transition{t})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// TransitionAll implements hub.Versions.
func (s *Store) TransitionAll(ctx context.Context, ts []hub.Transition) ([]*hub.Version, error) {
	rows := make([]*versionRow, len(ts))
	err := s.db.Tx(ctx, func(tx bun.Tx) error {
		if err := s.lockServersOf(ctx, tx, ts); err != nil {
			return err
		}
		b := engine.NewBatch(tx)
		var events []eventRow
		for i, t := range ts {
			// The next one must see what this one did.
			if err := b.Exec(ctx); err != nil {
				return err
			}
			v, evs, err := s.transition(ctx, tx, b, t)
			if err != nil {
				return err
			}
			rows[i] = v
			events = append(events, evs...)
		}
		s.appendEvents(b, events...)
		if err := b.Exec(ctx); err != nil || len(ts) == 1 {
			return err
		}
		for i, v := range rows { // a later transition may have taken or given the latest mark
			rows[i] = new(versionRow)
			if err := tx.NewRaw(withTexts+"v.id = ?", v.ID).Scan(ctx, rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]*hub.Version, len(rows))
	for i, row := range rows {
		if out[i], err = row.hub(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lockServersOf locks the servers of several transitions in one order, so that two calls never wait for
// each other. One transition locks its own.
func (s *Store) lockServersOf(ctx context.Context, tx bun.Tx, ts []hub.Transition) error {
	if len(ts) < 2 || s.db.RowLock == "" {
		return nil
	}
	ids := make([]string, len(ts))
	for i, t := range ts {
		ids[i] = t.VersionID
	}
	slices.Sort(ids)
	_, err := tx.NewRaw("SELECT id FROM servers WHERE id IN (SELECT server_id FROM versions WHERE id IN (?)) ORDER BY id"+s.db.RowLock,
		bun.List(ids)).Exec(ctx)
	return err
}

// transition collects the statements of one transition in b and returns the version and the events.
func (s *Store) transition(ctx context.Context, tx bun.Tx, b *engine.Batch, t hub.Transition) (*versionRow, []eventRow, error) {
	if len(t.Steps) == 0 {
		return nil, nil, hub.Errorf(hub.Invalid, "a transition needs a step")
	}
	srv, v, err := s.lockVersion(ctx, tx, t.VersionID)
	if err != nil {
		return nil, nil, err
	}
	if v == nil {
		return nil, nil, hub.Errorf(hub.NotFound, "there is no version with the ID %s", shortQuote(t.VersionID))
	}
	if err := checkSteps(t, v); err != nil {
		return nil, nil, err
	}
	c := &change{tx: tx, b: b, now: s.stamp(max(srv.UpdatedAt, v.UpdatedAt)), srv: srv}
	events := c.walk(v, t)
	if t.BundleFiles > 0 {
		v.BundleFiles = t.BundleFiles
		b.Addf("UPDATE versions SET bundle_files = ? WHERE id = ?", v.BundleFiles, v.ID)
	}
	if t.Readme != "" {
		v.Readme = []byte(t.Readme)
		b.Addf("UPDATE version_texts SET readme = ? WHERE version_id = ?", v.Readme, v.ID)
	}
	if err := c.store(ctx, v, t); err != nil {
		return nil, nil, err
	}
	if t.DoneJob != "" {
		b.Addf("DELETE FROM jobs WHERE id = ?", t.DoneJob)
	}
	return v, events, nil
}

// checkSteps fails with Conflict when the version is not where the transition starts, or may not take it.
func checkSteps(t hub.Transition, v *versionRow) error {
	name := hub.Name(v.Name).String() + " " + v.Version
	if v.State != string(t.From) {
		return hub.Errorf(hub.Conflict, "%s is %s, not %s", name, v.State, t.From).
			WithHint("somebody else changed it; look again before you change it")
	}
	at := t.From
	for _, step := range t.Steps {
		if !at.CanBecome(step.To) {
			return hub.Errorf(hub.Conflict, "%s is %s and cannot become %s", name, at, step.To)
		}
		at = step.To
	}
	return nil
}

// walk takes v through the steps and returns an event for each.
func (c *change) walk(v *versionRow, t hub.Transition) []eventRow {
	var events []eventRow
	at := versionEvent{VersionID: v.ID, Version: v.Version, State: t.From, Message: v.Message, Replacement: v.Replacement}
	for i, step := range t.Steps {
		next := versionEvent{VersionID: v.ID, Version: v.Version, State: step.To}
		if i == len(t.Steps)-1 && keepsMessage(step.To) {
			next.Message, next.Replacement = t.Message, t.Replacement
		}
		if step.To == hub.Published && v.PublishedAt == 0 {
			v.PublishedAt = c.now
		}
		ev := t.Event
		ev.Action, ev.Reason, ev.Before, ev.After = hub.ActionOf(step.To), step.Reason, at.json(), next.json()
		events = append(events, newEvent(ev, "", v.ServerID, hub.Name(v.Name).String()+" "+v.Version, c.now))
		at = next
	}
	if at.State != t.From {
		v.StatusChangedAt = c.now
	}
	v.State, v.Message, v.Replacement = string(at.State), at.Message, at.Replacement
	return events
}

func keepsMessage(to hub.State) bool {
	switch to {
	case hub.Deprecated, hub.Yanked, hub.Quarantined, hub.Rejected, hub.Unpublished:
		return true
	}
	return false
}

// store writes v after its steps. What no reader can see does not touch the server.
func (c *change) store(ctx context.Context, v *versionRow, t hub.Transition) error {
	if !hub.State(v.State).Visible() {
		v.UpdatedAt = c.now
		c.b.Add(c.tx.NewUpdate().Model(v).Column(stateColumns...).WherePK())
		return nil
	}
	if err := c.apply(ctx, v, t.From, !t.From.Visible(), false); err != nil {
		return err
	}
	display := t.Server
	if !v.Latest {
		display = nil
	}
	c.saveServer(display)
	return nil
}
