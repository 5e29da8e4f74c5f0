package gateway

import (
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

var forwarded = []os.Signal{os.Interrupt}

// child is a started server, in a job object that ends all of it when mcpm's handle closes.
type child struct {
	process *os.Process
	job     windows.Handle
}

func start(cmd *exec.Cmd, _ *os.File) (*child, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	c := &child{process: cmd.Process, job: job}
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, h)
		windows.CloseHandle(h)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		windows.CloseHandle(job)
		return nil, err
	}
	return c, nil
}

// forward does nothing for Ctrl-C, which the console sends to every process on it.
func (c *child) forward(os.Signal) {}

func (c *child) cleanUp() { windows.CloseHandle(c.job) }

func exitCode(p *os.ProcessState) int { return p.ExitCode() }
