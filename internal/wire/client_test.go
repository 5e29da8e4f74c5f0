package wire_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

func client(t *testing.T, opts wire.ClientOptions, h http.HandlerFunc) *wire.Client {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	opts.Backoff = time.Millisecond
	c, err := wire.NewClient(web.URL+"/prefix/", opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientPaths(t *testing.T) {
	var got string
	c := client(t, wire.ClientOptions{}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.RequestURI
		_, _ = io.WriteString(w, "{}")
	})
	ctx := t.Context()
	for _, tt := range []struct {
		call func() error
		want string
	}{
		{func() error {
			_, err := c.Search(ctx, wire.SearchQuery{Text: "a b&c", Limit: 5, Scope: "x"})
			return err
		}, "GET /prefix/api/v1/search?limit=5&q=a+b%26c&scope=x"},
		{func() error { _, err := c.Server(ctx, "@acme/db"); return err }, "GET /prefix/api/v1/servers/%40acme%2Fdb"},
		{func() error { _, err := c.Versions(ctx, "acme/db"); return err }, "GET /prefix/api/v1/servers/acme%2Fdb/versions"},
		{func() error { _, err := c.Version(ctx, "acme/db", "1.0.0+b 1", ""); return err }, "GET /prefix/api/v1/servers/acme%2Fdb/versions/1.0.0%2Bb%201"},
		{func() error { _, err := c.Publication(ctx, "acme/db", "1.0.0"); return err }, "GET /prefix/api/v1/servers/acme%2Fdb/versions/1.0.0/publication"},
		{func() error {
			_, err := c.Withdraw(ctx, "acme/db", "1.0.0", wire.Withdrawal{Message: "m", Yank: true})
			return err
		}, "DELETE /prefix/api/v1/servers/acme%2Fdb/versions/1.0.0?message=m&yank=true"},
		{func() error { _, err := c.HostConfig(ctx, "acme/db", "cursor"); return err }, "GET /prefix/api/v1/servers/acme%2Fdb/config?host=cursor"},
		{func() error { _, err := c.HostShape(ctx, "cursor"); return err }, "GET /prefix/api/v1/config/cursor"},
		{func() error { return c.DeleteKey(ctx, "../me") }, "DELETE /prefix/api/v1/keys/..%2Fme"},
		{func() error { _, err := c.Keys(ctx); return err }, "GET /prefix/api/v1/keys"},
		{func() error { return c.Logout(ctx, "r") }, "POST /prefix/api/v1/auth/logout"},
	} {
		if err := tt.call(); err != nil || got != tt.want {
			t.Errorf("got  %s (%v)\nwant %s", got, err, tt.want)
		}
	}
}

func TestClientErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		kind   string
		body   string
		want   string
		is     hub.Kind
	}{
		{"a problem", 404, "application/problem+json", `{"status":404,"kind":"not_found","detail":"no server @a/b","hint":"look elsewhere"}`, "no server @a/b", hub.NotFound},
		{"a kind the status does not tell", 422, "application/problem+json", `{"kind":"integrity","detail":"other bytes"}`, "other bytes", hub.Integrity},
		{"the generic registry's form", 404, "application/json", `{"error":"Server not found"}`, "Server not found", hub.NotFound},
		{"a proxy's page", 403, "text/html", `<h1>no</h1>`, "HOST answered 403 Forbidden", hub.Forbidden},
		{"an internal fault", 500, "application/problem+json", `{"kind":"internal","detail":"the hub failed","requestId":"r7"}`, "the hub failed (request r7)", hub.Unavailable},
		{"no JSON", 200, "text/html", `<html>`, "BASE did not answer servers with the JSON of an mcphub", hub.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := client(t, wire.ClientOptions{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := c.Server(t.Context(), "a/b")
			if err == nil {
				t.Fatal("no error")
			}
			text := strings.ReplaceAll(err.Error(), c.Base(), "BASE")
			text = strings.ReplaceAll(text, strings.TrimSuffix(strings.TrimPrefix(c.Base(), "http://"), "/prefix"), "HOST")
			if text != tt.want || hub.KindOf(err) != tt.is {
				t.Errorf("got %q (%s), want %q (%s)", text, hub.KindOf(err), tt.want, tt.is)
			}
		})
	}
}

