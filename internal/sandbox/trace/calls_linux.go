//go:build linux && (amd64 || arm64)

package trace

import "golang.org/x/sys/unix"

// here says that a call takes no directory beside its path, which begins at the working directory.
const here = -1

// place is a path among the arguments of a call.
type place struct {
	dir  int // argument that is a directory, or here
	path int
	kind Kind
}

// call is a system call that is looked at.
type call struct {
	places []place
	flags  int  // argument with the flags of open(2), which say the kind; 0 for none
	how    bool // flags is a struct open_how (openat2(2)) instead
	addr   int  // argument that is a socket's address; the next one is its length. 0 for none
}

func at(dir, path int, kind Kind) call { return call{places: []place{{dir, path, kind}}} }

// calls are those that every processor has. The numbers are of arguments.
var calls = map[uint32]call{
	unix.SYS_OPENAT:     {places: []place{{0, 1, Read}}, flags: 2},
	unix.SYS_OPENAT2:    {places: []place{{0, 1, Read}}, flags: 2, how: true},
	unix.SYS_EXECVE:     at(here, 0, Execute),
	unix.SYS_EXECVEAT:   at(0, 1, Execute),
	unix.SYS_CHDIR:      at(here, 0, Look),
	unix.SYS_FACCESSAT:  at(0, 1, Look),
	unix.SYS_FACCESSAT2: at(0, 1, Look),
	unix.SYS_STATX:      at(0, 1, Look),
	unix.SYS_READLINKAT: at(0, 1, Look),
	unix.SYS_TRUNCATE:   at(here, 0, Write),
	unix.SYS_UNLINKAT:   at(0, 1, Write),
	unix.SYS_MKDIRAT:    at(0, 1, Write),
	unix.SYS_MKNODAT:    at(0, 1, Write),
	unix.SYS_FCHMODAT:   at(0, 1, Write),
	unix.SYS_FCHMODAT2:  at(0, 1, Write),
	unix.SYS_UTIMENSAT:  at(0, 1, Write),
	unix.SYS_SYMLINKAT:  at(1, 2, Write),
	unix.SYS_RENAMEAT2:  {places: []place{{0, 1, Write}, {2, 3, Write}}},
	unix.SYS_LINKAT:     {places: []place{{0, 1, Read}, {2, 3, Write}}},
	unix.SYS_CONNECT:    {addr: 1},
	unix.SYS_SENDTO:     {addr: 4},
}
