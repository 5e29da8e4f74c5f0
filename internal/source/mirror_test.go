package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source"
)

// registry is another registry with three pages under a path prefix.
type registry struct {
	*httptest.Server
	requests []string // query of each
	fail     func(n int) (status int, header http.Header)
}

func item(name, status string) string {
	return fmt.Sprintf(`{"server":{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":%q,"description":"d","version":"1.0.0"},
		"_meta":{"io.modelcontextprotocol.registry/official":{"status":%q,"publishedAt":"2026-01-02T03:04:05Z","updatedAt":"2026-02-03T04:05:06Z","statusChangedAt":"2026-02-03T04:05:06Z","isLatest":true}}}`, name, status)
}

func newRegistry(t *testing.T) *registry {
	r := &registry{}
	pages := map[string]string{
		"":   `{"servers":[` + item("io.github.a/aa", "active") + `,` + item("io.github.a/bb", "deleted") + `],"metadata":{"count":2,"nextCursor":"c1"}}`,
		"c1": `{"servers":[` + item("io.github.a/cc", "deprecated") + `,{"server":{"name":"broken"}}],"metadata":{"count":2,"nextCursor":"c2"}}`,
		"c2": `{"servers":[],"metadata":{"count":0}}`,
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests = append(r.requests, req.URL.RawQuery)
		if r.fail != nil {
			if status, header := r.fail(len(r.requests)); status != 0 {
				for k, v := range header {
					w.Header()[k] = v
				}
				w.WriteHeader(status)
				return
			}
		}
		if req.URL.Path != "/prefix/v0.1/servers" {
			http.NotFound(w, req)
			return
		}
		cursor := req.URL.Query().Get("cursor")
		etag := `"` + cursor + `-1"`
		w.Header().Set("ETag", etag)
		if req.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, pages[cursor])
	}))
	t.Cleanup(r.Close)
	return r
}

func newMirror(slept *[]time.Duration) *source.Mirror {
	return &source.Mirror{
		HTTP:   source.NewClient(source.GuardOptions{AllowPrivate: true}),
		Jitter: func() float64 { return 0.5 },
		Now:    func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
		Sleep: func(_ context.Context, d time.Duration) error {
			*slept = append(*slept, d)
			return nil
		},
		Seen: map[string]source.SeenPage{},
	}
}

func TestMirror(t *testing.T) {
	r := newRegistry(t)
	var slept []time.Duration
	m := newMirror(&slept)
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var got, cursors []string
	collect := func(p source.Page) error {
		for _, e := range p.Entries {
			if sound(t, e); e.Refused != "" {
				got = append(got, e.Name+" refused")
				continue
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", e.Server.Name, e.Version.State, e.Version.PublishedAt.Format(time.DateOnly), e.Version.UpdatedAt.Format(time.DateOnly)))
		}
		if p.Unchanged {
			got = append(got, "unchanged")
		}
		cursors = append(cursors, p.Next)
		return nil
	}
	if err := m.Pages(context.Background(), r.URL+"/prefix/", since, "", collect); err != nil {
		t.Fatal(err)
	}
	want := []string{"io.github.a/aa published 2026-01-02 2026-02-03", "io.github.a/bb yanked 2026-01-02 2026-02-03", "io.github.a/cc deprecated 2026-01-02 2026-02-03", "broken refused"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c1", "c2", ""}, cursors); d != "" {
		t.Error(d)
	}
	if r.requests[0] != "include_deleted=true&limit=100&updated_since=2026-01-01T00%3A00%3A00Z" || !strings.HasPrefix(r.requests[1], "cursor=c1&") {
		t.Errorf("requests: %q", r.requests)
	}

	t.Run("unchanged pages are not sent again", func(t *testing.T) {
		got = nil
		if err := m.Pages(context.Background(), r.URL+"/prefix", since, "", collect); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"unchanged", "unchanged", "unchanged"}, got); d != "" {
			t.Error(d)
		}
	})
	t.Run("goes on at a cursor", func(t *testing.T) {
		got, r.requests = nil, nil
		if err := newMirror(&slept).Pages(context.Background(), r.URL+"/prefix", time.Time{}, "c1", collect); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || len(r.requests) != 2 || strings.Contains(r.requests[0], "updated_since") {
			t.Errorf("%q %q", got, r.requests)
		}
	})
	t.Run("stops when the caller fails", func(t *testing.T) {
		stop, calls := errors.New("full disk"), 0
		err := newMirror(&slept).Pages(context.Background(), r.URL+"/prefix", since, "", func(source.Page) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Error(err, calls)
		}
	})
}

