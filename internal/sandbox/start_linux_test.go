package sandbox_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox"
)

// run starts a process and returns what it wrote, and its exit code.
func run(t *testing.T, s *sandbox.Spec) (string, int, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p, err := sandbox.Start(s, null, w, w)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(30*time.Second, p.Kill)
	defer late.Stop()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.Wait()
	return string(out), code, err
}

// TestEnds guards: nothing outlives a sandbox, whoever ends it and however: the process itself with others left
// behind, a signal, Kill, and the death of the parent by SIGKILL.
func TestEnds(t *testing.T) {
	p := newPlace(t)
	for _, how := range []string{"signal", "kill", "parent"} {
		t.Run(how, func(t *testing.T) {
			parent := exec.Command(p.exe, "parent", how, p.granted)
			parent.Stderr = os.Stderr
			looked, err := parent.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for range 2 { // the daemon and the process
				if !lines.Scan() || lines.Text() != "ready" {
					t.Fatalf("said %q", lines.Text())
				}
			}
			if len(withArgument(t, p.granted)) < 2 {
				t.Fatal("nothing runs")
			}
			if how == "parent" {
				_ = parent.Process.Kill()
			}
			_ = looked.Close()
			_ = parent.Wait()
			deadline := time.Now().Add(10 * time.Second)
			for len(withArgument(t, p.granted)) > 0 {
				if time.Now().After(deadline) {
					t.Fatalf("these are left: %v", withArgument(t, p.granted))
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

// withArgument lists the processes of the machine that were started with an argument.
func withArgument(t *testing.T, arg string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(text), "hostile") && strings.Contains(string(text), arg) {
			out = append(out, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return out
}

// parentOf starts a sandbox, ends it as told, and is the parent in TestEnds.
func parentOf(how, arg string) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	s := &sandbox.Spec{Command: exe, Args: []string{"hostile", "daemon", arg}, Home: "/home/user", Mounts: []sandbox.Mount{{Path: exe}}, Subprocess: true}
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	p, err := sandbox.Start(s, null, w, os.Stderr)
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(r)
	for range 2 {
		lines.Scan()
		fmt.Println(lines.Text())
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // the test has looked
	switch how {
	case "signal":
		p.Signal(syscall.SIGTERM)
	case "kill":
		p.Kill()
	}
	_, _ = p.Wait()
	os.Exit(0)
}

// TestSignals guards: a signal reaches the process, one that is deaf to it lives on until it is killed, and the exit
// code tells either.
func TestSignals(t *testing.T) {
	p := newPlace(t)
	for attempt, want := range map[string]int{"forever": 128 + int(syscall.SIGTERM), "deaf": 128 + int(syscall.SIGKILL)} {
		s := p.spec(attempt, "")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		proc, err := sandbox.Start(s, os.Stdin, w, w)
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 16)
		if n, _ := r.Read(buf); string(buf[:n]) != "ready\n" {
			t.Fatalf("said %q", buf[:n])
		}
		proc.Signal(syscall.SIGTERM)
		if attempt == "deaf" {
			_ = r.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			if n, err := r.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("it ended of a signal it ignores: %d, %v", n, err)
			}
			proc.Kill()
		}
		if code, err := proc.Wait(); code != want || err != nil {
			t.Errorf("%s: code %d, %v; want %d", attempt, code, err, want)
		}
		r.Close()
	}
}

// TestExit guards: exit codes pass through, and a program that cannot be started is told of by Start.
func TestExit(t *testing.T) {
	if _, code, err := run(t, shell("exit 7")); code != 7 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	s := shell("")
	s.Command = "/usr/bin/nothing-like-this"
	if _, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), "nothing-like-this") {
		t.Errorf("started: %v", err)
	}
}

// TestRefused guards: a Spec that cannot be kept is refused with its reason, before anything runs.
func TestRefused(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(home, ".ssh"), filepath.Join(home, "innocent")); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*sandbox.Spec){
		"not an absolute path":     func(s *sandbox.Spec) { s.Command = "sh" },
		"whole file system":        func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Path: "/"}} },
		"it is the machine itself": func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Path: "/proc/1"}} },
		"cannot be read":           func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Path: home + "/gone"}} },
		"never shown to a server": func(s *sandbox.Spec) {
			s.Mounts, s.Hidden = []sandbox.Mount{{Path: home + "/innocent"}}, []string{home + "/.ssh"}
		},
		"has no port":             func(s *sandbox.Spec) { s.Network = []string{"example.com"} },
		"nothing to run in":       func(s *sandbox.Spec) { s.Limits.Pids = 1 },
		"an entry without a name": func(s *sandbox.Spec) { s.Env = []string{"=x"} },
		"the directory /nowhere":  func(s *sandbox.Spec) { s.Dir = "/nowhere" },
	} {
		s := shell("exit 0")
		change(s)
		if _, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want one with %q", err, want)
		}
	}
}

// TestNobody guards: all of it holds for somebody who is not root.
func TestNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("who runs the tests is not root already")
	}
	if raced {
		t.Skip("see TestEscapes")
	}
	dir := t.TempDir()
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	copySelf(t, filepath.Join(dir, "test"))
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.run", "Escapes|Granted|Bomb|Ends|Signals|Exit|Refused|Lives", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// copySelf puts this very program where somebody else may start it.
func copySelf(t *testing.T, to string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, own, 0o755); err != nil {
		t.Fatal(err)
	}
}

func shell(script string) *sandbox.Spec {
	return &sandbox.Spec{Command: "/bin/sh", Args: []string{"-c", script}, Home: "/home/user", Env: []string{"PATH=/usr/bin:/bin", "HOME=/home/user"}, Subprocess: true}
}

// BenchmarkStart compares a program that does nothing with the same in a sandbox.
func BenchmarkStart(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sandbox", func(b *testing.B) {
		null, err := os.Open(os.DevNull)
		if err != nil {
			b.Fatal(err)
		}
		defer null.Close()
		for b.Loop() {
			p, err := sandbox.Start(&sandbox.Spec{Command: "/bin/true", Home: "/home/user"}, null, null, null)
			if err != nil {
				b.Fatal(err)
			}
			if code, err := p.Wait(); code != 0 || err != nil {
				b.Fatal(code, err)
			}
		}
	})
}
