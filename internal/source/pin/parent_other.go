//go:build !linux

package pin

import "os/exec"

// dieWithParent does nothing: these systems have no such request.
func dieWithParent(*exec.Cmd) {}
