package sandbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
)

// learned runs an attempt and returns what was told of it.
func learned(t *testing.T, s *sandbox.Spec) (out string, saw []trace.Attempt, passed, denied []string) {
	t.Helper()
	var mu sync.Mutex
	s.Learn = &sandbox.Learn{
		Quiet:  []string{filepath.Dir(s.Command)},
		Saw:    func(a trace.Attempt) { mu.Lock(); saw = append(saw, a); mu.Unlock() },
		Passed: func(host, port string) { mu.Lock(); passed = append(passed, host+":"+port); mu.Unlock() },
	}
	s.Denied = func(d egress.Denial) { mu.Lock(); denied = append(denied, d.Host+":"+d.Port); mu.Unlock() }
	out, code, err := run(t, s)
	if err != nil || code > 1 {
		t.Fatalf("ended with %d, %v: %s", code, err, out)
	}
	mu.Lock()
	defer mu.Unlock()
	return out, saw, passed, denied
}

// TestLearn guards: what a process tries is told, with its kind, whether the sandbox lets it or not, and the sandbox lets it no more
// than without.
func TestLearn(t *testing.T) {
	p := newPlace(t)
	own := filepath.Join(p.granted, "own.txt")
	if err := os.WriteFile(own, []byte("granted text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		attempt, arg string
		want         trace.Attempt
		stopped      bool
	}{
		{"read", own, trace.Attempt{Kind: trace.Read, Path: own}, false},
		{"read", "/home/somebody/notes", trace.Attempt{Kind: trace.Read, Path: "/home/somebody/notes"}, true},
		{"read", "etc/shadow", trace.Attempt{Kind: trace.Read, Path: "/tmp/etc/shadow"}, true},
		{"list", "/root/x/../y", trace.Attempt{Kind: trace.Read, Path: "/root/y"}, true},
		{"write", "/home/somebody/new", trace.Attempt{Kind: trace.Write, Path: "/home/somebody/new"}, true},
		{"link", "/home/somebody/link /etc/passwd", trace.Attempt{Kind: trace.Write, Path: "/home/somebody/link"}, true},
		{"start", "/home/somebody/tool", trace.Attempt{Kind: trace.Execute, Path: "/home/somebody/tool"}, true},
		{"dial", "unix /run/docker.sock", trace.Attempt{Kind: trace.Write, Path: "/run/docker.sock"}, true},
		{"dial", "tcp 192.0.2.1:443", trace.Attempt{Kind: trace.Connect, Host: "192.0.2.1", Port: "443"}, true},
		{"dial", "tcp [2001:db8::1]:443", trace.Attempt{Kind: trace.Connect, Host: "2001:db8::1", Port: "443"}, true},
		{"dial", "tcp api.example.com:8443", trace.Attempt{Kind: trace.Lookup, Host: "api.example.com"}, true},
		{"dial", "tcp api.example.com:8443", trace.Attempt{Kind: trace.Connect, Host: "api.example.com", Port: "8443"}, true},
	} {
		s := p.spec(c.attempt, c.arg)
		s.Dir = "/tmp"
		out, saw, _, _ := learned(t, s)
		if !slices.Contains(saw, c.want) {
			t.Errorf("%s %s: %+v is not told, but %+v", c.attempt, c.arg, c.want, saw)
		}
		if stopped := strings.Contains(out, "stopped"); stopped != c.stopped {
			t.Errorf("%s %s: it said %q", c.attempt, c.arg, out)
		}
		if i := slices.IndexFunc(saw, func(a trace.Attempt) bool {
			return strings.HasPrefix(a.Path, "/proc/") || strings.HasPrefix(a.Path, "/usr/")
		}); i >= 0 {
			t.Errorf("%s %s: %+v is of no interest", c.attempt, c.arg, saw[i])
		}
	}
	if _, err := os.Stat("/home/somebody"); err == nil {
		t.Error("something was written")
	}
}

// TestLearnProxy guards: the proxy is there without a grant, and tells what it was asked for and let pass.
func TestLearnProxy(t *testing.T) {
	p := newPlace(t)
	s := p.spec("connect", "nowhere.example:443")
	_, saw, passed, denied := learned(t, s)
	begins := trace.Attempt{Kind: trace.Execute, Path: s.Command}
	saw = slices.DeleteFunc(saw, func(a trace.Attempt) bool { return strings.HasPrefix(a.Path, "/etc/ld.so.") }) // of a test binary that is linked dynamically, as with the race detector
	if denied = slices.Compact(denied); !slices.Equal(denied, []string{"nowhere.example:443"}) || len(passed) > 0 || !slices.Equal(saw, []trace.Attempt{begins}) {
		t.Errorf("passed %q, denied %q, told %+v", passed, denied, saw)
	}
	s = p.spec("connect", "127.0.0.1:9")
	s.Network = []string{"127.0.0.1:9"}
	if _, _, passed, denied := learned(t, s); !slices.Equal(slices.Compact(passed), []string{"127.0.0.1:9"}) || len(denied) > 0 {
		t.Errorf("passed %q, denied %q", passed, denied)
	}
}

// TestLearnMuch guards: a process that tries more than anybody would read ends nothing and is told of as that.
func TestLearnMuch(t *testing.T) {
	p := newPlace(t)
	s := p.spec("many", "12000")
	_, saw, _, _ := learned(t, s)
	more := slices.Index(saw, trace.Attempt{Kind: trace.More})
	if more < 0 || len(saw) > 10_001 {
		t.Errorf("%d attempts were told, the end of them at %d", len(saw), more)
	}
}
