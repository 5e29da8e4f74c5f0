package conform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

func versions(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Version returns manifest, capabilities and readme", func(f *fix) {
		s := server("acme/db")
		v := fullVersion(s)
		f.publishVersion(s, v)
		for _, asked := range []string{"1.0.0", "latest"} {
			got, err := f.Version(f.ctx, s.ID, asked, false)
			f.ok(err)
			want := *v
			want.State, want.Latest = hub.Published, true
			want.CreatedAt, want.PublishedAt, want.UpdatedAt, want.StatusChangedAt = got.CreatedAt, got.PublishedAt, got.UpdatedAt, got.StatusChangedAt
			equal(f, asked, got, &want)
			if got.CreatedAt.IsZero() || got.PublishedAt.IsZero() || got.StatusChangedAt.IsZero() {
				f.Fatalf("times are missing: %+v", got)
			}
		}
	})
	each(t, open, "Version finds by dist-tag, a number first", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		f.publish(s, "2.0.0")
		f.ok(f.SetTags(f.ctx, s.ID, map[string]string{"stable": "1.0.0", "latest": "1.0.0", "2.0.0": "1.0.0"}, event("")))
		for asked, want := range map[string]string{"stable": "1.0.0", "latest": "2.0.0", "2.0.0": "2.0.0"} {
			got, err := f.Version(f.ctx, s.ID, asked, false)
			f.ok(err)
			equal(f, asked, got.Version, want)
		}
	})
	each(t, open, "Version: without all, only visible ones are found", func(f *fix) {
		s := server("acme/db")
		f.submit(s, version(s, "1.0.0"))
		for _, asked := range []string{"1.0.0", "latest"} {
			_, err := f.Version(f.ctx, s.ID, asked, false)
			f.kind(err, hub.NotFound)
		}
		got, err := f.Version(f.ctx, s.ID, "1.0.0", true)
		f.ok(err)
		equal(f, "state", got.State, hub.Submitted)
	})
	each(t, open, "Version: NotFound otherwise", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "1.0.0")
		for _, asked := range []string{"1.0", "v1.0.0", "nothing", "", "%"} {
			_, err := f.Version(f.ctx, s.ID, asked, true)
			f.kind(err, hub.NotFound)
		}
		_, err := f.Version(f.ctx, id(), "1.0.0", true)
		f.kind(err, hub.NotFound)
	})
	versionLists(t, open)
	submissions(t, open)
	submissionsWithSteps(t, open)
}

func versionLists(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "VersionByID returns a version in any state, whole", func(f *fix) {
		s := server("acme/db")
		v := fullVersion(s)
		f.submit(s, v)
		got, err := f.VersionByID(f.ctx, v.ID)
		f.ok(err)
		equal(f, "manifest", string(got.Manifest), string(v.Manifest))
		equal(f, "readme", got.Readme, v.Readme)
		equal(f, "capabilities", got.Capabilities, v.Capabilities)
		_, err = f.VersionByID(f.ctx, id())
		f.kind(err, hub.NotFound)
	})
	each(t, open, "VersionsByID returns versions whole and Owners their servers, and both leave unknown ones out", func(f *fix) {
		s, other := server("acme/db"), server("acme/cache")
		a, b := fullVersion(s), version(other, "2.0.0")
		f.submit(s, a)
		f.submit(other, b)
		got, err := f.VersionsByID(f.ctx, []string{a.ID, id(), b.ID})
		f.ok(err)
		equal(f, "how many", len(got), 2)
		equal(f, "manifest", string(got[a.ID].Manifest), string(a.Manifest))
		equal(f, "readme", got[a.ID].Readme, a.Readme)
		equal(f, "capabilities", got[a.ID].Capabilities, a.Capabilities)
		equal(f, "number", got[b.ID].Version, b.Version)
		owners, err := f.Owners(f.ctx, []string{b.ID, id(), a.ID})
		f.ok(err)
		equal(f, "owners", owners, map[string]string{a.ID: s.ID, b.ID: other.ID})
		for _, many := range []int{0, 101} {
			_, err = f.VersionsByID(f.ctx, make([]string, many))
			_, oerr := f.Owners(f.ctx, make([]string, many))
			equal(f, "refused", []bool{err != nil, oerr != nil}, []bool{many > 0, many > 0})
		}
	})
	each(t, open, "Texts returns capabilities and the beginning of readmes, and leaves unknown ones out", func(f *fix) {
		s := server("acme/db")
		v := fullVersion(s)
		v.Readme = "Grüße"
		f.submit(s, v)
		bare := version(s, "2.0.0")
		f.submit(s, bare)
		got, err := f.Texts(f.ctx, []string{v.ID, id(), bare.ID}, 3)
		f.ok(err)
		equal(f, "texts", got, map[string]hub.VersionTexts{v.ID: {Capabilities: v.Capabilities, Readme: "Gr"}, bare.ID: {}})
		_, err = f.Texts(f.ctx, make([]string, 101), 3)
		f.kind(err, hub.Invalid)
	})
	each(t, open, "Versions returns all visible ones, newest publication first", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "2.0.0")
		f.move(f.publish(s, "1.0.0"), hub.Unpublished, "mistake")
		f.publish(s, "10.0.0")
		f.submit(s, version(s, "3.0.0"))
		r := f.submit(s, version(s, "4.0.0"))
		f.move(r, hub.Rejected, "no")
		got, err := f.Versions(f.ctx, s.ID)
		f.ok(err)
		var numbers []string
		for _, v := range got {
			numbers = append(numbers, v.Version)
			if v.Readme != "" || v.Capabilities != nil || len(v.Manifest) == 0 {
				f.Fatalf("%s: readme, capabilities or manifest are not as promised", v.Version)
			}
		}
		equal(f, "numbers", strings.Join(numbers, " "), "10.0.0 1.0.0 2.0.0")
	})
}

