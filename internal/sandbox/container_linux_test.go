package sandbox_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// TestContainerEscapes guards: none of what a hostile server tries gets it out of a container.
func TestContainerEscapes(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		t.Setenv("MCPM_TEST_SECRET", "hunter2")
		for _, a := range p.attempts() {
			t.Run(a.name, func(t *testing.T) {
				s := p.contained(e, a.attempt, a.arg)
				if slices.Contains([]string{"forks", "become", "clone"}, a.attempt) {
					s.Subprocess = true // that alone must not be what stops it
				}
				out, code, err := run(t, s)
				if err != nil || code != 0 || !strings.HasPrefix(out, "stopped: ") {
					t.Errorf("code %d, error %v:\n%s", code, err, out)
				}
				t.Log(strings.TrimSpace(out))
			})
		}
		if n := p.hits(); n > 0 {
			t.Errorf("the web server on loopback was asked %d times", n)
		}
		if out, code, err := run(t, p.contained(e, "memory", "")); err == nil || !strings.Contains(err.Error(), "may use 192") || code != 137 {
			t.Errorf("a memory bomb: code %d, error %v:\n%s", code, err, out)
		}
		e.none(t)
	})
}

// TestContainerPids guards: processes are bounded by number, not only by the memory that they take.
func TestContainerPids(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		s := newPlace(t).contained(e, "forks", "")
		s.Subprocess, s.Limits = true, sandbox.Limits{Memory: 4 << 30, Pids: 64}
		if out, code, err := run(t, s); err != nil || code != 0 || !strings.HasPrefix(out, "stopped: after ") {
			t.Errorf("code %d, error %v: %s", code, err, out)
		}
	})
}

// TestContainerGranted guards: what was granted can be done.
func TestContainerGranted(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		for _, a := range []struct{ attempt, arg string }{
			{"read", filepath.Join(p.granted, "mine")}, {"read", filepath.Join(p.readable, "a")}, {"write", filepath.Join(p.granted, "new")}, {"write", "/tmp/new"},
			{"write", "/volume/new"}, {"write", "/dev/null"}, {"read", "/etc/passwd"}, {"environment", "OF_IMAGE=yes"}, {"environment", "HOME=/tmp"},
		} {
			out, code, err := run(t, p.contained(e, a.attempt, a.arg))
			if err != nil || code != 0 || !strings.HasPrefix(out, "ESCAPED: ") {
				t.Errorf("%s %s: code %d, error %v: %s", a.attempt, a.arg, code, err, out)
			}
		}
	})
}

// TestContainerDirect guards: what was granted is reached past the proxy, too.
func TestContainerDirect(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		converses(t, func(addr string) *sandbox.Spec { return p.contained(e, "converse", addr) })
	})
}

// TestContainerListens guards: a process that listens in a container is reached at a port of this machine's loopback device, and
// that may be another one than it listens at.
func TestContainerListens(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		for _, inside := range []int{0, 80} {
			listens(t, func(port int) *sandbox.Spec {
				s := p.contained(e, "attend", strconv.Itoa(cmp.Or(inside, port)))
				s.Listens, s.Inside = port, inside
				return s
			})
		}
	})
}

// TestContainerKeepsSecrets guards: the engine never learns what is in the environment, nor which arguments the server
// has, and nothing of it is on disk when it runs.
func TestContainerKeepsSecrets(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		s := newPlace(t).contained(e, "forever", "argument-hunter2")
		s.Env = append(s.Env, "TOKEN=environment-hunter2")
		proc, out := begin(t, s)
		list, err := e.client.List(t.Context(), "dev.mcpm.server=@acme/test")
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		text := e.inspect(t, list[0].ID)
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "mcpm-sandbox-step") {
			t.Errorf("the engine tells: %s", text)
		}
		wants := []string{`"ReadonlyRootfs":true`, `"NetworkMode":"none"`, `"AutoRemove":true`}
		if os.Getuid() == 0 { // else there may be no control group, and TestContainerPids says what bounds them
			wants = append(wants, `"PidsLimit":96`)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the engine does not say %s: %s", want, text)
			}
		}
		proc.Kill()
		if code, err := proc.Wait(); code != 137 || err != nil {
			t.Errorf("code %d, %v", code, err)
		}
		out.Close()
		e.none(t)
		found := exec.Command("grep", "-rlas", "environment-hunter2", e.dir, "--exclude=test", "--exclude-dir=merged", "--exclude-dir=vfs")
		if where, _ := found.Output(); len(where) > 0 {
			t.Errorf("it is in %s", where)
		}
	})
}

