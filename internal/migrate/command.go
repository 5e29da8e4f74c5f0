package migrate

import (
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// program is the name of a command without its directory and what Windows adds.
func program(command string) string {
	name := strings.ToLower(path.Base(strings.ReplaceAll(command, `\`, "/")))
	for _, end := range []string{".exe", ".cmd", ".bat", ".ps1"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

// start says what a command line starts.
func (s *Server) start() {
	s.unwrap()
	switch name := program(s.Command); {
	case s.Command == "":
		s.fail("its entry has neither a command nor an address")
	case slices.ContainsFunc(s.Args, filledIn):
		s.fail("its arguments are filled in by the application")
	case name == "mcpm":
		s.mcpm()
	case name == "thv":
		s.fail("ToolHive starts it: its run configuration is read instead")
	case name == "docker" && len(s.Args) > 0 && s.Args[0] == "mcp":
		s.fail("it is Docker's gateway, which stands for a whole profile: docker mcp profile export PROFILE FILE.yaml, then mcpm migrate --from FILE.yaml")
	case slices.Contains([]string{"npx", "bunx", "pnpx", "uvx", "uv", "docker", "podman"}, name):
		s.pack(name)
	default:
		s.fail("it starts " + name + ", a program of this machine, which no registry has")
	}
}

// unwrap takes off what stands before the command: cmd /c on Windows, env, and a relay that has the command
// after "--".
func (s *Server) unwrap() {
	for range 4 { // nobody wraps deeper
		name := program(s.Command)
		switch {
		case name == "cmd" && len(s.Args) > 1 && strings.EqualFold(s.Args[0], "/c"):
			s.Command, s.Args = s.Args[1], s.Args[2:]
		case name == "env" && len(s.Args) > 0 && !strings.Contains(s.Args[0], "=") && !strings.HasPrefix(s.Args[0], "-"):
			s.Command, s.Args = s.Args[0], s.Args[1:]
		case (name == "mcpm" || name == "mcpm-guard") && len(s.Args) > 0 && strings.Contains(s.Args[0]+name, "guard"):
			i := slices.Index(s.Args, "--")
			if i < 0 || i+1 >= len(s.Args) {
				return
			}
			s.Command, s.Args = s.Args[i+1], s.Args[i+2:]
		default:
			return
		}
	}
}

// mcpm tells our entries from those of mcpm.sh, whose program has the same name, written without its path, and whose servers
// have no scope. An alias has none either, and stands in an entry with the path of mcpm or the directory of a project.
func (s *Server) mcpm() {
	if len(s.Args) > 1 && s.Args[0] == "run" {
		n, err := hub.ParseMirrorName(s.Args[1])
		if err != nil && (slices.Contains(s.Args, "-C") || strings.ContainsAny(s.Command, `/\`)) {
			n, err = hub.ParseLocalName(s.Args[1])
		}
		if err == nil {
			s.fail("mcpm runs it already")
			s.Ours, s.Identifier = true, n.String()
			return
		}
	}
	s.fail("mcpm.sh runs it: its own list is read instead")
}

// pack reads npx, uvx and docker run.
func (s *Server) pack(name string) {
	spec := manifest.ServerSpec{Command: name, Args: s.Args}
	p, ok := (&manifest.Manifest{}).PackageOf(spec)
	if !ok {
		s.fail("its command line is not one that is understood: " + name + " is given something beside a package")
		return
	}
	r, isRunner, err := manifest.RunnerOf(name, s.Args)
	switch {
	case isRunner && err != nil: // the error would quote options, and a key may be one
		s.fail("its command line is not one that is understood: " + name + " is given options that cannot be kept")
		return
	case isRunner && r.Registry != "":
		s.fail("its package comes from a registry of its own")
		return
	}
	s.Kind, s.Identifier, s.Version = p.RegistryType, p.Identifier, p.Version
	switch {
	case p.RegistryType == model.RegistryTypeOCI:
		s.Identifier, s.Version = Image(p.Identifier)
		for _, e := range p.EnvironmentVariables { // -e NAME=VALUE
			if _, there := s.Env[e.Name]; e.Value != "" && !there {
				s.Env[e.Name] = e.Value
			}
		}
	case p.RegistryType == model.RegistryTypeNPM && (p.Identifier == "@smithery/cli" || p.Identifier == "smithery"):
		s.smithery(r.Args)
	case p.RegistryType == model.RegistryTypeNPM && p.Identifier == "mcp-remote", p.RegistryType == model.RegistryTypePyPI && p.Identifier == "mcp-proxy":
		s.bridge(r.Args)
	}
}

// smithery reads "run NAME --key KEY": what it starts is known to Smithery alone, but it has an address there.
func (s *Server) smithery(args []string) {
	if len(args) < 2 || args[0] != "run" || strings.HasPrefix(args[1], "-") {
		s.fail("it is Smithery's own program, not a server")
		return
	}
	s.Kind, s.Version = Remote, ""
	s.Identifier = Address("https://server.smithery.ai/" + args[1] + "/mcp")
	if len(args) > 2 {
		s.Query = strings.Join(args[2:], " ") // keys and settings are for Smithery
	}
	s.Command, s.Args = "", nil
}

// bridge reads mcp-remote and mcp-proxy, which make a remote server look like a local one.
func (s *Server) bridge(args []string) {
	if len(args) == 0 || !strings.HasPrefix(args[0], "http") {
		s.fail("it is a bridge whose address is not its first argument")
		return
	}
	for i := 1; i+1 < len(args); i++ {
		if args[i] != "--header" {
			continue
		}
		name, value, ok := strings.Cut(args[i+1], ":")
		if ok {
			s.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	s.Version, s.Command, s.Args = "", "", nil
	s.reach(args[0])
}

// Image parts an image's name from its tag, and drops a digest. Docker's own registry and namespace are left
// out, as people leave them out.
func Image(ref string) (name, tag string) {
	name, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	for _, front := range []string{"docker.io/", "index.docker.io/", "library/"} {
		name = strings.TrimPrefix(name, front)
	}
	if tag == "latest" {
		tag = ""
	}
	return name, tag
}
