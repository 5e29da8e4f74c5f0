package confine_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
)

const imageID = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// withEngine is a machine on which an engine has one image.
func withEngine(t *testing.T) confine.Machine {
	t.Helper()
	if err := sandbox.Containers(); err != nil {
		t.Skipf("on %s: %v", runtime.GOOS, err)
	}
	dir, err := os.MkdirTemp("", "engine") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/images/"+imageID+"/json" {
			io.WriteString(w, `{"Id":"`+imageID+`","Config":{"Env":["PATH=/image/bin"]}}`)
			return
		}
		if r.URL.Path != "/images/acme/db:1.0/json" {
			http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
			return
		}
		io.WriteString(w, `{"Id":"`+imageID+`"}`)
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	at := machine(t)
	at.Getenv = func(name string) string {
		return map[string]string{"DOCKER_HOST": "unix://" + filepath.Join(dir, "s")}[name]
	}
	return at
}

func nothing(string) error { return errors.New("nothing is fetched in this test") }

// TestContain guards: a container in a sandbox gets what was granted, and of what its command mounts and passes on only
// that; without one it gets what its command says, and a command that mcpm does not read whole is left to docker.
func TestContain(t *testing.T) {
	at := withEngine(t)
	data := filepath.Join(at.Home, "work", "data")
	server := func(options ...string) *gateway.Server {
		args := append([]string{"run", "-i", "--rm", "-e", "TOKEN", "-e", "MODE=fast"}, options...)
		return &gateway.Server{Command: "docker", Args: append(args, "acme/db:1.0", "serve", "-v"), Env: []string{"TOKEN=t", "PATH=/bin", "OTHER=o", "REGION=eu"}}
	}
	m := &manifest.Manifest{Name: "@acme/db", Permissions: &manifest.Permissions{
		Filesystem: []manifest.PathPermission{{Path: "${workspace}/data", Access: "read"}}, Environment: []string{"REGION"},
		Network: &manifest.NetworkPermissions{Outbound: []string{"api.example.com:443"}},
	}}
	s := server("-v", data+":/data:ro", "-w", "/srv", "--entrypoint=/db")
	if err := at.Contain(m, s, confine.Grants{"subprocess"}, true, nothing); err != nil {
		t.Fatal(err)
	}
	got := s.Sandbox
	if c := got.Container; c.Image != imageID || c.Open || c.Server != "@acme/db" || !strings.HasPrefix(c.Engine, "unix:///") {
		t.Errorf("%+v", c)
	}
	if want := []sandbox.Mount{{Path: data}, {Path: data, At: "/data"}}; !slices.Equal(got.Mounts, want) {
		t.Errorf("mounts %+v", got.Mounts)
	}
	if !slices.Equal(got.Network, []string{"api.example.com:443"}) || !got.Subprocess || got.Command != "/db" || got.Dir != "/srv" {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(s.Args, []string{"serve", "-v"}) || !slices.Equal(s.Env, []string{"MODE=fast", "TOKEN=t", "REGION=eu"}) {
		t.Errorf("args %q, environment %q", s.Args, s.Env)
	}
	if !slices.Contains(got.Hidden, filepath.Join(at.Home, ".ssh")) {
		t.Errorf("hidden: %q", got.Hidden)
	}

	s = server("-v", data+":/data")
	if err := at.Contain(m, s, nil, false, nothing); err != nil {
		t.Fatal(err)
	}
	if !s.Sandbox.Container.Open || len(s.Sandbox.Network) > 0 || !slices.Equal(s.Sandbox.Mounts, []sandbox.Mount{{Path: data, At: "/data", Write: true}}) ||
		!slices.Equal(s.Env, []string{"MODE=fast", "TOKEN=t"}) {
		t.Errorf("without a sandbox: %+v, %q", s.Sandbox, s.Env)
	}
	s = server("--network=none")
	if err := at.Contain(m, s, nil, false, nothing); err != nil || !s.Sandbox.Container.Open || !s.Sandbox.Container.NoNetwork {
		t.Errorf("without a network: %v, %+v", err, s.Sandbox)
	}
	for _, options := range [][]string{{"--privileged"}, {"-v", "volume:/data"}, {"--publish-all"}, {"--network", "host"}, {"--mount", "type=tmpfs,dst=/x"}} {
		s := server(options...)
		if err := at.Contain(m, s, nil, false, nothing); err != nil || s.Sandbox != nil {
			t.Errorf("%q: %v, %+v; it is for docker", options, err, s.Sandbox)
		}
		if err := at.Contain(m, s, nil, true, nothing); hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), "option") {
			t.Errorf("%q in a sandbox: %v", options, err)
		}
	}
}

// TestContainListens guards: a server that listens in its container is reached at the port of its URL, which the command may lead to
// another one; no other port is published.
func TestContainListens(t *testing.T) {
	at := withEngine(t)
	start := func(url string, options ...string) (*sandbox.Spec, error) {
		s := &gateway.Server{Command: "docker", Args: append(append([]string{"run", "--rm"}, options...), "acme/db:1.0"), URL: url}
		err := at.Contain(new(manifest.Manifest), s, nil, true, nothing)
		return s.Sandbox, err
	}
	for _, c := range []struct {
		options []string
		inside  int
	}{{nil, 8931}, {[]string{"-p", "8931:3000"}, 3000}, {[]string{"--publish=127.0.0.1:8931:3000/tcp"}, 3000}, {[]string{"-p8931:80"}, 80}} {
		if s, err := start("http://localhost:8931/mcp", c.options...); err != nil || s.Listens != 8931 || s.Inside != c.inside {
			t.Errorf("%q: %+v %v", c.options, s, err)
		}
	}
	for _, options := range [][]string{{"-p", "9000:3000"}, {"-p", "3000"}, {"-p", "8931:3000", "-p", "5432:5432"}, {"-p", "8931:3000/udp"}} {
		if _, err := start("http://localhost:8931/mcp", options...); hub.KindOf(err) != hub.Forbidden || !strings.Contains(err.Error(), "publishes") {
			t.Errorf("%q: %v", options, err)
		}
	}
	if _, err := start("", "-p", "8931:3000"); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a port of a server that speaks on its standard input: %v", err)
	}
	if _, err := start("http://192.0.2.1:8931/mcp"); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("an address of another machine: %v", err)
	}
}

// TestContainRefused guards: what a command takes that was not granted is refused, and so is an engine that is elsewhere.
func TestContainRefused(t *testing.T) {
	at := withEngine(t)
	m := new(manifest.Manifest)
	run := func(args ...string) error {
		s := &gateway.Server{Command: "docker", Args: append([]string{"run", "-i"}, args...)}
		return at.Contain(m, s, confine.Grants{"read=data"}, true, nothing)
	}
	data := filepath.Join(at.Home, "work", "data")
	for want, args := range map[string][]string{
		"to write, which was not granted": {"-v", data + ":/data", "acme/db:1.0"},
		"mounts /etc to read":             {"--mount", "type=bind,src=/etc,dst=/e,readonly", "acme/db:1.0"},
		"nothing is fetched":              {"acme/gone:1.0"},
		"is not the name of":              {"../../info"},
	} {
		if err := run(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", args, err, want)
		}
	}
	at.Getenv = func(string) string { return "tcp://192.0.2.1:2375" }
	if err := run("acme/db:1.0"); hub.KindOf(err) != hub.Unavailable || !strings.Contains(err.Error(), "not at a local socket") {
		t.Errorf("an engine elsewhere: %v", err)
	}
}
