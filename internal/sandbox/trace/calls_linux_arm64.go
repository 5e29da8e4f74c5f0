package trace

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// oldCalls are those that only this processor has.
var oldCalls = map[uint32]call{
	unix.SYS_FSTATAT:  at(0, 1, Look),
	unix.SYS_RENAMEAT: {places: []place{{0, 1, Write}, {2, 3, Write}}},
}
