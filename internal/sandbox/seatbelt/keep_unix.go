//go:build linux || darwin

package seatbelt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Program is the program of macOS that applies a profile.
const Program = "/usr/bin/sandbox-exec"

const (
	keeperStep = "mcpm-sandbox-keeper" // argv[0]
	lifeFD     = 3                     // of the keeper: what to do, and then ends with who started it
	saysFD     = 4                     // of the keeper: how the process ended
	killed     = 128 + int(syscall.SIGKILL)
	maxSaid    = 4 << 10
)

// Command is a process and how it is confined.
type Command struct {
	Profile  Profile
	Path     string
	Args     []string // after the program's name
	Dir      string
	Env      []string
	FileSize int64 // bytes of one file that is written

	applies string // Program, but in tests
}

// setup is what the keeper is told. It does not come as arguments and variables: those of the process are a publisher's,
// and the keeper is not confined.
type setup struct {
	Args     []string
	Dir      string
	Env      []string
	FileSize uint64
}

// ended is what the keeper says at the end.
type ended struct {
	Code  int
	Error string // why nothing was started
}

// Init runs the keeper and does not return, if this process is one. A program that calls Start calls it first of all.
func Init() {
	if len(os.Args) > 0 && os.Args[0] == keeperStep {
		keep()
	}
}

// Process is a started process with all that it started.
type Process struct {
	keeper *exec.Cmd
	life   *os.File // closing it ends everything
	says   *os.File
}

// Start starts a process. It is in a process group with its keeper, which ends the group when this program ends, however.
func Start(c *Command, in, out, errs *os.File) (*Process, error) {
	profile, err := c.Profile.Text()
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	theirLife, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirLife.Close()
	says, theirSays, err := os.Pipe()
	if err != nil {
		life.Close()
		return nil, err
	}
	defer theirSays.Close()
	cmd := &exec.Cmd{
		Path: exe, Args: []string{keeperStep}, Env: []string{}, Dir: "/", Stdin: in, Stdout: out, Stderr: errs,
		ExtraFiles: []*os.File{theirLife, theirSays}, SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err = cmd.Start(); err != nil {
		life.Close()
		says.Close()
		return nil, err
	}
	theirLife.Close() // so that writing fails where the keeper has ended
	p := &Process{keeper: cmd, life: life, says: says}
	applies := c.applies
	if applies == "" {
		applies = Program
	}
	st := setup{Args: append([]string{applies, "-p", profile, c.Path}, c.Args...), Dir: c.Dir, Env: c.Env, FileSize: uint64(max(0, c.FileSize))}
	if err := json.NewEncoder(life).Encode(st); err != nil {
		p.Kill()
		_, _ = p.Wait()
		return nil, fmt.Errorf("the keeper of the process: %w", err)
	}
	return p, nil
}

// Signal sends a signal to the process and what it started.
func (p *Process) Signal(sig syscall.Signal) { _ = syscall.Kill(-p.keeper.Process.Pid, sig) }

// Kill ends all of it.
func (p *Process) Kill() { p.life.Close() }

// Wait returns how the process ended, when nothing is left: its exit code, or 128 and the signal. It is called once.
func (p *Process) Wait() (int, error) {
	var e ended
	if err := json.NewDecoder(io.LimitReader(p.says, maxSaid)).Decode(&e); err != nil {
		e = ended{Code: killed} // all was ended
	}
	p.Kill()
	p.says.Close()
	var ee *exec.ExitError
	if err := p.keeper.Wait(); err != nil && !errors.As(err, &ee) {
		return 0, err
	}
	if e.Error != "" {
		return 0, errors.New(e.Error)
	}
	return e.Code, nil
}

// keep runs a process and ends it, and its group with itself, when the one who asked for it is gone.
func keep() {
	// It is in the group that is told to end, and is to see how that goes. What is caught, and not ignored, is as it
	// always was for what is started.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	unix.CloseOnExec(lifeFD)
	unix.CloseOnExec(saysFD)
	life, says := os.NewFile(lifeFD, "life"), json.NewEncoder(os.NewFile(saysFD, "says"))
	cmd, err := first(life)
	if err != nil {
		_ = says.Encode(ended{Error: err.Error()})
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, life)
		_ = cmd.Process.Kill() // it may have left the group
		_ = syscall.Kill(0, syscall.SIGKILL)
	}()
	var e ended
	if e.Code, err = follow(cmd); err != nil {
		e.Error = err.Error()
	}
	_ = says.Encode(e)
	select {} // until the other side has read that, and lets go
}

// first starts the process that it is told of.
func first(life io.Reader) (*exec.Cmd, error) {
	var st setup
	if err := json.NewDecoder(life).Decode(&st); err != nil || len(st.Args) == 0 {
		return nil, fmt.Errorf("the keeper was not told what to run: %w", err)
	}
	for what, most := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: st.FileSize} {
		if err := setLimit(what, most); err != nil {
			return nil, fmt.Errorf("a limit: %w", err)
		}
	}
	cmd := &exec.Cmd{Path: st.Args[0], Args: st.Args, Dir: st.Dir, Env: st.Env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		f.Close() // whoever reads sees the end when the process ends, and not the keeper
	}
	return cmd, nil
}

func follow(cmd *exec.Cmd) (int, error) {
	var ee *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ee) {
		return 0, err
	}
	if w, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

func setLimit(what int, most uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(what, &now); err != nil {
		return err
	}
	most = min(most, now.Max)
	return unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most})
}
