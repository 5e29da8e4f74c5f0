package registry

import (
	"context"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// How often a worker looks for jobs and news that another process left, when nothing here wakes it.
const (
	jobPoll  = time.Second
	newsPoll = 500 * time.Millisecond
)

// Run works off jobs and notices what other processes write, until ctx ends. It then gives back its leases. withJobs false leaves the jobs to others (role web).
func (s *Service) Run(ctx context.Context, withJobs bool) {
	done := make(chan struct{}, 3)
	go func() { s.follow(ctx); done <- struct{}{} }()
	go func() { s.flushInstalls(ctx); done <- struct{}{} }()
	go func() {
		if withJobs {
			s.work(ctx)
		}
		done <- struct{}{}
	}()
	for range cap(done) {
		<-done
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.store.ReleaseJobs(end, s.worker); err != nil {
		s.log.Warn("could not give back leases; others wait until they end", "error", err)
	}
}

// Reclaim gives back what a process of the same name left when it died. Call it before Run, only when
// this process is the only one of its name.
func (s *Service) Reclaim(ctx context.Context) error { return s.store.ReleaseJobs(ctx, s.worker) }

// work runs jobs one after the other: a publish reads an archive, and two at once on a small machine
// would only make both slower.
func (s *Service) work(ctx context.Context) {
	tick := time.NewTicker(jobPoll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if s.holdsLost.Load() && s.store.ReleaseJobs(ctx, s.worker) == nil {
			s.holdsLost.Store(false)
		}
		now := s.now()
		job, err := s.store.ClaimJob(ctx, s.worker, []string{hub.JobPublish}, now, now.Add(publishLease))
		if err == nil {
			s.runJob(context.WithoutCancel(ctx), job)
			continue
		}
		if hub.KindOf(err) != hub.NotFound {
			s.holdsLost.Store(true) // the claim may have been stored, and only its answer lost
		}
		if hub.KindOf(err) != hub.NotFound && ctx.Err() == nil {
			s.log.Error("could not claim a job", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.wake:
		}
	}
}

func (s *Service) runJob(ctx context.Context, job *hub.Job) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("job panicked", "job", job.ID, "panic", p)
			s.giveBack(ctx, job, hub.Errorf(hub.Unavailable, "the worker crashed: %v", p))
		}
	}()
	v, err := s.store.VersionByID(ctx, job.Subject)
	if hub.KindOf(err) == hub.NotFound || (err == nil && !v.State.Pending()) {
		if err := s.store.CompleteJob(ctx, job.ID, s.worker); err != nil {
			s.log.Error("could not complete a job with nothing to do", "job", job.ID, "error", err)
		}
		return
	}
	if err != nil {
		s.giveBack(ctx, job, err)
		return
	}
	s.advance(ctx, job, v)
}

// follow notices new events, so that answers kept before are not given any more.
func (s *Service) follow(ctx context.Context) {
	tick := time.NewTicker(newsPoll)
	defer tick.Stop()
	for {
		last, err := s.store.LastEvent(ctx)
		switch {
		case err == nil:
			s.seen.Store(last)
		case ctx.Err() == nil:
			s.log.Error("the event log cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
