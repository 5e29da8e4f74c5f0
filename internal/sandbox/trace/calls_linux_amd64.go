package trace

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// oldCalls are those that only this processor has: the same without a directory.
var oldCalls = map[uint32]call{
	unix.SYS_OPEN:       {places: []place{{here, 0, Read}}, flags: 1},
	unix.SYS_CREAT:      at(here, 0, Write),
	unix.SYS_STAT:       at(here, 0, Look),
	unix.SYS_LSTAT:      at(here, 0, Look),
	unix.SYS_NEWFSTATAT: at(0, 1, Look),
	unix.SYS_ACCESS:     at(here, 0, Look),
	unix.SYS_READLINK:   at(here, 0, Look),
	unix.SYS_UNLINK:     at(here, 0, Write),
	unix.SYS_MKDIR:      at(here, 0, Write),
	unix.SYS_RMDIR:      at(here, 0, Write),
	unix.SYS_MKNOD:      at(here, 0, Write),
	unix.SYS_CHMOD:      at(here, 0, Write),
	unix.SYS_UTIME:      at(here, 0, Write),
	unix.SYS_UTIMES:     at(here, 0, Write),
	unix.SYS_SYMLINK:    at(here, 1, Write),
	unix.SYS_RENAME:     {places: []place{{here, 0, Write}, {here, 1, Write}}},
	unix.SYS_RENAMEAT:   {places: []place{{0, 1, Write}, {2, 3, Write}}},
	unix.SYS_LINK:       {places: []place{{here, 0, Read}, {here, 1, Write}}},
}
