//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/mcphub/mcphub/internal/sandbox/bubble"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"golang.org/x/sys/unix"
)

// ready says that Init was called: a program that does not call it would start itself in the place of a step.
var ready bool

// Init is called first of all by a program that starts sandboxes: in the steps of a sandbox it does not return.
func Init() {
	ready = true
	switch os.Args[0] {
	case firstStep, bubble.Program:
		first()
	case secondStep:
		second()
	case insideStep:
		if len(os.Args) == 1 {
			inside()
		}
	}
}

// notForFirst are signals that the first step does not end of.
var notForFirst = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGTSTP}

// first is process 1 of a sandbox.
func first() {
	signal.Ignore(notForFirst...)
	control := os.NewFile(controlFD, "control")
	unix.CloseOnExec(controlFD)
	fail := func(err error) {
		tell(control, message{Error: err.Error(), Lacks: errors.Is(err, ErrUnsupported)}, nil)
		os.Exit(125)
	}
	// Nobody of the same name inside may look into this process, which has capabilities.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		fail(err)
	}
	st, err := prepare(os.NewFile(setupFD, "setup"))
	if err != nil {
		fail(err)
	}
	if err := ownPlace(st); err != nil {
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
	tell(control, message{Ready: true}, nil)
	go obey(control, pid, st.Inside)
	go watch(control, st.Limits.Memory)
	os.Exit(reap(pid))
}

// ownPlace makes what the process lives in, or looks at what bubblewrap has made.
func ownPlace(st *setup) error {
	if st.Bubble {
		unix.CloseOnExec(bubbleErrFD)
		if err := unix.Dup3(bubbleErrFD, 2, 0); err != nil {
			return err
		}
		return asPromised(st)
	}
	if err := buildView(st); err != nil {
		return err
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("the loopback device: %w", err)
	}
	return nil
}

// threads is how many the first step has from the beginning. A process that takes all there may be leaves none for it later,
// and a Go program ends when it wants one and gets none.
const threads = 8

// prepare reads what the first step is told, and starts the threads that it may need.
func prepare(f *os.File) (*setup, error) {
	defer f.Close()
	runtime.GOMAXPROCS(2)
	var all, ended sync.WaitGroup
	all.Add(threads)
	for range threads {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread() // it stays for others
			all.Done()
			all.Wait()
		})
	}
	ended.Wait()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	st := new(setup)
	return st, json.Unmarshal(data, st)
}

func tell(control *os.File, m message, file *os.File) {
	m.Error = m.Error[:min(len(m.Error), maxMessage/2)]
	data, _ := json.Marshal(m) // booleans and texts
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	_ = unix.Sendmsg(int(control.Fd()), data, rights, nil, 0)
}

// serve lets what is granted be reached: through the proxy, and past it.
func serve(control *os.File, st *setup) error {
	if st.Bubble || st.Container != nil && st.Container.Open { // ports below 1024 are not this process's
		return listen(control, st)
	}
	d, err := openDirect(st) // first: the proxy's port is any
	if err != nil {
		return err
	}
	if err := listen(control, st); err != nil {
		return err
	}
	d.serve(st.proxyAt)
	return nil
}

// listen opens the proxy's port inside and hands it to the parent, which answers there from its own network.
func listen(control *os.File, st *setup) error {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	f, err := l.File()
	if err != nil {
		return err
	}
	tell(control, message{Listens: true}, f)
	st.proxyAt = l.Addr().(*net.TCPAddr).AddrPort()
	f.Close()
	l.Close()
	st.Env = append(st.Env, egress.Environment(l.Addr())...)
	return nil
}

// loopback brings up the only network device there is.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// startSecond starts the second step and returns when it has become the process, or why it has not.
func startSecond(control *os.File, st *setup) (int, error) {
	file, err := inMemory(st)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	said, says, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer said.Close()
	learner, err := newLearner(control, st)
	if err != nil {
		return 0, err
	}
	files := []uintptr{0, 1, 2, says.Fd(), file.Fd()}
	if learner != nil {
		files = append(files, learner.theirs.Fd())
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{secondStep}, &syscall.ProcAttr{
		Dir: st.Dir, Env: []string{}, Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	says.Close()
	if err != nil {
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
			return 0, fmt.Errorf("the directory %s: %w", st.Dir, err)
		}
		return 0, err
	}
	if learner != nil {
		if err := learner.begin(); err != nil {
			return 0, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(said, maxMessage/2))
	if err != nil {
		return 0, err
	}
	if len(text) > 0 {
		return 0, errors.New(strings.TrimSpace(string(text)))
	}
	return pid, letGo()
}

// letGo closes stdin, stdout and stderr: they are the process's, and its end must be seen as the end of its output.
func letGo() error {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(null)
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return err
		}
	}
	return nil
}

// obey passes signals on, and connections to the port at which the process listens, and ends everything when the parent is
// gone.
func obey(control *os.File, pid, port int) {
	b, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(int(control.Fd()), b, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || n == 0:
			os.Exit(128 + int(syscall.SIGKILL))
		case b[0] == 0:
			if fd := received(oob[:oobn]); fd >= 0 {
				go egress.Arrive(context.Background(), os.NewFile(uintptr(fd), "inward"), port)
			}
		default:
			_ = syscall.Kill(-pid, syscall.Signal(b[0]))
		}
	}
}

// reap waits for whoever ends, as process 1 has to, until the process does.
func reap(pid int) int {
	for {
		var status unix.WaitStatus
		ended, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 128 + int(syscall.SIGKILL)
		case ended == pid && status.Signaled():
			return 128 + int(status.Signal())
		case ended == pid && status.Exited():
			return status.ExitStatus()
		}
	}
}
