//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
	"github.com/mcphub/mcphub/internal/sandbox/programs"
	"golang.org/x/sys/unix"
)

// Where a container has what is ours. The first step is this very program, shown to it; through the socket it gets its
// stdin, stdout and stderr and what it is to do, so that neither is with the engine.
const (
	insideStep   = "/mcpm-sandbox-step"
	insideSocket = "/mcpm-sandbox-socket"

	engineTime = 20 * time.Second // for one request
	// besides is memory that is not the server's: the two steps, and what the kernel keeps for them.
	besides = 96 << 20
)

// check is what the first step looks at before anything of the server runs: that the engine, which follows links by itself, shows
// the very file or directory that was looked at here, or does not show it.
type check struct {
	Path     string
	Dev, Ino uint64
	Hidden   bool // it must not be this one
	Write    bool
}

// container is a container that was started.
type container struct {
	client  *engine.Client
	id      string
	control *os.File
}

// kill closes the way to the first step, which ends then and with it everything else; should it be stopped, the
// engine ends it.
func (c *container) kill() {
	_ = unix.Shutdown(int(c.control.Fd()), unix.SHUT_WR)
	time.AfterFunc(time.Second, func() { _ = c.remove() })
}

func (c *container) wait(said int) (int, error) {
	if err := c.remove(); err != nil {
		return said, nil // the engine removes it by itself, or the next start does
	}
	return said, nil
}

func (c *container) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), engineTime)
	defer cancel()
	return c.client.Remove(ctx, c.id)
}

