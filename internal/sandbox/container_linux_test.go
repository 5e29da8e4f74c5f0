package sandbox_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
