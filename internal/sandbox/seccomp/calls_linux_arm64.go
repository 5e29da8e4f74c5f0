package seccomp

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	mostCalls = 0x40000000 // more than there are
)

// oldCalls are refused calls that only this processor has.
var oldCalls []uint32
