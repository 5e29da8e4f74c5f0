package hub

import (
	"context"
	"time"
)

// Events reads the event log; every port that changes state appends to it.
type Events interface {
	// EventsAfter returns at most limit events with a sequence number above seq, in order. An event is
	// never seen after one with a higher number: a reader that follows the last number misses none.
	EventsAfter(ctx context.Context, seq int64, limit int) ([]Event, error)

	// EventsOf returns at most limit events of one subject, oldest first.
	EventsOf(ctx context.Context, subject string, limit int) ([]Event, error)

	// LastEvent returns the highest sequence number, 0 when there is none.
	LastEvent(ctx context.Context) (int64, error)

	// Cursor returns how far a named projector came; 0 when it never ran.
	Cursor(ctx context.Context, projector string) (int64, error)

	// SetCursor stores how far a named projector came.
	SetCursor(ctx context.Context, projector string, seq int64) error
}

// Jobs hands out work. A job is held by a lease; a worker that dies loses it when the lease ends.
type Jobs interface {
	// ClaimJob leases the oldest job of one of the kinds that is due at now, neither parked nor under
	// a lease, to worker until till. Attempts grows by one. NotFound when there is none. No two
	// workers get the same job at once.
	ClaimJob(ctx context.Context, worker string, kinds []string, now, till time.Time) (*Job, error)

	// CompleteJob deletes a job that worker holds. Conflict when it holds it no more.
	CompleteJob(ctx context.Context, id, worker string) error

	// RetryJob gives a job back, to run at runAt, with the reason of the failure. Conflict when worker
	// holds it no more.
	RetryJob(ctx context.Context, id, worker string, runAt time.Time, reason string) error

	// ParkJob keeps a job that failed too often, visible and not run. Conflict as in RetryJob.
	ParkJob(ctx context.Context, id, worker, reason string) error

	// ReleaseJobs ends all leases of a worker that stops, so that others need not wait.
	ReleaseJobs(ctx context.Context, worker string) error

	// JobCounts returns the number of waiting, leased and parked jobs at now.
	JobCounts(ctx context.Context, now time.Time) (waiting, leased, parked int64, err error)
}

// Replay is the stored answer to a request with an Idempotency-Key.
type Replay struct {
	Key       string // the client's key, bound to the account: "accountID key"
	Digest    string // "sha256:..." of the request
	Done      bool
	Status    int
	Body      []byte
	CreatedAt time.Time
}

// Replays remembers answers, so that a repeated request is answered and not done again.
type Replays interface {
	// BeginReplay stores r as begun and returns nil, or returns the one stored before under the key.
	// One that was begun before staleBefore and never finished is replaced.
	BeginReplay(ctx context.Context, r Replay, staleBefore time.Time) (*Replay, error)

	// FinishReplay stores the answer.
	FinishReplay(ctx context.Context, r Replay) error

	// DropReplay forgets a key, so that a failed request may be tried again, and all keys from before
	// olderThan.
	DropReplay(ctx context.Context, key string, olderThan time.Time) error
}
