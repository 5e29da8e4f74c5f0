package sandbox_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/cgroup"
)

// TestGroups guards, where control groups are to be had: the processes of a sandbox are in one, which ends them together when they
// use too much, and of which nothing is left.
func TestGroups(t *testing.T) {
	dir, _, err := cgroup.Where()
	if err != nil {
		t.Skip(err)
	}
	p := newPlace(t)
	if out, code, err := run(t, p.spec("read", "/proc/self/cgroup")); err != nil || code != 0 || !strings.Contains(out, "/mcpm-sandbox-") {
		t.Errorf("%d, %v: it is in %s", code, err, out)
	}
	s := p.spec("memfd", "900")
	s.Limits = sandbox.Limits{Memory: 512 << 20, Scratch: 16 << 20}
	if _, code, err := run(t, s); err == nil || code != 137 || !strings.Contains(err.Error(), "memory") {
		t.Errorf("a process that takes 900 MiB ended with %d, %v", code, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "mcpm-sandbox-*")); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}
