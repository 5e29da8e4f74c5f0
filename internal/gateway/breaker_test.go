package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestBreaker(t *testing.T) {
	now := time.Unix(0, 0)
	b := &breaker{Now: func() time.Time { return now }}
	fail := func(n int) {
		t.Helper()
		for range n {
			if reason, ok := b.enter(); !ok {
				t.Fatalf("refused: %s", reason)
			}
			b.leave(true)
		}
	}
	fail(4)
	b.enter()
	b.leave(false) // one that works sets it back
	fail(5)
	pause := firstBreak
	for range 8 {
		if reason, ok := b.enter(); ok || !strings.Contains(reason, "times in a row") {
			t.Fatalf("not refused after %v: %q", now, reason)
		}
		now = now.Add(pause - time.Millisecond)
		if _, ok := b.enter(); ok {
			t.Fatalf("let through %s too early", time.Millisecond)
		}
		now = now.Add(time.Millisecond)
		fail(1)
		pause = min(2*pause, lastBreak)
	}
	now = now.Add(lastBreak)
	if _, ok := b.enter(); !ok {
		t.Fatal("nothing is let through after the pause")
	}
	if _, ok := b.enter(); ok {
		t.Fatal("a second one is let through before the first came back")
	}
	b.leave(false)
	if _, ok := b.enter(); !ok {
		t.Fatal("refused after it worked")
	}
}

// TestBridgeBreaks has a server fail, recover, and be found again.
func TestBridgeBreaks(t *testing.T) {
	var broken atomic.Bool
	var requests atomic.Int32
	broken.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if broken.Load() {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		id := strings.TrimSuffix(strings.SplitN(string(body), `"id":`, 2)[1], "}")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, id)
	}))
	defer srv.Close()
	var mu sync.Mutex
	now := time.Now()
	in, toBridge := io.Pipe()
	fromBridge, out := io.Pipe()
	b := &Bridge{Server: &Server{URL: srv.URL, Transport: "streamable-http"}, In: in, Out: out}
	b.breaker.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = b.Run(ctx) }()
	lines := bufio.NewReader(fromBridge)
	ask := func(id int) string {
		fmt.Fprintf(toBridge, `{"jsonrpc":"2.0","method":"ping","id":%d}`+"\n", id)
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	for i := range breakAfter {
		if got := ask(i); !strings.Contains(got, "502") {
			t.Errorf("%d: %s", i, got)
		}
	}
	broken.Store(false)
	if got := ask(10); !strings.Contains(got, "failed 5 times in a row; it is tried again in 1s") || requests.Load() != breakAfter {
		t.Errorf("after %d requests: %s", requests.Load(), got)
	}
	mu.Lock()
	now = now.Add(firstBreak)
	mu.Unlock()
	if got := ask(11); !strings.Contains(got, `"result"`) {
		t.Errorf("it was not tried again: %s", got)
	}
}

// TestSSEIsOpenedAgain cuts the one stream of an old server: what waits fails, and the next call works in a new session.
func TestSSEIsOpenedAgain(t *testing.T) {
	handler := mcp.NewSSEHandler(func(*http.Request) *mcp.Server {
		s := mcp.NewServer(&mcp.Implementation{Name: "old", Version: "1"}, nil)
		mcp.AddTool(s, &mcp.Tool{Name: "echo"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct {
			Text string `json:"text"`
		}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.Text}}}, nil, nil
		})
		return s
	}, nil)
	srv := httptest.NewServer(handler)
	defer srv.Close()
	in, toBridge := io.Pipe()
	fromBridge, out := io.Pipe()
	b := &Bridge{Server: &Server{URL: srv.URL, Transport: "sse"}, In: in, Out: out, Backoff: 10 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	lines := bufio.NewReader(fromBridge)
	ask := func(line string) string {
		t.Helper()
		fmt.Fprintln(toBridge, line)
		got, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`); !strings.Contains(got, `"old"`) {
		t.Fatal(got)
	}
	fmt.Fprintln(toBridge, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	for i := 2; i < 5; i++ {
		if got := ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"text":"round %d"}}}`, i, i)); !strings.Contains(got, fmt.Sprintf(`"round %d"`, i)) {
			t.Errorf("%d: %s", i, got)
		}
		srv.CloseClientConnections()
		time.Sleep(200 * time.Millisecond) // the stream is opened again meanwhile
	}
	srv.Listener.Close()
	srv.CloseClientConnections()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "could not be opened again") {
			t.Errorf("a server that is gone: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a server that is gone is waited for")
	}
}
