package sandbox_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
)

// place is a person's machine, as far as a server may try to get at it.
type place struct {
	home, granted, readable string
	loopback, abstract      string
	exe                     string
	hits                    func() int // of the web server on loopback
}

func newPlace(t *testing.T) place {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	p := place{home: home, granted: filepath.Join(home, "work"), readable: filepath.Join(home, "notes"), exe: exe}
	for path, text := range map[string]string{
		".ssh/id_ed25519": "PRIVATE KEY", "work/.env": "TOKEN=1", "work/.ssh/key": "PRIVATE KEY", "work/mine": "mine", "notes/a": "a note", "other/b": "not granted",
	} {
		file := filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir := home; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) { // as root, the server is nobody
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(p.granted, 0o777); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	setuid := filepath.Join(p.granted, "setuid")
	if err := os.WriteFile(setuid, own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(setuid, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(home, "other"), filepath.Join(p.granted, "away")); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		count++
		io.WriteString(w, "the machine's own page")
	}))
	t.Cleanup(web.Close)
	p.hits = func() int { mu.Lock(); defer mu.Unlock(); return count }
	p.loopback = web.Listener.Addr().String()
	p.abstract = "@mcpm-" + strings.ReplaceAll(home, "/", "-")
	l, err := net.Listen("unix", p.abstract)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return p
}

// spec is a server that was granted a directory to write, one to read, and a host.
func (p place) spec(attempt, arg string) *sandbox.Spec {
	return &sandbox.Spec{
		Command: p.exe, Args: []string{"hostile", attempt, arg}, Home: "/home/user",
		Env:     []string{"HOME=/home/user", "PATH=/usr/bin:/bin", "GOMAXPROCS=2"},
		Mounts:  []sandbox.Mount{{Path: p.exe}, {Path: p.granted, Write: true}, {Path: p.readable}},
		Hidden:  []string{filepath.Join(p.granted, ".env"), filepath.Join(p.granted, ".ssh"), filepath.Join(p.home, ".ssh")},
		Network: []string{"granted.example:443"},
		Limits:  sandbox.Limits{Memory: 192 << 20, Scratch: 32 << 20, Pids: 64},
	}
}

// TestEscapes guards: none of what a hostile server tries gets it out, and each attempt would succeed without a sandbox
// or is known to be one of the ways out of others.
func TestEscapes(t *testing.T) {
	if raced {
		t.Skip("the race detector meets the limits before the attempts do; they run without it")
	}
	escapes(t, newPlace(t))
}

