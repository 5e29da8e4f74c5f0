package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// maxAttempts is how often a job is tried before it is parked for a person to look at.
const maxAttempts = 8

// advance takes a submitted version through its stages to published or rejected, in one transition, and
// completes the job, whose lease the caller holds. Failures are given back and logged.
func (s *Service) advance(ctx context.Context, job *hub.Job, v *hub.Version) {
	ctx, cancel := context.WithTimeout(ctx, publishLease-10*time.Second)
	defer cancel()
	work := &Work{Version: v}
	steps, verdict, err := s.runStages(ctx, work)
	if err != nil {
		s.giveBack(ctx, job, err)
		return
	}
	t := hub.Transition{VersionID: v.ID, From: v.State, Steps: steps, DoneJob: job.ID,
		Event: hub.Event{At: s.now(), Actor: "system", ActorName: "system", Subject: v.ID, Name: label(v.Name, v.Version)}}
	if verdict != nil {
		t.Message = short(verdict.Message)
		t.Steps = append(t.Steps, hub.Step{To: hub.Rejected, Reason: t.Message})
	} else {
		t.Steps = append(t.Steps, hub.Step{To: hub.Published, Reason: "passed all stages"})
		if t.Server, err = s.facts(ctx, work); err != nil {
			s.giveBack(ctx, job, err)
			return
		}
		if work.archive != nil {
			t.BundleFiles, t.Readme = work.archive.Files, string(work.archive.Readme)
		}
	}
	if _, err := s.store.Transition(ctx, t); err != nil {
		s.giveBack(ctx, job, err)
		return
	}
	s.Changed()
}

// runStages runs the checks in order. It returns the states passed through, the verdict when a check
// says no, and an error when a check could not be made.
func (s *Service) runStages(ctx context.Context, w *Work) (steps []hub.Step, verdict *hub.Error, err error) {
	at := w.Version.State
	for _, stage := range s.stages {
		if stage.State != at {
			steps = append(steps, hub.Step{To: stage.State, Reason: stage.Name})
			at = stage.State
		} else if len(steps) > 0 {
			steps[len(steps)-1].Reason += ", " + stage.Name
		}
		err := stage.Check(ctx, w)
		if err == nil {
			continue
		}
		if k := hub.KindOf(err); k == "" || k == hub.Unavailable {
			return nil, nil, fmt.Errorf("stage %s of %s: %w", stage.Name, label(w.Version.Name, w.Version.Version), err)
		}
		return steps, asError(err), nil
	}
	return steps, nil, nil
}

// facts are the display facts the server takes from the version if it becomes the latest.
func (s *Service) facts(ctx context.Context, w *Work) (*hub.Server, error) {
	old, err := s.store.Server(ctx, w.Version.ServerID)
	if err != nil {
		return nil, err
	}
	srv := manifest.ServerFacts(w.Manifest)
	srv.ID, srv.Name, srv.Installs, srv.CreatedAt = old.ID, old.Name, old.Installs, old.CreatedAt
	srv.Score = hub.Score(&srv, w.Version.Facts, w.archive != nil && len(w.archive.Readme) > 0)
	return &srv, nil
}

// giveBack returns a job that could not be done now, with backoff, or parks it. When even that fails the
// worker gives back all it holds as soon as the store answers again.
func (s *Service) giveBack(ctx context.Context, job *hub.Job, cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var err error
	if job.Attempts >= maxAttempts {
		err = s.store.ParkJob(ctx, job.ID, s.worker, cause.Error())
	} else {
		err = s.store.RetryJob(ctx, job.ID, s.worker, s.now().Add(backoff(job.Attempts)), cause.Error())
	}
	s.log.ErrorContext(ctx, "job failed", "job", job.ID, "kind", job.Kind, "attempt", job.Attempts, "error", cause, "give_back", err)
	if err != nil && hub.KindOf(err) != hub.Conflict {
		s.holdsLost.Store(true)
	}
}

// backoff is 1 s, 2 s, 4 s ... at most 5 minutes.
func backoff(attempts int) time.Duration {
	return min(time.Second<<min(max(attempts-1, 0), 9), 5*time.Minute)
}

// short cuts a message to what the official API allows for a status message: 500 characters.
func short(message string) string {
	const most = 500
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most-3], "") + "..."
}
