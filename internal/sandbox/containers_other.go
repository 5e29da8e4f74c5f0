//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"runtime"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// Containers says that containers cannot be started in a sandbox on this system.
func Containers() error {
	return fmt.Errorf("a container of mcpm's own making on %s/%s is %w", runtime.GOOS, runtime.GOARCH, ErrUnsupported)
}

// TryContainer fails on this system.
func TryContainer(context.Context, *engine.Client, ...string) error { return Containers() }

// Reap does nothing on this system.
func Reap(context.Context, *engine.Client) (int, error) { return 0, nil }

// outsideLinux is a Spec that was looked at, for a system whose means are these and enforce less than those of Linux.
func (s *Spec) outsideLinux(goos, reason string) (*Spec, error) {
	spec := *s
	if err := spec.check(); err != nil {
		return nil, err
	}
	if spec.Container != nil {
		return nil, Containers()
	}
	if spec.Learn != nil {
		return nil, fmt.Errorf("learning is %w", ErrUnsupported)
	}
	return &spec, spec.cannot(reason, Unenforced(goos)...)
}
