package conform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func transitions(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Transition applies the steps and appends one event for each", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, version(s, "1.0.0"))
		got, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Event: event(""),
			Steps: []hub.Step{{To: hub.Validating, Reason: "r1"}, {To: hub.Scanning, Reason: "r2"}, {To: hub.InReview, Reason: "r3"}, {To: hub.Published, Reason: "r4"}}})
		f.ok(err)
		equal(f, "state", got.State, hub.Published)
		var seen []string
		last := int64(0)
		for _, ev := range f.all()[1:] {
			seen = append(seen, ev.Action+" "+ev.Reason)
			if ev.Seq <= last || ev.Actor != "account-1" || ev.RequestID != "req-1" || ev.At.IsZero() || ev.Subject != s.ID {
				f.Fatalf("event: %+v", ev)
			}
			last = ev.Seq
			var before, after struct{ State hub.State }
			f.ok(json.Unmarshal(ev.Before, &before))
			f.ok(json.Unmarshal(ev.After, &after))
			if !before.State.CanBecome(after.State) || ev.Action != hub.ActionOf(after.State) {
				f.Fatalf("event %s: %s -> %s", ev.Action, before.State, after.State)
			}
		}
		equal(f, "events", strings.Join(seen, ", "), "version.validating r1, version.scanning r2, version.in_review r3, version.published r4")
	})
	each(t, open, "Transition returns the version as stored", func(f *fix) {
		s := server("acme/db")
		v := fullVersion(s)
		got := f.publishVersion(s, v)
		stored, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "version", got, stored)
	})
	each(t, open, "Transition: Conflict when the stored state is not From", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		n := len(f.all())
		_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Scanning, Steps: []hub.Step{{To: hub.Published}}, Event: event("")})
		f.kind(err, hub.Conflict)
		equal(f, "events", len(f.all()), n)
	})
	each(t, open, "Transition: Conflict when a step is not allowed", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, version(s, "1.0.0"))
		_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: []hub.Step{{To: hub.Validating}, {To: hub.Published}}, Event: event("")})
		f.kind(err, hub.Conflict)
		_, err = f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Event: event("")})
		f.kind(err, hub.Invalid)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "state", got.State, hub.Submitted)
	})
	each(t, open, "Transition: NotFound when there is no such version", func(f *fix) {
		_, err := f.Transition(f.ctx, hub.Transition{VersionID: id(), From: hub.Submitted, Steps: toPublished, Event: event("")})
		f.kind(err, hub.NotFound)
	})
	each(t, open, "Transition: of many at once exactly one wins", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		got := beside.Together(10, func(int) error {
			_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Published, Steps: []hub.Step{{To: hub.Yanked}}, Event: event("")})
			return err
		})
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Conflict: 9})
	})
	each(t, open, "Transition completes DoneJob", func(f *fix) {
		s := server("acme/db")
		v := version(s, "1.0.0")
		job := hub.Job{ID: id(), Kind: hub.JobPublish, Subject: v.ID}
		f.ok(f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(""), Job: job}))
		_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: toPublished, Event: event(""), DoneJob: job.ID})
		f.ok(err)
		waiting, leased, parked, err := f.JobCounts(f.ctx, s.UpdatedAt)
		f.ok(err)
		equal(f, "jobs", waiting+leased+parked, 0)
	})
	transitionFields(t, open)
	transitionAll(t, open)
}

