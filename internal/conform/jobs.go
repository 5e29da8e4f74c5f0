package conform

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

var (
	jobNow  = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	jobTill = jobNow.Add(time.Minute)
	kinds   = []string{"publish", "scan"}
)

// job stores a job with the submission it needs.
func (f *fix) job(kind string, runAt time.Time) string {
	f.Helper()
	s := server("acme/j" + id())
	v := version(s, "1.0.0")
	j := hub.Job{ID: id(), Kind: kind, Subject: v.ID, Payload: []byte(`{"a":"?"}`), RunAt: runAt, CreatedAt: jobNow.Add(-time.Hour)}
	f.ok(f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(""), Job: j}))
	return j.ID
}

func (f *fix) claim(worker string, now, till time.Time) *hub.Job {
	f.Helper()
	j, err := f.ClaimJob(f.ctx, worker, kinds, now, till)
	f.ok(err)
	return j
}

func (f *fix) jobCounts(now time.Time, want string) {
	f.Helper()
	waiting, leased, parked, err := f.JobCounts(f.ctx, now)
	f.ok(err)
	equal(f, "waiting, leased, parked", fmt.Sprint(waiting, leased, parked), want)
}

func jobs(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "ClaimJob leases the oldest due job of the kinds to worker until till", func(f *fix) {
		f.job("other", jobNow)
		f.job("publish", jobNow.Add(time.Second))
		first := f.job("scan", jobNow)
		f.job("publish", time.Time{})
		j := f.claim("w1", jobNow, jobTill)
		equal(f, "job", []any{j.ID, j.Kind, j.LeaseBy, j.LeaseTill, string(j.Payload)}, []any{first, "scan", "w1", jobTill, `{"a":"?"}`})
		f.jobCounts(jobNow, "3 1 0")
	})
	each(t, open, "ClaimJob: Attempts grows by one", func(f *fix) {
		f.job("publish", jobNow)
		for i := range 3 {
			now := jobNow.Add(time.Duration(i) * time.Hour)
			equal(f, "attempts", f.claim("w1", now, now.Add(time.Minute)).Attempts, i+1)
		}
	})
	each(t, open, "ClaimJob: NotFound when there is none", func(f *fix) {
		f.job("publish", jobNow.Add(time.Microsecond))
		for _, k := range [][]string{kinds, nil, {}, {"x"}} {
			_, err := f.ClaimJob(f.ctx, "w1", k, jobNow, jobTill)
			f.kind(err, hub.NotFound)
		}
	})
	each(t, open, "ClaimJob: a lease that ended is no lease", func(f *fix) {
		f.job("publish", jobNow)
		f.claim("w1", jobNow, jobTill)
		_, err := f.ClaimJob(f.ctx, "w2", kinds, jobTill.Add(-time.Microsecond), jobTill)
		f.kind(err, hub.NotFound)
		equal(f, "worker", f.claim("w2", jobTill, jobTill.Add(time.Minute)).LeaseBy, "w2")
	})
	each(t, open, "Submit: a job may be leased to the caller already", func(f *fix) {
		s := server("acme/db")
		v := version(s, "1.0.0")
		j := hub.Job{ID: id(), Kind: "publish", LeaseBy: "me", LeaseTill: jobTill, Attempts: 1}
		f.ok(f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(""), Job: j}))
		_, err := f.ClaimJob(f.ctx, "w2", kinds, jobNow, jobTill)
		f.kind(err, hub.NotFound)
		f.ok(f.CompleteJob(f.ctx, j.ID, "me"))
	})
	each(t, open, "ClaimJob: no two workers get the same job at once", func(f *fix) {
		for range 30 {
			f.job("publish", jobNow)
		}
		var mu sync.Mutex
		got := map[string]int{}
		results := beside.Together(8, func(i int) error {
			for {
				j, err := f.ClaimJob(f.ctx, fmt.Sprint("w", i), kinds, jobNow, jobTill)
				if hub.KindOf(err) == hub.NotFound {
					if _, leased, _, err := f.JobCounts(f.ctx, jobNow); err != nil || leased == 30 {
						return err
					}
					continue // another held the row for a moment
				}
				if err != nil {
					return err
				}
				mu.Lock()
				got[j.ID]++
				mu.Unlock()
			}
		})
		equal(f, "workers", results, map[hub.Kind]int{"": 8})
		equal(f, "jobs", len(got), 30)
		for id, n := range got {
			equal(f, id, n, 1)
		}
	})
	jobEnds(t, open)
}

func jobEnds(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "CompleteJob deletes a job that worker holds, Conflict when it holds it no more", func(f *fix) {
		j := f.job("publish", jobNow)
		f.kind(f.CompleteJob(f.ctx, j, "w1"), hub.Conflict)
		f.kind(f.CompleteJob(f.ctx, j, ""), hub.Conflict)
		f.claim("w1", jobNow, jobTill)
		f.claim("w2", jobTill, jobTill.Add(time.Minute))
		f.kind(f.CompleteJob(f.ctx, j, "w1"), hub.Conflict)
		f.ok(f.CompleteJob(f.ctx, j, "w2"))
		f.kind(f.CompleteJob(f.ctx, j, "w2"), hub.Conflict)
		f.jobCounts(jobNow, "0 0 0")
	})
	each(t, open, "RetryJob gives a job back, to run at runAt, with the reason", func(f *fix) {
		j := f.job("publish", jobNow)
		f.claim("w1", jobNow, jobTill)
		f.kind(f.RetryJob(f.ctx, j, "w2", jobNow, "x"), hub.Conflict)
		f.ok(f.RetryJob(f.ctx, j, "w1", jobNow.Add(time.Hour), "it's down"))
		f.jobCounts(jobNow, "1 0 0")
		_, err := f.ClaimJob(f.ctx, "w2", kinds, jobNow, jobTill)
		f.kind(err, hub.NotFound)
		got := f.claim("w2", jobNow.Add(time.Hour), jobNow.Add(2*time.Hour))
		equal(f, "job", []any{got.LastError, got.Attempts}, []any{"it's down", 2})
		f.kind(f.RetryJob(f.ctx, j, "w1", jobNow, "x"), hub.Conflict)
	})
	each(t, open, "ParkJob keeps a job, visible and not run", func(f *fix) {
		j := f.job("publish", jobNow)
		f.claim("w1", jobNow, jobTill)
		f.kind(f.ParkJob(f.ctx, j, "w2", "x"), hub.Conflict)
		f.ok(f.ParkJob(f.ctx, j, "w1", "failed too often"))
		_, err := f.ClaimJob(f.ctx, "w1", kinds, jobTill.Add(time.Hour), jobTill.Add(2*time.Hour))
		f.kind(err, hub.NotFound)
		f.jobCounts(jobNow, "0 0 1")
	})
	each(t, open, "ReleaseJobs ends all leases of a worker", func(f *fix) {
		for range 3 {
			f.job("publish", jobNow)
		}
		f.claim("w1", jobNow, jobTill)
		f.claim("w1", jobNow, jobTill)
		f.claim("w2", jobNow, jobTill)
		f.ok(f.ReleaseJobs(f.ctx, "w1"))
		f.jobCounts(jobNow, "2 1 0")
		f.claim("w3", jobNow, jobTill)
	})
	each(t, open, "JobCounts: a lease that ended waits again", func(f *fix) {
		f.job("publish", jobNow)
		f.claim("w1", jobNow, jobTill)
		f.jobCounts(jobNow, "0 1 0")
		f.jobCounts(jobTill, "1 0 0")
	})
}
