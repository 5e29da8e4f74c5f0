//go:build linux && (amd64 || arm64)

package sandbox

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
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
	if st.Container == nil { // the engine has done it, and the first step has seen that
		if err := giveUp(st); err != nil {
			return fmt.Errorf("capabilities: %w", err)
		}
	}
	return filter()
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
		if r.what == unix.RLIMIT_NPROC && st.Container != nil {
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

// restrict says to Landlock what may be written and which programs may be started.
func restrict(st *setup) error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || abi < 1 {
		if st.Container != nil && st.Subprocess {
			return nil // all else that it keeps, the engine does
		}
		return fmt.Errorf("landlock, which keeps a server from starting other programs, is %w", ErrUnsupported)
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
	programs := []string{"/"}
	if !st.Subprocess {
		programs = programsOf(st.Command, st.Env)
	}
	rules = append(rules, landlock.PathAccess(unix.LANDLOCK_ACCESS_FS_EXECUTE, programs...))
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

// maxInterpreters is how many programs a script may need to be started: a script that is run by env has two.
const maxInterpreters = 4

// programsOf returns the program and what the kernel starts to start it: the interpreter that a script names, and the
// loader of dynamic libraries.
func programsOf(program string, env []string) []string {
	var out []string
	for range maxInterpreters {
		out = append(out, program)
		if f, err := elf.Open(program); err == nil {
			if loader := loaderOf(f); loader != "" {
				out = append(out, loader)
			}
			f.Close()
			return out
		}
		words := shebang(program)
		if len(words) == 0 {
			return out
		}
		program = words[0]
		if filepath.Base(program) == "env" && len(words) > 1 {
			out = append(out, programsOf(program, nil)...)
			program = find(words[len(words)-1], env)
		}
	}
	return out
}

// loaderOf is the program that the kernel starts a dynamically linked program with (PT_INTERP), or "".
func loaderOf(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < unix.PathMax {
			data := make([]byte, p.Filesz)
			if _, err := p.ReadAt(data, 0); err == nil {
				return strings.TrimRight(string(data), "\x00")
			}
		}
	}
	return ""
}

// shebang returns the words of a script's first line.
func shebang(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(f, head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	if rest, ok := strings.CutPrefix(line, "#!"); ok {
		return strings.Fields(rest)
	}
	return nil
}

// find looks a program up in the PATH of the process.
func find(name string, env []string) string {
	for _, kv := range env {
		list, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	return name
}

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
