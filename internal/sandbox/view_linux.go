//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	readOnly = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	writable = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	device   = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC

	stagePath = "/tmp" // covered while the view is built; "/" afterwards
	newRoot   = "/new"
	oldRoot   = "/old"
	scratch   = "/scratch"
	nothing   = "/nothing" // an empty directory and an empty file
)

// system are directories of the system that every process sees, read-only, as far as they are there.
var system = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"}

// etc are files of the system's settings that programs need and that tell nothing of people.
var etc = []string{
	"alternatives", "ca-certificates", "crypto-policies", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
	"os-release", "pki", "protocols", "services", "ssl", "timezone",
}

// view is the file system of a sandbox while it is built: the old root is at oldRoot, the new one at newRoot.
type view struct{ from, to int }

// buildView makes the file system that the process sees, and makes it this process's.
func buildView(st *setup) error {
	v, err := stage(st)
	if err != nil {
		return err
	}
	steps := []func() error{
		v.system,
		func() error { return v.etc(st) },
		func() error { return v.scratch(st) },
		func() error { return v.grants(st) },
		func() error { return v.hide(st.Hidden) },
		v.proc,
		v.dev,
		func() error { return unix.Sethostname([]byte("sandbox")) },
		v.enter,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// stage makes an empty root in memory and goes there.
func stage(st *setup) (*view, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("mounts are %w: %w", ErrUnsupported, err)
	}
	if err := unix.Mount("tmpfs", stagePath, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
		return nil, fmt.Errorf("a file system in memory is %w: %w", ErrUnsupported, err)
	}
	for _, dir := range []string{newRoot, oldRoot, scratch, nothing, nothing + "/dir"} {
		if err := os.Mkdir(stagePath+dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(stagePath+nothing+"/file", nil, 0o444); err != nil {
		return nil, err
	}
	if err := unix.PivotRoot(stagePath, stagePath+oldRoot); err != nil {
		return nil, fmt.Errorf("a root of its own is %w: %w", ErrUnsupported, err)
	}
	if err := os.Chdir("/"); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", newRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
		return nil, err
	}
	size := fmt.Sprintf("mode=0755,size=%d", st.Limits.Scratch)
	if err := unix.Mount("tmpfs", scratch, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, size); err != nil {
		return nil, err
	}
	v := new(view)
	var err error
	if v.from, err = unix.Open(oldRoot, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	v.to, err = unix.Open(newRoot, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return v, err
}

// open opens a path below a root without following any link on the way.
func open(root int, path string) (int, error) {
	fd, err := unix.Openat2(root, strings.TrimPrefix(path, "/"), &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	if errors.Is(err, unix.ENOSYS) {
		return -1, fmt.Errorf("what a sandbox is built with is %w: the kernel is older than 5.12", ErrUnsupported)
	}
	return fd, err
}

// show mounts a path of the old root at the same place, with everything below it.
func (v *view) show(path string, attributes uint64) error {
	from, err := open(v.from, path)
	if err != nil {
		return &os.PathError{Op: "grant", Path: path, Err: err}
	}
	defer unix.Close(from)
	return v.attach(from, path, attributes)
}

// attach mounts what is open at a path of the new root.
func (v *view) attach(from int, path string, attributes uint64) error {
	tree, err := unix.OpenTree(from, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|unix.AT_RECURSIVE)
	if err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	defer unix.Close(tree)
	attr := &unix.MountAttr{Attr_set: attributes, Propagation: unix.MS_PRIVATE}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, attr); err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	to, err := v.target(from, path)
	if err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	defer unix.Close(to)
	if err := unix.MoveMount(tree, "", to, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "mount", Path: path, Err: err}
	}
	return nil
}

// target opens the place of a mount, and makes it if it is not there: a directory for a directory, else a file.
func (v *view) target(from int, path string) (int, error) {
	if fd, err := open(v.to, path); !errors.Is(err, unix.ENOENT) {
		return fd, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(from, &stat); err != nil {
		return -1, err
	}
	if err := os.MkdirAll(filepath.Dir(newRoot+path), 0o755); err != nil {
		return -1, err
	}
	var err error
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		err = os.Mkdir(newRoot+path, 0o755)
	} else {
		err = os.WriteFile(newRoot+path, nil, 0o444)
	}
	if err != nil {
		return -1, err
	}
	return open(v.to, path)
}

// either shows a path of the system: a link as the same link, anything else as it is. What is not there is left out.
func (v *view) either(path string) error {
	info, err := os.Lstat(oldRoot + path)
	if err != nil {
		return nil
	}
	if info.Mode()&os.ModeSymlink == 0 {
		return v.show(path, readOnly)
	}
	to, err := os.Readlink(oldRoot + path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(newRoot+path), 0o755); err != nil {
		return err
	}
	return os.Symlink(to, newRoot+path)
}

func (v *view) system() error {
	for _, dir := range system {
		if err := v.either(dir); err != nil {
			return err
		}
	}
	return nil
}

// etc shows settings of the system, and makes those that would tell of people or of the network.
func (v *view) etc(st *setup) error {
	for _, name := range etc {
		if err := v.either("/etc/" + name); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(newRoot+"/etc", 0o755); err != nil {
		return err
	}
	for name, text := range settings(st) {
		if err := os.WriteFile(newRoot+"/etc/"+name, []byte(text), 0o444); err != nil {
			return err
		}
	}
	return nil
}

// settings are files of /etc that would tell of people or of the network, and are made instead.
func settings(st *setup) map[string]string {
	hosts := "files"
	if (st.Learns || st.Proxy) && !st.Bubble {
		hosts = "files dns" // a look-up is answered, see trace.Names
	}
	return map[string]string{
		"passwd":        fmt.Sprintf("user:x:%d:%d::%s:/bin/sh\n", st.UID, st.GID, st.Home),
		"group":         fmt.Sprintf("user:x:%d:\n", st.GID),
		"hosts":         "127.0.0.1 localhost sandbox\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: " + hosts + "\n",
		"resolv.conf":   "",
		"hostname":      "sandbox\n",
	}
}

// scratch makes the directories that are empty and writable. They share one file system in memory, and its size.
func (v *view) scratch(st *setup) error {
	for i, dir := range []string{"/tmp", "/var/tmp", "/run", "/dev/shm", st.Home} {
		own := fmt.Sprintf("%s/%d", scratch, i)
		if err := os.Mkdir(own, 0o700); err != nil {
			return err
		}
		if err := os.Chown(own, st.UID, st.GID); err != nil {
			return err
		}
		fd, err := unix.Open(own, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		err = v.attach(fd, dir, writable)
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

// grants shows what was granted, outer directories first, and the links by which it was named.
func (v *view) grants(st *setup) error {
	for _, m := range st.Mounts {
		attributes := uint64(readOnly)
		if m.Write {
			attributes = writable
		}
		if err := v.show(m.Path, attributes); err != nil {
			return err
		}
	}
	for _, l := range st.Links {
		if _, err := os.Lstat(newRoot + l.At); err == nil {
			continue // the directory it is in is shown
		}
		if err := os.MkdirAll(filepath.Dir(newRoot+l.At), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(l.To, newRoot+l.At); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// hide covers paths that are seen and must not be.
func (v *view) hide(paths []string) error {
	for _, path := range slices.Compact(slices.Sorted(slices.Values(paths))) {
		to, err := open(v.to, path)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
			continue // it is not there; behind a link it is not seen
		}
		if err != nil {
			return &os.PathError{Op: "hide", Path: path, Err: err}
		}
		var stat unix.Stat_t
		err = unix.Fstat(to, &stat)
		unix.Close(to)
		if err != nil {
			return err
		}
		cover := nothing + "/file"
		if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
			cover = nothing + "/dir"
		}
		fd, err := unix.Open(cover, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		err = v.attach(fd, path, readOnly)
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

// proc shows the processes of the sandbox, and of the rest of /proc nothing that can be changed.
func (v *view) proc() error {
	at := newRoot + "/proc"
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", at, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("a /proc of its own is %w: %w", ErrUnsupported, err)
	}
	for _, name := range []string{"sys", "sysrq-trigger", "irq", "bus", "fs"} {
		fd, err := open(v.to, "/proc/"+name)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		err = v.attach(fd, "/proc/"+name, readOnly)
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return v.hide([]string{"/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/kmsg", "/proc/timer_list", "/proc/sched_debug", "/proc/acpi", "/proc/scsi", "/proc/asound", "/proc/driver"})
}

// dev shows the devices that harm nobody.
func (v *view) dev() error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		if err := v.show("/dev/"+name, device); err != nil {
			return err
		}
	}
	if err := os.Mkdir(newRoot+"/dev/pts", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("devpts", newRoot+"/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"); err != nil {
		return err
	}
	for name, to := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, newRoot+"/dev/"+name); err != nil {
			return err
		}
	}
	return nil
}

// enter makes the view the root, and lets go of the old one.
func (v *view) enter() error {
	if err := unix.MountSetattr(v.to, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: readOnly}); err != nil {
		return err
	}
	if err := unix.Fchdir(v.to); err != nil {
		return err
	}
	unix.Close(v.from)
	unix.Close(v.to)
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Chdir("/")
}
