//go:build linux && (amd64 || arm64)

package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification is struct seccomp_notif, with room for what later kernels may add.
type notification struct {
	ID         uint64
	Pid, Flags uint32
	Number     uint32
	Arch       uint32
	Pointer    uint64
	Arguments  [6]uint64
	_          [176]byte
}

// answer is struct seccomp_notif_resp.
type answer struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
	_     [104]byte
}

// Server answers for one sandbox. It runs in the first process of it, which may look into all others.
type Server struct {
	Saw   func(Attempt)  // called from one goroutine at a time
	Quiet []string       // directories of which nothing is told but what is written and started
	Names *Names         // what was looked up; nil for nothing
	Proxy netip.AddrPort // where the proxy is: connections to it are told by itself

	calls map[uint32]call
	told  map[Attempt]bool
}

// Serve answers at the file that Install returned, until the process ends: every call goes on.
func (s *Server) Serve(fd int) error {
	s.calls, s.told = all(), map[Attempt]bool{}
	for {
		var n notification
		if errno := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); errno != 0 {
			if errno == unix.EINTR || errno == unix.ENOENT { // whoever called was killed
				continue
			}
			return fmt.Errorf("system calls: %w", errno)
		}
		found := s.look(&n)
		// What was read is of the process that asked only if it is still asking: its number may be another's by now.
		if ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&n.ID)) == 0 {
			for _, a := range found {
				s.tell(a)
			}
		}
		back := answer{ID: n.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if errno := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&back)); errno != 0 && errno != unix.ENOENT {
			return fmt.Errorf("system calls: %w", errno)
		}
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

func (s *Server) tell(a Attempt) {
	for _, dir := range s.Quiet {
		if a.Path != "" && a.Kind != Write && a.Kind != Execute && within(a.Path, dir) {
			return
		}
	}
	switch {
	case s.told[a] || len(s.told) > maxAttempts:
		return
	case len(s.told) == maxAttempts || len(a.Path) > maxPath:
		a = Attempt{Kind: More}
		if s.told[a] {
			return
		}
	}
	s.told[a] = true
	s.Saw(a)
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// look reads what a call is about. What cannot be read is not told: the call will fail by itself.
func (s *Server) look(n *notification) []Attempt {
	c, ok := s.calls[n.Number]
	if !ok {
		return nil
	}
	if c.addr > 0 {
		return s.address(n, c)
	}
	var out []Attempt
	for _, p := range c.places {
		path, ok := s.path(n, p)
		if !ok {
			continue
		}
		kind := p.kind
		if c.flags > 0 {
			flags := n.Arguments[c.flags]
			if c.how {
				flags = 0
				if b := memory(n.Pid, n.Arguments[c.flags], 8); len(b) == 8 {
					flags = binary.LittleEndian.Uint64(b)
				}
			}
			kind = kindOf(flags)
		}
		out = append(out, Attempt{Kind: kind, Path: path})
	}
	return out
}

// kindOf is what the flags of open(2) ask for.
func kindOf(flags uint64) Kind {
	switch {
	case flags&unix.O_PATH != 0:
		return Look
	case flags&unix.O_ACCMODE != unix.O_RDONLY, flags&(unix.O_CREAT|unix.O_TRUNC) != 0, flags&unix.O_TMPFILE == unix.O_TMPFILE:
		return Write
	}
	return Read
}

// path returns the absolute path that an argument names. An empty one means an open file, whose opening was told.
func (s *Server) path(n *notification, p place) (string, bool) {
	text := memory(n.Pid, n.Arguments[p.path], unix.PathMax)
	end := bytes.IndexByte(text, 0)
	if end <= 0 {
		return "", false
	}
	path := string(text[:end])
	if filepath.IsAbs(path) {
		return filepath.Clean(path), true
	}
	dir := fmt.Sprintf("/proc/%d/cwd", n.Pid)
	if p.dir != here {
		if fd := int32(n.Arguments[p.dir]); fd != unix.AT_FDCWD {
			dir = fmt.Sprintf("/proc/%d/fd/%d", n.Pid, fd)
		}
	}
	base, err := os.Readlink(dir)
	if err != nil || !filepath.IsAbs(base) {
		return "", false
	}
	return filepath.Join(base, path), true
}

// memory reads at most so many bytes of a process, as far as there are any.
func memory(pid uint32, address uint64, most int) []byte {
	if address == 0 {
		return nil
	}
	page := os.Getpagesize()
	out := make([]byte, 0, min(most, page))
	for len(out) < most {
		from := address + uint64(len(out))
		buf := make([]byte, min(most-len(out), page-int(from%uint64(page)))) // the next page may not be there
		local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
		got, err := unix.ProcessVMReadv(int(pid), local, []unix.RemoteIovec{{Base: uintptr(from), Len: len(buf)}}, 0)
		if err != nil || got <= 0 {
			return out
		}
		out = append(out, buf[:got]...)
		if most == unix.PathMax && bytes.IndexByte(buf[:got], 0) >= 0 {
			return out
		}
	}
	return out
}

// address tells of a connection past the proxy, which leads nowhere but to the sandbox itself, or of a socket that is a file.
func (s *Server) address(n *notification, c call) []Attempt {
	size := min(n.Arguments[c.addr+1], unix.SizeofSockaddrUnix)
	b := memory(n.Pid, n.Arguments[c.addr], int(size))
	if len(b) < 8 {
		return nil
	}
	var addr netip.Addr
	switch binary.NativeEndian.Uint16(b) {
	case unix.AF_UNIX:
		if path, _, _ := bytes.Cut(b[2:], []byte{0}); filepath.IsAbs(string(path)) {
			return []Attempt{{Kind: Write, Path: filepath.Clean(string(path))}}
		}
		return nil
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(b[4:8]))
	case unix.AF_INET6:
		if len(b) < 24 {
			return nil
		}
		addr = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	default:
		return nil
	}
	port := binary.BigEndian.Uint16(b[2:])
	if port == 0 || port == 53 && addr.IsLoopback() || netip.AddrPortFrom(addr, port) == s.Proxy {
		return nil
	}
	return []Attempt{{Kind: Connect, Host: s.Names.Of(addr), Port: fmt.Sprint(port)}}
}
