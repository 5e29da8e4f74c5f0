package conform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/hub"
)

// Backend is everything a hub keeps its records in.
type Backend interface {
	hub.Servers
	hub.Statistics
	hub.Versions
	hub.Matches
	hub.Catalog
	hub.Capabilities
	hub.Accounts
	hub.Namespaces
	hub.Tokens
	hub.Settings
	hub.Events
	hub.Jobs
	hub.Replays
	hub.Pinger
	Dumper
}

// Dumper writes all records of a store and reads them back.
type Dumper interface {
	// Dump writes all records as they are at one moment.
	Dump(ctx context.Context, w io.Writer) error

	// Load fills an empty store from a dump, all or nothing. Conflict when the store is not empty,
	// Invalid when the dump was cut off.
	Load(ctx context.Context, r io.Reader) error
}

// Store runs the suites of all ports that records need.
func Store(t *testing.T, open func(t *testing.T) Backend) {
	for name, suite := range map[string]func(*testing.T, func(t *testing.T) Backend){
		"servers": servers, "list": lists, "versions": versions, "transition": transitions, "latest": latest,
		"import": imports, "catalog": catalog, "capabilities": capabilities, "accounts": accounts,
		"tokens": tokens, "settings": settings, "events": events, "jobs": jobs, "replays": replays, "dump": dumps,
	} {
		t.Run(name, func(t *testing.T) { suite(t, open) })
	}
}

// fix is one backend and what the tests do with it again and again.
type fix struct {
	*testing.T
	Backend
	ctx context.Context
}

// each runs one subtest with a backend of its own.
func each(t *testing.T, open func(t *testing.T) Backend, promise string, test func(f *fix)) {
	t.Helper()
	t.Run(promise, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(cancel)
		test(&fix{T: t, Backend: open(t), ctx: ctx})
	})
}

// id returns a new ID.
func id() string { return uuid.Must(uuid.NewV7()).String() }

// ok fails the test when err is not nil.
func (f *fix) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%v (kind %q)", err, hub.KindOf(err))
	}
}

// kind fails the test when err is not of the kind.
func (f *fix) kind(err error, want hub.Kind) {
	f.Helper()
	if err == nil || hub.KindOf(err) != want {
		f.Fatalf("got error %v of kind %q, want kind %q", err, hub.KindOf(err), want)
	}
}

// equal fails the test when the two differ.
func equal[T any](f *fix, what string, got, want T) {
	f.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		f.Fatalf("%s:\n got %s\nwant %s", what, a, b)
	}
}

// event is what a caller knows of an event.
func event(action string) hub.Event {
	return hub.Event{At: time.Now(), Actor: "account-1", ActorName: "ada", Action: action, RequestID: "req-1"}
}

// server returns a server that is not stored.
func server(name string) *hub.Server {
	return &hub.Server{ID: id(), Name: hub.Name(name), Title: "Title of " + name, Description: "What " + name + " does"}
}

// version returns a version of s that is not stored.
func version(s *hub.Server, number string) *hub.Version {
	manifest := fmt.Appendf(nil, `{"name":%q,"version":%q}`, s.Name.String(), number)
	sum := sha256.Sum256(manifest)
	return &hub.Version{ID: id(), ServerID: s.ID, Name: s.Name, Version: number, State: hub.Submitted, Format: hub.FormatMCP,
		Manifest: manifest, ManifestDigest: "sha256:" + hex.EncodeToString(sum[:]),
		ServerJSON: fmt.Appendf(nil, `{"name":%q,"version":%q}`, s.Name, number), PublishedBy: "account-1"}
}

// submit stores a version as submitted.
func (f *fix) submit(s *hub.Server, v *hub.Version) *hub.Version {
	f.Helper()
	f.ok(f.Submit(f.ctx, hub.Submission{Server: s, Version: v, Event: event(hub.ActionVersionSubmitted),
		Job: hub.Job{ID: id(), Kind: hub.JobPublish, Subject: v.ID}}))
	return v
}

var toPublished = []hub.Step{{To: hub.Validating}, {To: hub.Scanning}, {To: hub.Published}}

// publish stores a version and takes it to published.
func (f *fix) publish(s *hub.Server, number string) *hub.Version {
	f.Helper()
	return f.publishVersion(s, version(s, number))
}

func (f *fix) publishVersion(s *hub.Server, v *hub.Version) *hub.Version {
	f.Helper()
	f.submit(s, v)
	out, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: hub.Submitted, Steps: toPublished, Server: s, Event: event("")})
	f.ok(err)
	return out
}

// move takes a version one step further.
func (f *fix) move(v *hub.Version, to hub.State, message string) *hub.Version {
	f.Helper()
	out, err := f.Transition(f.ctx, hub.Transition{VersionID: v.ID, From: v.State, Steps: []hub.Step{{To: to, Reason: "test"}},
		Message: message, Event: event("")})
	f.ok(err)
	return out
}

// stored returns a server as it is stored.
func (f *fix) stored(s *hub.Server) *hub.Server {
	f.Helper()
	out, err := f.Server(f.ctx, s.ID)
	f.ok(err)
	return out
}

// all returns every event.
func (f *fix) all() []hub.Event {
	f.Helper()
	evs, err := f.EventsAfter(f.ctx, 0, 10000)
	f.ok(err)
	return evs
}
