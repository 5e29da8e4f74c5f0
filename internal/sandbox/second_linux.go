//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/mcphub/mcphub/internal/sandbox/programs"
	"github.com/mcphub/mcphub/internal/sandbox/seccomp"
	"golang.org/x/sys/unix"
)

// second gives up everything and becomes the process. What goes wrong is said on file 3, which closes when all is well.
func second() {
	runtime.LockOSThread() // what is given up is this thread's, which becomes the process
	says := os.NewFile(3, "says")
	unix.CloseOnExec(3)
	fail := func(err error) {
		fmt.Fprintln(says, err)
		os.Exit(125)
	}
	var st setup
	data, err := io.ReadAll(os.NewFile(4, "setup"))
	if err != nil {
		fail(err)
	}
	unix.CloseOnExec(4)
	if err := json.Unmarshal(data, &st); err != nil {
		fail(err)
	}
	if err := confine(&st); err != nil {
		fail(err)
	}
	if st.Learns {
		if err := askFirst(); err != nil {
			fail(err)
		}
	}
	err = syscall.Exec(st.Command, append([]string{st.Command}, st.Args...), st.Env)
	fail(fmt.Errorf("%s cannot be started: %w", st.Command, err))
}

func confine(st *setup) error {
	if st.Container != nil && st.Container.Open {
		return nil
	}
	if err := limit(st); err != nil {
		return fmt.Errorf("a limit: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := restrict(st); err != nil {
		return err
	}
	if st.Container == nil && !st.Bubble { // the engine, or bubblewrap, has done it, and the first step has seen that
		if err := giveUp(st); err != nil {
			return fmt.Errorf("capabilities: %w", err)
		}
	}
	if err := seccomp.Filter(); err != nil {
		return fmt.Errorf("a filter of system calls is %w: %w", ErrUnsupported, err)
	}
	return nil
}

// limit bounds what one process may use; what all of them use together is watched by the first step.
func limit(st *setup) error {
	l := st.Limits
	data := uint64(max(4*l.Memory, 4<<30)) // programs ask for more than they touch
	for _, r := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NPROC, uint64(l.Pids)}, {unix.RLIMIT_NOFILE, 4096}, {unix.RLIMIT_FSIZE, uint64(l.FileSize)},
		{unix.RLIMIT_DATA, data}, {unix.RLIMIT_MEMLOCK, 1 << 20}, {unix.RLIMIT_MSGQUEUE, 1 << 18},
	} {
		if r.what == unix.RLIMIT_NPROC && st.Container != nil && !st.Alone {
			continue // it would count what the same person runs elsewhere; the control group counts the container
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(r.what, &now); err != nil {
			return err
		}
		most := min(r.most, now.Max)
		if err := unix.Setrlimit(r.what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
	}
	var all, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	for cpu := 0; cpu < len(all)*64 && some.Count() < l.CPUs; cpu++ {
		if all.IsSet(cpu) {
			some.Set(cpu)
		}
	}
	return unix.SchedSetaffinity(0, &some)
}

// hasLandlock asks for the version of the interface, which changes nothing.
func hasLandlock() bool {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0 && abi >= 1
}

// withoutLandlock refuses to go on, but in a container that may start programs: all else that Landlock keeps, the engine does.
func withoutLandlock(st *setup) error {
	if st.Container != nil && (st.Subprocess || st.Container.Open) {
		return nil
	}
	return st.cannot("the kernel has no Landlock, which keeps a server from starting other programs", Programs)
}

// restrict says to Landlock what may be written and which programs may be started.
func restrict(st *setup) error {
	if !hasLandlock() { // Start has looked, too; an engine may keep from a container what the machine has
		return withoutLandlock(st)
	}
	places := []string{"/tmp", "/var/tmp", "/run", "/dev/shm"}
	if st.Container == nil {
		places = append(places, st.Home)
	}
	rules := []landlock.Rule{
		landlock.PathAccess(seen, "/"),
		landlock.PathAccess(seen|changed, append(places, st.Volumes...)...).IgnoreIfMissing(),
		landlock.PathAccess(written, "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
		landlock.PathAccess(written|unix.LANDLOCK_ACCESS_FS_IOCTL_DEV, "/dev/pts").IgnoreIfMissing(),
		landlock.PathAccess(written, "/proc"), // of its own processes
	}
	for _, m := range st.Mounts {
		if !m.Write {
			continue
		}
		at := or(m.At, m.Path)
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		access := landlock.AccessFSSet(written)
		if info.IsDir() {
			access = changed
		}
		rules = append(rules, landlock.PathAccess(access, at))
	}
	startable := []string{"/"}
	if !st.Subprocess {
		startable = programs.Of(st.Command, st.Env)
	}
	rules = append(rules, landlock.PathAccess(unix.LANDLOCK_ACCESS_FS_EXECUTE, startable...))
	// Not V4's rules for the network, which know no addresses: there is no way out but the proxy.
	if err := landlock.V5.BestEffort().RestrictPaths(rules...); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	if err := landlock.V6.BestEffort().RestrictScoped(); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// What Landlock lets a process do in a place.
const (
	seen    = landlock.AccessFSSet(unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR)
	written = landlock.AccessFSSet(unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE)
	changed = written | landlock.AccessFSSet(unix.LANDLOCK_ACCESS_FS_REMOVE_DIR|unix.LANDLOCK_ACCESS_FS_REMOVE_FILE|unix.LANDLOCK_ACCESS_FS_MAKE_DIR|
		unix.LANDLOCK_ACCESS_FS_MAKE_REG|unix.LANDLOCK_ACCESS_FS_MAKE_SOCK|unix.LANDLOCK_ACCESS_FS_MAKE_FIFO|unix.LANDLOCK_ACCESS_FS_MAKE_SYM|unix.LANDLOCK_ACCESS_FS_REFER)
)

// giveUp drops every capability, for good, and makes root nobody.
func giveUp(st *setup) error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL { // a newer header than kernel
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	const noRoot = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<5 | 1<<6 | 1<<7 // SECBIT_NOROOT, NO_SETUID_FIXUP, their locks, KEEP_CAPS_LOCKED, NO_CAP_AMBIENT_RAISE and its lock
	if st.AsRoot {
		if err := syscall.Setgroups(nil); err != nil {
			return err
		}
		if err := syscall.Setresgid(st.GID, st.GID, st.GID); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noRoot, 0, 0, 0); err != nil {
		return err
	}
	if st.AsRoot {
		if err := syscall.Setresuid(st.UID, st.UID, st.UID); err != nil {
			return err
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	none := [2]unix.CapUserData{}
	return unix.Capset(&header, &none[0])
}
