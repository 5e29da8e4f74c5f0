package confine_test

import (
	"errors"
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

// TestOnRuntime guards: what an interpreter runs gets a container of the image that was chosen, with its own files and what
// was granted and nothing of the machine's programs; what is a program of its own is left alone.
func TestOnRuntime(t *testing.T) {
	at := withEngine(t)
	tree := filepath.Join(at.Home, "tree")
	if err := os.MkdirAll(filepath.Join(tree, "node_modules/.bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	with := confine.Runtimes{Images: map[string]string{"node": imageID}, Pull: nothing}
	m := &manifest.Manifest{Name: "@acme/js", Permissions: &manifest.Permissions{
		Filesystem: []manifest.PathPermission{{Path: "${workspace}/data", Access: "read"}}, Network: &manifest.NetworkPermissions{Outbound: []string{"api.example.com:443"}},
	}}
	s := &gateway.Server{
		Command: ".nvm/versions/node/v22/bin/node", Args: []string{tree + "/s.js"}, Reads: []string{tree}, Dir: "/somewhere",
		Env: []string{"PATH=" + tree + "/node_modules/.bin:/usr/bin:" + at.Home + "/bin", "TOKEN=t", "HOME=/x", "LANG=C"},
	}
	if done, err := at.OnRuntime(m, s, map[string]string{"TOKEN": "t"}, confine.Grants{"subprocess"}, with); !done || err != nil {
		t.Fatal(done, err)
	}
	got := s.Sandbox
	if got.Container == nil || got.Container.Image != imageID || got.Container.Open || got.Container.Server != "@acme/js" || got.Command != "node" || got.Dir != "" {
		t.Errorf("%+v", got)
	}
	if want := []sandbox.Mount{{Path: filepath.Join(at.Home, "work/data")}, {Path: tree}}; !slices.Equal(got.Mounts, want) {
		t.Errorf("mounts %+v", got.Mounts)
	}
	if !got.Subprocess || !slices.Equal(got.Network, []string{"api.example.com:443"}) || !slices.Contains(got.Hidden, filepath.Join(at.Home, ".ssh")) {
		t.Errorf("%+v", got)
	}
	if want := []string{"TOKEN=t", "LANG=C", "PATH=" + tree + "/node_modules/.bin:/image/bin", "HOME=/tmp", "TMPDIR=/tmp"}; !slices.Equal(s.Env, want) {
		t.Errorf("environment %q", s.Env)
	}

	at.Bundle = ""
	web := &gateway.Server{Command: "node", URL: "http://127.0.0.1:8931/mcp"}
	if _, err := at.OnRuntime(m, web, nil, nil, with); err != nil || web.Sandbox.Listens != 8931 {
		t.Errorf("one that listens: %v, %+v", err, web.Sandbox)
	}
	own := &gateway.Server{Command: "bin/tool"}
	if done, err := at.OnRuntime(m, own, nil, nil, with); done || err != nil || own.Sandbox != nil {
		t.Errorf("a program of its own: %v, %v", done, err)
	}
	for want, c := range map[string]struct {
		s      gateway.Server
		images map[string]string
	}{
		`"runtimeImage.python": "NAME@sha256:DIGEST"`: {gateway.Server{Command: "/usr/bin/python3.12"}, with.Images},
		"docker image ls": {gateway.Server{Command: "node"}, map[string]string{"node": "sha256:" + strings.Repeat("0", 64)}},
		"docker pull":     {gateway.Server{Command: "node"}, map[string]string{"node": "acme/gone@" + imageID}},
		"--sandbox=false": {gateway.Server{Command: "node", URL: "http://192.0.2.1:1/"}, with.Images},
	} {
		done, err := at.OnRuntime(m, &c.s, nil, nil, confine.Runtimes{Images: c.images, Pull: func(string) error { return nil }})
		var e *hub.Error
		if !done || err == nil || !errors.As(err, &e) || !strings.Contains(e.Hint, want) {
			t.Errorf("%v, %v; want the hint %q", done, err, want)
		}
	}
}

// TestOnRuntimeVersion guards: packages of PyPI are for one version of Python, and another one says so.
func TestOnRuntimeVersion(t *testing.T) {
	at := withEngine(t)
	python := filepath.Join(at.Home, "bin/python3.12")
	if err := os.WriteFile(python, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	with := confine.Runtimes{Images: map[string]string{"python": imageID}, Pull: nothing}
	s := &gateway.Server{Command: python, Args: []string{"-S", "-s", "-c", "import x", "serve"}}
	if _, err := at.OnRuntime(new(manifest.Manifest), s, nil, nil, with); err != nil {
		t.Fatal(err)
	}
	if len(s.Args) != 5 || !strings.HasPrefix(s.Args[3], "import sys; sys.version_info[:2] == (3, 12) or sys.exit(") || !strings.HasSuffix(s.Args[3], "; import x") || s.Sandbox.Command != "python3" {
		t.Errorf("%q, %s", s.Args, s.Sandbox.Command)
	}
	script := &gateway.Server{Command: python, Args: []string{"s.py", "-c", "x"}}
	if _, err := at.OnRuntime(new(manifest.Manifest), script, nil, nil, with); err != nil || !slices.Equal(script.Args, []string{"s.py", "-c", "x"}) {
		t.Errorf("%v, %q", err, script.Args)
	}
}

// TestFlag guards: --sandbox says yes by itself, and takes what it knows.
func TestFlag(t *testing.T) {
	for value, want := range map[string]confine.Flag{"true": {On: true}, "1": {On: true}, "false": {}, "container": {On: true, Container: true}} {
		f := confine.Flag{On: true}
		if err := f.Set(value); err != nil || f != want {
			t.Errorf("%s: %v, %+v", value, err, f)
		}
	}
	if err := new(confine.Flag).Set("docker"); err == nil {
		t.Error("docker is taken")
	}
}
