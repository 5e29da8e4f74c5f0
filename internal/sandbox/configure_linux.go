//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
	"github.com/mcphub/mcphub/internal/sandbox/mask"
)

// masked are places of a container that tell of the machine or reach its kernel. An engine that is told of any masks no others.
var masked = []string{
	"/proc/acpi", "/proc/asound", "/proc/driver", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug",
	"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys",
}

// podmanProcesses is how many processes the user of a container may have on the whole machine; the control group bounds
// those of the container.
const podmanProcesses = 16384

var unchangeable = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

// configure says to the engine what the container is. It completes the setup with what the image says.
func configure(st *setup, info engine.Info, img engine.Image, d *door) (*engine.Config, error) {
	command(st, img)
	parent, err := self()
	if err != nil {
		return nil, err
	}
	conf := &engine.Config{
		Image: img.ID, Entrypoint: []string{insideStep}, Cmd: []string{}, WorkingDir: "/", User: img.Config.User,
		Labels: map[string]string{labelOurs: "1", labelParent: parent, labelServer: st.Container.Server},
	}
	conf.StopSignal = "SIGKILL"              // the first step hears no other
	conf.Healthcheck.Test = []string{"NONE"} // the image's would be started by the engine, beside the first step
	h := &conf.HostConfig
	h.AutoRemove, h.LogConfig.Type, h.SecurityOpt = true, "none", []string{"no-new-privileges"}
	h.PidsLimit = int64(st.Limits.Pids) + 32 // threads of the two steps
	h.Mounts = []engine.Mount{bind(d.exe, insideStep, true), bind(d.socket(), insideSocket, true)}
	if err := show(st, d, h); err != nil {
		return nil, err
	}
	if st.Container.Open {
		if st.Container.NoNetwork {
			h.NetworkMode = "none"
		}
		return conf, nil
	}
	if !info.PidsLimit {
		if err := st.cannot("the engine has no control group for processes", Resources); err != nil {
			return nil, err
		}
	}
	conf.User = user(st, info, img)
	if info.Rootless && info.Podman {
		// The person is the same one inside. It says that it has control groups also where none is delegated to that person.
		h.UsernsMode, st.Alone = "keep-id", true
	}
	h.NetworkMode, h.IpcMode, h.CapDrop, h.ReadonlyRootfs = "none", "private", []string{"ALL"}, true
	if st.Proxy || st.Inside > 0 { // the process listens, or the first step at the ports of what was granted, also below 1024
		h.Sysctls = map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
	}
	if st.Proxy {
		h.Mounts = append(h.Mounts, bind(d.empty(false), "/etc/resolv.conf", true))
	}
	scratches(st, img, h)
	if info.MemoryLimit {
		h.Memory = st.Limits.Memory + st.Limits.Scratch + besides
		h.MemorySwap = h.Memory
	}
	if info.CPUCfsQuota {
		h.NanoCPUs = int64(st.Limits.CPUs) * 1e9
	}
	h.Ulimits = []engine.Ulimit{{Name: "core"}, {Name: "nofile", Soft: 4096, Hard: 4096}, {Name: "fsize", Soft: st.Limits.FileSize, Hard: st.Limits.FileSize}}
	if info.Podman {
		h.Tmpfs["/sys"] = "ro,nosuid,nodev,noexec,size=64k,mode=0555" // it does not take masks
		// Its own default is 1048576, to which an engine that is confined itself may not raise it.
		h.Ulimits = append(h.Ulimits, engine.Ulimit{Name: "nproc", Soft: podmanProcesses, Hard: podmanProcesses})
	}
	h.MaskedPaths, h.ReadonlyPaths = masked, unchangeable
	return conf, nil
}

// command fills in what the image says of the process.
func command(st *setup, img engine.Image) {
	argv := slices.Clone(img.Config.Entrypoint)
	args := st.Args
	if st.Command != "" {
		argv = []string{st.Command}
	} else if len(args) == 0 {
		args = img.Config.Cmd
	}
	argv = append(argv, args...)
	if len(argv) > 0 {
		st.Command, st.Args = argv[0], argv[1:]
	}
	st.Dir = or(or(st.Dir, img.Config.WorkingDir), "/")
}