// escapes has a hostile server try all it knows.
func escapes(t *testing.T, p place) {
	t.Helper()
	t.Setenv("MCPM_TEST_SECRET", "hunter2")
	for _, a := range p.attempts() {
		t.Run(a.name, func(t *testing.T) {
			s := p.spec(a.attempt, a.arg)
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
}

// attempted is one way out: what is tried, and with what.
type attempted struct{ name, attempt, arg string }

func (p place) attempts() []attempted {
	outside := filepath.Join(p.home, "other", "b")
	return []attempted{
		{"a private key", "read", filepath.Join(p.home, ".ssh", "id_ed25519")},
		{"/etc/shadow", "read", "/etc/shadow"},
		{"another's file", "read", outside},
		{"a .env file in a granted directory", "read", filepath.Join(p.granted, ".env")},
		{"keys in a granted directory", "list", filepath.Join(p.granted, ".ssh")},
		{"uncovering what is hidden", "umount", filepath.Join(p.granted, ".env")},
		{"a link that was there", "read", filepath.Join(p.granted, "away", "b")},
		{"a link of its own", "link", filepath.Join(p.granted, "new") + " " + outside},
		{"a link over /proc", "link", filepath.Join(p.granted, "root") + " /proc/1/root" + outside},
		{"writing outside", "write", filepath.Join(p.home, "other", "new")},
		{"writing what may be read", "write", filepath.Join(p.readable, "a")},
		{"writing the system", "write", "/usr/bin/new"},
		{"writing its root", "write", "/new"},
		{"the root of process 1", "list", "/proc/1/root"},
		{"the environment of process 1", "read", "/proc/1/environ"},
		{"the memory of process 1", "read", "/proc/1/maps"},
		{"the kernel's settings", "write", "/proc/sys/kernel/core_pattern"},
		{"the kernel's keys", "write", "/proc/sysrq-trigger"},
		{"the devices of the machine", "list", "/sys/class"},
		{"the disk", "read", "/dev/vda"},
		{"the machine's loopback", "dial", "tcp " + p.loopback},
		{"the machine's loopback, IPv6", "dial", "tcp [::1]:80"},
		{"the machine's loopback through the proxy", "connect", p.loopback},
		{"localhost through the proxy", "connect", "localhost:" + port(p.loopback)},
		{"loopback written otherwise", "connect", "127.1:" + port(p.loopback)},
		{"loopback as IPv6", "connect", "[::ffff:127.0.0.1]:" + port(p.loopback)},
		{"an abstract socket of the machine", "dial", "unix " + p.abstract},
		{"the container engine's socket", "dial", "unix /var/run/docker.sock"},
		{"a bridge", "dial", "tcp 172.17.0.1:80"},
		{"cloud metadata", "dial", "tcp 169.254.169.254:80"},
		{"cloud metadata through the proxy", "connect", "169.254.169.254:80"},
		{"cloud metadata through the proxy, IPv6", "connect", "[fd00:ec2::254]:80"},
		{"a host that was not granted", "connect", "attacker.example:443"},
		{"another port of a granted host", "connect", "granted.example:22"},
		{"a name below a granted one", "connect", "a.granted.example:443"},
		{"a granted name in front of another", "connect", "granted.example.attacker.example:443"},
		{"a look-up", "lookup", "secret.attacker.example"},
		{"a packet to a name server", "packet", "192.0.2.53:53"},
		{"a packet over IPv6", "packet", "[2001:db8::53]:53"},
		{"raw sockets", "socket", ""},
		{"another program", "start", "/usr/bin/id"},
		{"a shell", "start", "/bin/sh"},
		{"a program of its own", "own", "/tmp"},
		{"a program of its own where it may write", "own", p.granted},
		{"a program with the setuid bit", "become", filepath.Join(p.granted, "setuid")},
		{"ending process 1", "kill", ""},
		{"more processors", "processors", ""},
		{"becoming root", "root", ""},
		{"a user namespace", "namespace", ""},
		{"a process in a user namespace", "clone", ""},
		{"a mount", "mount", ""},
		{"tracing process 1", "trace", ""},
		{"the kernel's keyrings", "keys", ""},
		{"a program in the kernel", "program", ""},
		{"mcpm's environment", "environment", "hunter2"},
		{"files that mcpm has open", "files", ""},
		{"a fork bomb", "forks", ""},
		{"filling the disk", "disk", "/tmp"},
		{"filling memory with files", "disk", "/dev/shm"},
		{"an endless file", "big", p.granted},
	}
}

func port(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }

// TestMemoryBomb guards: a server that takes more memory than it may is ended, and it is said why.
func TestMemoryBomb(t *testing.T) {
	out, code, err := run(t, newPlace(t).spec("memory", ""))
	if err == nil || !strings.Contains(err.Error(), "may use 192") || code != 137 {
		t.Errorf("code %d, error %v:\n%s", code, err, out)
	}
}

// TestGranted guards: what was granted can be done.
func TestGranted(t *testing.T) {
	p := newPlace(t)
	for _, a := range []struct{ attempt, arg string }{
		{"read", filepath.Join(p.granted, "mine")}, {"read", filepath.Join(p.readable, "a")}, {"write", filepath.Join(p.granted, "new")}, {"write", "/tmp/new"},
		{"write", "/home/user/new"}, {"write", "/dev/null"}, {"read", "/etc/passwd"},
	} {
		out, code, err := run(t, p.spec(a.attempt, a.arg))
		if err != nil || code != 0 || !strings.HasPrefix(out, "ESCAPED: ") {
			t.Errorf("%s %s: code %d, error %v: %s", a.attempt, a.arg, code, err, out)
		}
	}
	s := p.spec("start", "/usr/bin/id")
	s.Subprocess = true
	if out, _, _ := run(t, s); !strings.Contains(out, "(user)") {
		t.Errorf("id: %s", out)
	}
}

// TestGrantedDirect guards: a program that knows nothing of proxies talks to what is granted, by name or by address, whatever
// the protocol; at the same port of anything else, and where nothing is granted, it talks to nobody.
func TestGrantedDirect(t *testing.T) {
	p := newPlace(t)
	converses(t, func(addr string) *sandbox.Spec { return p.spec("converse", addr) })
}

// TestListens guards: a process that listens inside is reached at the same port of this machine's loopback device, also by who
// came before it listened, and the port is free again when it ends.
func TestListens(t *testing.T) {
	p := newPlace(t)
	listens(t, func(port int) *sandbox.Spec {
		s := p.spec("attend", strconv.Itoa(port))
		s.Listens = port
		return s
	})
}

func listens(t *testing.T, spec func(port int) *sandbox.Spec) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	s := spec(port)
	said := make(chan string, 1)
	go func() {
		for {
			c, err := net.Dial("tcp", free.Addr().String())
			if err != nil { // the sandbox is not there yet
				time.Sleep(10 * time.Millisecond)
				continue
			}
			defer c.Close()
			_, _ = io.WriteString(c, "hello\n")
			answer, _ := bufio.NewReader(c).ReadString('\n')
			said <- answer
			return
		}
	}()
	out, code, err := run(t, s)
	if answer := <-said; err != nil || code != 0 || answer != "inside: hello\n" {
		t.Errorf("code %d, error %v, %q: %s", code, err, answer, out)
	}
	again, err := net.Listen("tcp", free.Addr().String())
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	defer again.Close()
	if _, err := sandbox.Start(s, os.Stdin, os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a port that is taken: %v", err)
	}
}

func converses(t *testing.T, spec func(addr string) *sandbox.Spec) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				line, _ := bufio.NewReader(c).ReadString('\n')
				_, _ = io.WriteString(c, "heard "+line)
			}()
		}
	}()
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	for _, tt := range []struct {
		rule, to string
		want     bool
	}{
		{"127.0.0.1:" + port, addr, true}, {"localhost:" + port, addr, true}, {"localhost:" + port, "localhost:" + port, true},
		{"example.com:" + port, addr, false}, {"*.localdomain:" + port, "attacker.example:" + port, false}, {"10.9.8.7:" + port, addr, false}, {"", addr, false},
	} {
		s := spec(tt.to)
		s.Network = nil
		if tt.rule != "" {
			s.Network = []string{tt.rule}
		}
		out, _, err := run(t, s)
		if got := strings.HasPrefix(out, "ESCAPED: heard hello"); got != tt.want || err != nil {
			t.Errorf("%q granted, %s: %v %s", tt.rule, tt.to, err, out)
		}
	}
	var mu sync.Mutex
	var told []string
	s := spec("api.example.com:443") // nothing is granted, and what it wanted is told by its name
	s.Network, s.Denied = nil, func(d egress.Denial) { mu.Lock(); told = append(told, d.Host+":"+d.Port); mu.Unlock() }
	out, _, err := run(t, s)
	mu.Lock()
	defer mu.Unlock()
	if err != nil || !strings.HasPrefix(out, "stopped: ") || !slices.Equal(told, []string{"api.example.com:443"}) {
		t.Errorf("%v %s, told %q", err, out, told)
	}
}

