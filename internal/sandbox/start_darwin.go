package sandbox

import (
	"os"

	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/programs"
	"github.com/mcphub/mcphub/internal/sandbox/seatbelt"
)

// Process is a process in a sandbox.
type Process struct{ *seatbelt.Running }

// Init runs what keeps a process of a sandbox, and does not return, if this process is that.
func Init() { seatbelt.Init() }

// Start starts a process with the given files as its stdin, stdout and stderr. Errors that wrap ErrUnsupported say what
// the machine lacks; in any case of error nothing runs.
func Start(s *Spec, in, out, errs *os.File) (*Process, error) {
	spec, err := s.outsideLinux("darwin", "macOS has no means for it")
	if err != nil {
		return nil, err
	}
	rules, err := egress.ParseRules(spec.Network)
	if err != nil {
		return nil, err
	}
	if err := spec.settle(); err != nil {
		return nil, err
	}
	box := &seatbelt.Box{
		Command: seatbelt.Command{
			Profile: seatbelt.Profile{Programs: programs.Of(spec.Command, spec.Env), Any: spec.Subprocess, Hidden: spec.Hidden, Listens: spec.Inside},
			Path:    spec.Command, Args: spec.Args, Dir: spec.Dir, Env: spec.Env, FileSize: spec.Limits.FileSize,
		},
		Home: spec.Home, Rules: rules, Denied: spec.Denied,
	}
	for _, m := range spec.Mounts {
		if m.Write {
			box.Profile.Write = append(box.Profile.Write, m.Path)
		} else {
			box.Profile.Read = append(box.Profile.Read, m.Path)
		}
	}
	r, err := box.Run(in, out, errs)
	if err != nil {
		return nil, err
	}
	return &Process{r}, nil
}
