package check

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/mcphub/mcphub/internal/sandbox/cgroup"
	"golang.org/x/sys/unix"
)

// means asks the kernel. Nothing is guessed from its version: each is tried, or read from where the kernel tells it.
func (o *doctorOptions) means(ctx context.Context) []finding {
	return []finding{landlock(), seccomp(), o.userNamespaces(ctx), groups(), o.program(ctx, "bubblewrap", "bwrap", "--version")}
}

// landlock asks for the version of the interface, which changes nothing.
func landlock() finding {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return finding{Name: "Landlock", Status: fine, Text: fmt.Sprintf("ABI %d", abi)}
	case unix.ENOSYS:
		return finding{Name: "Landlock", Status: absent, Text: "the kernel does not have it"}
	case unix.EOPNOTSUPP:
		return finding{Name: "Landlock", Status: absent, Text: "the kernel has it switched off"}
	}
	return finding{Name: "Landlock", Status: absent, Text: "not to be had: " + errno.Error()}
}

// groups says whether all processes of a sandbox together can be bounded by the kernel.
func groups() finding {
	dir, has, err := cgroup.Where()
	if err != nil {
		return finding{Name: "cgroup v2", Status: absent, Text: err.Error() + ": limits are those of each process, and memory is looked at every 50 ms"}
	}
	return finding{Name: "cgroup v2", Status: fine, Text: strings.Join(has, ", ") + " in " + dir}
}

func seccomp() finding {
	f := finding{Name: "seccomp", Status: absent}
	data, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil {
		f.Text = "the kernel does not tell: " + err.Error()
		return f
	}
	f.Status, f.Text = fine, "filters"
	if slices.Contains(strings.Fields(string(data)), "user_notif") {
		f.Text += ", with notification"
	}
	return f
}

// userNamespaces starts a program that does nothing in a user namespace of its own: a limit, a setting or a security
// module may forbid it, and only trying tells.
func (o *doctorOptions) userNamespaces(ctx context.Context) finding {
	f := finding{Name: "user namespaces", Status: absent}
	path, err := o.LookPath("true")
	if err != nil {
		f.Text = "not tried: there is no program true"
		return f
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Run(); err != nil {
		f.Text = "not allowed here: " + err.Error()
		return f
	}
	f.Status, f.Text = fine, "tried, and they work"
	if os.Geteuid() == 0 {
		f.Text = "tried as root, and they work"
	}
	return f
}
