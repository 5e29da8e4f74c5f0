//go:build unix && !linux

package gateway

import "syscall"

// dieWithParent does nothing: these systems have no such request. A server whose host ended sees its
// stdin close, and a signal to mcpm is passed on.
func dieWithParent(*syscall.SysProcAttr) {}
