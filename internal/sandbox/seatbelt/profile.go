// Package seatbelt confines a process with the sandbox of macOS: a profile for sandbox-exec, and a keeper that ends all of it
// with whoever started it. Files, the network and other programs are confined; memory, processors and the number of
// processes are not, for which macOS has no means that an ordinary person may use.
package seatbelt

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Profile is what a process may do. Paths are absolute, and what they are behind symbolic links: that is what the kernel compares.
type Profile struct {
	Programs []string // that may be started; the process itself is one of them
	Any      bool     // all programs that can be seen may be started
	Read     []string // directories and files, beside the system's own
	Write    []string // to change as well
	Hidden   []string // not seen even inside of those
	Proxy    int      // port of this machine's loopback device that may be reached, 0 for no network
	Listens  int      // and one at which the process may listen, 0 for none
}

// systems are directories of programs, libraries and settings that every process sees. The rest of what a process needs to
// start is in Apple's own system.sb.
var systems = []string{"/System", "/Library/Apple", "/usr/bin", "/usr/lib", "/usr/libexec", "/usr/share", "/bin", "/sbin", "/usr/sbin",
	"/private/etc/ssl", "/private/var/db/timezone", "/private/var/db/dyld", "/Library/Developer/CommandLineTools"}

// settings are files of the system that programs read when they start.
var settings = []string{"/private/etc/hosts", "/private/etc/resolv.conf", "/private/etc/services", "/private/etc/protocols", "/private/etc/localtime", "/private/etc/passwd"}

// links lead to what is below /private.
var links = []string{"/etc", "/tmp", "/var"}

// Text is the profile in the language of sandbox-exec. In it the last rule that fits decides. It fails for a path that the
// language cannot name.
func (p Profile) Text() (string, error) {
	for _, path := range slices.Concat(p.Programs, p.Read, p.Write, p.Hidden) {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", fmt.Errorf("the path %q cannot be named in a profile of sandbox-exec", path)
		}
	}
	var b strings.Builder
	b.WriteString("(version 1)\n(deny default)\n(import \"system.sb\")\n")
	b.WriteString("(allow sysctl-read)\n(allow signal (target self))\n(allow process-info* (target self))\n")
	b.WriteString("(allow mach-lookup (global-name \"com.apple.system.opendirectoryd.libinfo\"))\n")
	b.WriteString("(allow dynamic-code-generation)\n") // Node compiles what it runs
	rule(&b, "allow file-read*", append(under(systems), literals(settings)...))
	rule(&b, "allow file-read*", literals([]string{"/"})) // the loader of libraries looks what there is
	rule(&b, "allow file-read-metadata", literals(append(above(slices.Concat(systems, settings, p.Read, p.Write)), links...)))
	// Libraries and modules in machine code are of what may be read, and not of a directory that is there to be written.
	rule(&b, "allow file-map-executable", under(slices.Concat(systems, p.Read, p.Programs)))
	rule(&b, "allow file-read*", under(p.Read))
	rule(&b, "allow file-read* file-write*", under(p.Write))
	if p.Any {
		b.WriteString("(allow process-fork)\n(allow process-exec*)\n(allow signal (target children))\n")
	} else {
		rule(&b, "allow process-exec*", literals(p.Programs))
	}
	if p.Proxy > 0 { // names are looked up by the proxy; certificates by the service that judges them
		fmt.Fprintf(&b, "(allow network-outbound (remote ip \"localhost:%d\"))\n(allow mach-lookup (global-name \"com.apple.trustd.agent\"))\n", p.Proxy)
	}
	if p.Listens > 0 {
		fmt.Fprintf(&b, "(allow network-bind network-inbound (local ip \"localhost:%d\"))\n", p.Listens)
	}
	rule(&b, "deny file-read* file-write* file-map-executable", under(p.Hidden))
	// Who could rename a directory on the way to something hidden would find it under the new name.
	rule(&b, "deny file-write-unlink", literals(slices.Concat(p.Write, p.between())))
	return b.String(), nil
}

// between are the directories that can be changed and lead to something hidden.
func (p Profile) between() []string {
	var out []string
	for _, h := range p.Hidden {
		for dir := filepath.Dir(h); slices.ContainsFunc(p.Write, func(w string) bool { return strings.HasPrefix(dir, w+"/") }); dir = filepath.Dir(dir) {
			out = append(out, dir)
		}
	}
	return out
}

// above are the directories that lead to paths: programs look at each to find out what a path is.
func above(paths []string) []string {
	out := []string{"/"}
	for _, path := range paths {
		for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
			out = append(out, dir)
		}
	}
	return out
}

// rule writes one rule; without anything that it would be about, none: that would be about everything.
func rule(b *strings.Builder, what string, about []string) {
	slices.Sort(about)
	if about = slices.Compact(about); len(about) > 0 {
		fmt.Fprintf(b, "(%s\n    %s)\n", what, strings.Join(about, "\n    "))
	}
}

// under is a path and all that is in it, which says the same of a file.
func under(paths []string) []string { return each("subpath", paths) }

func literals(paths []string) []string { return each("literal", paths) }

func each(filter string, paths []string) []string {
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = fmt.Sprintf("(%s \"%s\")", filter, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path))
	}
	return out
}