// user is who the process is: the image's own user where that is not root and nothing of the machine is shown, else this
// person, whose files they are, and nobody for root. Where the engine is a person's own, its root is that person,
// and everybody else is somebody who cannot read the person's files.
func user(st *setup, info engine.Info, img engine.Image) string {
	own, _, _ := strings.Cut(img.Config.User, ":")
	id, err := strconv.Atoi(own)
	if len(st.Mounts) == 0 && own != "" && own != "root" && (err != nil || id > 0) {
		return img.Config.User
	}
	if info.Rootless && !info.Podman {
		return "0:0"
	}
	return fmt.Sprintf("%d:%d", st.UID, st.GID)
}

// scratches are the directories that can be written, in memory. What the image declares as a volume would be on disk
// and without bound.
func scratches(st *setup, img engine.Image, h *engine.HostConfig) {
	h.Tmpfs = map[string]string{}
	put := func(dir string, size int64) {
		if !slices.ContainsFunc(h.Mounts, func(m engine.Mount) bool { return m.Target == dir }) {
			h.Tmpfs[dir] = fmt.Sprintf("rw,nosuid,nodev,size=%d,mode=1777", size)
		}
	}
	all := st.Limits.Scratch
	others := []string{"/var/tmp", "/run"}
	for dir := range img.Config.Volumes {
		if filepath.IsAbs(dir) && mask.OverSystem(filepath.Clean(dir)) == nil {
			st.Volumes = append(st.Volumes, filepath.Clean(dir))
		}
	}
	others = append(others, st.Volumes...)
	put("/tmp", all/2)
	h.ShmSize = all / 4
	for _, dir := range others {
		put(dir, max(all/4/int64(len(others)), 64<<10))
	}
}

func bind(source, target string, readOnly bool) engine.Mount {
	return engine.Mount{Type: "bind", Source: source, Target: target, ReadOnly: readOnly, BindOptions: &engine.BindOptions{Propagation: "rprivate", NonRecursive: readOnly}}
}

// show mounts what was granted, at its real place and where it was named, and covers what must not be seen of it.
func show(st *setup, d *door, h *engine.HostConfig) error {
	at := map[string][]string{} // real path: where it is shown
	for _, l := range st.Links {
		at[l.To] = append(at[l.To], l.At)
	}
	for _, m := range st.Mounts {
		targets := []string{m.At}
		if m.At == "" {
			targets = append([]string{m.Path}, at[m.Path]...)
		}
		for _, target := range targets {
			if target == insideStep || target == insideSocket || slices.ContainsFunc(h.Mounts, func(o engine.Mount) bool { return o.Target == target }) {
				return fmt.Errorf("%s cannot be shown at %s, where something else is", m.Path, target)
			}
			c, _, err := identity(m.Path)
			if err != nil {
				return fmt.Errorf("the granted path %s cannot be read: %w", m.Path, err)
			}
			c.Path, c.Write = target, m.Write
			st.Checks = append(st.Checks, c)
			h.Mounts = append(h.Mounts, bind(m.Path, target, !m.Write))
			if err := cover(st, d, h, m.Path, target); err != nil {
				return err
			}
		}
	}
	return nil
}

// cover hides what is hidden of one mount.
func cover(st *setup, d *door, h *engine.HostConfig, path, target string) error {
	var done []string
	for _, p := range st.Hidden {
		real := p
		if dir, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil {
			real = filepath.Join(dir, filepath.Base(p))
		}
		rest, inside := strings.CutPrefix(real, path+"/")
		if !inside || slices.Contains(done, real) {
			continue
		}
		c, mode, err := identity(real)
		if errors.Is(err, fs.ErrNotExist) || err == nil && mode&os.ModeSymlink != 0 {
			continue // what a link leads to is seen only if it was granted itself
		}
		if err != nil {
			return fmt.Errorf("what must not be seen of %s: %w", path, err)
		}
		c.Path, c.Hidden = target+"/"+rest, true
		st.Checks = append(st.Checks, c)
		h.Mounts = append(h.Mounts, bind(d.empty(mode.IsDir()), c.Path, true))
		done = append(done, real)
	}
	return nil
}
