package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect makes an SDK client that speaks to a server through a bridge, as a host application does.
func connect(t *testing.T, s *gateway.Server, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	hostR, bridgeW := io.Pipe()
	bridgeR, hostW := io.Pipe()
	b := &gateway.Bridge{Server: s, In: bridgeR, Out: bridgeW, Log: testLog{t}}
	done := make(chan error, 1)
	go func() {
		done <- b.Run(context.Background())
		bridgeW.Close()
	}()
	c := mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1"}, opts)
	session, err := c.Connect(t.Context(), &mcp.IOTransport{Reader: hostR, Writer: hostW}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close()
		hostW.Close()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("bridge: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the bridge did not end with its stdin")
		}
	})
	return session
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) { l.t.Logf("stderr: %s", p); return len(p), nil }

func TestBridgeSpeaksForRealServers(t *testing.T) {
	streamable := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return newServer() }, nil)
	asJSON := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return newServer() }, &mcp.StreamableHTTPOptions{JSONResponse: true})
	stateless := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return newServer() }, &mcp.StreamableHTTPOptions{Stateless: true})
	legacy := mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return newServer() }, nil)
	for _, tt := range []struct {
		name, transport string
		handler         http.Handler
	}{
		{"streamable", "streamable-http", streamable}, {"json", "streamable-http", asJSON},
		{"stateless", "streamable-http", stateless}, {"sse", "sse", legacy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth := make(chan string, 100)
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case auth <- r.Header.Get("Authorization"):
				default:
				}
				tt.handler.ServeHTTP(w, r)
			}))
			t.Cleanup(web.Close) // after the session
			progress := make(chan float64, 10)
			session := connect(t, &gateway.Server{URL: web.URL, Transport: tt.transport, Headers: map[string]string{"Authorization": "Bearer s3cret"}},
				&mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { progress <- r.Params.Progress }})
			tools, err := session.ListTools(t.Context(), nil)
			if err != nil || len(tools.Tools) != 2 {
				t.Fatalf("tools: %v %v", tools, err)
			}
			var wg sync.WaitGroup
			for i := range 50 { // many at once, each gets its own answer
				wg.Go(func() {
					res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "add", Arguments: addIn{i, 1000}})
					if err != nil {
						t.Errorf("add %d: %v", i, err)
						return
					}
					if got := fmt.Sprint(res.StructuredContent); got != fmt.Sprintf("map[sum:%d]", i+1000) {
						t.Errorf("add %d: %s", i, got)
					}
				})
			}
			wg.Wait()
			params := &mcp.CallToolParams{Name: "slow", Arguments: addIn{3, 1}}
			params.SetProgressToken("p1")
			if _, err := session.CallTool(t.Context(), params); err != nil {
				t.Errorf("slow: %v", err)
			}
			if tt.name == "streamable" || tt.name == "sse" {
				select {
				case <-progress:
				case <-time.After(2 * time.Second):
					t.Error("no progress notification")
				}
			}
			if got := <-auth; got != "Bearer s3cret" {
				t.Errorf("the server saw Authorization %q", got)
			}
		})
	}
}

// talk sends lines through a bridge to a handler and returns what comes out, in order, and the log.
func talk(t *testing.T, h http.Handler, lines ...string) (out []string, log string, err error) {
	t.Helper()
	web := httptest.NewServer(h)
	defer web.Close()
	var stdout, stderr bytes.Buffer
	b := &gateway.Bridge{
		Server: &gateway.Server{URL: web.URL + "/mcp?key=hush", Headers: map[string]string{"X-Key": "s3cret"}},
		In:     strings.NewReader(strings.Join(lines, "\n") + "\n"), Out: &stdout, Log: &stderr,
		Grace: 5 * time.Second, Backoff: time.Millisecond,
	}
	err = b.Run(t.Context())
	text := strings.ReplaceAll(stderr.String(), strings.TrimPrefix(web.URL, "http://"), "HOST")
	for line := range strings.Lines(strings.ReplaceAll(stdout.String(), strings.TrimPrefix(web.URL, "http://"), "HOST")) {
		out = append(out, strings.TrimSuffix(line, "\n"))
	}
	if strings.Contains(text, "s3cret") || strings.Contains(text, "hush") {
		t.Errorf("a secret is in the log: %s", text)
	}
	return out, text, err
}

