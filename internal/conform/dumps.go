package conform

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// fill stores something of every kind.
func fill(f *fix) *hub.Server {
	f.Helper()
	s := fullServer()
	f.publishVersion(s, fullVersion(s))
	f.publish(s, "2.0.0")
	f.ok(f.SetTags(f.ctx, s.ID, map[string]string{"stable": "1.0.0"}, event("")))
	imported(f, "io.github.x/my-tool", "1.0.0")
	imported(f, "io.github.x/my_tool", "1.0.0")
	a := account("ada")
	f.ok(f.CreateAccount(f.ctx, a, event("")))
	f.ok(f.CreateToken(f.ctx, token(a.ID, hub.TokenAPIKey, "h"), event(hub.ActionTokenCreated)))
	f.ok(f.SetSetting(f.ctx, "key", []byte{0, 255, 1}))
	f.ok(f.SetCursor(f.ctx, "search", 3))
	_, err := f.BeginReplay(f.ctx, hub.Replay{Key: "k", Digest: "d"}, time.Time{})
	f.ok(err)
	return s
}

func dumps(t *testing.T, open func(t *testing.T) Backend) {
	each(t, open, "Load brings back what Dump wrote", func(f *fix) {
		s := fill(f)
		var first, second bytes.Buffer
		f.ok(f.Dump(f.ctx, &first))
		to := &fix{T: f.T, Backend: open(f.T), ctx: f.ctx}
		to.ok(to.Load(f.ctx, bytes.NewReader(first.Bytes())))
		to.ok(to.Dump(f.ctx, &second))
		if a, b := body(first.String()), body(second.String()); a != b {
			f.Fatalf("the dumps differ:\n%s\n%s", a, b)
		}
		equal(f, "server", to.stored(s), f.stored(s))
		for _, number := range []string{"1.0.0", "2.0.0", "stable"} {
			a, err := f.Version(f.ctx, s.ID, number, true)
			f.ok(err)
			b, err := to.Version(f.ctx, s.ID, number, true)
			f.ok(err)
			equal(f, number, b, a)
		}
		equal(f, "events", to.all(), f.all())
		to.publish(s, "3.0.0") // the sequence of events goes on
		to.latestIs(s, "3.0.0")
	})
	each(t, open, "Load: Conflict when the store is not empty", func(f *fix) {
		var b bytes.Buffer
		f.ok(f.SetSetting(f.ctx, "key", []byte("x")))
		f.ok(f.Dump(f.ctx, &b))
		f.kind(f.Load(f.ctx, &b), hub.Conflict)
	})
	each(t, open, "Load: Invalid when the dump was cut off, and nothing is kept", func(f *fix) {
		fill(f)
		var b bytes.Buffer
		f.ok(f.Dump(f.ctx, &b))
		lines := strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
		to := &fix{T: f.T, Backend: open(f.T), ctx: f.ctx}
		for name, text := range map[string]string{
			"last line": strings.Join(lines[:len(lines)-1], ""), "half": b.String()[:b.Len()/2], "empty": "", "no dump": "{}\n",
			"a row less": strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), "strange table": lines[0] + `["sqlite_master",{}]` + "\n",
		} {
			if err := to.Load(f.ctx, strings.NewReader(text)); hub.KindOf(err) != hub.Invalid {
				f.Errorf("%s: %v", name, err)
			}
		}
		equal(f, "events", len(to.all()), 0)
		to.ok(to.Load(f.ctx, &b))
	})
	each(t, open, "Dump sees one moment while others write", func(f *fix) {
		s := server("acme/db")
		f.publish(s, "0.0.1")
		done := make(chan error)
		go func() {
			for i := range 30 {
				o := server("acme/o" + id())
				v := version(o, "1.0.0")
				err := f.Submit(f.ctx, hub.Submission{Server: o, Version: v, Event: event(""), Job: hub.Job{Kind: "publish"}})
				if err != nil || i == 29 {
					done <- err
					return
				}
			}
		}()
		for writing := true; writing; {
			select {
			case err := <-done:
				f.ok(err)
				writing = false
			default:
			}
			var b bytes.Buffer
			f.ok(f.Dump(f.ctx, &b))
			text := b.String()
			n := strings.Count(text, "\n[\"servers\",")
			equal(f, "jobs", strings.Count(text, "\n[\"jobs\","), n)
			equal(f, "texts", strings.Count(text, "\n[\"version_texts\","), n)
		}
	})
}

// body is a dump without its first line, which holds the time.
func body(dump string) string {
	_, rest, _ := strings.Cut(dump, "\n")
	return rest
}