func startContainer(st *setup, rules []egress.Rule, in, out, errs *os.File) (*Process, error) {
	client, err := engine.New(st.Container.Engine)
	if err != nil {
		return nil, fmt.Errorf("a container is %w: %w", ErrUnsupported, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	reaped := make(chan struct{})
	go func() {
		defer close(reaped)
		_, _ = Reap(ctx, client) // what is left of others does not keep this one from starting
	}()
	info, img, err := lookAround(ctx, client, st.Container.Image)
	if err != nil {
		return nil, err
	}
	door, err := newDoor()
	if err != nil {
		return nil, err
	}
	defer door.close()
	conf, err := configure(st, info, img, door)
	if err != nil {
		return nil, err
	}
	setupFile, err := inMemory(st)
	if err != nil {
		return nil, err
	}
	defer setupFile.Close()
	done := func() {}
	if info.Rootless && info.Podman {
		done = engine.Turn(ctx, filepath.Join(doorBase(), fmt.Sprintf("mcpm-create-%d.lock", os.Getuid())))
	}
	id, warnings, err := client.Create(ctx, conf)
	done()
	if err != nil {
		return nil, err
	}
	c := &container{client: client, id: id}
	if err := notLimited(st, warnings); err != nil {
		_ = c.remove()
		return nil, err
	}
	if err := client.Start(ctx, id); err != nil {
		_ = c.remove()
		return nil, err
	}
	if c.control, err = door.opened(ctx, client, id); err == nil {
		err = sendFiles(c.control, setupFile, in, out, errs)
	}
	if err != nil {
		_ = c.remove()
		return nil, err
	}
	door.close()
	<-reaped
	return follow(c, c.control, st, rules)
}

// lookAround asks the engine what it is and what the image is, at once.
func lookAround(ctx context.Context, client *engine.Client, ref string) (engine.Info, engine.Image, error) {
	type answer struct {
		info engine.Info
		err  error
	}
	said := make(chan answer, 1)
	go func() {
		info, err := client.Info(ctx)
		said <- answer{info, err}
	}()
	img, err := client.Image(ctx, ref)
	a := <-said
	if a.err != nil {
		return a.info, img, a.err
	}
	if err != nil {
		return a.info, img, fmt.Errorf("the image %s: %w", ref, err)
	}
	if a.info.OSType != "linux" || img.Os != "" && img.Os != "linux" {
		return a.info, img, fmt.Errorf("containers of %q are %w", or(img.Os, a.info.OSType), ErrUnsupported)
	}
	return a.info, img, nil
}

// notLimited refuses to go on where the engine says that it leaves out a limit that nobody else keeps. Memory and
// processors are bounded by the steps, too.
func notLimited(st *setup, warnings []string) error {
	for _, w := range warnings {
		if !st.Container.Open && strings.Contains(strings.ToLower(w), "pids") {
			return st.cannot(fmt.Sprintf("the engine says %.200s", w), Resources)
		}
	}
	return nil
}

// door is the socket through which a container is told what to do. Only this person can reach it, and who has the
// container, once.
type door struct {
	dir    string
	listen *net.UnixListener
	exe    string
}

func newDoor() (*door, error) {
	exe, err := static()
	if err != nil {
		return nil, err
	}
	base := doorBase()
	sweep(base)
	dir, err := os.MkdirTemp(base, fmt.Sprintf("%s%d-", doorPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	d := &door{dir: dir, exe: exe}
	if d.listen, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: d.socket(), Net: "unixpacket"}); err == nil {
		err = os.Chmod(d.socket(), 0o666) // the directory is closed to all others
	}
	if err == nil {
		err = os.Mkdir(d.empty(true), 0o555)
	}
	if err == nil {
		err = os.WriteFile(d.empty(false), nil, 0o444)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func doorBase() string {
	if base := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) {
		return base
	}
	return os.TempDir()
}

// sweep removes the directories of doors whose program was killed before it could. No start takes as long as they are old.
func sweep(base string) {
	list, _ := filepath.Glob(filepath.Join(base, doorPrefix+"*"))
	for _, dir := range list {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && time.Since(info.ModTime()) > startsFor {
			_ = os.RemoveAll(dir)
		}
	}
}

func (d *door) socket() string { return filepath.Join(d.dir, "socket") }

// empty is what covers a hidden directory or file.
func (d *door) empty(dir bool) string {
	if dir {
		return filepath.Join(d.dir, "nothing")
	}
	return filepath.Join(d.dir, "nothing.txt")
}

// close removes the files, which the container keeps as long as it needs them.
func (d *door) close() {
	if d.listen != nil {
		_ = d.listen.Close()
	}
	_ = os.RemoveAll(d.dir)
}

// opened waits until the first step comes, or the container ends without that.
func (d *door) opened(ctx context.Context, client *engine.Client, id string) (*os.File, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		_ = client.Wait(ctx, id)
		close(ended)
		_ = d.listen.Close()
	}()
	conn, err := d.listen.AcceptUnix()
	if err != nil {
		select {
		case <-ended:
			return nil, fmt.Errorf("the container ended before it began")
		default:
			return nil, err
		}
	}
	defer conn.Close()
	return conn.File()
}

// Containers says why this program cannot start containers, whatever engine there is; nil when it can.
func Containers() error {
	_, err := static()
	return err
}

// static returns the path of this program, which has to run in an image that may have no libraries.
func static() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := elf.Open(exe)
	if err != nil {
		return "", fmt.Errorf("this program, which is the first step in a container: %w", err)
	}
	defer f.Close()
	if programs.Loader(f) != "" {
		return "", fmt.Errorf("a container is %w: %s is not linked statically; build it with CGO_ENABLED=0", ErrUnsupported, exe)
	}
	return exe, nil
}

// sendFiles gives the first step what it is to do, and its stdin, stdout and stderr.
func sendFiles(control *os.File, files ...*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	if err := unix.SetNonblock(int(control.Fd()), false); err != nil {
		return err
	}
	return unix.Sendmsg(int(control.Fd()), []byte{1}, unix.UnixRights(fds...), nil, 0)
}

// identity is what a path is now.
func identity(path string) (check, os.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return check{}, 0, err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return check{}, 0, errors.New("the file system does not tell which file it is")
	}
	return check{Dev: s.Dev, Ino: s.Ino}, info.Mode(), nil
}
