package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// publication is one publish: what was sent, and whether the hub said it has it.
type publication struct {
	version  string
	manifest string
	bundle   []byte // nil for a publish over the official API
	acked    bool
}

const crashServer = "@acme/crash"

func newPublication(i int) *publication {
	p := &publication{version: fmt.Sprintf("1.%d.0", i)}
	if i%2 == 0 {
		p.manifest = fmt.Sprintf(`{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "acme/official",
			"version": %q, "description": "Published while the hub is killed.", "remotes": [{"type": "sse", "url": "https://acme.example.com/sse"}]}`, p.version)
		return p
	}
	p.manifest = fmt.Sprintf(`{"name": %q, "version": %q, "description": "Published while the hub is killed.", "license": "MIT",
		"servers": {"crash": {"command": "bin/crash"}}}`, crashServer, p.version)
	payload := make([]byte, 20_000+rand.IntN(200_000))
	for j := range payload {
		payload[j] = byte(rand.Uint32())
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for name, data := range map[string][]byte{"mcp.json": []byte(p.manifest), "bin/crash": payload} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			panic(err)
		}
		if _, err := w.Write(data); err != nil {
			panic(err)
		}
	}
	w.Close()
	zip.Close()
	p.bundle = b.Bytes()
	return p
}

// send publishes once and reports whether the hub acknowledged it.
func (p *publication) send(ctx context.Context, hubURL, token string) (status int, body string, err error) {
	target, contentType, data := hubURL+"/v0.1/publish", "application/json", []byte(p.manifest)
	if p.bundle != nil {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, _ := w.CreateFormField("manifest")
		_, _ = part.Write([]byte(p.manifest))
		sum := sha256.Sum256(p.bundle)
		part, _ = w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="bundle"; filename="b.tgz"`},
			"Content-Digest": {"sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"}})
		_, _ = part.Write(p.bundle)
		w.Close()
		target, contentType, data = hubURL+"/api/v1/servers/"+url.PathEscape(crashServer)+"/versions", w.FormDataContentType(), b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(data))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", "key-"+p.version)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err
	}
	p.acked = p.acked || resp.StatusCode/100 == 2
	return resp.StatusCode, string(text), nil
}

// check fails unless the hub has the publication whole.
func (p *publication) check(t *testing.T, hubURL string) {
	t.Helper()
	name := crashServer
	if p.bundle == nil {
		name = "@acme/official"
	}
	var v struct {
		State    string          `json:"state"`
		Manifest json.RawMessage `json:"manifest"`
	}
	for range 300 { // what has a bundle is checked by a job
		if getJSON(hubURL+"/api/v1/servers/"+url.PathEscape(name)+"/versions/"+p.version, &v) == http.StatusOK {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if v.State != "published" {
		t.Errorf("%s %s was acknowledged and is %q", name, p.version, v.State)
		return
	}
	if p.bundle == nil {
		return
	}
	resp, err := http.Get(hubURL + "/api/v1/servers/" + url.PathEscape(name) + "/bundle/" + p.version)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(got, p.bundle) {
		t.Errorf("%s %s: %d bytes of the bundle came back, %d were sent (%v)", name, p.version, len(got), len(p.bundle), err)
	}
}

func getJSON(url string, out any) int {
	resp, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		_ = json.NewDecoder(resp.Body).Decode(out) // an unreadable answer leaves out as it is, which the caller sees
	}
	return resp.StatusCode
}

// newPublisher makes a hub with an account and returns a key that may publish.
func newPublisher(t *testing.T, data string, env []string, store ...string) string {
	t.Helper()
	run := func(stdin string, args ...string) string {
		cmd := exec.Command(filepath.Join(bin, "mcphub"), append(append(args, "--data", data), store...)...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("mcphub %v: %v %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("correct horse battery\n", "admin", "user", "add", "acme", "--email", "acme@example.com")
	return run("", "admin", "key", "acme", "--scope", "publish")
}

// TestKill kills the hub at 50 random moments while four clients publish. Whatever was acknowledged is
// there afterwards, byte for byte; whatever was not can be sent again.
func TestKill(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	data := t.TempDir()
	token := newPublisher(t, data, os.Environ())
	h, err := startHub(data, os.Environ(), "--starter=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.kill() })
	var all, open []*publication
	next, kills := 0, 0
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var wg sync.WaitGroup
		retry := open
		open = nil
		for range 4 {
			wg.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					var p *publication
					if len(retry) > 0 {
						p, retry = retry[0], retry[1:]
					} else {
						p = newPublication(next)
						next++
						all = append(all, p)
					}
					mu.Unlock()
					status, body, err := p.send(ctx, h.url, token)
					if err == nil && status/100 != 2 {
						t.Errorf("publish %s: %d %s", p.version, status, body)
					}
					if !p.acked {
						mu.Lock()
						open = append(open, p)
						mu.Unlock()
						if err != nil {
							return // the hub is dead
						}
					}
				}
			})
		}
		time.Sleep(time.Duration(20+rand.IntN(280)) * time.Millisecond)
		h.kill()
		kills++
		cancel()
		wg.Wait()
		open = append(open, retry...)
		if err := h.start(os.Environ()); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range open {
		if status, body, err := p.send(t.Context(), h.url, token); err != nil || status/100 != 2 {
			t.Errorf("the retry of %s failed: %d %s %v", p.version, status, body, err)
		}
	}
	acked := 0
	for _, p := range all {
		if p.acked {
			acked++
			p.check(t, h.url)
		}
	}
	t.Logf("%d kills, %d publishes, %d acknowledged, %d sent again at the end", kills, len(all), acked, len(open))
	if acked != len(all) || acked < rounds {
		t.Errorf("%d of %d publishes were acknowledged in the end", acked, len(all))
	}
}
