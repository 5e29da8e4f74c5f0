//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// Labels of a container of a sandbox.
const (
	labelOurs   = "dev.mcpm.sandbox"
	labelParent = "dev.mcpm.parent" // see self
	labelServer = "dev.mcpm.server"

	doorPrefix = "mcpm-sandbox-"
	// startsFor is how long a container may be there before its parent can be told by others.
	startsFor = 2 * time.Minute
)

// Reap removes the containers of sandboxes whose parent has died before it could, and says how many. A container ends
// with its parent by itself; what is left is one that was made and not yet started, or one whose engine died too.
func Reap(ctx context.Context, client *engine.Client) (int, error) {
	list, err := client.List(ctx, labelOurs+"=1")
	if err != nil {
		return 0, err
	}
	removed := 0
	var errs []error
	for _, c := range list {
		if !orphaned(c) {
			continue
		}
		if err := client.Remove(ctx, c.ID); err != nil {
			errs = append(errs, err)
			continue
		}
		removed++
	}
	return removed, errors.Join(errs...)
}

// orphaned reports whether nobody waits for a container. One whose parent cannot be seen from here, as it is on the
// other side of a namespace, is left alone while it runs.
func orphaned(c engine.Container) bool {
	mine, err := machine()
	if err != nil {
		return false
	}
	where, process, ok := cutLast(c.Labels[labelParent])
	if ok && where == mine {
		pid, begun, _ := strings.Cut(process, "-")
		n, err := strconv.Atoi(pid)
		return err != nil || beginOf(n) != begun
	}
	return c.State != "running" && time.Since(time.Unix(c.Created, 0)) > startsFor
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// self names this process among all that ever ran: the boot, the namespace its number is of, its number and when it began.
func self() (string, error) {
	m, err := machine()
	if err != nil {
		return "", err
	}
	pid := os.Getpid()
	return fmt.Sprintf("%s/%d-%s", m, pid, beginOf(pid)), nil
}

func machine() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	ns, err := os.Readlink("/proc/self/ns/pid")
	return strings.TrimSpace(string(boot)) + "/" + strings.Trim(ns, "pid:[]"), err
}

// beginOf is when a process began, in ticks since the boot (field 22 of /proc/PID/stat), "" when it is not there.
func beginOf(pid int) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}
