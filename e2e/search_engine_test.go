package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// engine is an OpenSearch node of this test alone.
type engine struct {
	t    *testing.T
	home string
	port int
	cmd  *exec.Cmd
	log  *os.File
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	if os.Getenv("MCPHUB_TEST_OPENSEARCH_HOME") == "" {
		missing(t, "OpenSearch (MCPHUB_TEST_OPENSEARCH_HOME)")
	}
	e := &engine{t: t, home: t.TempDir(), port: freePort(t)}
	settings := fmt.Sprintf("cluster.name: e2e\nnode.name: e2e\nnetwork.host: 127.0.0.1\nhttp.port: %d\ntransport.port: %d\ndiscovery.type: single-node\n"+
		"cluster.routing.allocation.disk.threshold_enabled: false\n", e.port, freePort(t))
	if err := os.MkdirAll(filepath.Join(e.home, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(e.home, "config", "opensearch.yml"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	var err error
	if e.log, err = os.Create(filepath.Join(e.home, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.kill(); e.log.Close() })
	e.start()
	return e
}

func (e *engine) start() {
	e.t.Helper()
	jars := os.Getenv("MCPHUB_TEST_OPENSEARCH_HOME")
	e.cmd = exec.Command("java", "-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.disable.jmx=true",
		"-cp", filepath.Join(jars, "classes")+":"+filepath.Join(jars, "lib", "*"), "SearchNode", e.home)
	e.cmd.Stdout, e.cmd.Stderr = e.log, e.log
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	for range 600 {
		var health struct{ Status string }
		if getJSON(fmt.Sprintf("http://127.0.0.1:%d/_cluster/health", e.port), &health); health.Status == "green" || health.Status == "yellow" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(e.log.Name())
	e.t.Fatalf("OpenSearch does not start:\n%s", text)
}

// kill ends the node as a power cut would.
func (e *engine) kill() {
	if e.cmd != nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
		e.cmd = nil
	}
}

// newVectors returns the address of vectors of this test alone, which are removed after it.
func newVectors(t *testing.T) string {
	t.Helper()
	base := os.Getenv("MCPHUB_TEST_WEAVIATE")
	if base == "" {
		missing(t, "Weaviate (MCPHUB_TEST_WEAVIATE)")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := u.User.Password()
	u.User = nil
	name := fmt.Sprintf("e2e%d", time.Now().UnixNano())
	send := func(method, path string, out any) {
		req, err := http.NewRequest(method, u.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Log(err)
			return
		}
		defer resp.Body.Close()
		_ = json.NewDecoder(resp.Body).Decode(out) // what cannot be read is not removed
	}
	t.Cleanup(func() {
		var schema struct{ Classes []struct{ Class string } }
		send(http.MethodGet, "/v1/schema", &schema)
		send(http.MethodDelete, "/v1/aliases/E"+name[1:]+"_v2", nil)
		for _, c := range schema.Classes {
			if strings.HasPrefix(c.Class, "E"+name[1:]) {
				send(http.MethodDelete, "/v1/schema/"+c.Class, nil)
			}
		}
	})
	return strings.Replace(base, "http", "weaviate", 1) + "/" + name
}

// crowd publishes servers one after another and notes how each went.
type crowd struct {
	mu      sync.Mutex
	done    int
	slowest time.Duration
	failed  []string
}

func (c *crowd) run(ctx context.Context, hubURL, token string) {
	for i := 0; ctx.Err() == nil; i++ {
		body := fmt.Sprintf(`{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "acme/letter-%d",
			"version": "1.0.0", "description": "Carries letters.", "remotes": [{"type": "sse", "url": "https://acme.example.com/sse"}]}`, i)
		start := time.Now()
		failure := publishOfficial(hubURL, token, body)
		c.mu.Lock()
		c.slowest = max(c.slowest, time.Since(start))
		if failure != "" {
			c.failed = append(c.failed, failure)
		} else {
			c.done++
		}
		c.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *crowd) published() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func publishOfficial(hubURL, token, body string) (failure string) {
	req, err := http.NewRequest(http.MethodPost, hubURL+"/v0.1/publish", bytes.NewReader([]byte(body)))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 {
		return fmt.Sprintf("%d %s", resp.StatusCode, text)
	}
	return ""
}

// found is what a search answers.
type found struct {
	Total   int               `json:"total"`
	Notice  string            `json:"notice"`
	Servers []json.RawMessage `json:"servers"`
}

func ask(hubURL, text string) (f found) {
	getJSON(hubURL+"/api/v1/search?limit=10&q="+url.QueryEscape(text), &f)
	return f
}

func await(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened in %v: %s", limit, what)
}

func lag(hubURL string) int {
	var ready struct {
		Lag int `json:"index_lag_events"`
	}
	ready.Lag = -1
	if getJSON(hubURL+"/readyz", &ready) != http.StatusOK {
		return -1
	}
	return ready.Lag
}

// TestLostSearchEngine kills OpenSearch while servers are published. Publishing does not notice; searches find names
// and say so; the hub stays ready; and with the engine back nothing is missing.
func TestLostSearchEngine(t *testing.T) {
	vectors := newVectors(t)
	node := newEngine(t)
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false", "--search", fmt.Sprintf("opensearch://127.0.0.1:%d/e2e", node.port), "--vectors", vectors)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.kill)
	ctx, stop := context.WithCancel(t.Context())
	var c crowd
	var wg sync.WaitGroup
	wg.Go(func() { c.run(ctx, h.url, token) })
	t.Cleanup(wg.Wait)
	t.Cleanup(stop)
	await(t, time.Minute, "servers are found", func() bool { f := ask(h.url, "carrying letters"); return f.Total >= 20 && f.Notice == "" })

	node.kill()
	before := c.published()
	await(t, time.Minute, "searches find names and say so", func() bool {
		f := ask(h.url, "letter-1")
		return strings.Contains(f.Notice, "only names") && len(f.Servers) > 0
	})
	await(t, time.Minute, "publishing goes on", func() bool { return c.published() >= before+30 })
	await(t, time.Minute, "the hub is ready, and behind", func() bool { return lag(h.url) > 0 })

	node.start()
	stop()
	wg.Wait()
	await(t, time.Minute, "the engine is in step", func() bool { return lag(h.url) == 0 })
	await(t, time.Minute, "every server is found", func() bool {
		f := ask(h.url, "carrying letters")
		return f.Total == c.published() && f.Notice == ""
	})
	if len(c.failed) > 0 {
		t.Errorf("%d publishes failed: %s", len(c.failed), c.failed[0])
	}
	t.Logf("%d servers published, %d of them while the engine was away; the slowest publish took %v", c.done, c.done-before, c.slowest)
	if c.slowest > 10*time.Second {
		t.Errorf("a publish took %v", c.slowest)
	}
}

// TestSharedSearchEngines runs two hubs on one database, one index and one set of vectors: each finds what was published
// at the other, and when the one that keeps the engines in step is killed, the other does it.
func TestSharedSearchEngines(t *testing.T) {
	target, clusterURL := os.Getenv("MCPHUB_TEST_POSTGRES"), os.Getenv("MCPHUB_TEST_OPENSEARCH")
	if target == "" || clusterURL == "" {
		missing(t, "PostgreSQL or OpenSearch (MCPHUB_TEST_POSTGRES, MCPHUB_TEST_OPENSEARCH)")
	}
	vectors := newVectors(t)
	name := fmt.Sprintf("e2e_%d", time.Now().UnixNano())
	sql(t, target, "CREATE DATABASE "+name)
	t.Cleanup(func() { sql(t, target, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	first, _, _ := strings.Cut(clusterURL, ",")
	t.Cleanup(func() {
		req, _ := http.NewRequest(http.MethodDelete, first+"/"+name+"-*", nil)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	})
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ(), "--database", u.String())
	args := []string{"--starter=false", "--database", u.String(), "--blobs", "file://" + filepath.ToSlash(t.TempDir()), "--vectors", vectors,
		"--search", "opensearch://" + strings.ReplaceAll(clusterURL, "http://", "") + "/" + name}
	var hubs []*hub
	for _, dir := range []string{data, t.TempDir()} {
		h, err := startHub(dir, os.Environ(), args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.kill)
		hubs = append(hubs, h)
	}
	publish := func(h *hub, name, description string) {
		t.Helper()
		body := fmt.Sprintf(`{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": %q, "version": "1.0.0",
			"description": %q, "remotes": [{"type": "sse", "url": "https://acme.example.com/sse"}]}`, name, description)
		if failure := publishOfficial(h.url, token, body); failure != "" {
			t.Fatal(failure)
		}
	}
	finds := func(h *hub, text string) func() bool {
		return func() bool { // others may be near in meaning
			f := ask(h.url, text)
			return len(f.Servers) > 0 && strings.Contains(string(f.Servers[0]), "acme/"+text) && f.Notice == "" && lag(h.url) == 0
		}
	}
	publish(hubs[0], "acme/lighthouse", "Shines at sea.")
	await(t, time.Minute, "the second finds it", finds(hubs[1], "lighthouse"))
	publish(hubs[1], "acme/harbour", "Shelters ships.")
	await(t, time.Minute, "the first finds it", finds(hubs[0], "harbour"))
	hubs[0].kill() // it came first, so that it has the lease
	publish(hubs[1], "acme/compass", "Points north.")
	start := time.Now()
	await(t, time.Minute, "the other keeps the engines in step", finds(hubs[1], "compass"))
	t.Logf("the other took over in %v", time.Since(start))
}
