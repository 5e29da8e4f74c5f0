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
