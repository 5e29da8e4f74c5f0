package secret_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/secret"
)

// A real Secret Service, gnome-keyring, on a message bus of its own.
func TestSecretService(t *testing.T) {
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	t.Setenv("XDG_RUNTIME_DIR", dir)
	bus, err := bufio.NewReader(start(t, "", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:path="+filepath.Join(dir, "bus"))).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(bus))
	k := secret.NewKeychain("mcpm of a test", os.Getenv, nil)
	start(t, "password of the keyring", "gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
	long := strings.Repeat("x", 60<<10)
	for range 50 { // until it has taken its name
		if err = k.Put(t.Context(), map[string]string{"@acme/db TOKEN": "one\ntwo ü", "@acme/db LONG": long}, nil); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Get(t.Context(), []string{"@acme/db TOKEN", "@acme/db LONG", "@acme/db NEVER"})
	if err != nil || len(got) != 2 || got["@acme/db TOKEN"] != "one\ntwo ü" || got["@acme/db LONG"] != long {
		t.Fatalf("%.80v %v", got, err)
	}
	if err := k.Put(t.Context(), map[string]string{"@acme/db TOKEN": "three"}, []string{"@acme/db LONG", "@acme/db NEVER"}); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get(t.Context(), []string{"@acme/db TOKEN", "@acme/db LONG"}); err != nil || len(got) != 1 || got["@acme/db TOKEN"] != "three" {
		t.Errorf("%.80v %v", got, err)
	}
}

// start runs a program until the test ends and returns what it says.
func start(t *testing.T, input, name string, args ...string) io.Reader {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = os.Environ()
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return out
}
