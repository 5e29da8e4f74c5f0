//go:build unix

package gateway_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
)

// run starts a server on pipes and returns its exit code and what it wrote.
func run(t *testing.T, s *gateway.Server, input string) (code int, stdout, stderr string, err error) {
	t.Helper()
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	errR, errW := pipe(t)
	go func() { _, _ = io.WriteString(inW, input); inW.Close() }()
	out, errs := make(chan string, 1), make(chan string, 1)
	for r, ch := range map[*os.File]chan string{outR: out, errR: errs} {
		go func() { data, _ := io.ReadAll(r); ch <- string(data) }()
	}
	code, err = gateway.Local(context.Background(), s, inR, outW, errW)
	outW.Close()
	errW.Close()
	return code, <-out, <-errs, err
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestLocalPassesBytesAndCodes(t *testing.T) {
	lines := strings.Repeat("{\"x\": \"\u00e9\\u0000\"}\n", 1000)
	code, out, errs, err := run(t, self("cat"), lines)
	if err != nil || code != 0 || out != lines || errs != "bye\n" {
		t.Errorf("cat: %d %v, %d bytes, stderr %q", code, err, len(out), errs)
	}
	if code, _, _, err := run(t, self("exit=7"), ""); code != 7 || err != nil {
		t.Errorf("exit 7: %d %v", code, err)
	}
	if code, _, _, err := run(t, self("die"), ""); code != 128+9 || err != nil {
		t.Errorf("killed: %d %v", code, err)
	}
}

func TestLocalRefuses(t *testing.T) {
	for _, tt := range []struct{ command, want, hint string }{
		{"no-such-program-here", "no-such-program-here is not on this machine's PATH", "install no-such-program-here, or see mcpm info NAME for another way to run this server"},
	} {
		_, _, _, err := run(t, &gateway.Server{Command: tt.command}, "")
		e, ok := err.(*hub.Error)
		if !ok || e.Message != tt.want || e.Hint != tt.hint || e.Kind != hub.NotFound {
			t.Errorf("%s: %v", tt.command, err)
		}
	}
}

// A signal to mcpm reaches the server, and the server's exit code comes back.
func TestLocalForwardsSignals(t *testing.T) {
	cmd, lines := start(t, "run")
	<-lines // the pid of the server
	if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if got := <-lines; got != "user defined signal 1" {
		t.Errorf("the server got %q", got)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 40 {
		t.Errorf("exit code %d, want the server's 40", code)
	}
}

// When mcpm is killed without a chance to do anything, the server is told by the kernel.
func TestLocalDiesWithParent(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("only Linux tells a child that its parent died")
	}
	cmd, lines := start(t, "run")
	pid, err := strconv.Atoi(<-lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 100 {
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the server %d outlived mcpm", pid)
}

func zombie(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(data), ") Z ")
}

// start runs the test binary in a mode and returns the lines it prints.
func start(t *testing.T, mode string) (*exec.Cmd, <-chan string) {
	t.Helper()
	s := self(mode)
	cmd := exec.Command(s.Command)
	cmd.Env = s.Env
	in, _ := pipe(t) // stays open, and is no terminal
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := make(chan string, 10)
	go func() {
		s := bufio.NewScanner(out)
		for s.Scan() {
			lines <- s.Text()
		}
		close(lines)
	}()
	return cmd, lines
}
