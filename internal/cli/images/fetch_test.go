package images_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// TestFetch guards: an image is fetched over the engine's socket, by its digest, signed in at a hub and nowhere else; what the
// engine has is not fetched, and what it tells to have failed has failed.
func TestFetch(t *testing.T) {
	dir, err := os.MkdirTemp("", "engine") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	has, logins := map[string]bool{}, map[string]string{}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/images/create" {
			if ref := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/images/"), "/json"); !has[ref] {
				http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
				return
			}
			io.WriteString(w, `{"Id":"sha256:1"}`)
			return
		}
		q := r.URL.Query()
		if strings.HasSuffix(q.Get("fromImage"), "broken") {
			io.WriteString(w, `{"status":"Pulling"}{"error":"unauthorized: no\u001b[31m"}`)
			return
		}
		login, err := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
		if err != nil {
			t.Error(err)
		}
		ref := q.Get("fromImage") + "@" + q.Get("tag")
		has[ref], logins[ref] = true, string(login)
		io.WriteString(w, `{"status":"Downloading","id":"a","progressDetail":{"current":1,"total":2}}{"status":"Done"}`)
	})}
	go srv.Serve(l)
	defer srv.Close()
	var said bytes.Buffer
	f := images.Fetcher{
		Access: images.Access{Hubs: []string{"https://hub.example.com"}, Token: func(context.Context, string) (string, error) { return "s3cret", nil }},
		Place:  engine.Place{Home: dir, Getenv: func(n string) string { return map[string]string{"DOCKER_HOST": "unix://" + l.Addr().String()}[n] }},
		IO:     &term.IO{Out: &said, Err: &said},
	}
	digest := "@sha256:" + strings.Repeat("a", 64)
	mine, others := "hub.example.com/acme/db"+digest, "ghcr.io/acme/db"+digest
	f.Offline = true
	if err := f.Fetch(t.Context(), mine, "db"); hub.KindOf(err) != hub.NotFound {
		t.Errorf("offline: %v", err)
	}
	f.Offline = false
	for _, ref := range []string{mine, others, mine} {
		if err := f.Fetch(t.Context(), ref, "db"); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if len(logins) != 2 || !strings.Contains(logins[mine], `"password":"s3cret"`) || logins[others] != "" {
		t.Errorf("logins: %q", logins)
	}
	if err := f.Fetch(t.Context(), "ghcr.io/acme/broken"+digest, "db"); hub.KindOf(err) != hub.Unavailable || !strings.Contains(err.Error(), "unauthorized") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("what failed: %v", err)
	}
	f.Place.Getenv = func(string) string { return "unix:///none" }
	if err := f.Fetch(t.Context(), others, "db"); err != nil || !strings.Contains(said.String(), "locked but not fetched") {
		t.Errorf("without an engine: %v, %s", err, said.String())
	}
}
