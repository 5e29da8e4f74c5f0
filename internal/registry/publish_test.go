package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// TestClaims guards: names that differ only in case, '-', '_' or '.' are one claim, the first one's.
func TestClaims(t *testing.T) {
	f := newFixture(t)
	f.publish("@acme/my-db", "1.0.0")
	for _, name := range []string{"@acme/my_db", "@acme/my.db", "@acme/mydb", "@acme/m-y-d-b"} {
		_, err := f.Publish(t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON(name, "1.0.0")})
		refused(t, name, err, hub.Exists, name+" is too close to @acme/my-db, which exists: names that differ only in case, '-', '_' or '.' are the same claim")
		if srv, err := f.Server(t.Context(), name); err != nil || srv.Name != "acme/my-db" {
			t.Errorf("a look-up of %s does not find it: %v", name, err)
		}
	}
	f.publish("@acme/my-db2", "1.0.0")
	f.publish("@acme/my-db", "1.1.0")
	_, err := f.Publish(t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/my-db", "2.0.0"), Name: "acme/other"})
	refused(t, "another address", err, hub.Invalid, "the manifest is for @acme/my-db, and the request for @acme/other")
}

// TestFirstPublishesAtOnce guards: first versions of a new server that come at the same moment are all stored,
// under one server.
func TestFirstPublishesAtOnce(t *testing.T) {
	f := newFixture(t)
	const n = 6
	var ready sync.WaitGroup // all have seen that there is no such server before one is stored
	ready.Add(n)
	var once [n + 1]sync.Once
	var mu sync.Mutex
	calls := 0
	f.store.gate = func() {
		mu.Lock()
		calls++
		i := min(calls, n+1)
		mu.Unlock()
		if i <= n {
			once[i].Do(ready.Done)
			ready.Wait()
		}
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, errs[i] = f.Publish(t.Context(), acme, registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/notes", fmt.Sprintf("1.%d.0", i))})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	srv, versions, err := f.Versions(t.Context(), "@acme/notes")
	must(t, err)
	if len(versions) != n || srv.Latest.Version != "1.5.0" || calls <= n {
		t.Errorf("%d versions, latest %s, %d submissions", len(versions), srv.Latest.Version, calls)
	}
}

// TestSameVersionAgain guards: a number is used once; the same again is no error only when the client says that
// it repeats itself, and is the same.
func TestSameVersionAgain(t *testing.T) {
	f := newFixture(t)
	first := f.publish("@acme/notes", "1.0.0")
	same := registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/notes", "1.0.0")}
	if _, err := f.Publish(t.Context(), acme, same); hub.KindOf(err) != hub.Exists {
		t.Errorf("again: %v", err)
	}
	same.Retry = true
	v, err := f.Publish(t.Context(), acme, same)
	must(t, err)
	if v.ID != first.ID {
		t.Error("a repetition made another version")
	}
	if _, err := f.Publish(t.Context(), admin, same); hub.KindOf(err) != hub.Exists {
		t.Errorf("a repetition by somebody else: %v", err)
	}
	changed := same
	changed.Manifest = []byte(strings.Replace(string(same.Manifest), "Keeps notes", "Loses notes", 1))
	if _, err := f.Publish(t.Context(), acme, changed); hub.KindOf(err) != hub.Exists {
		t.Errorf("a repetition with other bytes: %v", err)
	}
}

// TestRefusedPublishLeavesNothing guards: what is refused at once leaves neither server nor version nor event.
func TestRefusedPublishLeavesNothing(t *testing.T) {
	f := newFixture(t)
	needsFiles := []byte(`{"name": "@acme/weather", "version": "1.0.0", "description": "Tells the weather of a city.", "license": "MIT", "servers": {"weather": {"command": "bin/weather"}}}`)
	archive := targz(t, map[string]string{"mcp.json": string(needsFiles)})
	for _, c := range []struct {
		rule    string
		publish registry.Publish
		kind    hub.Kind
		message string
	}{
		{"files and no bundle", registry.Publish{Format: hub.FormatMCP, Manifest: needsFiles}, hub.Invalid, "@acme/weather is started from files of its own, and no bundle was sent"},
		{"another digest", registry.Publish{Format: hub.FormatMCP, Manifest: needsFiles, Bundle: strings.NewReader(string(archive)), BundleDigest: "sha256:" + strings.Repeat("0", 64)}, hub.Integrity, ""},
		{"too large", registry.Publish{Format: hub.FormatMCP, Manifest: needsFiles, Bundle: strings.NewReader(strings.Repeat("x", 1<<20+1))}, hub.TooLarge, ""},
		{"a range for a version", registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("@acme/notes", "^1.0.0")}, hub.Invalid, ""},
		{"no name", registry.Publish{Format: hub.FormatMCP, Manifest: remoteJSON("", "1.0.0")}, hub.Invalid, ""},
	} {
		_, err := f.Publish(t.Context(), acme, c.publish)
		if c.message != "" {
			refused(t, c.rule, err, c.kind, c.message)
		} else if hub.KindOf(err) != c.kind {
			t.Errorf("%s: %s %v, want %s", c.rule, hub.KindOf(err), err, c.kind)
		}
	}
	servers, versions, err := f.Counts(t.Context())
	must(t, err)
	last, err := f.store.LastEvent(t.Context())
	must(t, err)
	if servers != 0 || versions != 0 || last != 0 || f.jobs() != "0 waiting, 0 leased, 0 parked" {
		t.Errorf("%d servers, %d versions, %d events, %s", servers, versions, last, f.jobs())
	}
}

func TestNamespaces(t *testing.T) {
	f := newFixture(t)
	must(t, f.store.CreateAccount(t.Context(), &hub.Account{ID: "0198f000-0000-7000-8000-000000000001", Name: "acme", Email: "a@example.com", Role: hub.RoleUser}, hub.Event{Action: hub.ActionAccountCreated}))
	must(t, f.store.CreateAccount(t.Context(), &hub.Account{ID: "0198f000-0000-7000-8000-000000000002", Name: "bob", Email: "b@example.com", Role: hub.RoleUser}, hub.Event{Action: hub.ActionAccountCreated}))
	must(t, f.ClaimNamespace(t.Context(), admin, "org.taken", "bob"))
	refused(t, "an owner helps himself", f.ClaimNamespace(t.Context(), acme, "com.example", "acme"), hub.Forbidden, "namespaces are given by administrators")
	must(t, f.ClaimNamespace(t.Context(), admin, "com.example", "acme"))
	must(t, f.ClaimNamespace(t.Context(), admin, "com.example", "acme")) // which has it
	spaces, err := f.store.NamespacesOf(t.Context(), "0198f000-0000-7000-8000-000000000001")
	if err != nil || fmt.Sprint(spaces) != "[acme com.example]" {
		t.Errorf("namespaces %v %v", spaces, err)
	}
	for scope, kind := range map[string]hub.Kind{"org.taken": hub.Exists, "Bad Scope": hub.Invalid, "": hub.Invalid} {
		if err := f.ClaimNamespace(t.Context(), admin, scope, "acme"); hub.KindOf(err) != kind {
			t.Errorf("claim %q: %v, want %s", scope, err, kind)
		}
	}
	if err := f.ClaimNamespace(t.Context(), admin, "org.example", "nobody"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("for nobody: %v", err)
	}
}

// once counts how often a thing is done under a key.
type once struct {
	f     *fixture
	done  int
	again []bool
	err   error
}

func (o *once) try(actor hub.Actor, key, digest string) (string, error) {
	status, body, err := o.f.Once(o.f.t.Context(), actor, key, digest, func(again bool) (int, []byte, error) {
		o.done++
		o.again = append(o.again, again)
		return 201, fmt.Appendf(nil, "answer %d", o.done), o.err
	})
	return fmt.Sprintf("%d %s", status, body), err
}

func TestOnce(t *testing.T) {
	f := newFixture(t)
	o := &once{f: f}
	for range 2 {
		got, err := o.try(acme, "key", "digest")
		if err != nil || got != "201 answer 1" || o.done != 1 {
			t.Errorf("the same again is not answered from memory: %s %v", got, err)
		}
	}
	_, err := o.try(acme, "key", "another")
	refused(t, "another request under the key", err, hub.Invalid, `the Idempotency-Key "key" was used for another request`)
	if got, err := o.try(other, "key", "another"); err != nil || got != "201 answer 2" {
		t.Errorf("keys of two accounts touch each other: %s %v", got, err)
	}

	o = &once{f: f, err: hub.Errorf(hub.Invalid, "a mistake")}
	_, err = o.try(acme, "mended", "digest")
	refused(t, "a refusal", err, hub.Invalid, "a mistake")
	o.err = nil
	if got, err := o.try(acme, "mended", "mended digest"); err != nil || got != "201 answer 2" || o.again[1] {
		t.Errorf("a mended request after a refusal: %s %v, again %v", got, err, o.again)
	}

	for _, cause := range []error{errors.New("crashed"), hub.Errorf(hub.Unavailable, "the database is away")} {
		o = &once{f: f, err: cause}
		key := cause.Error()
		if _, err = o.try(acme, key, "digest"); !errors.Is(err, cause) {
			t.Errorf("%s: %v", key, err)
		}
		_, err = o.try(acme, key, "another")
		refused(t, key+", another request", err, hub.Invalid, fmt.Sprintf("the Idempotency-Key %q was used for another request", key))
		o.err = nil
		if got, err := o.try(acme, key, "digest"); err != nil || got != "201 answer 2" || !o.again[1] {
			t.Errorf("%s: the next try is not told that it may have happened: %s %v %v", key, got, err, o.again)
		}
	}

	o = &once{f: f}
	if _, err := o.try(acme, "old", "digest"); err != nil {
		t.Fatal(err)
	}
	f.clock.add(time.Hour)
	if got, err := o.try(acme, "old", "digest"); err != nil || got != "201 answer 1" {
		t.Errorf("an hour later: %s %v", got, err)
	}
}