// harmful are the attempts that would do harm to a machine without a sandbox, or send something beyond it.
var harmful = []string{
	"uncovering what is hidden", "writing the system", "writing its root", "the kernel's settings", "the kernel's keys", "the disk", "a mount", "tracing process 1", "ending process 1",
	"a bridge", "cloud metadata", "a look-up", "a packet to a name server", "a packet over IPv6", "a fork bomb", "filling the disk", "filling memory with files", "an endless file",
}

// stoppedAnyway are those that fail for an ordinary user without a sandbox, or that concern what is only there with one.
var stoppedAnyway = []string{
	"/etc/shadow", "the root of process 1", "the environment of process 1", "the memory of process 1", "a link over /proc", "the machine's loopback, IPv6", "the container engine's socket", "raw sockets",
	"a program with the setuid bit", "more processors", "becoming root", "a user namespace", "a process in a user namespace", "a program in the kernel", "files that mcpm has open",
}

// TestWithoutSandbox guards the attempts themselves: those that harm nobody succeed where there is no sandbox, as a server that
// npx starts has all the rights of the person. With -v it tells of each.
func TestWithoutSandbox(t *testing.T) {
	p := newPlace(t)
	t.Setenv("MCPM_TEST_SECRET", "hunter2")
	for _, a := range p.attempts() {
		if slices.Contains(harmful, a.name) || a.attempt == "connect" {
			continue // what passes the proxy has no counterpart
		}
		t.Run(a.name, func(t *testing.T) {
			out, err := exec.Command(p.exe, "hostile", a.attempt, a.arg).CombinedOutput()
			got := strings.HasPrefix(string(out), "ESCAPED: ")
			t.Logf("succeeds: %v", got)
			if !got && !slices.Contains(stoppedAnyway, a.name) {
				t.Errorf("%v %s", err, out)
			}
		})
	}
}
