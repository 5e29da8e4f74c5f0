package gateway

import "syscall"

// dieWithParent asks the kernel to end the child when mcpm dies without a chance to do it itself.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
