package confine

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/engine"
	"github.com/mcphub/mcphub/internal/source/image"
)

// asked is how long an engine may take to say whether it has an image.
const asked = 20 * time.Second

// command is what a command line of docker run says.
type command struct {
	image  string
	args   []string
	env    []string // NAME=VALUE, or NAME for one that is passed on
	mounts []sandbox.Mount
	dir    string
	entry  string
	ports  []string // that are published, "8080:3000"
	none   bool     // --network none
	beyond string   // the first option that a sandbox does not know how to keep
}

// readCommand reads what is between "run" and the image, and after it.
func readCommand(s *gateway.Server) (command, bool) {
	at, ok := image.In(programOf(s.Command), s.Args)
	if !ok {
		return command{}, false
	}
	c := command{image: s.Args[at], args: s.Args[at+1:]}
	for i := 1; i < at; i++ {
		flag, value, joined := strings.Cut(s.Args[i], "=")
		if !strings.HasPrefix(flag, "--") && len(flag) > 2 && strings.ContainsAny(flag[1:2], "evwp") { // -eNAME=VALUE
			flag, value, joined = s.Args[i][:2], s.Args[i][2:], true
		}
		if slices.Contains([]string{"-e", "--env", "-v", "--volume", "--mount", "-w", "--workdir", "--entrypoint", "--network", "--net", "--name", "-p", "--publish"}, flag) && !joined && i+1 < at {
			i++
			value = s.Args[i]
		}
		if !c.option(flag, value) && c.beyond == "" {
			c.beyond = s.Args[i]
		}
	}
	return c, true
}

// option takes over one option; false for one that is not known here.
func (c *command) option(flag, value string) bool {
	switch flag {
	case "--rm", "-i", "--interactive", "--init", "--name", "--":
	case "-e", "--env":
		c.env = append(c.env, value)
	case "-w", "--workdir":
		c.dir = value
	case "--entrypoint":
		c.entry = value
	case "--network", "--net":
		c.none = value == "none"
		return c.none || value == "bridge" || value == "default"
	case "-p", "--publish":
		c.ports = append(c.ports, value)
	case "-v", "--volume":
		return c.volume(value)
	case "--mount":
		return c.mount(value)
	default:
		return false
	}
	return true
}

