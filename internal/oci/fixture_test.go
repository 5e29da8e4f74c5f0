package oci_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/memcache"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci"
	"github.com/mcphub/mcphub/internal/registry"
)

const password = "three random words"

// fixture is a registry of images on the embedded backends, with accounts acme and other.
type fixture struct {
	t        *testing.T
	url      string
	host     string
	storage  driver.StorageDriver
	registry *registry.Service
	auth     *auth.Service
	oci      *oci.Service
}

// newFixture starts one; blobs "" is a directory. change may change how it is made.
func newFixture(t *testing.T, blobs string, change func(*oci.Config)) *fixture {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	now := func() time.Time { return time.Now().UTC() }
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "hub.db"), sqlstore.Options{Now: now, Log: log})
	must(t, err)
	t.Cleanup(func() { store.Close() })
	if blobs == "" {
		blobs = "file://" + filepath.ToSlash(t.TempDir())
	}
	kept, err := blobstore.Open(t.Context(), blobs)
	must(t, err)
	t.Cleanup(func() { kept.Close() })
	f := &fixture{t: t, storage: kept.Images()}
	f.auth, err = auth.New(t.Context(), store, now)
	must(t, err)
	for _, name := range []string{"acme", "other"} {
		_, err := f.auth.CreateAccount(t.Context(), hub.System(""), auth.NewAccount{Name: name, Email: name + "@example.com", Password: password})
		must(t, err)
	}
	f.registry = registry.New(registry.Config{Store: store, Blobs: kept, Log: log, Now: now, Worker: "test"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f.host = l.Addr().String()
	f.url = "http://" + f.host
	c := oci.Config{Storage: f.storage, Catalogue: f.registry, Auth: f.auth, Limiter: memcache.NewLimiter(100, time.Now), Settings: store,
		Log: log, Now: now, BaseURL: f.url}
	if change != nil {
		change(&c)
	}
	f.oci, err = oci.New(t.Context(), c)
	must(t, err)
	f.registry.AddStage(registry.Stage{Name: "images", State: hub.Scanning, Check: f.oci.CheckVersion})
	server := httptest.NewUnstartedServer(f.oci)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// key makes an API key of an account.
func (f *fixture) key(account string, scopes ...hub.Scope) string {
	f.t.Helper()
	a, err := f.auth.Basic(f.t.Context(), account, password, "")
	must(f.t, err)
	_, secret, err := f.auth.IssueKey(f.t.Context(), hub.System(""), a.AccountID, "test", scopes, 0)
	must(f.t, err)
	return secret
}

// token asks for one; user "" is nobody.
func (f *fixture) token(user, secret string, scopes ...string) string {
	f.t.Helper()
	q := url.Values{"service": {f.host}, "scope": scopes}
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+oci.TokenPath+"?"+q.Encode(), nil)
	must(f.t, err)
	if user != "" {
		r.SetBasicAuth(user, secret)
	}
	a := f.send(r)
	if a.status != http.StatusOK {
		f.t.Fatalf("token for %s: %d %s", user, a.status, a.body)
	}
	var out struct{ Token string }
	must(f.t, json.Unmarshal(a.body, &out))
	return out.Token
}

// publisher is a token of acme for a repository, with all actions.
func (f *fixture) publisher(repository string) string {
	f.t.Helper()
	return f.token("acme", password, "repository:"+repository+":pull,push,delete")
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// code and message of the first error.
func (a answer) problem() (code, message string) {
	var out struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(a.body, &out) != nil || len(out.Errors) == 0 {
		return "", string(a.body)
	}
	return out.Errors[0].Code, out.Errors[0].Message
}

func (f *fixture) send(r *http.Request) answer {
	f.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	must(f.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(f.t, err)
	return answer{resp.StatusCode, resp.Header, body}
}

func (f *fixture) do(method, path, token string, body []byte, header ...string) answer {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, bytes.NewReader(body))
	must(f.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return f.send(r)
}

// want fails the test unless the answer has the status, and for a failure the code.
func (f *fixture) want(what string, a answer, status int, code string) {
	f.t.Helper()
	got, _ := a.problem()
	if a.status != status || code != "" && got != code {
		f.t.Errorf("%s: %d %s; want %d %s\n%s", what, a.status, got, status, code, a.body)
	}
}

// pushBlob uploads bytes in one request.
func (f *fixture) pushBlob(repository, token string, data []byte) digest.Digest {
	f.t.Helper()
	d := digest.FromBytes(data)
	f.want("push of a blob", f.do(http.MethodPost, "/v2/"+repository+"/blobs/uploads/?digest="+d.String(), token, data), http.StatusCreated, "")
	return d
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// manifest is one of an image with one layer.
func manifest(config, layer digest.Digest, more string) []byte {
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":3}]%s}`, manifestType, config, layer, more)
}

// pushImage pushes an image whose layer is text, and returns the digest of its manifest.
func (f *fixture) pushImage(repository, tag, token, text string) digest.Digest {
	f.t.Helper()
	config := f.pushBlob(repository, token, []byte("{}"))
	m := manifest(config, f.pushBlob(repository, token, []byte(text)), "")
	f.want("push of "+repository+":"+tag, f.put(repository, tag, token, m), http.StatusCreated, "")
	return digest.FromBytes(m)
}

func (f *fixture) put(repository, ref, token string, manifest []byte) answer {
	f.t.Helper()
	return f.do(http.MethodPut, "/v2/"+repository+"/manifests/"+ref, token, manifest, "Content-Type", manifestType)
}

// publish publishes a version that is started from an image.
func (f *fixture) publish(account, name, version, image string) {
	f.t.Helper()
	v, err := f.tryPublish(account, name, version, image)
	must(f.t, err)
	if v.State != hub.Published {
		f.t.Fatalf("%s is %s", version, v.State)
	}
}

func (f *fixture) tryPublish(account, name, version, image string) (*hub.Version, error) {
	f.t.Helper()
	a, err := f.auth.Basic(f.t.Context(), account, password, "")
	must(f.t, err)
	text := fmt.Sprintf(`{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":%q,"description":"A server in an image","version":%q,`+
		`"packages":[{"registryType":"oci","identifier":%q,"transport":{"type":"stdio"}}]}`, strings.TrimPrefix(name, "@"), version, image)
	return f.registry.Publish(f.t.Context(), a, registry.Publish{Format: hub.FormatServer, Manifest: []byte(text)})
}

func (f *fixture) change(name, version string, to hub.State) {
	f.t.Helper()
	_, err := f.registry.ChangeState(f.t.Context(), hub.System(""), name, version, registry.Change{To: to, Message: "test"})
	must(f.t, err)
}
