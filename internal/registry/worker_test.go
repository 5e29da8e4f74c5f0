package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// jobs returns waiting, leased and parked jobs.
func (f *fixture) jobs() string {
	f.t.Helper()
	waiting, leased, parked, err := f.store.JobCounts(f.t.Context(), f.clock.now())
	must(f.t, err)
	return fmt.Sprintf("%d waiting, %d leased, %d parked", waiting, leased, parked)
}

// idle waits until the worker has looked for work once more and done what it found.
func (f *fixture) idle() {
	f.t.Helper()
	f.stop()
	before := f.store.claims.Load()
	f.run(f.Service)
	f.await("the worker looks for work", func() bool { return f.store.claims.Load() > before })
	f.stop() // waits for a job that it took
	f.run(f.Service)
}

func TestBundleIsPublishedByAJob(t *testing.T) {
	f := newFixture(t)
	v := f.submitBundle("1.0.0")
	if v.State != hub.Submitted || f.jobs() != "1 waiting, 0 leased, 0 parked" {
		t.Fatalf("before: %s, %s", v.State, f.jobs())
	}
	if _, err := f.Server(t.Context(), "@acme/weather"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("what was only submitted is seen: %v", err)
	}
	f.run(f.Service)
	f.await("it is published", func() bool { return f.state(v.ID) == hub.Published })
	done, events, err := f.Stages(t.Context(), acme, "@acme/weather", "1.0.0")
	must(t, err)
	var steps []string
	for _, e := range events {
		steps = append(steps, strings.TrimPrefix(e.Action, "version."))
	}
	if got := strings.Join(steps, " "); got != "submitted validating scanning published" || done.Readme != "# Weather" || done.Bundle.Files != 3 {
		t.Errorf("steps %q, readme %q, %d files", got, done.Readme, done.Bundle.Files)
	}
	if f.jobs() != "0 waiting, 0 leased, 0 parked" {
		t.Errorf("after: %s", f.jobs())
	}
}

// TestRetryAndPark guards: a check that cannot be made is tried again after 1, 2, 4 ... seconds and not before,
// never counts as passed, and after eight failures waits for a person.
func TestRetryAndPark(t *testing.T) {
	f := newFixture(t)
	f.blobs.breaks(func() error { return errors.New("the disk is broken") })
	v := f.submitBundle("1.0.0")
	f.run(f.Service)
	for attempt := 1; attempt <= 8; attempt++ {
		want := "1 waiting, 0 leased, 0 parked"
		if attempt == 8 {
			want = "0 waiting, 0 leased, 1 parked"
		}
		f.kick()
		f.await(fmt.Sprintf("attempt %d is given back", attempt), func() bool { return f.tries() == attempt && f.jobs() == want })
		if got := f.state(v.ID); got != hub.Submitted {
			t.Fatalf("after attempt %d it is %s", attempt, got)
		}
		wait := min(time.Second<<(attempt-1), 5*time.Minute)
		f.clock.add(wait - time.Millisecond)
		f.idle()
		if got := f.tries(); got != attempt {
			t.Fatalf("attempt %d came %s early", got, time.Millisecond)
		}
		f.clock.add(time.Millisecond)
	}
	f.blobs.breaks(nil)
	f.clock.add(24 * time.Hour)
	f.idle()
	if f.jobs() != "0 waiting, 0 leased, 1 parked" || f.state(v.ID) != hub.Submitted {
		t.Errorf("a parked job ran: %s", f.jobs())
	}
}

func (f *fixture) tries() int {
	f.blobs.mu.Lock()
	defer f.blobs.mu.Unlock()
	return f.blobs.open
}

// TestRetrySucceeds guards: what failed for a while is published when it works again.
func TestRetrySucceeds(t *testing.T) {
	f := newFixture(t)
	f.blobs.breaks(func() error { return hub.Errorf(hub.Unavailable, "the bucket does not answer") })
	v := f.submitBundle("1.0.0")
	f.run(f.Service)
	f.await("it failed once", func() bool { return f.tries() == 1 && f.jobs() == "1 waiting, 0 leased, 0 parked" })
	f.blobs.breaks(nil)
	f.clock.add(time.Second)
	f.kick()
	f.await("it is published", func() bool { return f.state(v.ID) == hub.Published })
}

