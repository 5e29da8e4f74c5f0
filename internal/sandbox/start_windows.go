package sandbox

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/mcphub/mcphub/internal/sandbox/jobs"
)

// Process is a process in a sandbox.
type Process struct{ *jobs.Process }

// Init does nothing on this system.
func Init() {}

// Start starts a process with the given files as its stdin, stdout and stderr. Errors that wrap ErrUnsupported say what
// the machine lacks; in any case of error nothing runs.
func Start(s *Spec, in, out, errs *os.File) (*Process, error) {
	spec, err := s.outsideLinux("windows", "a job object and a restricted token do not do it")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(spec.Command, spec.Args...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = spec.Dir, spec.Env, in, out, errs
	l := spec.Limits
	p, err := jobs.Start(cmd, jobs.Limits{Memory: uint64(l.Memory), Pids: uint32(l.Pids), CPUs: l.CPUs})
	if err != nil {
		return nil, err
	}
	return &Process{p}, nil
}

// Signal ends the process: Windows has no signals to tell a process of.
func (p *Process) Signal(syscall.Signal) { p.Kill() }