// volume reads "/here:/there" with ":ro" or ":rw". Volumes by name are not known here.
func (c *command) volume(value string) bool {
	parts := strings.Split(value, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 && parts[2] != "ro" && parts[2] != "rw" {
		return false
	}
	return c.bind(parts[0], parts[1], len(parts) == 3 && parts[2] == "ro")
}

// mount reads "type=bind,src=/here,dst=/there,readonly".
func (c *command) mount(value string) bool {
	var kind, from, to string
	readOnly := false
	for field := range strings.SplitSeq(value, ",") {
		name, v, set := strings.Cut(field, "=")
		switch name {
		case "type":
			kind = v
		case "src", "source":
			from = v
		case "dst", "destination", "target":
			to = v
		case "ro", "readonly":
			readOnly = !set || v == "true" || v == "1"
		default:
			return false
		}
	}
	return kind == "bind" && c.bind(from, to, readOnly)
}

func (c *command) bind(from, to string, readOnly bool) bool {
	if !filepath.IsAbs(from) || !filepath.IsAbs(to) {
		return false
	}
	c.mounts = append(c.mounts, sandbox.Mount{Path: filepath.Clean(from), At: filepath.Clean(to), Write: !readOnly})
	return true
}

// reached is at which port of this machine a server is reached, and where it listens in its container: 0 for one that speaks on
// its standard input and output. Forbidden for a port that is published beside that: nobody was asked about it.
func (c *command) reached(s *gateway.Server) (outside, inside int, err error) {
	if s.Remote() {
		if outside, err = portOf(s); err != nil {
			return 0, 0, err
		}
	}
	inside = outside
	for _, p := range c.ports {
		parts := strings.Split(strings.TrimSuffix(p, "/tcp"), ":")
		to, err := strconv.Atoi(parts[len(parts)-1])
		if outside == 0 || err != nil || len(parts) < 2 || parts[len(parts)-2] != strconv.Itoa(outside) {
			return 0, 0, hub.Errorf(hub.Forbidden, "its command publishes %q of docker, and in a sandbox a server is reached at the port of its URL alone", term.Clean(p)).WithHint("%s", withRights)
		}
		inside = to
	}
	return outside, inside, nil
}

// programOf is docker or podman where a path of either is configured.
func programOf(name string) string {
	return strings.TrimSuffix(filepath.Base(name), ".exe")
}

// IsContainer reports whether a server is started by a container engine.
func IsContainer(s *gateway.Server) bool {
	name := programOf(s.Command)
	return name == "docker" || name == "podman"
}

// Contain has a server that a container engine starts run in a container of mcpm's own making, over the engine's socket and not its
// program: with confined it gets what was granted and nothing more; without it has what its command gives it, and
// is started by the engine's program where mcpm cannot do as that does. pull fetches an image that the engine does not have.
func (at Machine) Contain(m *manifest.Manifest, s *gateway.Server, grants Grants, confined bool, pull func(ref string) error) error {
	c, ok := readCommand(s)
	if !ok {
		if confined {
			return hub.Errorf(hub.Forbidden, "its command is no docker run of an image, and cannot be run in a sandbox").WithHint("%s", withRights)
		}
		return nil
	}
	if !confined && (c.beyond != "" || s.Remote() || len(c.ports) > 0) {
		return nil
	}
	outside, inside, err := c.reached(s)
	if err != nil {
		return err
	}
	if c.beyond != "" {
		return hub.Errorf(hub.Forbidden, "it is started with the option %q of docker, which a sandbox does not keep", term.Clean(c.beyond)).
			WithHint("%s", withRights)
	}
	runtime := at.Runtime
	if runtime == "" && programOf(s.Command) == "podman" {
		runtime = "podman"
	}
	client, err := at.engine(runtime)
	if err != nil && !confined {
		return nil // its program may know where it is
	}
	if err != nil {
		return err
	}
	defer client.Close()
	id, err := imageOf(client, c.image, pull)
	if err != nil {
		return err
	}
	spec := &sandbox.Spec{Command: c.entry, Dir: c.dir, Listens: outside, Inside: inside, Container: &sandbox.Container{Engine: client.Address, Image: id, Server: string(m.Name), Open: !confined, NoNetwork: c.none}}
	if confined {
		err = at.grantContainer(m, s, c, grants, spec)
	} else {
		spec.Mounts, s.Env = c.mounts, passed(s.Env, c.env, nil)
	}
	s.Sandbox, s.Args = spec, c.args
	return err
}

// engine finds the container engine. Unavailable when there is none that a sandbox can use.
func (at Machine) engine(runtime string) (*engine.Client, error) {
	if cannot := sandbox.Containers(); cannot != nil { // no engine would help
		return nil, hub.Errorf(hub.Unavailable, "a container in a sandbox: %v", cannot).WithHint("%s", withRights).WithCause(cannot)
	}
	client, err := engine.Find(runtime, engine.Place{Getenv: at.Getenv, Home: at.Home})
	if err != nil {
		return nil, hub.Errorf(hub.Unavailable, "a container in a sandbox needs an engine on this machine: %v", err).
			WithHint("start Docker or Podman; for Podman: systemctl --user start podman.socket").WithCause(err)
	}
	return client, nil
}

// grantContainer fills in what a container gets: what was granted, and of what its command mounts what that covers.
func (at Machine) grantContainer(m *manifest.Manifest, s *gateway.Server, c command, grants Grants, spec *sandbox.Spec) error {
	p, err := at.granted(m, grants)
	if err != nil {
		return err
	}
	spec.Network, spec.Subprocess, spec.Waive = p.Network.Outbound, p.Subprocess, grants.Waived()
	for _, f := range p.Filesystem {
		mount, err := at.mount(f)
		if err != nil {
			return err
		}
		spec.Mounts = append(spec.Mounts, mount)
	}
	given := slices.Clone(spec.Mounts)
	for _, wish := range c.mounts {
		covers := func(g sandbox.Mount) bool {
			return (g.Path == wish.Path || strings.HasPrefix(wish.Path, g.Path+"/")) && (g.Write || !wish.Write)
		}
		if !slices.ContainsFunc(given, covers) {
			access := map[bool]string{true: "write", false: "read"}[wish.Write]
			return hub.Errorf(hub.Forbidden, "its command mounts %s to %s, which was not granted", term.Clean(wish.Path), access).
				WithHint("--allow %s=%s, if it may", access, term.Clean(wish.Path))
		}
		spec.Mounts = append(spec.Mounts, wish)
	}
	if spec.Hidden, err = at.hidden(spec.Mounts); err != nil {
		return err
	}
	spec.Limits, err = limits(p.Resources)
	s.Env = passed(s.Env, c.env, append(p.Environment, p.Secrets...))
	return err
}

// passed is what a container gets of the environment: what docker would pass on, and what was granted.
func passed(all, wishes, names []string) []string {
	var out []string
	for _, w := range wishes {
		if name, _, set := strings.Cut(w, "="); set && name != "" {
			out = append(out, w)
		} else {
			names = append(names, name)
		}
	}
	for _, kv := range all {
		name, _, _ := strings.Cut(kv, "=")
		set := func(o string) bool { return strings.HasPrefix(o, name+"=") }
		if slices.Contains(names, name) && !slices.ContainsFunc(out, set) {
			out = append(out, kv)
		}
	}
	return out
}

// imageOf returns the bytes that an image's name stands for at the engine.
func imageOf(client *engine.Client, ref string, pull func(string) error) (string, error) {
	if _, err := image.Parse(ref); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), asked)
	defer cancel()
	img, err := client.Image(ctx, ref)
	if errors.Is(err, engine.ErrNotFound) {
		if err := pull(ref); err != nil {
			return "", err
		}
		again, cancel := context.WithTimeout(context.Background(), asked)
		defer cancel()
		img, err = client.Image(again, ref)
	}
	if err != nil {
		return "", hub.Errorf(hub.Unavailable, "its image %s: %v", term.Clean(ref), err).WithHint("docker pull %s fetches it", term.Clean(ref)).WithCause(err)
	}
	return "sha256:" + strings.TrimPrefix(img.ID, "sha256:"), nil
}