// TestContainerEnds guards: nothing outlives mcpm: signals reach the server, one that is deaf to them is killed, and when mcpm
// is killed, or the engine, the containers end and none is left.
func TestContainerEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		for attempt, want := range map[string]int{"forever": 128 + int(syscall.SIGTERM), "deaf": 128 + int(syscall.SIGKILL)} {
			proc, out := begin(t, p.contained(e, attempt, ""))
			proc.Signal(syscall.SIGTERM)
			if attempt == "deaf" {
				time.Sleep(100 * time.Millisecond)
				proc.Kill()
			}
			if code, err := proc.Wait(); code != want || err != nil {
				t.Errorf("%s: code %d, %v; want %d", attempt, code, err, want)
			}
			out.Close()
		}
		e.none(t)
		parent := exec.Command(p.exe, "containers", e.client.Address, e.image, "5")
		said, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		parent.Stderr = os.Stderr
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		for range 5 {
			if !lines.Scan() || lines.Text() != "ready" {
				t.Fatalf("said %q", lines.Text())
			}
		}
		if n := e.left(t); n != 5 {
			t.Fatalf("%d containers run, want 5", n)
		}
		_ = parent.Process.Kill()
		_ = parent.Wait()
		e.none(t)
	})
}

// TestContainersAtOnce guards: twenty starts at the same time all work, each with its own output, and leave nothing.
func TestContainersAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				secret := fmt.Sprintf("number-%d-", i)
				s := p.contained(e, "environment", secret)
				s.Env = append(s.Env, "OWN="+secret)
				if out, code, err := run(t, s); code != 0 || err != nil || !strings.Contains(out, secret) {
					t.Errorf("%d: code %d, %v: %s", i, code, err, out)
				}
			})
		}
		wg.Wait()
		e.none(t)
	})
}

// TestContainerRestart guards: when the engine is stopped and comes back, a start removes what it still has of sandboxes
// that are gone, and leaves alone what runs.
func TestContainerRestart(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		if e.name == "podman" {
			t.Skip("podman has no daemon that would hold containers")
		}
		p := newPlace(t)
		proc, out := begin(t, p.contained(e, "forever", ""))
		e.end(syscall.SIGTERM)
		proc.Kill()
		if code, _ := proc.Wait(); code != 137 {
			t.Errorf("code %d", code)
		}
		out.Close()
		if err := e.start(); err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.Reap(t.Context(), e.client); err != nil {
			t.Fatal(err)
		}
		e.none(t)
		other, out := begin(t, p.contained(e, "forever", ""))
		if said, code, err := run(t, p.contained(e, "hello", "")); code != 0 || err != nil || !strings.Contains(said, "hello") {
			t.Errorf("code %d, %v: %s", code, err, said)
		}
		e.settles(t, 1)
		other.Kill()
		_, _ = other.Wait()
		out.Close()
		e.none(t)
	})
}

// TestContainerRefused guards: what cannot be kept is refused with its reason, and leaves no container.
func TestContainerRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		for want, change := range map[string]func(*sandbox.Spec){
			"not named by its digest":  func(s *sandbox.Spec) { s.Container.Image = "acme/tool:1.0" },
			"the engine does not have": func(s *sandbox.Spec) { s.Container.Image = "sha256:" + strings.Repeat("0", 64) },
			"no program nothing":       func(s *sandbox.Spec) { s.Command = "nothing" },
			"not at a local socket":    func(s *sandbox.Spec) { s.Container.Engine = "tcp://127.0.0.1:2375" },
			"something else is":        func(s *sandbox.Spec) { s.Mounts[0].At = "/mcpm-sandbox-step" },
			"cannot be shown":          func(s *sandbox.Spec) { s.Mounts[0].At = "/proc/x" },
			"may not": func(s *sandbox.Spec) {
				s.Mounts = append(s.Mounts, sandbox.Mount{Path: filepath.Join(p.home, "other"), Write: true})
			},
		} {
			if want == "may not" && os.Getuid() != 0 {
				continue // all files of the test are this person's
			}
			s := p.contained(e, "hello", "")
			change(s)
			_, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr)
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) && !(want == "the engine does not have" && errors.Is(err, engine.ErrNotFound)) {
				t.Errorf("%v; want one with %q", err, want)
			}
		}
		e.none(t)
	})
}

// TestContainerOutput guards: much output comes through whole, at the speed of a pipe, and is not kept by the engine.
func TestContainerOutput(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		out, code, err := run(t, newPlace(t).contained(e, "talk", ""))
		if err != nil || code != 0 || len(out) != 64<<20 {
			t.Errorf("%d bytes, code %d, %v", len(out), code, err)
		}
	})
}

