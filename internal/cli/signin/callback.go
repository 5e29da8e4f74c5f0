package signin

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/auth"
)

// callback is where the browser comes back to, on this machine (RFC 8252 section 7.3).
type callback struct {
	url    string
	server *http.Server
	came   chan result
	state  atomic.Pointer[string] // of the sign-in that is waited for
}

// expect says which sign-in is waited for. Before that, and for others, there is nothing here.
func (c *callback) expect(state string) { c.state.Store(&state) }

type result struct {
	found *auth.AuthorizationResult
	err   error
}

func listen(port int) (*callback, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, hub.Errorf(hub.Unavailable, "the answer of the browser cannot be listened for: %v", err).WithHint("choose another --port")
	}
	c := &callback{url: "http://" + l.Addr().String() + "/callback", came: make(chan result, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", c.answer)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, MaxHeaderBytes: 32 << 10}
	go func() { _ = c.server.Serve(l) }() // it ends with close
	return c, nil
}

func (c *callback) close() {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	if c.server.Shutdown(ctx) != nil { // the browser still reads
		_ = c.server.Close()
	}
}

// answer takes what knows the state, which nobody else can.
func (c *callback) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if state := c.state.Load(); state == nil || *state == "" || subtle.ConstantTimeCompare([]byte(*state), []byte(q.Get("state"))) != 1 {
		http.Error(w, "This is not the sign-in that mcpm waits for.", http.StatusBadRequest)
		return
	}
	res := result{found: &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}}
	text := "You are signed in. Close this page and go back to the terminal."
	switch {
	case q.Get("error") != "":
		res = result{err: hub.Errorf(hub.Forbidden, "the sign-in was refused: %s", app.Clean(q.Get("error")))}
		text = "The sign-in was refused. Close this page and go back to the terminal."
	case res.found.Code == "":
		http.Error(w, "There is no code in this address.", http.StatusBadRequest)
		return
	}
	select {
	case c.came <- res:
	default:
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	fmt.Fprintln(w, text)
}

func (c *callback) wait(ctx context.Context) (*auth.AuthorizationResult, error) {
	select {
	case res := <-c.came:
		return res.found, res.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
