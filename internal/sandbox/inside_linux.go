//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox/programs"
	"golang.org/x/sys/unix"
)

// inside is process 1 of a container. It is in the place that the engine made and trusts it as far as it sees.
func inside() {
	signal.Ignore(notForFirst...)
	late := time.AfterFunc(setupTime, func() { os.Exit(125) })
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		os.Exit(125)
	}
	control, setupFile, err := receiveFiles()
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // seen by nobody but who looks for it
		os.Exit(125)
	}
	fail := func(err error) {
		tell(control, message{Error: err.Error()}, nil)
		os.Exit(125)
	}
	st, err := prepare(setupFile)
	if err != nil {
		fail(err)
	}
	if err := asPromised(st); err != nil {
		fail(err)
	}
	st.Env = programs.Environment(os.Environ(), st.Env, st.Container.Open)
	if st.Command, err = inImage(st); err != nil {
		fail(err)
	}
	if st.Proxy {
		if err := serve(control, st); err != nil {
			fail(err)
		}
	}
	pid, err := startSecond(control, st)
	if err != nil {
		fail(err)
	}
	late.Stop()
	tell(control, message{Ready: true}, nil)
	go obey(control, pid, st.Inside)
	if !st.Container.Open {
		go watch(control, st.Limits.Memory)
	}
	code := reap(pid)
	tell(control, message{Ended: true, Code: code}, nil)
	os.Exit(code)
}

// receiveFiles goes to the parent's socket and takes what it hands over: the setup, which it returns, and stdin, stdout and
// stderr, which it puts in their places.
func receiveFiles() (control, setupFile *os.File, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: insideSocket}); err != nil {
		return nil, nil, fmt.Errorf("the way to mcpm: %w", err)
	}
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4*4))
	_, oobn, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, nil, err
	}
	list, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(list) != 1 {
		return nil, nil, errors.New("mcpm sent nothing")
	}
	files, err := unix.ParseUnixRights(&list[0])
	if err != nil || len(files) != 4 {
		return nil, nil, errors.New("mcpm sent other files")
	}
	for at, f := range files[1:] {
		if err := unix.Dup3(f, at, 0); err != nil {
			return nil, nil, err
		}
		unix.Close(f)
	}
	return os.NewFile(uintptr(fd), "control"), os.NewFile(uintptr(files[0]), "setup"), nil
}

// asPromised compares what the engine made with what it was asked for.
func asPromised(st *setup) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("processes of its own are %w: the first step is process %d", ErrUnsupported, os.Getpid())
	}
	for _, c := range st.Checks {
		if err := c.look(); err != nil {
			return err
		}
	}
	if st.Container != nil && st.Container.Open {
		return nil
	}
	var root unix.Statfs_t
	if err := unix.Statfs("/", &root); err != nil || root.Flags&unix.ST_RDONLY == 0 {
		return fmt.Errorf("a root that cannot be written is %w in this engine", ErrUnsupported)
	}
	if err := noRights(); err != nil {
		return err
	}
	if err := noNetwork(); err != nil {
		return err
	}
	return noMoreToWrite(st)
}

// look sees whether a granted path is the one that was meant, and a hidden one is not there.
func (c check) look() error {
	var s unix.Stat_t
	err := unix.Lstat(c.Path, &s)
	same := err == nil && uint64(s.Dev) == c.Dev && s.Ino == c.Ino
	switch {
	case c.Hidden && same:
		return fmt.Errorf("the engine shows %s, which must not be seen", c.Path)
	case c.Hidden:
		return nil
	case err != nil:
		return fmt.Errorf("what was granted is not there: %w", err)
	case !same:
		return fmt.Errorf("%s is not what was granted: the engine shows another file", c.Path)
	case c.Write && unix.Access(c.Path, unix.W_OK) != nil:
		return fmt.Errorf("%s was granted to be written, and user %d of the container, who is this person or nobody, may not", c.Path, os.Getuid())
	}
	return nil
}

// noRights reads what the kernel says of this process.
func noRights() error {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
			if strings.Trim(value, "0") != "" {
				return fmt.Errorf("a process without capabilities is %w in this engine: %s is %s", ErrUnsupported, name, value)
			}
		case "NoNewPrivs":
			if value != "1" {
				return fmt.Errorf("no_new_privs is %w in this engine", ErrUnsupported)
			}
		}
	}
	if os.Geteuid() == 0 && isRootOutside() {
		return errors.New("the image wants to be root")
	}
	return nil
}

// isRootOutside reports whether root in here is root of the machine.
func isRootOutside() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return true
	}
	fields := strings.Fields(string(text))
	return len(fields) < 2 || fields[0] != "0" || fields[1] == "0"
}

// noNetwork looks for a device that leads somewhere.
func noNetwork() error {
	list, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			return fmt.Errorf("a container without a network is %w in this engine: it has %s", ErrUnsupported, i.Name)
		}
	}
	return nil
}

// noMoreToWrite looks for a file system that can be written below what was granted only to be read: an engine may make the
// top of it read-only and leave what is mounted on it.
func noMoreToWrite(st *setup) error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 {
			continue
		}
		at, options := unescape(fields[4]), strings.Split(fields[5], ",")
		var in check
		for _, c := range st.Checks {
			if (at == c.Path || strings.HasPrefix(at, c.Path+"/")) && len(c.Path) >= len(in.Path) {
				in = c
			}
		}
		if in.Path != "" && !in.Write && !slices.Contains(options, "ro") {
			return fmt.Errorf("%s was granted to be read, and the engine lets %s be written", in.Path, at)
		}
	}
	return lines.Err()
}

// unescape reads a path of mountinfo, where blanks and the like are octal numbers.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// inImage finds the program that is to be started.
func inImage(st *setup) (string, error) {
	path := st.Command
	switch {
	case path == "":
		return "", errors.New("the image names no program, and neither does the server")
	case !strings.Contains(path, "/"):
		path = programs.Find(path, st.Env)
	case !filepath.IsAbs(path):
		path = filepath.Join(st.Dir, path)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || !filepath.IsAbs(path) {
		return "", fmt.Errorf("there is no program %s in the image", st.Command)
	}
	return path, nil
}
