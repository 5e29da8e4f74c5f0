//go:build linux && (amd64 || arm64)

package trace

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where a filter finds things in struct seccomp_data (seccomp(2)).
const (
	numberAt, archAt = 0, 4
	argumentsAt      = 16 // 8 bytes each, the lower 4 first
)

// Install has the kernel ask about the calls of this thread, and of what it becomes and starts, at the file that is returned: every
// one of them waits until Serve, in another process, has answered. no_new_privs must be set. The file closes on exec.
func Install() (int, error) {
	program, err := bpf.Assemble(rules())
	if err != nil {
		return -1, err
	}
	raw := make([]unix.SockFilter, len(program))
	for i, in := range program {
		raw[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	// A call that waits is not to be begun anew at every signal; kernels before 5.19 do that.
	flags := []uintptr{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER}
	for _, f := range flags {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, f, uintptr(unsafe.Pointer(&fprog)))
		if errno == 0 {
			return int(fd), nil
		}
		if err = errno; !errors.Is(errno, unix.EINVAL) {
			break
		}
	}
	return -1, fmt.Errorf("the kernel does not tell of system calls (seccomp_unotify): %w", err)
}

// rules ask about the calls of the tables and let all others pass.
func rules() []bpf.Instruction {
	ask := bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF}
	pass := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	list := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		pass, // the sandbox's own filter kills it
		bpf.LoadAbsolute{Off: numberAt, Size: 4},
		// What is sent on a connection names no address.
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_SENDTO, SkipTrue: 4},
		bpf.LoadAbsolute{Off: argumentsAt + 4*8, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		ask,
		pass,
	}
	for _, number := range slices.Sorted(maps.Keys(all())) {
		list = append(list, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1}, ask)
	}
	return append(list, pass)
}

func all() map[uint32]call {
	out := maps.Clone(calls)
	maps.Copy(out, oldCalls)
	return out
}
