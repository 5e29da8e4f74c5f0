//go:build !darwin && !windows && !(linux && (amd64 || arm64))

package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// Process is a process in a sandbox. There is none on this system.
type Process struct{}

// Init does nothing on this system.
func Init() {}

// Start fails on this system, with an error that wraps ErrUnsupported.
func Start(*Spec, *os.File, *os.File, *os.File) (*Process, error) {
	return nil, fmt.Errorf("a sandbox on %s/%s is %w", runtime.GOOS, runtime.GOARCH, ErrUnsupported)
}

// Signal does nothing on this system.
func (*Process) Signal(syscall.Signal) {}

// Kill does nothing on this system.
func (*Process) Kill() {}

// Wait fails on this system.
func (*Process) Wait() (int, error) { return 0, ErrUnsupported }
