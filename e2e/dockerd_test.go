package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dockerd starts a Docker daemon of the test's own and returns the address of its socket. It has no network: what
// pushes and pulls is the daemon itself.
func dockerd(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		missing(t, "Docker daemon of one's own, which takes root on Linux")
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
	out := &output{}
	cmd := exec.Command("dockerd", "--data-root", dir+"/data", "--exec-root", dir+"/exec", "--host", socket, "--pidfile", dir+"/pid",
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs")
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
		for _, m := range mounts {
			_ = syscall.Unmount(m, syscall.MNT_DETACH)
		}
		os.RemoveAll(dir)
	})
	for range 300 {
		if exec.Command("docker", "--host", socket, "version").Run() == nil {
			return socket
		}
		select {
		case <-ended:
			missing(t, "Docker daemon: it does not start here: "+lastLines(out.String()))
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("dockerd did not answer in 30 seconds: %s", lastLines(out.String()))
	return ""
}

func lastLines(s string) string { return s[max(0, len(s)-600):] }

// tool runs a program with an environment and input, and fails the test unless it ends as expected: well, or with what
// it says in its refusal.
type tool struct {
	t   *testing.T
	env []string
	dir string
}

func (r tool) run(input, refusal, program string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = append(os.Environ(), r.env...), r.dir, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	line := fmt.Sprintf("%s %s", program, strings.Join(args, " "))
	switch {
	case refusal == "" && err != nil:
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	case refusal != "" && (err == nil || !strings.Contains(string(out), refusal)):
		r.t.Fatalf("%s: %v; want it to say %q\n%s", line, err, refusal, out)
	}
	return string(out)
}

// ok runs a program that must end well.
func (r tool) ok(program string, args ...string) string {
	r.t.Helper()
	return r.run("", "", program, args...)
}
