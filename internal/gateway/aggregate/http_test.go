package aggregate_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/gateway/aggregate"
)

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`

// The door lets nobody in who should stay outside.
func TestDoor(t *testing.T) {
	h := aggregate.NewHandler(t.Context(), &aggregate.Gateway{Version: "1"}, "secret")
	defer h.Close()
	ask := func(method, host, body string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://"+host+"/mcp", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	begun := ask("POST", "127.0.0.1:7", hello)
	id := begun.Header().Get("Mcp-Session-Id")
	if begun.Code != 200 || len(id) < 20 || !strings.Contains(begun.Body.String(), `"protocolVersion":"2025-06-18"`) {
		t.Fatalf("%d %q %s", begun.Code, id, begun.Body)
	}
	ping := `{"jsonrpc":"2.0","id":2,"method":"ping"}`
	for _, c := range []struct {
		what, method, host, body string
		headers                  []string
		want                     int
	}{
		{"a ping", "POST", "localhost:7", ping, []string{"Mcp-Session-Id", id}, 200},
		{"a ping by IPv6", "POST", "[::1]:7", ping, []string{"Mcp-Session-Id", id}, 200},
		{"a page of this machine", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Origin", "http://localhost:5173"}, 200},
		{"a notification", "POST", "127.0.0.1:7", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, []string{"Mcp-Session-Id", id}, 202},
		{"another page", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Origin", "https://evil.example"}, 403},
		{"no page at all", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Origin", "null"}, 403},
		{"a page that sounds like here", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Origin", "http://127.0.0.1.evil.example"}, 403},
		{"a name that points here", "POST", "evil.example:7", ping, []string{"Mcp-Session-Id", id}, 403},
		{"no token", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Authorization", ""}, 401},
		{"another token", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Authorization", "Bearer secret2"}, 401},
		{"another scheme", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Authorization", "Basic secret"}, 401},
		{"no session", "POST", "127.0.0.1:7", ping, nil, 400},
		{"another session", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", "x"}, 404},
		{"a version of the future", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Mcp-Protocol-Version", "2099-01-01"}, 400},
		{"a form", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id, "Content-Type", "text/plain"}, 415},
		{"no JSON", "POST", "127.0.0.1:7", "{", []string{"Mcp-Session-Id", id}, 400},
		{"a batch", "POST", "127.0.0.1:7", "[" + ping + "]", []string{"Mcp-Session-Id", id}, 400},
		{"too much", "POST", "127.0.0.1:7", `{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":"` + strings.Repeat("x", 17<<20) + `"}}`, []string{"Mcp-Session-Id", id}, 413},
		{"a stream of another kind", "GET", "127.0.0.1:7", "", []string{"Mcp-Session-Id", id}, 406},
		{"another method", "PUT", "127.0.0.1:7", "", []string{"Mcp-Session-Id", id}, 405},
		{"the end", "DELETE", "127.0.0.1:7", "", []string{"Mcp-Session-Id", id}, 204},
		{"after the end", "POST", "127.0.0.1:7", ping, []string{"Mcp-Session-Id", id}, 404},
	} {
		if w := ask(c.method, c.host, c.body, c.headers...); w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", c.what, w.Code, w.Body, c.want)
		}
	}
	for range 64 {
		ask("POST", "127.0.0.1:7", hello)
	}
	if w := ask("POST", "127.0.0.1:7", hello); w.Code != 503 {
		t.Errorf("the session after the last: %d", w.Code)
	}
}

// A second stream of one session is refused while the first is open, and taken when it is not.
func TestOneStream(t *testing.T) {
	h := aggregate.NewHandler(t.Context(), &aggregate.Gateway{Version: "1"}, "secret")
	defer h.Close()
	srv := httptest.NewServer(h)
	defer srv.Close()
	do := func(ctx context.Context, method, body, id string) *http.Response {
		r, _ := http.NewRequestWithContext(ctx, method, srv.URL, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Mcp-Session-Id", id)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	begun := do(t.Context(), "POST", hello, "")
	body, _ := io.ReadAll(begun.Body)
	begun.Body.Close()
	if !strings.HasPrefix(string(body), "event: message\ndata: {") {
		t.Errorf("a client that only takes streams gets %q", body)
	}
	id := begun.Header.Get("Mcp-Session-Id")
	ctx, cancel := context.WithCancel(t.Context())
	first := do(ctx, "GET", "", id)
	if second := do(t.Context(), "GET", "", id); first.StatusCode != 200 || second.StatusCode != 409 {
		t.Errorf("%d, then %d", first.StatusCode, second.StatusCode)
	}
	cancel()
	first.Body.Close()
	eventually(t, "the next stream", func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		resp := do(ctx, "GET", "", id)
		resp.Body.Close()
		return resp.StatusCode == 200
	})
}