// TestLostClaim guards: a claim that was stored and whose answer was lost does not hold the job until its
// lease ends.
func TestLostClaim(t *testing.T) {
	f := newFixture(t)
	f.store.loses.Store(true)
	v := f.submitBundle("1.0.0")
	f.run(f.Service)
	f.await("it is published, though no time has passed", func() bool { return f.state(v.ID) == hub.Published })
}

// TestPanic guards: a check that panics is a failed try, and the worker goes on with other jobs.
func TestPanic(t *testing.T) {
	f := newFixture(t)
	bad := f.submitBundle("1.0.0")
	f.blobs.breaks(func() error { panic("a bug") })
	f.run(f.Service)
	f.await("it is given back", func() bool { return f.tries() == 1 && f.jobs() == "1 waiting, 0 leased, 0 parked" })
	f.blobs.breaks(nil)
	good := f.submitBundle("1.1.0")
	f.await("the next one is published", func() bool { return f.state(good.ID) == hub.Published })
	if f.state(bad.ID) != hub.Submitted {
		t.Errorf("what panicked is %s", f.state(bad.ID))
	}
	f.clock.add(time.Second)
	f.kick()
	f.await("the first one too", func() bool { return f.state(bad.ID) == hub.Published })
}

// TestMissingBlob guards: bytes that are gone never get published; the version says why.
func TestMissingBlob(t *testing.T) {
	f := newFixture(t)
	v := f.submitBundle("1.0.0")
	must(t, f.blobs.Remove(t.Context(), v.Bundle.Digest))
	f.run(f.Service)
	f.await("it is rejected", func() bool { return f.state(v.ID) == hub.Rejected })
	if v, err := f.store.VersionByID(t.Context(), v.ID); err != nil || v.Message == "" {
		t.Errorf("no word of why: %+v %v", v, err)
	}
}

// TestDeadWorker guards: the job of a worker that died waits for its lease to end, and is done then.
func TestDeadWorker(t *testing.T) {
	f := newFixture(t)
	v := f.submitBundle("1.0.0")
	_, err := f.store.Store.ClaimJob(t.Context(), "dead", []string{hub.JobPublish}, f.clock.now(), f.clock.now().Add(2*time.Minute))
	must(t, err)
	f.run(f.Service)
	f.idle()
	if f.state(v.ID) != hub.Submitted || f.jobs() != "0 waiting, 1 leased, 0 parked" {
		t.Errorf("a job under a lease was taken: %s, %s", f.state(v.ID), f.jobs())
	}
	f.clock.add(2*time.Minute - time.Millisecond)
	f.idle()
	if f.state(v.ID) != hub.Submitted {
		t.Error("taken before the lease ended")
	}
	f.clock.add(time.Millisecond)
	f.kick()
	f.await("it is taken over", func() bool { return f.state(v.ID) == hub.Published })
}

// TestReclaim guards: a process that starts again under its old name need not wait for its own lease.
func TestReclaim(t *testing.T) {
	f := newFixture(t)
	v := f.submitBundle("1.0.0")
	_, err := f.store.Store.ClaimJob(t.Context(), "test", []string{hub.JobPublish}, f.clock.now(), f.clock.now().Add(time.Hour))
	must(t, err)
	must(t, f.Reclaim(t.Context()))
	f.run(f.Service)
	f.await("it is published", func() bool { return f.state(v.ID) == hub.Published })
}

// TestWebRole guards: without jobs a process leaves them to others.
func TestWebRole(t *testing.T) {
	f := newFixture(t)
	v := f.submitBundle("1.0.0")
	stop := f.runWeb()
	f.await("it notices what happened", func() bool { _, seen := f.Generation(); return seen > 0 })
	stop()
	if f.store.claims.Load() != 0 || f.state(v.ID) != hub.Submitted {
		t.Errorf("%d looks for jobs, and it is %s", f.store.claims.Load(), f.state(v.ID))
	}
}

// TestInstallCounts guards: installs are gathered in memory and written at the end.
func TestInstallCounts(t *testing.T) {
	f := newFixture(t)
	v := f.publish("@acme/notes", "1.0.0")
	stop := f.run(f.Service)
	for range 3 {
		f.CountInstall(v.ServerID)
	}
	f.CountInstall("0198f000-0000-7000-8000-00000000dead") // one that is gone disturbs nobody
	stop()
	srv, err := f.Server(t.Context(), "@acme/notes")
	must(t, err)
	if srv.Installs != 3 || f.store.installs.Load() != 1 {
		t.Errorf("%d installs in %d writes, want 3 in 1", srv.Installs, f.store.installs.Load())
	}
}
