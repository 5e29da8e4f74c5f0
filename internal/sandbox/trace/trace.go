// Package trace tells what the process of a sandbox tries: which files, programs and hosts. It decides nothing: each call goes
// on, and the sandbox allows or refuses it as it would have.
//
// The kernel asks about the calls with a seccomp user notification (seccomp_unotify(2)), which takes no rights and no other
// program: unlike ptrace, it stops a process for the calls of interest only and leaves its signals alone; unlike fanotify, it
// needs no root and tells of files that are not there. That a path may be changed between the look and the call does not
// matter here, as nothing is decided by it.
package trace

// Kind is what was tried.
type Kind string

// The kinds of an Attempt.
const (
	Look    Kind = "look"    // whether a path is there, and what it is
	Read    Kind = "read"    // a file or directory was opened to be read
	Write   Kind = "write"   // a file was opened to be written, made, renamed, changed or removed
	Execute Kind = "execute" // a program was started
	Connect Kind = "connect" // a host and port, directly and not through the proxy
	Lookup  Kind = "lookup"  // the address of a host
	More    Kind = "more"    // there was more than is told
)

// Attempt is one thing that was tried; each is told once.
type Attempt struct {
	Kind Kind   `json:"kind"`
	Path string `json:"path,omitempty"` // absolute, as the process named it
	Host string `json:"host,omitempty"` // a name, where it was looked up, else an address
	Port string `json:"port,omitempty"`
}

const (
	// maxAttempts is how many are told, so that a process cannot fill the memory of who listens.
	maxAttempts = 10_000
	maxNames    = 1_000
	// maxPath is in bytes. A message of the sandbox has room for one.
	maxPath = 2 << 10
)
