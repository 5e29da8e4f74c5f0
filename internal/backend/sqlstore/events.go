package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/backend/sqlstore/engine"
	"github.com/mcphub/mcphub/internal/hub"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`

	Seq       int64  `bun:"seq,pk"`
	At        int64  `bun:"at"`
	Actor     string `bun:"actor"`
	ActorName string `bun:"actor_name"`
	Action    string `bun:"action"`
	Subject   string `bun:"subject"`
	Name      string `bun:"name"`
	Before    string `bun:"state_before"`
	After     string `bun:"state_after"`
	Reason    string `bun:"reason"`
	RequestID string `bun:"request_id"`
}

// newEvent makes a row of ev, with what the store knows better or the caller left out.
func newEvent(ev hub.Event, action, subject, name string, now int64) eventRow {
	r := eventRow{At: micros(ev.At), Actor: ev.Actor, ActorName: ev.ActorName, Action: ev.Action, Subject: ev.Subject,
		Name: ev.Name, Before: string(ev.Before), After: string(ev.After), Reason: ev.Reason, RequestID: ev.RequestID}
	if r.At == 0 {
		r.At = now
	}
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&r.Action, action)
	fill(&r.Subject, subject)
	fill(&r.Name, name)
	return r
}

func (r *eventRow) hub() hub.Event {
	return hub.Event{Seq: r.Seq, At: instant(r.At), Actor: r.Actor, ActorName: r.ActorName, Action: r.Action,
		Subject: r.Subject, Name: r.Name, Before: rawJSON(r.Before), After: rawJSON(r.After), Reason: r.Reason,
		RequestID: r.RequestID}
}

func rawJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// appendEvents appends to the event log. It must come last: see the package comment.
func (s *Store) appendEvents(b *engine.Batch, rows ...eventRow) {
	if len(rows) == 0 {
		return
	}
	if s.db.EventLock != "" {
		b.Addf(s.db.EventLock)
	}
	b.Insert(&rows, "seq")
}

// versionEvent is what an event tells of a version before or after a step.
type versionEvent struct {
	VersionID   string    `json:"versionId"`
	Version     string    `json:"version"`
	State       hub.State `json:"state"`
	Message     string    `json:"message,omitempty"`
	Replacement string    `json:"replacement,omitempty"`
}

func (v versionEvent) json() json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("sqlstore: versionEvent: " + err.Error()) // strings always marshal
	}
	return b
}

// EventsAfter implements hub.Events.
func (s *Store) EventsAfter(ctx context.Context, seq int64, limit int) ([]hub.Event, error) {
	if limit < 1 {
		return nil, nil
	}
	return s.events(ctx, "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
}

// EventsOf implements hub.Events.
func (s *Store) EventsOf(ctx context.Context, subject string, limit int) ([]hub.Event, error) {
	if limit < 1 {
		return nil, nil
	}
	return s.events(ctx, "SELECT * FROM events WHERE subject = ? ORDER BY seq LIMIT ?", subject, limit)
}

func (s *Store) events(ctx context.Context, text string, args ...any) ([]hub.Event, error) {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []hub.Event
	for rows.Next() {
		var r eventRow
		if err := s.db.Read.ScanRow(ctx, rows, &r); err != nil {
			return nil, s.db.Fail(err)
		}
		out = append(out, r.hub())
	}
	return out, s.db.Fail(rows.Err())
}

// LastEvent implements hub.Events.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	return s.db.Number(ctx, "SELECT coalesce(max(seq), 0) FROM events")
}

// Cursor implements hub.Events.
func (s *Store) Cursor(ctx context.Context, projector string) (int64, error) {
	return s.db.Number(ctx, "SELECT seq FROM cursors WHERE projector = ?", projector)
}

// SetCursor implements hub.Events.
func (s *Store) SetCursor(ctx context.Context, projector string, seq int64) error {
	_, err := s.db.Write.NewRaw("INSERT INTO cursors (projector, seq) VALUES (?, ?) ON CONFLICT (projector) DO UPDATE SET seq = excluded.seq",
		projector, seq).Exec(ctx)
	return s.db.Fail(err)
}
