package confine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
)

func machine(t *testing.T) confine.Machine {
	t.Helper()
	home := t.TempDir()
	for _, file := range []string{"work/data/a", "work/.env", "Notes/b", ".nvm/versions/node/v22/bin/node", ".nvm/versions/node/v22/lib/x", "bin/tool"} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return confine.Machine{
		Home: home, Workspace: filepath.Join(home, "work"), Store: filepath.Join(home, ".mcpm"),
		LookPath: func(name string) (string, error) { return filepath.Join(home, name), nil },
	}
}

// TestConfine guards: what the manifest asks for and what is allowed is granted, each path where it is on this machine, the
// program is seen with what it needs, and nothing of the environment passes that nobody asked for.
func TestConfine(t *testing.T) {
	at := machine(t)
	m := &manifest.Manifest{Permissions: &manifest.Permissions{
		Network:     &manifest.NetworkPermissions{Outbound: []string{"api.example.com:443"}},
		Filesystem:  []manifest.PathPermission{{Path: "${workspace}/data", Access: "read"}},
		Environment: []string{"REGION"}, Secrets: []string{"TOKEN"},
		Resources: &manifest.ResourceLimits{Memory: "512Mi", CPUs: 0.5, Pids: 99},
	}}
	s := &gateway.Server{
		Command: ".nvm/versions/node/v22/bin/node", Env: []string{"PATH=/usr/bin", "REGION=eu", "TOKEN=t", "OTHER=secret", "OWN=1", "LC_ALL=C", "HOME=/root", "SSH_AUTH_SOCK=/x"},
		Reads: []string{filepath.Join(at.Home, "tree")}, Writes: []string{filepath.Join(at.Home, "cache")},
	}
	grants := confine.Grants{"write=~/Notes", "net=localhost:5432", "subprocess", "env=OTHER2", "memory=2Gi"}
	if err := at.Confine(m, s, map[string]string{"OWN": "1"}, grants); err != nil {
		t.Fatal(err)
	}
	got := s.Sandbox
	for _, want := range []sandbox.Mount{
		{Path: filepath.Join(at.Home, "work/data")}, {Path: filepath.Join(at.Home, "Notes"), Write: true}, {Path: filepath.Join(at.Home, ".nvm/versions/node/v22")},
		{Path: filepath.Join(at.Home, "tree")}, {Path: filepath.Join(at.Home, "cache"), Write: true},
	} {
		if !slices.Contains(got.Mounts, want) {
			t.Errorf("%+v is not granted: %+v", want, got.Mounts)
		}
	}
	if len(got.Mounts) != 5 || !slices.Equal(got.Network, []string{"api.example.com:443", "localhost:5432"}) || !got.Subprocess {
		t.Errorf("%+v", got)
	}
	if want := (sandbox.Limits{Memory: 2 << 30, Pids: 99, CPUs: 1}); got.Limits != want {
		t.Errorf("%+v", got.Limits)
	}
	if want := []string{"PATH=/usr/bin", "REGION=eu", "TOKEN=t", "OWN=1", "LC_ALL=C", "HOME=" + at.Home, "TMPDIR=/tmp"}; !slices.Equal(s.Env, want) {
		t.Errorf("%q", s.Env)
	}
	if !slices.Contains(got.Hidden, filepath.Join(at.Store, "secrets.age")) || !slices.Contains(got.Hidden, filepath.Join(at.Home, ".ssh")) {
		t.Errorf("hidden: %q", got.Hidden)
	}
}