// TestContainerOpen guards: a container without a sandbox has what its engine gives to any, and its values are kept from the
// engine all the same.
func TestContainerOpen(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		var most syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most); err != nil || e.name == "podman" && most.Max < 1<<20 {
			t.Skipf("podman raises the limit of open files to more than this machine allows, %d, for every container that does not ask for less", most.Max)
		}
		p := newPlace(t)
		open := func(attempt, arg string) *sandbox.Spec {
			s := p.contained(e, attempt, arg)
			s.Container.Open, s.Container.NoNetwork, s.Network = true, true, nil
			s.Env = append(s.Env, "TOKEN=hunter2")
			return s
		}
		for _, a := range []struct{ attempt, arg string }{{"write", "/new"}, {"own", "/tmp"}, {"environment", "TOKEN=hunter2"}, {"environment", "OF_IMAGE=yes"}} {
			if out, code, err := run(t, open(a.attempt, a.arg)); err != nil || code != 0 || !strings.HasPrefix(out, "ESCAPED: ") {
				t.Errorf("%s %s: code %d, error %v: %s", a.attempt, a.arg, code, err, out)
			}
		}
		proc, out := begin(t, open("forever", ""))
		list, err := e.client.List(t.Context(), "dev.mcpm.sandbox=1")
		if err != nil || len(list) != 1 || strings.Contains(e.inspect(t, list[0].ID), "hunter2") {
			t.Errorf("%v, %v", list, err)
		}
		proc.Kill()
		_, _ = proc.Wait()
		out.Close()
		e.none(t)
		s := open("hello", "")
		s.Network = []string{"granted.example:443"}
		if _, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr); err == nil {
			t.Error("rules for a network that nobody keeps are taken")
		}
	})
}

// TestContainerFiles guards: a start leaves no files, and removes what one left that was killed.
func TestContainerFiles(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		dir, err := os.MkdirTemp("", "files")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		t.Setenv("XDG_RUNTIME_DIR", dir)
		old := filepath.Join(dir, "mcpm-sandbox-1-2")
		if err := os.Mkdir(old, 0o700); err != nil {
			t.Fatal(err)
		}
		before := time.Now().Add(-time.Hour)
		if err := os.Chtimes(old, before, before); err != nil {
			t.Fatal(err)
		}
		proc, out := begin(t, newPlace(t).contained(e, "forever", ""))
		list, err := os.ReadDir(dir)
		list = slices.DeleteFunc(list, func(f os.DirEntry) bool { return strings.HasSuffix(f.Name(), ".lock") }) // of rootless Podman
		if err != nil || len(list) > 0 {
			t.Errorf("these are left: %v, %v", list, err)
		}
		proc.Kill()
		_, _ = proc.Wait()
		out.Close()
		e.none(t)
	})
}

// TestContainerBelow guards: what is mounted below a directory that was granted to be read cannot be written either.
func TestContainerBelow(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting takes root")
	}
	eachEngine(t, func(t *testing.T, e *tested) {
		p := newPlace(t)
		below := filepath.Join(p.readable, "below")
		if err := os.Mkdir(below, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", below, "tmpfs", 0, "size=64k,mode=0777"); err != nil {
			t.Fatal(err)
		}
		defer syscall.Unmount(below, syscall.MNT_DETACH)
		s := p.contained(e, "write", filepath.Join(below, "new"))
		proc, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr)
		if err == nil {
			_, _ = proc.Wait()
		} else if !strings.Contains(err.Error(), "was granted to be read") {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(below, "new")); err == nil {
			t.Error("it was written")
		}
		e.none(t)
	})
}

// begin starts a server that says that it is ready.
func begin(t *testing.T, s *sandbox.Spec) (*sandbox.Process, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	proc, err := sandbox.Start(s, null, w, w)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	if n, _ := r.Read(buf); string(buf[:n]) != "ready\n" {
		t.Fatalf("said %q", buf[:n])
	}
	return proc, r
}

// parentOfContainers starts servers that never end, and is killed.
func parentOfContainers(address, image, count string) {
	n, err := strconv.Atoi(count)
	if err != nil {
		panic(err)
	}
	for range n {
		s := &sandbox.Spec{Args: []string{"forever", ""}, Container: &sandbox.Container{Engine: address, Image: image}}
		if _, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr); err != nil {
			panic(err)
		}
	}
	time.Sleep(time.Hour)
}

// BenchmarkContainerStart compares the start to the first byte of the answer with what the engine's own program takes for the same
// image.
func BenchmarkContainerStart(b *testing.B) {
	enginesOnce.Do(startEngines)
	for _, e := range engines {
		if e.name != "docker" {
			continue
		}
		b.Run("docker run", func(b *testing.B) {
			for b.Loop() {
				first(b, exec.Command("docker", "-H", e.client.Address, "run", "--rm", "-i", "--network", "none", e.image, "forever", ""))
			}
		})
		b.Run("sandbox", func(b *testing.B) {
			for b.Loop() {
				first(b, exec.Command("/proc/self/exe", "containers", e.client.Address, e.image, "1"))
			}
		})
	}
}

// first waits for the first line, and ends the program outside of the time that counts.
func first(b *testing.B, cmd *exec.Cmd) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		b.Fatal(line, err)
	}
	b.StopTimer()
	in.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, e := range engines {
		list, err := e.client.List(b.Context(), "")
		if err != nil {
			continue
		}
		for _, c := range list {
			_ = e.client.Remove(b.Context(), c.ID)
		}
	}
	b.StartTimer()
}

// TestTryContainer guards: that it works here can be told without an image, and leaves neither container nor image.
func TestTryContainer(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *tested) {
		if err := sandbox.TryContainer(t.Context(), e.client, "hostile", "hello", ""); err != nil {
			t.Error(err)
		}
		e.none(t)
	})
}
