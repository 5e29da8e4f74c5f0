package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/mcphub/mcphub/internal/hub"
)

type jobRow struct {
	bun.BaseModel `bun:"table:jobs,alias:j"`

	ID        string `bun:"id,pk"`
	Kind      string `bun:"kind"`
	Subject   string `bun:"subject"`
	Payload   string `bun:"payload"`
	Attempts  int    `bun:"attempts"`
	RunAt     int64  `bun:"run_at"`
	LeaseBy   string `bun:"lease_by"`
	LeaseTill int64  `bun:"lease_till"`
	Parked    bool   `bun:"parked"`
	LastError string `bun:"last_error"`
	CreatedAt int64  `bun:"created_at"`
}

func newJobRow(j hub.Job, now int64) *jobRow {
	r := &jobRow{ID: j.ID, Kind: j.Kind, Subject: j.Subject, Payload: string(j.Payload), Attempts: j.Attempts,
		RunAt: micros(j.RunAt), LeaseBy: j.LeaseBy, LeaseTill: micros(j.LeaseTill), Parked: j.Parked,
		LastError: j.LastError, CreatedAt: micros(j.CreatedAt)}
	if r.ID == "" {
		r.ID = newID()
	}
	if r.CreatedAt == 0 {
		r.CreatedAt = now
	}
	return r
}

func (r *jobRow) hub() *hub.Job {
	return &hub.Job{ID: r.ID, Kind: r.Kind, Subject: r.Subject, Payload: rawJSON(r.Payload), Attempts: r.Attempts,
		RunAt: instant(r.RunAt), LeaseBy: r.LeaseBy, LeaseTill: instant(r.LeaseTill), Parked: r.Parked,
		LastError: r.LastError, CreatedAt: instant(r.CreatedAt)}
}

const dueJob = "SELECT id FROM jobs WHERE NOT parked AND run_at <= ? AND lease_till <= ? AND kind IN (?) ORDER BY created_at, id LIMIT 1"

// ClaimJob implements hub.Jobs.
func (s *Store) ClaimJob(ctx context.Context, worker string, kinds []string, now, till time.Time) (*hub.Job, error) {
	none := hub.Errorf(hub.NotFound, "no job is due")
	if len(kinds) == 0 {
		return nil, none
	}
	at := micros(now)
	var id string
	// Idle workers only read, so that they do not hold up those who write.
	err := s.db.Read.NewRaw(dueJob, at, at, bun.List(kinds)).Scan(ctx, &id)
	if err == nil {
		row := new(jobRow)
		err = s.db.Write.NewRaw("UPDATE jobs SET lease_by = ?, lease_till = ?, attempts = attempts + 1 WHERE id = ("+dueJob+s.db.SkipLock+") RETURNING *",
			worker, micros(till), at, at, bun.List(kinds)).Scan(ctx, row)
		if err == nil {
			return row.hub(), nil
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, none
	}
	return nil, s.db.Fail(err)
}

// CompleteJob implements hub.Jobs.
func (s *Store) CompleteJob(ctx context.Context, id, worker string) error {
	return s.held(ctx, id, worker, "DELETE FROM jobs WHERE id = ? AND lease_by = ?", id, worker)
}

// RetryJob implements hub.Jobs.
func (s *Store) RetryJob(ctx context.Context, id, worker string, runAt time.Time, reason string) error {
	return s.held(ctx, id, worker, "UPDATE jobs SET lease_by = '', lease_till = 0, run_at = ?, last_error = ? WHERE id = ? AND lease_by = ?",
		micros(runAt), reason, id, worker)
}

// ParkJob implements hub.Jobs.
func (s *Store) ParkJob(ctx context.Context, id, worker, reason string) error {
	return s.held(ctx, id, worker, "UPDATE jobs SET lease_by = '', lease_till = 0, parked = TRUE, last_error = ? WHERE id = ? AND lease_by = ?",
		reason, id, worker)
}

// held changes a job that worker holds; Conflict when it does not. A lease that is over but that nobody
// else took still counts: the work is done, and doing it again would help nobody.
func (s *Store) held(ctx context.Context, id, worker, text string, args ...any) error {
	lost := hub.Errorf(hub.Conflict, "the job %s is not held by %s any more", shortQuote(id), shortQuote(worker))
	if worker == "" {
		return lost
	}
	res, err := s.db.Write.NewRaw(text, args...).Exec(ctx)
	if err != nil {
		return s.db.Fail(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return lost.WithCause(err)
	}
	return nil
}

// ReleaseJobs implements hub.Jobs.
func (s *Store) ReleaseJobs(ctx context.Context, worker string) error {
	if worker == "" {
		return nil
	}
	_, err := s.db.Write.NewRaw("UPDATE jobs SET lease_by = '', lease_till = 0 WHERE lease_by = ?", worker).Exec(ctx)
	return s.db.Fail(err)
}

// JobCounts implements hub.Jobs.
func (s *Store) JobCounts(ctx context.Context, now time.Time) (waiting, leased, parked int64, err error) {
	at := micros(now)
	rows, err := s.db.Query(ctx, `SELECT coalesce(sum(CASE WHEN NOT parked AND lease_till <= ? THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN NOT parked AND lease_till > ? THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN parked THEN 1 ELSE 0 END), 0) FROM jobs`, at, at)
	if err != nil {
		return 0, 0, 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&waiting, &leased, &parked)
	}
	return waiting, leased, parked, s.db.Fail(errors.Join(err, rows.Err()))
}
