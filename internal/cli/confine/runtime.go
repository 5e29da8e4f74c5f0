package confine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
)

// Runtimes are the images that servers of node and Python run on, and how they are had.
type Runtimes struct {
	Images map[string]string      // "node", "python" to the image, by its digest
	Pull   func(ref string) error // fetches one that the engine does not have
}

// imagePath is where programs are looked for in an image that does not say.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// runtimeOf says whose interpreter runs a server, "" for a program of its own.
func runtimeOf(s *gateway.Server) (runtime, program string) {
	name := strings.TrimSuffix(filepath.Base(s.Command), ".exe")
	switch {
	case name == "node":
		return "node", "node"
	case name == "python" || strings.HasPrefix(name, "python3"):
		return "python", "python3"
	}
	return "", ""
}

// OnRuntime has a server that node or Python runs do so in a container: on the interpreter of an image that the person chose by
// its digest, with its own locked files at the same place, read-only, and what was granted, as in the native sandbox. It
// reports false, and does nothing, for a server that is a program of its own, which no such image is for. Unavailable where there is no engine,
// Forbidden when no image was chosen.
func (at Machine) OnRuntime(m *manifest.Manifest, s *gateway.Server, set map[string]string, grants Grants, with Runtimes) (bool, error) {
	runtime, program := runtimeOf(s)
	if runtime == "" {
		return false, nil
	}
	port := 0
	if s.Remote() {
		var err error
		if port, err = portOf(s); err != nil {
			return true, err
		}
	}
	ref := with.Images[runtime]
	if ref == "" {
		return true, hub.Errorf(hub.Forbidden, "it is run by %s, and no image with %s is chosen to run it on in a container", runtime, runtime).
			WithHint(`choose one by its digest, in your ~/.mcpmrc: "runtimeImage.%s": "NAME@sha256:DIGEST" (docker image ls --digests shows those that are here)`, runtime)
	}
	client, err := at.engine(at.Runtime)
	if err != nil {
		return true, err
	}
	defer client.Close()
	id := ref
	if strings.Contains(ref, "@") { // else it is the one of this engine, which nobody else has
		if id, err = imageOf(client, ref, with.Pull); err != nil {
			return true, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), asked)
	defer cancel()
	img, err := client.Image(ctx, id)
	if err != nil {
		return true, hub.Errorf(hub.Unavailable, "the image %s of runtimeImage.%s: %v", term.Clean(ref), runtime, err).
			WithHint("docker image ls --no-trunc shows those that are here").WithCause(err)
	}
	if at.Bundle != "" {
		s.Reads = append(s.Reads, at.Bundle)
	}
	if os.Getuid() == 0 {
		s.Writes = nil // the server is nobody, who may not write what mcpm keeps; nothing of it is needed
	}
	command := s.Command
	s.Command = "" // the program is the image's, and nothing of it is on this machine
	spec, err := at.spec(m, s, set, grants)
	s.Command = command
	if err != nil {
		return true, err
	}
	spec.Command, spec.Home, spec.Listens = program, "", port
	if runtime == "python" {
		s.Args = sameVersion(command, s.Args)
	}
	if s.Dir != "" && Seen(s.Dir, spec.Mounts) {
		spec.Dir = s.Dir
	}
	spec.Container = &sandbox.Container{Engine: client.Address, Image: id, Server: string(m.Name)}
	s.Env = inImage(s.Env, spec.Mounts, img.Config.Env)
	s.Sandbox = spec
	return true, nil
}

var versioned = lazyregexp.New(`python(3)\.(\d+)$`)

// sameVersion has a program that mcpm begins with -c end when the image's Python is not of the version that its packages
// were installed for: compiled ones would fail in ways that do not tell why. The version is known from the interpreter's name.
func sameVersion(command string, args []string) []string {
	real, err := filepath.EvalSymlinks(command)
	v := versioned.FindStringSubmatch(real)
	if err != nil || v == nil || len(args) < 4 || !slices.Equal(args[:3], []string{"-S", "-s", "-c"}) {
		return args // not one of ours, see programs.PyPI
	}
	out := slices.Clone(args)
	out[3] = fmt.Sprintf("import sys; sys.version_info[:2] == (%s, %s) or sys.exit('the image has Python %%d.%%d, and the packages are for %s.%s; "+
		"choose an image with that in runtimeImage.python, or install the server anew with the other one' %% sys.version_info[:2]); ", v[1], v[2], v[1], v[2]) + out[3]
	return out
}

// Flag is --sandbox: alone it says yes, and its value may be the mechanism.
type Flag struct{ On, Container bool }

// String implements pflag.Value.
func (f *Flag) String() string {
	if f.Container {
		return "container"
	}
	return fmt.Sprint(f.On)
}

// Set implements pflag.Value.
func (f *Flag) Set(value string) error {
	switch value {
	case "true", "1":
		*f = Flag{On: true}
	case "false", "0":
		*f = Flag{}
	case "container":
		*f = Flag{On: true, Container: true}
	default:
		return fmt.Errorf("%q is none of true, false, container", term.Clean(value))
	}
	return nil
}

// Type implements pflag.Value.
func (f *Flag) Type() string { return "bool" }

// Usage is how the flag is told.
const Usage = "in a sandbox, which is the rule on Linux: =false with all of your rights, =container on an image of node or Python"

// Seen reports whether a path is in what a server sees.
func Seen(path string, mounts []sandbox.Mount) bool {
	return slices.ContainsFunc(mounts, func(m sandbox.Mount) bool { return path == m.Path || strings.HasPrefix(path, m.Path+"/") })
}

// inImage leaves of an environment what makes sense in an image: of PATH what the server sees, in front of the image's own; no home.
func inImage(env []string, mounts []sandbox.Mount, image []string) []string {
	path := imagePath
	for _, kv := range image {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok && v != "" {
			path = v
		}
	}
	var out []string
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH":
			var own []string
			for _, dir := range filepath.SplitList(value) {
				if Seen(dir, mounts) {
					own = append(own, dir)
				}
			}
			path = strings.Join(append(own, path), string(filepath.ListSeparator))
		case "HOME", "TMPDIR":
		default:
			out = append(out, kv)
		}
	}
	return append(out, "PATH="+path, "HOME=/tmp", "TMPDIR=/tmp")
}
