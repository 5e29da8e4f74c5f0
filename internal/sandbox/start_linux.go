//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/mcphub/mcphub/internal/sandbox/bubble"
	"github.com/mcphub/mcphub/internal/sandbox/cgroup"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
	"golang.org/x/sys/unix"
)

const (
	firstStep, secondStep = "mcpm-sandbox-first", "mcpm-sandbox-second" // argv[0]

	controlFD, setupFD = 3, 4             // of the first step
	setupTime          = 30 * time.Second // for everything before the process itself
	maxMessage         = 16 << 10
)

// setup is what the first step is told, in a file in memory: it has the secrets of the environment in it.
type setup struct {
	Spec
	UID, GID int
	AsRoot   bool // the parent is root: the process becomes nobody
	Proxy    bool
	Learns   bool     // what the process tries is told
	Quiet    []string // but for these
	proxyAt  netip.AddrPort
	names    *trace.Names // who answers look-ups, nil for nobody
	Checks   []check      // in a container, and in what bubblewrap has made
	Bubble   bool         // bubblewrap makes the place
	Alone    bool         // the container has a user namespace of its own, in which its processes are counted
	Volumes  []string     // directories in memory that the image of a container declares
}

// message goes from the first step to the parent; with Listens a file comes along.
type message struct {
	Listens, Ready bool
	Saw            *trace.Attempt
	Error          string // why nothing was started
	Lacks          bool   // with Error: the machine cannot enforce something
	Killed         string // the limit for which all was ended
	Ended          bool   // with Code; only in a container, whose engine need not be asked
	Code           int
}

// Process is a process in a sandbox.
type Process struct {
	runs    started
	control *os.File
	listen  net.Listener // of the proxy; nil without
	inward  net.Listener // at Spec.Listens; nil without

	mu     sync.Mutex
	killed string
	code   int
	done   chan struct{} // the control socket has ended
}

// started is what holds the processes of a sandbox: the first step here, or a container.
type started interface {
	kill()
	// wait waits until nothing is left. said is the code that the first step told.
	wait(said int) (int, error)
}

// native is the first step as a process of this machine, in a control group where one can be had.
type native struct {
	*exec.Cmd
	control *os.File
	group   *cgroup.Group // nil without
	most    int64         // bytes of memory that the group may use
}

// kill lets go of the first step, which ends then and with it everything else, and ends it where it is this program's child.
func (n native) kill() {
	_ = unix.Shutdown(int(n.control.Fd()), unix.SHUT_WR)
	_ = n.Process.Kill()
}

func (n native) wait(int) (int, error) {
	var ee *exec.ExitError
	err := n.Wait()
	if n.group != nil {
		full := n.group.OutOfMemory()
		if cerr := n.group.Close(); err == nil {
			err = cerr
		}
		if full {
			return 128 + int(syscall.SIGKILL), fmt.Errorf("it used more than the %d MiB of memory that all of it may use", n.most>>20)
		}
	}
	if err != nil && !errors.As(err, &ee) {
		return 0, err
	}
	if w, ok := n.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal()), nil
	}
	return n.ProcessState.ExitCode(), nil
}

// Start starts a process with the given files as its stdin, stdout and stderr. Errors that wrap ErrUnsupported say what
// the machine lacks; in any case of error nothing runs.
func Start(s *Spec, in, out, errs *os.File) (*Process, error) {
	if !ready {
		return nil, errors.New("the program does not call sandbox.Init")
	}
	spec := *s
	if err := spec.check(); err != nil {
		return nil, err
	}
	rules, err := egress.ParseRules(spec.Network)
	if err != nil {
		return nil, err
	}
	if err := spec.settle(); err != nil {
		return nil, err
	}
	st := setup{Spec: spec, UID: os.Getuid(), GID: os.Getgid(), Proxy: len(rules) > 0 || spec.Learn != nil || spec.Denied != nil && (spec.Container == nil || !spec.Container.Open), Learns: spec.Learn != nil && spec.Learn.Saw != nil}
	if st.Learns {
		st.Quiet = spec.Learn.Quiet
	}
	if st.UID == 0 {
		st.AsRoot, st.UID, st.GID = true, Nobody, Nobody
	}
	if !hasLandlock() {
		if err := withoutLandlock(&st); err != nil {
			return nil, err
		}
	}
	if st.Container != nil {
		return startContainer(&st, rules, in, out, errs)
	}
	p, err := place(&st, rules, in, out, errs)
	if !errors.Is(err, ErrUnsupported) || bubble.Find() == "" || st.Learns {
		return p, err
	}
	p, berr := startBubble(&st, rules, in, out, errs)
	if berr != nil {
		return nil, fmt.Errorf("%w; and with bubblewrap: %w", err, berr)
	}
	return p, nil
}

// place starts in a place that mcpm makes itself. Tests have it fail.
var place = startNative

func startNative(st *setup, rules []egress.Rule, in, out, errs *os.File) (*Process, error) {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{firstStep}, Env: []string{}, Dir: "/",
		Stdin: in, Stdout: out, Stderr: errs, SysProcAttr: namespaces(st),
	}
	return launch(cmd, st, rules)
}

