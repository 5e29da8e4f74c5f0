// Package sandbox starts one untrusted process with what it was granted and nothing more. A Spec says what the process
// is and what it may do; what it does not name is denied. The package imports nothing else of this program, so that it
// can be read and judged alone.
//
// On Linux the process gets namespaces of its own (user, mount, process, network, ipc, host name), in which it sees the
// system's programs and the granted paths and nothing else, cannot become anybody else (no capability, no_new_privs, a
// filter of system calls), cannot start other programs unless granted (Landlock), and reaches the network only
// through a proxy in the parent that lets the granted hosts pass. The way there has two steps, both of them this same
// program started anew, which therefore calls Init first of all:
//
//	parent -> first: builds the view of the file system, is process 1 and reaps -> second: gives everything up -> the process
//
// Where the system lets only bubblewrap make namespaces, that makes them and the view, and the first step looks at what it got.
// On macOS and Windows other means enforce less (Unenforced): what they do not enforce is refused, unless Spec.Waive names it.
//
// When the parent dies, however it dies, the first step sees its socket close and ends; the kernel then ends all
// processes of the namespace.
package sandbox