const (
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"h","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	initAnswer  = `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`
)

// script is a hand-made streamable server: it answers initialize, and leaves the rest to more.
type script struct {
	mu      sync.Mutex
	session string
	inits   int
	log     []string
	more    func(w http.ResponseWriter, r *http.Request, body string)
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	var m struct{ Method string }
	_ = json.Unmarshal(data, &m)
	s.mu.Lock()
	s.log = append(s.log, strings.TrimSpace(fmt.Sprintf("%s %s session=%s version=%s last=%s", r.Method, m.Method,
		r.Header.Get("Mcp-Session-Id"), r.Header.Get("MCP-Protocol-Version"), r.Header.Get("Last-Event-ID"))))
	s.mu.Unlock()
	switch {
	case m.Method == "initialize":
		s.mu.Lock()
		s.inits++
		s.session = fmt.Sprintf("s%d", s.inits)
		w.Header().Set("Mcp-Session-Id", s.session)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, initAnswer)
	case strings.HasPrefix(m.Method, "notifications/"):
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && r.Header.Get("Last-Event-ID") == "":
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		s.more(w, r, string(data))
	}
}

func TestBridgeRules(t *testing.T) {
	call := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}`
	result := `{"jsonrpc":"2.0","id":7,"result":{"a": "1\u00e9",  "b": 1.0}}`
	reply := func(kind, body string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		}
	}
	status := func(code int) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(code) }
	}
	failure := func(text string) string {
		return `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"` + text + `"}}`
	}
	for _, tt := range []struct {
		name string
		more func(http.ResponseWriter, *http.Request, string)
		want string
		log  string
	}{
		{"JSON passes byte for byte", reply("application/json", result), result, ""},
		{"JSON over several lines becomes one", reply("application/json; charset=utf-8", "{\n  \"jsonrpc\": \"2.0\", \"id\": 7,\n  \"result\": {}\n}\n"), `{"jsonrpc":"2.0","id":7,"result":{}}`, ""},
		{"a stream passes byte for byte", reply("text/event-stream", "event: message\ndata: "+result+"\n\n"), result, ""},
		{"data over several lines", reply("text/event-stream", "data: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":7,\"result\":{}}\r\n\r\n"), `{"jsonrpc":"2.0","id":7,"result":{}}`, ""},
		{"401 is said plainly", status(401), failure("HOST answered 401: not signed in"), "mcpm: HOST wants you to sign in (401); set its token with mcpm config\n"},
		{"403", status(403), failure("HOST answered 403 Forbidden"), "mcpm: HOST refuses this credential (403)\n"},
		{"500", status(500), failure("HOST answered 500 Internal Server Error"), ""},
		{"202 to a request", status(202), failure("HOST accepted the request and sent no answer"), ""},
		{"a stream without the answer", reply("text/event-stream", ": nothing\n\n"), failure("the stream from HOST ended before the answer"), ""},
		{"an answer to something else", reply("application/json", `{"jsonrpc":"2.0","id":99,"result":{}}`), `{"jsonrpc":"2.0","id":99,"result":{}}` + "\n" + failure("HOST answered with something else"), ""},
		{"a JSON-RPC error with a bad status", func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no such tool"}}`)
		}, `{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no such tool"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{more: tt.more}
			out, log, err := talk(t, s, initialize, initialized, call)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(initAnswer+"\n"+tt.want, strings.Join(out, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if log != tt.log {
				t.Errorf("log %q, want %q", log, tt.log)
			}
		})
	}
}

// A session the server forgot is opened again without the host noticing.
// A batch (protocol 2025-03-26) is answered by a batch; its requests are not answered a second time.
func TestBridgeAnswersBatchOnce(t *testing.T) {
	batch := `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"b","result":{}}]`
	out, _, err := talk(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, batch)
	}), `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":"b","method":"ping"}]`)
	if diff := cmp.Diff([]string{batch}, out); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestBridgeRestartsSession(t *testing.T) {
	s := &script{}
	s.more = func(w http.ResponseWriter, r *http.Request, body string) {
		if r.Header.Get("Mcp-Session-Id") == "s1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":7,"result":{}}`)
	}
	out, _, err := talk(t, s, initialize, initialized, `{"jsonrpc":"2.0","id":7,"method":"ping"}`)
	if err != nil || len(out) != 2 || out[1] != `{"jsonrpc":"2.0","id":7,"result":{}}` {
		t.Errorf("%v %q", err, out)
	}
	if last := s.log[len(s.log)-1]; last != "DELETE  session=s2 version=2025-06-18 last=" {
		t.Errorf("the session was not ended: %q", s.log)
	}
}

// A stream that breaks off is taken up again after its last event.
func TestBridgeResumesStream(t *testing.T) {
	s := &script{}
	s.more = func(w http.ResponseWriter, r *http.Request, body string) {
		w.Header().Set("Content-Type", "text/event-stream")
		if r.Method == http.MethodGet {
			fmt.Fprintf(w, "id: e2\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n")
			return
		}
		fmt.Fprintf(w, "id: e1\nretry: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n")
	}
	out, _, err := talk(t, s, initialize, initialized, `{"jsonrpc":"2.0","id":7,"method":"ping"}`)
	want := []string{initAnswer, `{"jsonrpc":"2.0","method":"notifications/progress"}`, `{"jsonrpc":"2.0","id":7,"result":{}}`}
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if !strings.Contains(strings.Join(s.log, "\n"), "GET  session=s1 version=2025-06-18 last=e1") {
		t.Errorf("not resumed: %q", s.log)
	}
}

func TestBridgeRefuses(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"http://mcp.acme.example/mcp", "mcp.acme.example is reached over plain http; what is said there can be read and changed on the way"},
		{"ftp://mcp.acme.example", `the server's address "ftp://mcp.acme.example" is not an http or https URL`},
		{"https://u:p@/x?key=1", `the server's address "https://u:xxxxx@/x" is not an http or https URL`},
	} {
		b := &gateway.Bridge{Server: &gateway.Server{URL: tt.url}, In: strings.NewReader(""), Out: io.Discard}
		if err := b.Run(t.Context()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
}

func TestBridgeUnreachable(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	addr := web.URL
	web.Close()
	var out bytes.Buffer
	b := &gateway.Bridge{Server: &gateway.Server{URL: addr}, In: strings.NewReader(initialize + "\n"), Out: &out}
	if err := b.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"id":0,"error":{"code":-32000,"message":"cannot reach `) {
		t.Errorf("got %s", out.String())
	}
}

func FuzzEvents(f *testing.F) {
	for _, s := range []string{"data: {}\n\n", "id: 1\r\nretry: 5\r\ndata: a\r\ndata: b\r\n\r\n", ":\n\n", "event: endpoint\ndata: /x\n\n", "data", "\xef\xbb\xbfdata: x\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write(data)
		})
		web := httptest.NewServer(h)
		defer web.Close()
		var out bytes.Buffer
		b := &gateway.Bridge{Server: &gateway.Server{URL: web.URL}, In: strings.NewReader("{\"id\":1,\"method\":\"x\"}\n"), Out: &out, Grace: time.Second, Backoff: time.Microsecond}
		_ = b.Run(t.Context())
		if s := out.String(); s != "" && !strings.HasSuffix(s, "\n") {
			t.Errorf("a line without an end: %q", s)
		}
	})
}