func submissions(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Submit stores server, version, event and job", func(f *fix) {
		s := fullServer()
		f.submit(s, version(s, "1.0.0"))
		equal(f, "name", f.stored(s).Name, s.Name)
		evs := f.all()
		equal(f, "events", []string{evs[0].Action, evs[0].Subject}, []string{hub.ActionVersionSubmitted, s.ID})
		waiting, _, _, err := f.JobCounts(f.ctx, evs[0].At)
		f.ok(err)
		equal(f, "jobs", waiting, 1)
	})
	each(t, open, "Submit: all or nothing", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, version(s, "1.0.0"))
		o := server("acme/other")
		w := version(o, "1.0.0")
		w.ID = v.ID // cannot be stored
		err := f.Submit(f.ctx, hub.Submission{Server: o, Version: w, Event: event(""), Job: hub.Job{Kind: "publish"}})
		if err == nil {
			f.Fatal("a second version with the same ID was stored")
		}
		_, err = f.Server(f.ctx, o.ID)
		f.kind(err, hub.NotFound)
		equal(f, "events", len(f.all()), 1)
	})
	each(t, open, "Submit: Exists when the server ever had that version, and says its state", func(f *fix) {
		s := server("acme/db")
		v := f.publish(s, "1.0.0")
		f.move(v, hub.Unpublished, "mistake")
		n := len(f.all())
		err := f.Submit(f.ctx, hub.Submission{Server: s, Version: version(s, "1.0.0"), Event: event(""), Job: hub.Job{Kind: "publish"}})
		f.kind(err, hub.Exists)
		if !strings.Contains(err.Error(), string(hub.Unpublished)) {
			f.Fatalf("the message does not say the state: %v", err)
		}
		equal(f, "events", len(f.all()), n)
	})
	each(t, open, "Submit: Exists when the server is new and its claim is taken", func(f *fix) {
		s := server("acme/data-base")
		f.submit(s, version(s, "1.0.0"))
		o := server("acme/Data_Base")
		f.kind(f.Submit(f.ctx, hub.Submission{Server: o, Version: version(o, "1.0.0"), Event: event(""), Job: hub.Job{Kind: "publish"}}), hub.Exists)
		_, err := f.Server(f.ctx, o.ID)
		f.kind(err, hub.NotFound)
	})
	each(t, open, "Submit: a rejected version number may be used again", func(f *fix) {
		s := server("acme/db")
		v := f.submit(s, version(s, "1.0.0"))
		f.move(v, hub.Rejected, "no license")
		w := f.submit(s, version(s, "1.0.0"))
		got, err := f.Version(f.ctx, s.ID, "1.0.0", true)
		f.ok(err)
		equal(f, "version", []string{got.ID, string(got.State), got.Message}, []string{w.ID, string(hub.Submitted), ""})
		_, err = f.VersionByID(f.ctx, v.ID)
		f.kind(err, hub.NotFound)
	})
	each(t, open, "Submit: of many with the same version exactly one wins", func(f *fix) {
		s := server("acme/db")
		f.submit(s, version(s, "0.1.0"))
		rejected := f.submit(s, version(s, "2.0.0"))
		f.move(rejected, hub.Rejected, "no")
		for _, number := range []string{"1.0.0", "2.0.0"} {
			got := beside.Together(20, func(int) error {
				return f.Submit(f.ctx, hub.Submission{Server: s, Version: version(s, number), Event: event(""), Job: hub.Job{Kind: "publish"}})
			})
			equal(f, number, got, map[hub.Kind]int{"": 1, hub.Exists: 19})
		}
	})
	each(t, open, "Submit: of many new servers with one claim exactly one wins", func(f *fix) {
		got := beside.Together(20, func(int) error {
			s := server("acme/db")
			return f.Submit(f.ctx, hub.Submission{Server: s, Version: version(s, "1.0.0"), Event: event(""), Job: hub.Job{Kind: "publish"}})
		})
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Exists: 19})
		equal(f, "events", len(f.all()), 1)
	})
}

