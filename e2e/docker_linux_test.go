package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// dockerd starts a Docker daemon of the test's own and returns the address of its socket. It has no network: what
// pushes and pulls is the daemon itself.
func dockerd(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "Docker daemon of one's own, which takes root")
	}
	for _, program := range []string{"dockerd", "docker", "runc"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program)
		}
	}
	dir, err := os.MkdirTemp("", "dockerd") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := "unix://" + filepath.Join(dir, "docker.sock")
	serve(t, dir, socket, "dockerd", "--data-root", dir+"/data", "--exec-root", dir+"/exec", "--host", socket, "--pidfile", dir+"/pid",
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs")
	return socket
}

// podman starts Podman's service, of the test's own, and returns the address of its socket.
func podman(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "Podman of one's own, which is tried as root")
	}
	for _, program := range []string{"podman", "docker", "runc"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program)
		}
	}
	dir, err := os.MkdirTemp("", "podman")
	if err != nil {
		t.Fatal(err)
	}
	socket := "unix://" + filepath.Join(dir, "podman.sock")
	serve(t, dir, socket, "podman", "--runtime", "runc", "--root", dir+"/data", "--runroot", dir+"/exec", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
		"--events-backend", "file", "system", "service", "--time", "0", socket)
	return socket
}

// serve starts an engine, waits until it answers at its socket, and ends it with the test.
func serve(t *testing.T, dir, socket, program string, args ...string) {
	t.Helper()
	out := &output{}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		mounts, _ := filepath.Glob(dir + "/exec/netns/*")
		for _, m := range append(mounts, dir+"/data", dir+"/data/overlay") {
			_ = syscall.Unmount(m, syscall.MNT_DETACH)
		}
		os.RemoveAll(dir)
	})
	for range 300 {
		if exec.Command("docker", "--host", socket, "version").Run() == nil {
			return
		}
		select {
		case <-ended:
			missing(t, program+": it does not start here: "+lastLines(out.String()))
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("%s did not answer in 30 seconds: %s", program, lastLines(out.String()))
}

func lastLines(s string) string { return s[max(0, len(s)-600):] }

// TestDocker is what a publisher and a stranger do with docker: sign in, push, publish, pull, run.
func TestDocker(t *testing.T) {
	socket := dockerd(t)
	h, host, key := imageHub(t)
	r := tool{t: t, env: []string{"DOCKER_HOST=" + socket, "DOCKER_CONFIG=" + t.TempDir()}}
	image := host + "/acme/weather:1.0.0"
	first := strings.TrimSpace(r.run(string(rootOf(t, "one")), "", "docker", "import", "-c", `ENTRYPOINT ["/weather"]`, "-", image))

	r.run("", "requested access to the resource is denied", "docker", "push", image) // the words of docker
	r.run("wrong password", "wrong name or password", "docker", "login", host, "-u", "acme", "--password-stdin")
	r.run("correct horse battery", "", "docker", "login", host, "-u", "acme", "--password-stdin")
	pushed := r.ok("docker", "push", image)
	digest := regexp.MustCompile(`digest: (sha256:[0-9a-f]{64})`).FindStringSubmatch(pushed)
	if digest == nil {
		t.Fatalf("push: %s", pushed)
	}
	r.ok("docker", "logout", host)
	r.ok("docker", "rmi", image)
	r.run("", "pull access denied", "docker", "pull", image) // nothing of it is published yet
	publishImage(t, h, key, "1.0.0", image)
	r.ok("docker", "pull", image)
	if got := strings.TrimSpace(r.ok("docker", "image", "inspect", "--format", "{{.Id}}", image)); got != first {
		t.Errorf("pulled %s, pushed %s", got, first)
	}
	r.ok("docker", "pull", host+"/acme/weather@"+digest[1])
	hello := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}` + "\n"
	// a server ends with its input, even before it has answered
	if out := r.run(hello, "", "sh", "-c", "(cat; sleep 2) | docker run --rm -i --network none "+image); !strings.Contains(out, `"name":"weather"`) {
		t.Errorf("the server in the image: %s", out)
	}

	// a published tag stays, with an API key as well
	r.run(key, "", "docker", "login", host, "-u", "ci", "--password-stdin")
	r.run(string(rootOf(t, "two")), "", "docker", "import", "-c", `ENTRYPOINT ["/weather"]`, "-", image)
	r.run("", "belongs to @acme/weather 1.0.0, which is published", "docker", "push", image)
	r.ok("docker", "tag", image, host+"/acme/weather:1.1.0")
	r.ok("docker", "push", host+"/acme/weather:1.1.0")
	r.run("", "is not yours", "docker", "push", retag(r, image, host+"/other/weather:1"))
	if out := r.ok(filepath.Join(bin, "mcphub"), "admin", "images", "usage", "--data", h.data); !regexp.MustCompile(`@acme +1 +2 +\d+ +10737418240`).MatchString(out) {
		t.Errorf("usage: %s", out)
	}
	r.ok(filepath.Join(bin, "mcphub"), "admin", "images", "gc", "--data", h.data)
	r.ok("docker", "pull", image)
}

// TestDockerScripts is what publishers and users do with mcpm where Docker runs.
func TestDockerScripts(t *testing.T) {
	testscript.Run(t, scripts("testdata/docker", "DOCKER_HOST="+dockerd(t)))
}

// TestPodmanScripts is the same where Podman runs.
func TestPodmanScripts(t *testing.T) {
	testscript.Run(t, scripts("testdata/docker", "DOCKER_HOST="+podman(t)))
}

func retag(r tool, from, to string) string {
	r.t.Helper()
	r.ok("docker", "tag", from, to)
	return to
}
