package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// forger stands between mcpm and a hub, and changes what the hub answers.
type forger struct {
	*httptest.Server
	mu             sync.Mutex
	path, old, new string // path "" changes nothing; old "" changes one byte in the middle
}

var forgers sync.Map // by script's work directory

// forge start puts a forger in front of the hub and sets $MCPM_REGISTRY; forge PATH OLD NEW lets it replace a text in
// answers to what has PATH in its address, forge PATH change one byte of them; forge nothing makes it honest again.
func cmdForge(ts *testscript.TestScript, _ bool, args []string) {
	key := ts.Getenv("WORK")
	if args[0] == "start" {
		target, err := url.Parse(ts.Getenv("HUB"))
		ts.Check(err)
		f := &forger{}
		f.Server = httptest.NewServer(&httputil.ReverseProxy{
			Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Accept-Encoding") },
			ModifyResponse: f.change,
		})
		ts.Defer(f.Close)
		forgers.Store(key, f)
		ts.Setenv("MCPM_REGISTRY", f.URL)
		return
	}
	v, ok := forgers.Load(key)
	if !ok {
		ts.Fatalf("forge start comes first")
	}
	f := v.(*forger)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.path, f.old, f.new = "", "", ""
	switch {
	case len(args) == 3:
		f.path, f.old, f.new = args[0], args[1], args[2]
	case args[0] != "nothing":
		f.path = args[0]
	}
}

func (f *forger) change(r *http.Response) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" || !strings.Contains(r.Request.URL.EscapedPath(), f.path) || r.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body.Close()
	if f.old != "" {
		body = bytes.ReplaceAll(body, []byte(f.old), []byte(f.new))
	} else if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.Header.Del("ETag")
	return nil
}
