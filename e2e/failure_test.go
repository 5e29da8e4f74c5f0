package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
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

// TestKillClient kills mcpm at random moments of a publish. The hub then has the whole version or nothing,
// and the same publish again succeeds.
func TestKillClient(t *testing.T) {
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	project := t.TempDir()
	payload := make([]byte, 3<<20)
	for i := range payload {
		payload[i] = byte(rand.Uint32())
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(project, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/crash", string(payload))
	publish := func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "mcpm"), "publish")
		cmd.Dir = project
		cmd.Env = append(os.Environ(), "MCPM_REGISTRY="+h.url, "MCPM_TOKEN="+token, "MCPM_HOME="+filepath.Join(data, "mcpm"), "NO_COLOR=1")
		return cmd
	}
	for i := range 20 {
		version := fmt.Sprintf("1.%d.0", i)
		write("mcp.json", fmt.Sprintf(`{"name": %q, "version": %q, "description": "Published while mcpm is killed.", "license": "MIT",
			"servers": {"crash": {"command": "bin/crash"}}}`, crashServer, version))
		cmd := publish()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(250)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if out, err := publish().CombinedOutput(); err != nil {
			t.Fatalf("%s again: %v\n%s", version, err, out)
		}
		p := &publication{version: version}
		var v struct {
			State  string `json:"state"`
			Bundle struct {
				Size int64 `json:"size"`
			} `json:"bundle"`
		}
		if getJSON(h.url+"/api/v1/servers/"+url.PathEscape(crashServer)+"/versions/"+p.version, &v); v.State != "published" || v.Bundle.Size < 3<<20 {
			t.Errorf("%s is %+v", version, v)
		}
	}
}

// TestFullDisk publishes bundles until the disk is full: the publish that does not fit is refused with words
// that say so, what was acknowledged stays, and with room again the same publish succeeds.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		missing(t, "a small disk (mounting one needs root)")
	}
	data := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", data).CombinedOutput(); err != nil {
		missing(t, "a small disk ("+strings.TrimSpace(string(out))+")")
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", data).Run() })
	token := newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	ballast := filepath.Join(data, "ballast")
	var all []*publication
	var refused *publication
	for i := 1; i < 400 && refused == nil; i += 2 {
		p := newPublication(i)
		status, body, err := p.send(t.Context(), h.url, token)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
		if status/100 != 2 {
			refused = p
			if status != http.StatusServiceUnavailable || !strings.Contains(body, "full") {
				t.Errorf("a full disk is answered with %d %s", status, body)
			}
		}
		if i == 21 { // the rest goes faster with less room
			if err := os.WriteFile(ballast, make([]byte, 5<<20), 0o600); err != nil {
				t.Log("no ballast:", err)
			}
		}
	}
	if refused == nil {
		t.Fatal("the disk never got full")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status, body, err := refused.send(t.Context(), h.url, token); err != nil || status/100 != 2 {
		t.Errorf("with room again: %d %s %v", status, body, err)
	}
	for _, p := range all {
		p.check(t, h.url)
	}
	t.Logf("%d bundles fit", len(all)-1)
}

// missing skips a test, or fails it where everything has to be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MCPHUB_TEST_ALL") == "1" {
		t.Fatalf("there is no %s, and MCPHUB_TEST_ALL=1 wants everything", what)
	}
	t.Skipf("there is no %s on this machine", what)
}

// TestLostDatabase cuts the connections to PostgreSQL while clients publish: they are told so, what was
// acknowledged is there, and with the database back the same publishes succeed.
func TestLostDatabase(t *testing.T) {
	target := os.Getenv("MCPHUB_TEST_POSTGRES")
	if target == "" {
		missing(t, "PostgreSQL (MCPHUB_TEST_POSTGRES)")
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	line := newLine(t, u.Host)
	database := fmt.Sprintf("e2e_%d", time.Now().UnixNano())
	sql(t, target, "CREATE DATABASE "+database)
	t.Cleanup(func() { sql(t, target, "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)") })
	u.Host, u.Path = line.addr, "/"+database
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ(), "--database", u.String())
	h, err := startHub(data, os.Environ(), "--starter=false", "--database", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	var all []*publication
	next := 0
	for range 6 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		end := time.Now().Add(500 * time.Millisecond)
		for range 3 {
			wg.Go(func() {
				for time.Now().Before(end) {
					mu.Lock()
					p := newPublication(next)
					next++
					all = append(all, p)
					mu.Unlock()
					if _, _, err := p.send(t.Context(), h.url, token); err != nil {
						t.Errorf("the hub itself broke off: %v", err)
					}
				}
			})
		}
		time.Sleep(time.Duration(100+rand.IntN(200)) * time.Millisecond)
		line.cut(true)
		wg.Wait()
		status := 0
		for range 100 { // the answer is kept for a moment
			if status = getJSON(h.url+"/readyz", nil); status == http.StatusServiceUnavailable {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if status != http.StatusServiceUnavailable {
			t.Errorf("readyz says %d while the database is away", status)
		}
		line.cut(false)
	}
	again := 0
	for _, p := range all {
		for range 20 {
			if p.acked {
				break
			}
			again++
			if _, _, err := p.send(t.Context(), h.url, token); err != nil {
				t.Fatal(err)
			}
			if !p.acked {
				time.Sleep(200 * time.Millisecond)
			}
		}
		if !p.acked {
			t.Errorf("%s never succeeded", p.version)
		}
		p.check(t, h.url)
	}
	t.Logf("%d publishes, %d sent again", len(all), again)
}

func sql(t *testing.T, url, statement string) {
	t.Helper()
	if out, err := exec.Command("psql", url, "-q", "-c", statement).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", statement, err, out)
	}
}

// line is a TCP connection in between that can be cut.
type line struct {
	addr  string
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, target string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ln := &line{addr: l.Addr().String()}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil || !ln.add(in, out) {
				in.Close()
				continue
			}
			go func() { _, _ = io.Copy(in, out); in.Close() }()
			go func() { _, _ = io.Copy(out, in); out.Close() }()
		}
	}()
	return ln
}

func (l *line) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		for _, c := range conns {
			c.Close()
		}
		return false
	}
	l.conns = append(l.conns, conns...)
	return true
}

// cut ends all connections and takes no new ones, until it is called with false.
func (l *line) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	if !down {
		return
	}
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}