func transitionFields(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Transition sets PublishedAt when it is first published", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		if v.PublishedAt.IsZero() {
			f.Fatal("PublishedAt is zero")
		}
		w := f.move(f.move(v, hub.Yanked, "broken"), hub.Published, "")
		equal(f, "PublishedAt", w.PublishedAt, v.PublishedAt)
		if !w.StatusChangedAt.After(v.StatusChangedAt) {
			f.Fatal("StatusChangedAt did not grow")
		}
	})
	each(t, open, "Transition stores the message of a withdrawal and clears it after", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		out, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Published, Steps: []hub.Step{{To: hub.Deprecated}},
			Message: "use the other", Replacement: "acme/other", Event: event("")})
		f.ok(err)
		equal(f, "deprecated", []string{out.Message, out.Replacement}, []string{"use the other", "acme/other"})
		out = f.move(out, hub.Published, "not stored")
		equal(f, "published", []string{out.Message, out.Replacement}, []string{"", ""})
	})
	each(t, open, "Transition stores BundleFiles and Readme", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, fullVersion(s))
		_, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: toPublished, Event: event(""), BundleFiles: 99, Readme: "# New"})
		f.ok(err)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "files", got.Bundle.Files, 99)
		equal(f, "readme", got.Readme, "# New")
	})
	each(t, open, "Transition stores the display facts if this version becomes the latest", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "2.0.0")
		older := *s
		older.Title, older.Score = "Of 1.0.0", 1
		f.publish(&older, "1.0.0")
		equal(f, "title", f.stored(s).Title, s.Title)
		newer := *s
		newer.Title, newer.Keywords, newer.Score = "Of 3.0.0", []string{"k"}, 77
		f.publish(&newer, "3.0.0")
		got := f.stored(s)
		equal(f, "title", []any{got.Title, got.Keywords, got.Score}, []any{"Of 3.0.0", []string{"k"}, 77})
	})
	each(t, open, "UpdatedAt of a server strictly grows with each visible change, and only then", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		was := f.stored(s).UpdatedAt
		for i := range 20 {
			if i%2 == 0 {
				v = f.move(v, hub.Yanked, "x")
			} else {
				v = f.move(v, hub.Published, "")
			}
			now := f.stored(s).UpdatedAt
			if !now.After(was) || !v.UpdatedAt.Equal(now) {
				f.Fatalf("UpdatedAt: %s, then %s; version %s", was, now, v.UpdatedAt)
			}
			was = now
		}
		w := f.submit(s, version(s, "2.0.0"))
		f.move(w, hub.Validating, "")
		equal(f, "after what nobody sees", f.stored(s).UpdatedAt, was)
	})
}

func transitionAll(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "TransitionAll applies several and returns them in order", func(f *fix) {
		s := server("acme/db")
		var ts []hub.Transition
		for _, number := range []string{"1.0.0", "3.0.0", "2.0.0"} {
			ts = append(ts, hub.Transition{VersionID: f.publish(s, number).ID, From: hub.Published, Steps: []hub.Step{{To: hub.Yanked}}, Message: "all", Event: event("")})
		}
		n := len(f.all())
		out, err := f.TransitionAll(f.ctx, ts)
		f.ok(err)
		equal(f, "events", len(f.all()), n+3)
		for i, v := range out {
			stored, err := f.VersionByID(f.ctx, ts[i].VersionID)
			f.ok(err)
			equal(f, "version", v, stored)
			equal(f, "state", v.State, hub.Yanked)
			equal(f, "latest", v.Latest, v.Version == "3.0.0")
		}
	})
	each(t, open, "TransitionAll: all or none", func(f *fix) {
		s := server("acme/db")
		v, w := f.publish(s, "1.0.0"), f.publish(s, "2.0.0")
		n := len(f.all())
		_, err := f.TransitionAll(f.ctx, []hub.Transition{
			{VersionID: v.ID, From: hub.Published, Steps: []hub.Step{{To: hub.Yanked}}, Event: event("")},
			{VersionID: w.ID, From: hub.Yanked, Steps: []hub.Step{{To: hub.Published}}, Event: event("")},
		})
		f.kind(err, hub.Conflict)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "state", got.State, hub.Published)
		equal(f, "events", len(f.all()), n)
		out, err := f.TransitionAll(f.ctx, nil)
		f.ok(err)
		equal(f, "none", len(out), 0)
	})
	each(t, open, "TransitionAll: two over the same servers in any order both end", func(f *fix) {
		a, b := server("acme/aa"), server("acme/bb")
		v, w := f.publish(a, "1.0.0"), f.publish(b, "1.0.0")
		step := func(v *hub.Version, from, to hub.State) hub.Transition {
			return hub.Transition{VersionID: v.ID, From: from, Steps: []hub.Step{{To: to}}, Event: event("")}
		}
		got := beside.Together(8, func(i int) error {
			ts := []hub.Transition{step(v, hub.Published, hub.Yanked), step(w, hub.Published, hub.Yanked)}
			if i%2 == 1 {
				ts[0], ts[1] = ts[1], ts[0]
			}
			_, err := f.TransitionAll(f.ctx, ts)
			return err
		})
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Conflict: 7})
	})
}