func TestMirrorIsPatient(t *testing.T) {
	r := newRegistry(t)
	answers := []struct {
		status int
		after  string
	}{{503, ""}, {429, "7"}, {502, ""}, {503, "Thu, 01 Jan 2026 00:00:30 GMT"}, {429, "99999"}, {0, ""}}
	r.fail = func(n int) (int, http.Header) {
		if n > len(answers) {
			return 0, nil
		}
		a := answers[n-1]
		if a.after == "" {
			return a.status, nil
		}
		return a.status, http.Header{"Retry-After": {a.after}}
	}
	var slept []time.Duration
	if err := newMirror(&slept).Pages(context.Background(), r.URL+"/prefix", time.Time{}, "", func(source.Page) error { return nil }); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{time.Second, 7 * time.Second, 4 * time.Second, 30 * time.Second, 10 * time.Minute}
	if d := cmp.Diff(want, slept); d != "" {
		t.Error(d)
	}
	r.requests, r.fail = nil, func(int) (int, http.Header) { return 500, nil }
	err := newMirror(&slept).Pages(context.Background(), r.URL+"/prefix", time.Time{}, "", func(source.Page) error { return nil })
	if hub.KindOf(err) != hub.Unavailable || len(r.requests) != 6 || !strings.Contains(err.Error(), "it answered 500 Internal Server Error (6 tries)") {
		t.Errorf("%v after %d requests", err, len(r.requests))
	}
}

func TestMirrorRefuses(t *testing.T) {
	bodies := map[string]string{
		"/html/v0.1/servers": "<html>", "/object/v0.1/servers": `{"error":"x"}`,
		"/circle/v0.1/servers": `{"servers":[],"metadata":{"nextCursor":"same"}}`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, ok := bodies[req.URL.Path]
		if !ok {
			http.NotFound(w, req)
			return
		}
		fmt.Fprint(w, body)
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	tests := []struct{ name, base, message string }{
		{"no registry", srv.URL, srv.URL + "/v0.1/servers?include_deleted=true&limit=100 answered 404 Not Found"},
		{"a page", srv.URL + "/html", host + " answered with something that is no list of servers"},
		{"another object", srv.URL + "/object", host + " answered with something that is no list of servers"},
		{"a circle", srv.URL + "/circle", host + ` repeats the cursor "same", so its list has no end`},
		{"no URL", "ftp://example.com", `"ftp://example.com" is not the address of a registry`},
		{"a password", "https://me:pw@example.com", `"https://me:pw@example.com" is not the address of a registry`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var slept []time.Duration
			err := newMirror(&slept).Pages(context.Background(), tt.base, time.Time{}, "", func(source.Page) error { return nil })
			if err == nil || err.Error() != tt.message {
				t.Errorf("got %v, want %s", err, tt.message)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/loop":
			http.Redirect(w, req, "/loop", http.StatusFound)
		case "/file":
			http.Redirect(w, req, "file:///etc/passwd", http.StatusFound)
		default:
			fmt.Fprint(w, strings.Repeat("x", 100))
		}
	}))
	defer srv.Close()
	for _, address := range []string{
		"127.0.0.1", "127.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3",
		"224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:8.8.8.8",
		"::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::", "2001:db8::1", "fec0::1",
	} {
		c := source.NewClient(source.GuardOptions{Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr(address)}, nil
		}})
		for _, host := range []string{"name.example", address} {
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			resp, err := c.Get("http://" + host + "/")
			if err == nil {
				resp.Body.Close()
			}
			if hub.KindOf(err) != hub.Forbidden {
				t.Errorf("%s at %s: %v", host, address, err)
			}
		}
	}
	if _, err := source.NewClient(source.GuardOptions{}).Get(srv.URL); hub.KindOf(err) != hub.Forbidden ||
		!strings.HasSuffix(err.Error(), `the host "127.0.0.1" has the address 127.0.0.1, which is this machine`) {
		t.Error(err)
	}
	open := source.NewClient(source.GuardOptions{AllowPrivate: true})
	if _, err := open.Get(srv.URL + "/loop"); hub.KindOf(err) != hub.Unavailable {
		t.Error(err)
	}
	if _, err := open.Get(srv.URL + "/file"); hub.KindOf(err) != hub.Forbidden {
		t.Error(err)
	}
	resp, err := open.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := source.ReadLimited(resp.Body, 99, "the answer"); hub.KindOf(err) != hub.TooLarge || err.Error() != "the answer has more than 99 bytes" {
		t.Error(err)
	}
}
