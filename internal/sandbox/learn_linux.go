//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
	"golang.org/x/sys/unix"
)

const (
	learnFD = 5 // of the second step: where it hands over the file at which the kernel asks
	dnsPort = 53
)

// quiet are directories of the system in which nothing is of interest.
func quiet() []string { return append([]string{"/proc", "/sys", "/dev"}, system...) }

// hears is who is told what the proxy does.
func (s *Spec) hears() egress.Listener {
	l := egress.Listener{Denied: s.Denied}
	if s.Learn != nil {
		l.Passed = s.Learn.Passed
	}
	return l
}

// saw passes on what the first step told.
func (st *setup) saw(a *trace.Attempt) {
	if st.Learn != nil && st.Learn.Saw != nil {
		st.Learn.Saw(*a)
	}
}

// learner tells the parent what the processes of a sandbox try. It is part of the first step.
type learner struct {
	control      *os.File
	mine, theirs *os.File
	server       trace.Server
}

// newLearner returns nil when nothing is to be learned.
func newLearner(control *os.File, st *setup) (*learner, error) {
	if !st.Learns {
		return nil, nil
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	l := &learner{control: control, mine: os.NewFile(uintptr(ends[0]), "learn"), theirs: os.NewFile(uintptr(ends[1]), "learn")}
	saw := func(a trace.Attempt) { tell(control, message{Saw: &a}, nil) }
	l.server = trace.Server{Saw: saw, Quiet: append(quiet(), st.Quiet...), Proxy: st.proxyAt}
	if st.names != nil {
		st.names.Tell(saw)
		l.server.Names = st.names
	}
	return l, nil
}

// begin takes the file from the second step, which waits at its next call until it is served. When the second step failed
// before that, it has said why elsewhere.
func (l *learner) begin() error {
	l.theirs.Close()
	defer l.mine.Close()
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		_, n, _, _, err := unix.Recvmsg(int(l.mine.Fd()), make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		list, perr := unix.ParseSocketControlMessage(oob[:n])
		if err != nil || perr != nil || len(list) != 1 {
			return nil
		}
		fds, err := unix.ParseUnixRights(&list[0])
		if err != nil || len(fds) != 1 {
			return errors.New("the second step handed over something else")
		}
		go func() {
			if err := l.server.Serve(fds[0]); err != nil {
				// All of its calls would wait for ever.
				tell(l.control, message{Killed: fmt.Sprintf("what it does could not be looked at any more: %v", err)}, nil)
				os.Exit(128 + int(unix.SIGKILL))
			}
		}()
		return nil
	}
}

// askFirst has the kernel ask the first step about the calls of this thread, which becomes the process.
func askFirst() error {
	unix.CloseOnExec(learnFD)
	fd, err := trace.Install()
	if err != nil {
		return fmt.Errorf("learning is %w: %w", ErrUnsupported, err)
	}
	err = unix.Sendmsg(learnFD, []byte{1}, unix.UnixRights(fd), nil, 0)
	unix.Close(fd)
	return err
}
