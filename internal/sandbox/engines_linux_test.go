package sandbox_test

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// tested is a container engine that the tests started, with an image of this very program.
type tested struct {
	name, dir, image string
	client           *engine.Client
	cmd              *exec.Cmd
	ended            chan struct{}
	args             []string
}

var (
	enginesOnce sync.Once
	engines     []*tested
	missing     = map[string]string{} // engine: why it is not tested
)

// eachEngine runs a test with every engine that can be had here, each on directories of its own.
func eachEngine(t *testing.T, test func(*testing.T, *tested)) {
	t.Helper()
	if raced {
		t.Skip("a program with the race detector is not linked statically, which the first step in a container has to be")
	}
	if dynamic() {
		t.Skip("this test program is linked dynamically; the first step in a container must not be: CGO_ENABLED=0")
	}
	enginesOnce.Do(startEngines)
	for _, name := range []string{"docker", "podman"} {
		t.Run(name, func(t *testing.T) {
			for _, e := range engines {
				if e.name == name {
					test(t, e)
					return
				}
			}
			t.Skip(missing[name])
		})
	}
}

func dynamic() bool {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		return true
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

func startEngines() {
	for name, program := range map[string]string{"docker": "dockerd", "podman": "podman"} {
		if os.Getuid() != 0 && (name != "podman" || os.Getenv("MCPM_TEST_ROOTLESS") == "") {
			missing[name] = "starting an engine takes root; see TestRootless"
			continue
		}
		if err := errors.Join(lookPath(program), lookPath("runc")); err != nil {
			missing[name] = err.Error()
			continue
		}
		e, err := newEngine(name)
		if err != nil {
			missing[name] = err.Error()
			if e != nil {
				e.stop()
			}
			continue
		}
		engines = append(engines, e)
	}
}

func lookPath(program string) error {
	_, err := exec.LookPath(program)
	return err
}

// stopEngines ends what startEngines started. TestMain calls it.
func stopEngines() {
	for _, e := range engines {
		e.stop()
	}
}

func newEngine(name string) (*tested, error) {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "engine.sock")
	e := &tested{name: name, dir: dir}
	if name == "docker" {
		e.args = []string{
			"dockerd", "--data-root", dir + "/data", "--exec-root", dir + "/exec", "--host", "unix://" + socket, "--pidfile", dir + "/pid",
			"--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs",
		}
	} else {
		e.args = []string{"podman", "--runtime", "runc", "--root", dir + "/data", "--runroot", dir + "/exec", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "system", "service", "--time", "0", "unix://" + socket}
	}
	if e.client, err = engine.New("unix://" + socket); err != nil {
		return e, err
	}
	if err := e.start(); err != nil {
		return e, err
	}
	e.image, err = e.load()
	return e, err
}

func (e *tested) start() error {
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	e.cmd = exec.Command(e.args[0], e.args[1:]...)
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := e.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	e.ended = ended
	go func() {
		_ = e.cmd.Wait()
		close(ended)
	}()
	for range 300 {
		if _, err = e.client.Info(context.Background()); err == nil {
			return nil
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(filepath.Join(e.dir, "log"))
			return fmt.Errorf("%s does not start here: %s", e.name, said[max(0, len(said)-600):])
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s did not answer in 30 seconds: %w", e.name, err)
}

func (e *tested) end(sig os.Signal) {
	if e.cmd == nil || e.cmd.Process == nil {
		return
	}
	_ = e.cmd.Process.Signal(sig)
	select {
	case <-e.ended:
	case <-time.After(30 * time.Second):
		_ = e.cmd.Process.Kill()
		<-e.ended
	}
}

func (e *tested) stop() {
	e.end(syscall.SIGTERM)
	mounts, _ := filepath.Glob(e.dir + "/exec/netns/*")
	for _, m := range append(mounts, e.dir+"/data", e.dir+"/data/overlay") {
		_ = syscall.Unmount(m, syscall.MNT_DETACH)
	}
	_ = os.RemoveAll(e.dir)
}

// load makes an image of nothing but this program and a few places that images have.
func (e *tested) load() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		mode int64
		data []byte
	}{{"test", 0o755, program}, {"etc/", 0o755, nil}, {"etc/passwd", 0o644, []byte("root:x:0:0::/root:/bin/sh\n")}, {"etc/shadow", 0o600, []byte("of the image")}, {"tmp/", 0o1777, nil}} {
		kind := byte(tar.TypeReg)
		if strings.HasSuffix(f.name, "/") {
			kind = tar.TypeDir
		}
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), Typeflag: kind}); err != nil {
			return "", err
		}
		if _, err := w.Write(f.data); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	query := url.Values{"fromSrc": {"-"}, "changes": {`ENTRYPOINT ["/test","hostile"]`, "ENV OF_IMAGE=yes", "VOLUME /volume", `CMD ["hello",""]`}}
	res, err := e.http().Post("http://engine/images/create?"+query.Encode(), "application/x-tar", &b)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	said := json.NewDecoder(res.Body)
	id := ""
	for {
		var line struct{ Status, Error, Message string }
		if err := said.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		if line.Error+line.Message != "" {
			return "", errors.New(line.Error + line.Message)
		}
		id = line.Status
	}
	if !strings.HasPrefix(id, "sha256:") {
		id = "sha256:" + id
	}
	return id, nil
}

// http is a client of the engine for what a sandbox does not ask.
func (e *tested) http() *http.Client {
	socket := strings.TrimPrefix(e.client.Address, "unix://")
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
}

// inspect is all that the engine tells of a container.
func (e *tested) inspect(t *testing.T, id string) string {
	t.Helper()
	res, err := e.http().Get("http://engine/containers/" + id + "/json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res.Status, err)
	}
	return string(text)
}

// left counts the containers of sandboxes that the engine has.
func (e *tested) left(t *testing.T) int {
	t.Helper()
	list, err := e.client.List(context.Background(), "dev.mcpm.sandbox=1")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// none waits until there is no container any more.
func (e *tested) none(t *testing.T) {
	t.Helper()
	e.settles(t, 0)
}

// settles waits until there are as many containers as there should be.
func (e *tested) settles(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for e.left(t) != n {
		if time.Now().After(deadline) {
			t.Fatalf("there are %d containers, want %d", e.left(t), n)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// contained is the same server as in place.spec, in a container.
func (p place) contained(e *tested, attempt, arg string) *sandbox.Spec {
	s := p.spec(attempt, arg)
	s.Command, s.Args, s.Home, s.Env = "", s.Args[1:], "", []string{"GOMAXPROCS=2"}
	s.Mounts = s.Mounts[1:]
	s.Container = &sandbox.Container{Engine: e.client.Address, Image: e.image, Server: "@acme/test"}
	return s
}
