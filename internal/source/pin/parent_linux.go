package pin

import (
	"os/exec"
	"syscall"
)

// dieWithParent asks the kernel to end the program when mcpm dies without a chance to do it itself. The caller keeps the
// thread that starts it until it has ended: the kernel takes that for the parent.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