// TestAuthorities guards: a server that may reach a host gets the certificate authorities of the person's environment, and the
// files they are in; one that may not gets neither.
func TestAuthorities(t *testing.T) {
	at := machine(t)
	ca := filepath.Join(at.Home, "work/data/a")
	for _, outbound := range [][]string{nil, {"api.example.com:443"}} {
		s := &gateway.Server{Command: "bin/tool", Env: []string{"SSL_CERT_FILE=" + ca, "NODE_EXTRA_CA_CERTS=" + ca, "SSL_CERT_DIR=/etc/ssl/certs", "CURL_CA_BUNDLE=/gone"}}
		m := &manifest.Manifest{Permissions: &manifest.Permissions{Network: &manifest.NetworkPermissions{Outbound: outbound}}}
		if err := at.Confine(m, s, nil, nil); err != nil {
			t.Fatal(err)
		}
		mounted := slices.Contains(s.Sandbox.Mounts, sandbox.Mount{Path: ca})
		told := slices.Contains(s.Env, "NODE_EXTRA_CA_CERTS="+ca) && slices.Contains(s.Env, "SSL_CERT_DIR=/etc/ssl/certs")
		if want := outbound != nil; mounted != want || told != want || len(s.Sandbox.Mounts) > 2 {
			t.Errorf("%v: %+v %q", outbound, s.Sandbox.Mounts, s.Env)
		}
	}
}

// TestAuthoritiesOfPublisher guards: a manifest that sets such a variable itself shows nothing by it.
func TestAuthoritiesOfPublisher(t *testing.T) {
	at := machine(t)
	s := &gateway.Server{Command: "bin/tool", Env: []string{"SSL_CERT_DIR=" + at.Home, "SSL_CERT_FILE=" + filepath.Join(at.Home, "Notes/b")}}
	m := &manifest.Manifest{Permissions: &manifest.Permissions{Network: &manifest.NetworkPermissions{Outbound: []string{"api.example.com:443"}}}}
	if err := at.Confine(m, s, map[string]string{"SSL_CERT_DIR": at.Home, "SSL_CERT_FILE": filepath.Join(at.Home, "Notes/b")}, nil); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(s.Sandbox.Mounts, func(m sandbox.Mount) bool { return m.Path != filepath.Join(at.Home, "bin/tool") }) {
		t.Errorf("shown: %+v", s.Sandbox.Mounts)
	}
}

// TestProgramInHome guards: a program that is in a person's own bin does not show all that the person has.
func TestProgramInHome(t *testing.T) {
	at := machine(t)
	s := &gateway.Server{Command: "bin/tool"}
	if err := at.Confine(new(manifest.Manifest), s, nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := []sandbox.Mount{{Path: filepath.Join(at.Home, "bin/tool")}}; !slices.Equal(slices.Compact(s.Sandbox.Mounts), want) {
		t.Errorf("%+v", s.Sandbox.Mounts)
	}
}

// TestNotGrants guards: what is not a grant, or cannot be kept, is refused with its reason.
func TestNotGrants(t *testing.T) {
	at := machine(t)
	for grant, want := range map[string]string{
		"net=example.com": "no port", "everything": "grants nothing", "read=": "grants nothing", "fly=high": "no permission", "waive=all": "nothing that a sandbox enforces", "read=gone": "not there", "read=/": "whole file system",
		"read=${NOPE}/x": "variable", "read=/proc": "machine itself",
	} {
		err := at.Confine(new(manifest.Manifest), &gateway.Server{Command: "bin/tool"}, nil, confine.Grants{grant})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", grant, err, want)
		}
	}
	if err := at.Confine(new(manifest.Manifest), &gateway.Server{Command: "bin/tool", URL: "http://192.0.2.1:80/"}, nil, nil); hub.KindOf(err) != hub.Forbidden {
		t.Errorf("a server that listens elsewhere: %v", err)
	}
	for url, want := range map[string]int{"http://127.0.0.1:3000/mcp": 3000, "http://localhost/mcp": 80} {
		s := &gateway.Server{Command: "bin/tool", URL: url}
		if err := at.Confine(new(manifest.Manifest), s, nil, nil); err != nil || s.Sandbox.Listens != want {
			t.Errorf("a server that listens at %s: %+v %v", url, s.Sandbox, err)
		}
	}
	for _, memory := range []string{"lots", "-1Mi", "1e99Gi"} {
		m := &manifest.Manifest{Permissions: &manifest.Permissions{Resources: &manifest.ResourceLimits{Memory: memory}}}
		if err := at.Confine(m, &gateway.Server{Command: "bin/tool"}, nil, nil); err == nil {
			t.Errorf("%s is taken for an amount", memory)
		}
	}
}
