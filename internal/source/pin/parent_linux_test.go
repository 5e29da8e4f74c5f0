package pin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/source/pin"
)

// TestDiesWithParent guards: a program that resolves packages does not outlive an mcpm that is killed.
func TestDiesWithParent(t *testing.T) {
	if os.Getenv("PIN_TEST_FILE") != "" {
		tools := fake(t, map[string]string{"npm": `echo $$ > "$PIN_TEST_FILE.new"; mv "$PIN_TEST_FILE.new" "$PIN_TEST_FILE"; exec sleep 120`})
		_, _ = tools.Resolve(t.Context(), pin.Package{Type: "npm", Name: "x", Version: "1.0.0"})
		t.Fatal("npm ended")
	}
	file := filepath.Join(t.TempDir(), "pid")
	mcpm := exec.Command(os.Args[0], "-test.run=TestDiesWithParent$")
	mcpm.Env = append(os.Environ(), "PIN_TEST_FILE="+file)
	must(t, mcpm.Start())
	pid := 0
	for range 1000 {
		if text, err := os.ReadFile(file); err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
			must(t, err)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	must(t, mcpm.Process.Kill())
	_ = mcpm.Wait()
	if pid == 0 {
		t.Fatal("npm was not started")
	}
	for range 1000 {
		if err := syscall.Kill(pid, 0); err == syscall.ESRCH || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("npm outlives mcpm")
}

// zombie reports whether a process has ended and nobody asked for it yet.
func zombie(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(text), ") Z ")
}