// fullVersion has a value in every field that Submit stores.
func fullVersion(s *hub.Server) *hub.Version {
	v := version(s, "1.0.0")
	v.FullText, v.Readme = strings.Repeat("whole description ", 20), "# Readme\n\nit's \"?\" \\ 漢字\n"
	v.Bundle = &hub.Bundle{Digest: "sha256:" + strings.Repeat("ab", 32), Integrity: "sha512-xyz==", Size: 12345, Files: 7}
	v.Capabilities = []hub.Capability{
		{Type: hub.Tool, Name: "query", Title: "Query", Description: "asks", Schema: json.RawMessage(`{"type":"object"}`)},
		{Type: hub.Resource, Name: "table", URI: "db://{table}"},
		{Type: hub.Prompt, Name: "explain"},
	}
	v.Facts = hub.LatestFacts{Version: "1.0.0", PackageTypes: []string{"npm", "oci"}, Transports: []string{"stdio"}, Runtime: "node", Tools: 1, Resources: 1, Prompts: 1}
	return v
}

func submissionsWithSteps(t *testing.T, open func(t *testing.T) Backend) {
	through := func(f *fix, s *hub.Server, number string, steps ...hub.Step) (*hub.Version, error) {
		v := version(s, number)
		return v, f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(hub.ActionVersionSubmitted), Steps: steps})
	}
	each(t, open, "Submit with Steps stores the state of the last one, an event for each, the mark and no job", func(f *fix) {
		s := server("acme/db")
		for _, number := range []string{"1.0.0", "3.0.0", "2.0.0"} {
			n := len(f.all())
			v, err := through(f, s, number, toPublished...)
			f.ok(err)
			stored, err := f.VersionByID(f.ctx, v.ID)
			f.ok(err)
			equal(f, "s.Version", v, stored)
			equal(f, "state", []any{stored.State, stored.PublishedAt.IsZero()}, []any{hub.Published, false})
			var actions []string
			for _, ev := range f.all()[n:] {
				actions = append(actions, ev.Action)
			}
			equal(f, "events", strings.Join(actions, " "), "version.submitted version.validating version.scanning version.published")
		}
		f.latestIs(s, "3.0.0")
		f.metaIsTrue(s)
		waiting, leased, parked, err := f.JobCounts(f.ctx, s.CreatedAt)
		f.ok(err)
		equal(f, "jobs", waiting+leased+parked, 0)
	})
	each(t, open, "Submit with Steps: display facts are those of the latest", func(f *fix) {
		s := server("acme/db")
		for _, c := range []struct{ number, want string }{{"2.0.0", "of 2.0.0"}, {"1.0.0", "of 2.0.0"}, {"3.0.0", "of 3.0.0"}} {
			s.Title = "of " + c.number
			_, err := through(f, s, c.number, toPublished...)
			f.ok(err)
			equal(f, c.number, f.stored(s).Title, c.want)
		}
	})
	each(t, open, "Submit with Steps: a version that stays hidden gets no mark and lists nothing", func(f *fix) {
		s := server("acme/db")
		_, err := through(f, s, "1.0.0", hub.Step{To: hub.Validating}, hub.Step{To: hub.Scanning}, hub.Step{To: hub.InReview})
		f.ok(err)
		_, err = f.Version(f.ctx, s.ID, "latest", true)
		f.kind(err, hub.NotFound)
		equal(f, "list", len(f.pages(hub.ServerQuery{Limit: 1, Sort: hub.SortName})), 0)
		got, err := f.Version(f.ctx, s.ID, "1.0.0", true)
		f.ok(err)
		equal(f, "state", got.State, hub.InReview)
	})
	each(t, open, "Submit with Steps: a rejected number may be used again, a taken one not, and one of many wins", func(f *fix) {
		s := server("acme/db")
		_, err := through(f, s, "1.0.0", hub.Step{To: hub.Validating}, hub.Step{To: hub.Rejected, Reason: "no"})
		f.ok(err)
		_, err = through(f, s, "1.0.0", toPublished...)
		f.ok(err)
		n := len(f.all())
		_, err = through(f, s, "1.0.0", toPublished...)
		f.kind(err, hub.Exists)
		_, err = through(f, server("acme/D-B"), "1.0.0", toPublished...)
		f.kind(err, hub.Exists)
		_, err = through(f, s, "1.1.0", hub.Step{To: hub.Published})
		f.kind(err, hub.Conflict)
		equal(f, "events", len(f.all()), n)
		got := beside.Together(12, func(int) error { _, err := through(f, s, "2.0.0", toPublished...); return err })
		equal(f, "results", got, map[hub.Kind]int{"": 1, hub.Exists: 11})
		f.latestIs(s, "2.0.0")
	})
}