// launch starts the first step and follows it.
func launch(cmd *exec.Cmd, st *setup, rules []egress.Rule) (*Process, error) {
	file, err := inMemory(st)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	mine, theirs := os.NewFile(uintptr(ends[0]), "control"), os.NewFile(uintptr(ends[1]), "control")
	defer theirs.Close()
	cmd.ExtraFiles = append([]*os.File{theirs, file}, cmd.ExtraFiles...)
	n := native{Cmd: cmd, control: mine, most: st.Limits.Memory + st.Limits.Scratch + besides}
	n.group, err = cgroup.New(cgroup.Limits{Memory: n.most, Pids: st.Limits.Pids + 32, CPUs: st.Limits.CPUs})
	switch {
	case err == nil:
		n.group.Put(cmd.SysProcAttr)
	case !errors.Is(err, cgroup.ErrNone): // without one each process has limits, and the first step looks after memory
		mine.Close()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		mine.Close()
		if n.group != nil {
			_ = n.group.Close()
		}
		return nil, fmt.Errorf("namespaces are %w: %w", ErrUnsupported, err)
	}
	theirs.Close() // else its end is never seen
	return follow(n, mine, st, rules)
}

// leadIn has connections to a port of this machine go to where the process listens inside.
func (p *Process) leadIn(port int) (err error) {
	var own int // the control socket, which may be closed while a connection comes
	if p.inward, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		own, err = unix.FcntlInt(p.control.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		p.Kill()
		_, _ = p.Wait()
		return err
	}
	go func() {
		egress.Inward(p.inward, func(f *os.File) error { return unix.Sendmsg(own, []byte{0}, unix.UnixRights(int(f.Fd())), nil, 0) })
		unix.Close(own)
	}()
	return nil
}

// follow returns the process when it runs, or why it does not.
func follow(runs started, control *os.File, st *setup, rules []egress.Rule) (*Process, error) {
	p := &Process{runs: runs, control: control, code: 128 + int(syscall.SIGKILL), done: make(chan struct{})}
	if err := p.await(st, rules); err != nil {
		runs.kill()
		_, _ = runs.wait(0)
		p.close()
		return nil, err
	}
	go p.follow(st)
	if st.Listens > 0 {
		if err := p.leadIn(st.Listens); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// namespaces are those of the first step. Root maps itself, to build the view, and nobody, which the process becomes; who is not
// root can map nobody else, and gets the capabilities of the new namespace as ambient ones.
func namespaces(st *setup) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Setpgid:    true,
	}
	same := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	}
	if st.AsRoot {
		a.UidMappings, a.GidMappings = append(same(0), same(Nobody)...), append(same(0), same(Nobody)...)
		a.GidMappingsEnableSetgroups = true
		return a
	}
	a.UidMappings, a.GidMappings = same(os.Getuid()), same(os.Getgid())
	a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP, unix.CAP_DAC_OVERRIDE, unix.CAP_SYS_RESOURCE}
	if st.Learns {
		a.AmbientCaps = append(a.AmbientCaps, unix.CAP_SYS_PTRACE)
	}
	if st.Proxy {
		a.AmbientCaps = append(a.AmbientCaps, unix.CAP_NET_BIND_SERVICE)
	}
	return a
}

// inMemory writes a setup to a file that has no name.
func inMemory(st *setup) (*os.File, error) {
	data, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("setup", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "setup")
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, 0)
	return f, err
}

// await serves the first step until the process runs.
func (p *Process) await(st *setup, rules []egress.Rule) error {
	late := time.AfterFunc(setupTime, p.runs.kill)
	defer late.Stop()
	for {
		m, fd, err := p.receive()
		switch {
		case err != nil:
			return fmt.Errorf("the sandbox ended before it began: %w", err)
		case m.Lacks:
			return &lacksError{m.Error}
		case m.Error != "":
			return errors.New(m.Error)
		case m.Listens:
			f := os.NewFile(uintptr(fd), "listener")
			p.listen, err = net.FileListener(f)
			f.Close()
			if err != nil {
				return err
			}
			go egress.New(rules, st.hears()).Serve(p.listen)
		case m.Saw != nil:
			st.saw(m.Saw)
		case m.Ready:
			return nil
		}
	}
}

// receive reads a message and the file that came along, or -1.
func (p *Process) receive() (message, int, error) {
	buf, oob := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	var m message
	for {
		n, oobn, _, _, err := unix.Recvmsg(int(p.control.Fd()), buf, oob, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return m, -1, err
		}
		if n == 0 {
			return m, -1, errors.New("it said nothing")
		}
		return m, received(oob[:oobn]), json.Unmarshal(buf[:n], &m)
	}
}

// received returns the one file that came along with a message, or -1.
func received(oob []byte) int {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(list) != 1 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&list[0])
	if err != nil || len(fds) != 1 {
		return -1
	}
	return fds[0]
}

// follow notes why all was ended.
func (p *Process) follow(st *setup) {
	defer close(p.done)
	for {
		m, _, err := p.receive()
		if err != nil {
			return
		}
		if m.Saw != nil {
			st.saw(m.Saw)
			continue
		}
		p.mu.Lock()
		if m.Ended {
			p.code = m.Code
		} else {
			p.killed = m.Killed
		}
		p.mu.Unlock()
	}
}

// Signal sends a signal to the process and those it started.
func (p *Process) Signal(sig syscall.Signal) {
	_, _ = p.control.Write([]byte{byte(sig)})
}

// Kill ends everything in the sandbox at once.
func (p *Process) Kill() { p.runs.kill() }

// Wait waits for the end of the process, with which everything in the sandbox ends. The code is the process's, or 128
// plus the signal that ended it. The error says which limit was the reason, or that it could not be waited for.
func (p *Process) Wait() (int, error) {
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	code, err := p.runs.wait(p.code)
	p.close()
	if p.killed != "" {
		return 128 + int(syscall.SIGKILL), errors.New(p.killed)
	}
	return code, err
}

func (p *Process) close() {
	_ = p.control.Close()
	for _, l := range []net.Listener{p.listen, p.inward} {
		if l != nil {
			_ = l.Close()
		}
	}
}