func TestClientRetries(t *testing.T) {
	calls := 0
	busy := func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "{}")
	}
	c := client(t, wire.ClientOptions{}, busy)
	if _, err := c.Server(t.Context(), "a/b"); err != nil || calls != 3 {
		t.Errorf("a read: %v after %d calls", err, calls)
	}
	calls = 0
	if _, err := c.Login(t.Context(), wire.Login{User: "u", Password: "p"}); hub.KindOf(err) != hub.Unavailable || calls != 1 {
		t.Errorf("a login is sent once: %v after %d calls", err, calls)
	}
	calls = 0
	if _, err := c.Publish(t.Context(), wire.Upload{Name: "a/b", Manifest: []byte("{}"), Key: "k"}); err != nil || calls != 3 {
		t.Errorf("a publish with a key: %v after %d calls", err, calls)
	}
	late := client(t, wire.ClientOptions{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := late.Server(t.Context(), "a/b"); hub.KindOf(err) != hub.RateLimited {
		t.Errorf("an hour is not waited for: %v", err)
	}
	gone, _ := wire.NewClient("http://127.0.0.1:1", wire.ClientOptions{Backoff: time.Millisecond})
	if _, err := gone.Server(t.Context(), "a/b"); hub.KindOf(err) != hub.Unavailable || !strings.HasPrefix(err.Error(), "cannot reach the hub at http://127.0.0.1:1: ") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestClientToken(t *testing.T) {
	tokens := wire.ClientOptions{Token: func(_ context.Context, rejected string) (string, error) {
		if rejected == "old" {
			return "new", nil
		}
		return "old", nil
	}}
	var seen []string
	c := client(t, tokens, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer new" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"name":"acme"}`)
	})
	if me, err := c.Me(t.Context()); err != nil || me.Name != "acme" || fmt.Sprint(seen) != "[Bearer old Bearer new]" {
		t.Errorf("%v %v %v", me, err, seen)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the token went to another host: %s", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	away := client(t, tokens, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if _, err := away.Me(t.Context()); err == nil || !strings.Contains(err.Error(), "a token is not taken to another host") {
		t.Errorf("a redirect: %v", err)
	}
}

func TestClientPublish(t *testing.T) {
	bundle := bytes.Repeat([]byte("x"), 1<<20)
	sum := sha256.Sum256(bundle)
	c := client(t, wire.ClientOptions{}, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength <= int64(len(bundle)) || r.Header.Get("Idempotency-Key") != "k1" {
			t.Errorf("length %d, key %q", r.ContentLength, r.Header.Get("Idempotency-Key"))
		}
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for _, want := range []string{"manifest application/json 14", "bundle application/gzip 1048576"} {
			p, err := form.NextPart()
			if err != nil {
				t.Error(err)
				return
			}
			data, _ := io.ReadAll(p)
			if got := fmt.Sprintf("%s %s %d", p.FormName(), p.Header.Get("Content-Type"), len(data)); got != want {
				t.Errorf("part %s, want %s", got, want)
			}
		}
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(wire.Publication{Version: wire.Version{Version: "1.0.0", State: hub.Submitted}})
	})
	var sent int64
	pub, err := c.Publish(t.Context(), wire.Upload{
		Name: "acme/db", Manifest: []byte(`{"name":"a/b"}`), Key: "k1", Size: int64(len(bundle)), SHA256: sum[:],
		Bundle:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(bundle)), nil },
		Progress: func(n int64) { sent = n },
	})
	if err != nil || pub.State != hub.Submitted || sent != int64(len(bundle)) {
		t.Errorf("%+v %v, sent %d", pub, err, sent)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for _, tt := range []struct{ base, want string }{
		{"hub.example.com", `registry "hub.example.com" is not an http or https URL`},
		{"ftp://hub.example.com", `registry "ftp://hub.example.com" is not an http or https URL`},
		{"https://u:secret@hub.example.com", `registry "https://u:xxxxx@hub.example.com" must be a plain URL without password, query or fragment`},
		{"https://hub.example.com/?a=1", `registry "https://hub.example.com/?a=1" must be a plain URL without password, query or fragment`},
	} {
		if _, err := wire.NewClient(tt.base, wire.ClientOptions{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", tt.base, err)
		}
	}
}
