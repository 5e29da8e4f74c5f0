package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/bubble"
)

// withBubblewrap has what a test starts be made by bubblewrap.
// It starts as nobody where the test is root, and sees no more than that.
func withBubblewrap(t *testing.T) place {
	t.Helper()
	if raced {
		t.Skip("the race detector meets the limits before the attempts do; they run without it")
	}
	if bubble.Find() == "" {
		t.Skip("there is no bubblewrap here")
	}
	t.Cleanup(sandbox.WithBubblewrap())
	t.Setenv(inBubbles, "1")
	p := newPlace(t)
	for dir := filepath.Dir(p.exe); os.Getuid() == 0 && len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// TestBubblewrapEscapes guards the same of a place that bubblewrap has made.
func TestBubblewrapEscapes(t *testing.T) {
	escapes(t, withBubblewrap(t))
}

// TestBubblewrapLives guards that what is started lives and ends as it does elsewhere.
func TestBubblewrapLives(t *testing.T) {
	withBubblewrap(t)
	for name, test := range map[string]func(*testing.T){
		"ends": TestEnds, "signals": TestSignals, "exit": TestExit, "granted": TestGranted, "listens": TestListens, "memory": TestMemoryBomb,
	} {
		t.Run(name, test)
	}
}

func TestBubblewrapGranted(t *testing.T) {
	p := withBubblewrap(t)
	s := p.spec("granted", "")
	s.Command, s.Args = "/bin/sh", []string{"-c", `cat "$1/a"; echo; echo new > "$2/new" && cat "$2/mine"; echo; id -u; cat /etc/hostname; echo x > ~/x && cat ~/x; ls -A /`, "sh", p.readable, p.granted}
	s.Subprocess = true
	out, code, err := run(t, s)
	if err != nil || code != 0 || !strings.HasPrefix(out, "a note\nmine\n") || !strings.Contains(out, "sandbox\nx\n") {
		t.Errorf("code %d, error %v:\n%s", code, err, out)
	}
	if text, err := os.ReadFile(filepath.Join(p.granted, "new")); err != nil || string(text) != "new\n" {
		t.Errorf("what it wrote is %q, %v", text, err)
	}
}

// TestBubblewrapRefused sees what cannot be started refused.
func TestBubblewrapRefused(t *testing.T) {
	p := withBubblewrap(t)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	gone, none, over := p.spec("read", "x"), p.spec("read", "x"), p.spec("read", "x")
	gone.Mounts = append(gone.Mounts, sandbox.Mount{Path: filepath.Join(p.home, "gone")})
	none.Command = "/no/such/program"
	over.Home = "/dev/null/home"
	for want, s := range map[string]*sandbox.Spec{"gone cannot be read": gone, "/no/such/program": none, "bubblewrap": over} {
		if _, err := sandbox.Start(s, null, null, null); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
