//go:build unix

package engine

import (
	"context"
	"os"
	"syscall"
	"time"
)

// turnStep is how often Turn looks.
const turnStep = 10 * time.Millisecond

// Turn waits until nobody else on this machine has the file locked, and locks it until done is called. Rootless Podman mixes
// up the users of containers that are created at once over its socket (podman issue 20107), and refuses to start some of
// them. That is the worst that happens without a turn, so a file that cannot be had, or not before ctx ends, is no error.
func Turn(ctx context.Context, path string) (done func()) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return func() {}
	}
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			f.Close()
			return func() {}
		case <-time.After(turnStep):
		}
	}
	return func() { f.Close() }
}
