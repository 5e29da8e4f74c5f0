//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// Process is a process in a sandbox. There is none on this system.
type Process struct{}

// Init does nothing on this system.
func Init() {}

// Start fails on this system, with an error that wraps ErrUnsupported.
func Start(*Spec, *os.File, *os.File, *os.File) (*Process, error) {
	return nil, fmt.Errorf("a sandbox on %s/%s is %w", runtime.GOOS, runtime.GOARCH, ErrUnsupported)
}

// Containers says that containers cannot be started in a sandbox on this system.
func Containers() error {
	return fmt.Errorf("a container of mcpm's own making on %s/%s is %w", runtime.GOOS, runtime.GOARCH, ErrUnsupported)
}

// TryContainer fails on this system.
func TryContainer(context.Context, *engine.Client, ...string) error { return Containers() }

// Reap does nothing on this system.
func Reap(context.Context, *engine.Client) (int, error) { return 0, nil }

// Signal does nothing on this system.
func (*Process) Signal(syscall.Signal) {}

// Kill does nothing on this system.
func (*Process) Kill() {}

// Wait fails on this system.
func (*Process) Wait() (int, error) { return 0, ErrUnsupported }
