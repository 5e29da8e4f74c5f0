//go:build linux || darwin

package seatbelt

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Init()
	if os.Getenv("SEATBELT_TEST_PARENT") != "" {
		parent()
	}
	os.Exit(m.Run())
}

// parent starts a process and waits; the test ends it.
func parent() {
	p, err := Start(&Command{Path: "/bin/sh", Args: []string{"-c", "echo $$; exec sleep 100"}, Dir: "/", FileSize: 1 << 20, applies: os.Getenv("SEATBELT_TEST_PARENT")}, os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code, err := p.Wait()
	fmt.Println(code, err)
	os.Exit(0)
}

// stand is a program in the place of sandbox-exec, which this machine may not have: it notes the profile and runs the rest.
func stand(t *testing.T) (program, profile string) {
	t.Helper()
	dir := t.TempDir()
	program, profile = filepath.Join(dir, "applies"), filepath.Join(dir, "profile")
	script := "#!/bin/sh\n[ \"$1\" = -p ] || exit 64\nprintf %s \"$2\" > '" + profile + "'\nshift 2\nexec \"$@\"\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, profile
}

// run starts a command, reads what it prints to its end and returns how it ended.
func run(t *testing.T, c *Command) (string, int, error) {
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
	p, err := Start(c, null, w, w)
	w.Close()
	if err != nil {
		return "", 0, err
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.Wait()
	return string(out), code, err
}

func TestStart(t *testing.T) {
	program, profile := stand(t)
	dir := t.TempDir()
	c := &Command{
		Profile: Profile{Programs: []string{"/bin/sh"}, Read: []string{dir}},
		Path:    "/bin/sh", Args: []string{"-c", `echo "$0 $1 $A in $(pwd)"; ulimit -c; ulimit -f; env | wc -l; exit 7`, "zero", "one"},
		Dir: dir, Env: []string{"A=b", "PATH=/usr/bin:/bin"}, FileSize: 1 << 20, applies: program,
	}
	out, code, err := run(t, c)
	if err != nil || code != 7 {
		t.Fatalf("ended with %d, %v: %s", code, err, out)
	}
	if want := "zero one b in " + dir + "\n0\n"; !strings.HasPrefix(out, want) {
		t.Errorf("it said %q, want %q first", out, want)
	}
	if text, _ := c.Profile.Text(); text != read(t, profile) {
		t.Errorf("the profile is %q, want %q", read(t, profile), text)
	}
	if _, code, err = run(t, &Command{Path: "/bin/sh", Args: []string{"-c", "kill -TERM $$"}, Dir: dir, FileSize: 1 << 20, applies: program}); err != nil || code != 128+15 {
		t.Errorf("ended by a signal it says %d, %v", code, err)
	}
	if _, _, err = run(t, &Command{Path: "/bin/sh", Dir: dir, applies: "/no/such/program"}); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("without sandbox-exec it says %v", err)
	}
	if _, _, err = run(t, &Command{Path: "/bin/sh", Dir: filepath.Join(dir, "gone"), applies: program}); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("in a directory that is not there it says %v", err)
	}
}

// TestSignal sees a signal reach the process and not end the keeper, and Kill end a process that heeds none and left its group.
func TestSignal(t *testing.T) {
	program, _ := stand(t)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, c := range map[string]struct {
		script string
		end    func(*Process)
		code   int
	}{
		"heeds": {`trap 'exit 3' TERM; echo $$; while :; do sleep 0.05; done`, func(p *Process) { p.Signal(syscall.SIGTERM) }, 3},
		"kill":  {`trap '' TERM INT; echo $$; while :; do sleep 0.05; done`, (*Process).Kill, killed},
		"alone": {`exec setsid sh -c 'echo $$; while :; do sleep 0.05; done'`, (*Process).Kill, killed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("setsid"); err != nil && name == "alone" {
				t.Skip("there is no setsid to leave a group with")
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			p, err := Start(&Command{Path: "/bin/sh", Args: []string{"-c", c.script}, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"}, FileSize: 1 << 20, applies: program}, null, w, null)
			w.Close()
			if err != nil {
				t.Fatal(err)
			}
			pid := pidOf(t, r)
			c.end(p)
			if code, err := p.Wait(); err != nil || code != c.code {
				t.Errorf("ended with %d, %v, want %d", code, err, c.code)
			}
			gone(t, pid)
		})
	}
}

// TestDiesWithParent ends the one who started a process as nobody can refuse.
func TestDiesWithParent(t *testing.T) {
	program, _ := stand(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SEATBELT_TEST_PARENT="+program)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, out)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gone(t, pid)
}

func pidOf(t *testing.T, r io.Reader) int {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	pid, cerr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || cerr != nil {
		t.Fatalf("it said %q, %v", line, err)
	}
	return pid
}

// gone waits until there is no such process; one that has ended and is not reaped is gone.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
