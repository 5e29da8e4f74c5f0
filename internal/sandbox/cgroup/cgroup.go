// Package cgroup bounds what all processes of a sandbox use together with a control group of the kernel (cgroup v2,
// Documentation/admin-guide/cgroup-v2.rst), where the person may make one: a directory of the hierarchy that is delegated, as
// systemd delegates one to each person who is signed in.
package cgroup

import "errors"

// ErrNone is wrapped by errors about a machine on which no control group can be made.
var ErrNone = errors.New("no control group is delegated")

// Limits are those of one group. 0 is none.
type Limits struct {
	Memory int64 // bytes, of what is in memory and not in files; there is no swap beside it
	Pids   int   // processes and threads
	CPUs   int   // processors' worth of time
}
