package engine_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// at is a machine with environment variables.
func at(home string, env map[string]string) engine.Place {
	return engine.Place{Home: home, Getenv: func(name string) string { return env[name] }}
}

// listening is a socket on which somebody answers.
func listening(t *testing.T, handler http.Handler) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return filepath.Join(dir, "docker.sock")
}

// TestFind guards: an engine is found as its own program finds it, the one that was chosen and no other, and what is not on
// this machine is refused with its reason.
func TestFind(t *testing.T) {
	socket := listening(t, http.NotFoundHandler())
	home := t.TempDir()
	id := sha256.Sum256([]byte("mine"))
	for file, text := range map[string]string{
		".docker/config.json": `{"currentContext": "mine"}`,
		".docker/contexts/meta/" + hex.EncodeToString(id[:]) + "/meta.json": `{"Endpoints": {"docker": {"Host": "unix://` + socket + `"}}}`,
	} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, try := range map[string]struct {
		runtime, home string
		env           map[string]string
	}{
		"DOCKER_HOST":      {"docker", "/none", map[string]string{"DOCKER_HOST": "unix://" + socket}},
		"any":              {"", "/none", map[string]string{"DOCKER_HOST": "unix:///none", "CONTAINER_HOST": "unix://" + socket}},
		"a context":        {"docker", home, nil},
		"XDG_RUNTIME_DIR":  {"docker", "/none", map[string]string{"XDG_RUNTIME_DIR": filepath.Dir(socket)}},
		"a path of podman": {"/usr/bin/podman", "/none", map[string]string{"CONTAINER_HOST": "unix://" + socket}},
	} {
		c, err := engine.Find(try.runtime, at(try.home, try.env))
		if err != nil || c.Address != "unix://"+socket {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	for host, want := range map[string]string{
		"tcp://192.0.2.1:2375": "not at a local socket", "ssh://me@example.com": "not at a local socket", "unix:///none/at/all": "no container engine",
		"unix:///home/me/.docker/desktop/docker.sock": "machine of their own",
	} {
		if _, err := engine.Find("docker", at("/none", map[string]string{"DOCKER_HOST": host})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", host, err, want)
		}
	}
	if _, err := engine.Find("lxc", at("/none", nil)); err == nil {
		t.Error("lxc is taken for an engine")
	}
}

// TestAnswers guards: a hostile or broken answer of an engine is an error that is short and on one line, and what is not
// there is told apart.
func TestAnswers(t *testing.T) {
	socket := listening(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/images/gone/json":
			http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
		case "/images/odd/json":
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"message":"a\nb\u001b[31m%s"}`, strings.Repeat("x", 1000))
		case "/images/endless/json":
			for range 20 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		case "/info":
			io.WriteString(w, `{"ServerVersion":"4.3.1","BuildahVersion":"1.28","SecurityOptions":["name=rootless"],"PidsLimit":true}`)
		case "/containers/busy":
			w.WriteHeader(http.StatusConflict)
		case "/containers/create":
			io.WriteString(w, `{}`)
		}
	}))
	c, err := engine.New("unix://" + socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Image(t.Context(), "gone"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
	if _, err := c.Image(t.Context(), "odd"); err == nil || len(err.Error()) > 700 || strings.ContainsAny(err.Error(), "\n\x1b") || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("odd: %q", err)
	}
	if _, err := c.Image(t.Context(), "endless"); err == nil {
		t.Error("an endless answer is taken for an image")
	}
	for _, ref := range []string{"../info", "a/json?x", "a%2f", "a#b", "//x"} {
		if _, err := c.Image(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "not the name") {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if info, err := c.Info(t.Context()); err != nil || !info.Podman || !info.Rootless || !info.PidsLimit {
		t.Errorf("%+v, %v", info, err)
	}
	if err := c.Remove(t.Context(), "busy"); err != nil {
		t.Errorf("one that is being removed: %v", err)
	}
	if _, _, err := c.Create(t.Context(), new(engine.Config)); err == nil {
		t.Error("a container without a name is taken")
	}
}
