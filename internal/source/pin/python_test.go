package pin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/source/pin"
)

// TestPythonBehindScript guards: where python3 is a script that starts the interpreter, as version managers put on the PATH,
// the interpreter itself is what servers are installed for: the script has its own ideas, and is not seen in a sandbox.
func TestPythonBehindScript(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs Python and a shell")
	}
	shim := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(shim, []byte("#!/bin/sh\nexec "+python+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	find := func(name string) (string, error) {
		if name == "python3" {
			return shim, nil
		}
		return "", hub.Errorf(hub.NotFound, "there is no %s", name)
	}
	path, tag, err := pin.Tools{LookPath: find, Environ: os.Environ()}.Python(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(path)
	if err != nil || path == shim || string(head[:2]) == "#!" || tag == "" {
		t.Errorf("%s (%s), %v; want the interpreter", path, tag, err)
	}
}
