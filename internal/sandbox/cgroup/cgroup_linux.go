package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	root   = "/sys/fs/cgroup"
	prefix = "mcpm-sandbox-"

	period = 100_000 // microseconds, of cpu.max
	// removing waits for the kernel to let go of processes that were killed.
	removing   = 2 * time.Second
	removeStep = 5 * time.Millisecond
)

// controllers are what a group has to have to be of use.
var controllers = []string{"memory", "pids", "cpu"}

// Group is a control group of one sandbox.
type Group struct {
	dir string
	fd  *os.File
}

// Where returns the directory in which this process may make groups, and the controllers that they have there. It wraps
// ErrNone, with the reason.
func Where() (dir string, has []string, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(root, &s); err != nil || s.Type != unix.CGROUP2_SUPER_MAGIC {
		return "", nil, fmt.Errorf("%w: %s is not cgroup v2", ErrNone, root)
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", nil, err
	}
	return where(root, string(text))
}

// where looks at the group that this process is in, and the one around it: groups with controllers cannot hold processes
// themselves, but for the root ("no internal processes").
func where(root, self string) (dir string, has []string, err error) {
	own := ""
	for line := range strings.Lines(self) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/"); ok {
			own = filepath.Join(root, path)
		}
	}
	if own == "" || own != root && !strings.HasPrefix(own, root+"/") {
		return "", nil, fmt.Errorf("%w: this process is in none of cgroup v2", ErrNone)
	}
	tried := []string{own}
	if own != root {
		tried = append(tried, filepath.Dir(own))
	}
	for _, dir := range tried {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text))
		if !slices.Contains(fields, "memory") || !slices.Contains(fields, "pids") {
			continue
		}
		if unix.Access(dir, unix.W_OK) != nil || unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK) != nil {
			continue
		}
		has := slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return !slices.Contains(fields, c) })
		return dir, has, nil
	}
	return "", nil, fmt.Errorf("%w: neither %s nor the one around it is this person's and has memory and pids", ErrNone, own)
}

// New makes a group with these limits. It wraps ErrNone where none can be made. What is left of others whose program was killed
// is removed on the way.
func New(l Limits) (*Group, error) {
	dir, has, err := Where()
	if err != nil {
		return nil, err
	}
	return in(dir, has, l)
}

func in(dir string, has []string, l Limits) (*Group, error) {
	sweep(dir)
	own, err := os.MkdirTemp(dir, fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	g := &Group{dir: own}
	err = g.limit(has, l)
	if err == nil {
		g.fd, err = os.OpenFile(own, unix.O_DIRECTORY|unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		_ = os.Remove(own)
		return nil, fmt.Errorf("a control group: %w", err)
	}
	return g, nil
}

func (g *Group) limit(has []string, l Limits) error {
	var values []string // file, value
	if l.Memory > 0 {
		values = append(values, "memory.max", strconv.FormatInt(l.Memory, 10), "memory.oom.group", "1")
		if _, err := os.Stat(filepath.Join(g.dir, "memory.swap.max")); err == nil { // a kernel without swap does not have it
			values = append(values, "memory.swap.max", "0")
		}
	}
	if l.Pids > 0 {
		values = append(values, "pids.max", strconv.Itoa(l.Pids))
	}
	if l.CPUs > 0 && slices.Contains(has, "cpu") {
		values = append(values, "cpu.max", fmt.Sprintf("%d %d", l.CPUs*period, period))
	}
	for v := range slices.Chunk(values, 2) {
		if err := g.write(v[0], v[1]); err != nil {
			return err
		}
	}
	return nil
}

func (g *Group) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(g.dir, file), os.O_WRONLY, 0) // it is made by the kernel, never by us
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Put has a process begin in the group, before anything of it runs (clone3(2), CLONE_INTO_CGROUP).
func (g *Group) Put(a *syscall.SysProcAttr) { a.UseCgroupFD, a.CgroupFD = true, int(g.fd.Fd()) }

// OutOfMemory reports whether the kernel ended processes of the group for the memory they used.
func (g *Group) OutOfMemory() bool {
	text, err := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		name, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "oom_kill" || name == "oom_group_kill" {
			if n != "0" {
				return true
			}
		}
	}
	return false
}

// Close ends what is left in the group, and removes it.
func (g *Group) Close() error {
	_ = g.fd.Close()
	_ = g.write("cgroup.kill", "1") // since Linux 5.14; the namespace of processes has ended them before
	var err error
	for range removing / removeStep {
		if err = os.Remove(g.dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(removeStep)
	}
	return err
}

// sweep removes groups whose program was killed before it could. One with processes in it cannot be removed.
func sweep(dir string) {
	list, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
	for _, g := range list {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(g), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			_ = os.Remove(g)
		}
	}
}
