package export

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/source/image"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// service is one server in a compose file. Values are not in it: they come from the environment of docker compose, or
// from its .env file.
type service struct {
	Image       string        `yaml:"image"`
	Command     []string      `yaml:"command,omitempty"`
	Environment yaml.MapSlice `yaml:"environment,omitempty"`
	Volumes     []string      `yaml:"volumes,omitempty"`
	Ports       []string      `yaml:"ports,omitempty"`
	StdinOpen   bool          `yaml:"stdin_open,omitempty"`
	NetworkMode string        `yaml:"network_mode,omitempty"`
	Security    []string      `yaml:"security_opt,omitempty"`
	Memory      string        `yaml:"mem_limit,omitempty"`
	CPUs        float64       `yaml:"cpus,omitempty"`
	Pids        int           `yaml:"pids_limit,omitempty"`
}

// compose writes the servers that are container images. Others cannot be written without making an image: a named one is
// refused, of all it is said which are left out.
func (o *exportOptions) compose(out io.Writer, p install.Project) error {
	lock, err := install.ReadLock(p)
	if err != nil {
		return err
	}
	names := o.names
	if len(names) == 0 {
		names = lock.Names()
	}
	services := yaml.MapSlice{}
	var left []string
	for _, name := range names {
		in, err := o.find(name)
		if err != nil {
			return err
		}
		pkg := imageOf(in.Manifest)
		if pkg == nil && len(o.names) > 0 {
			return hub.Errorf(hub.Invalid, "%s %s is no container image, and compose starts nothing else", name, in.Locked.Version).WithHint("mcpm run %s starts it", name)
		}
		if pkg == nil {
			left = append(left, name.String())
			continue
		}
		s, err := serviceOf(in, pkg)
		if err != nil {
			return err
		}
		services = append(services, yaml.MapItem{Key: serviceName(name, services), Value: s})
	}
	if len(services) == 0 {
		return hub.Errorf(hub.NotFound, "no server locked in %s is a container image", p.Dir).WithHint("mcpm list shows what is installed; mcpm run starts it")
	}
	if len(left) > 0 {
		o.IO.Warnf("left out, because they are no container images: %s", app.AndList(left))
	}
	return yaml.NewEncoder(out, yaml.IndentSequence(true)).Encode(yaml.MapSlice{{Key: "services", Value: services}})
}

// imageOf returns the first image that a server is offered as.
func imageOf(m *manifest.Manifest) *model.Package {
	sj, _ := m.ServerJSON()
	for i := range sj.Packages {
		if sj.Packages[i].RegistryType == model.RegistryTypeOCI {
			return &sj.Packages[i]
		}
	}
	return nil
}

var notInName = lazyregexp.New(`[^a-z0-9_-]+`)

// serviceName is the server's own name, or with its scope when that is taken, or else with a number.
func serviceName(name hub.Name, taken yaml.MapSlice) string {
	own := notInName.ReplaceAllString(name.Base(), "-")
	for i, key := 1, own; ; i++ {
		if !slices.ContainsFunc(taken, func(i yaml.MapItem) bool { return i.Key == key }) {
			return key
		}
		if key = fmt.Sprintf("%s-%d", own, i+1); i == 1 && !name.IsAlias() { // an alias has no scope
			key = notInName.ReplaceAllString(name.Scope(), "-") + "-" + own
		}
	}
}

func serviceOf(in *app.Installed, p *model.Package) (*service, error) {
	text := p.Identifier
	if p.Version != "" && !strings.Contains(text[strings.LastIndexByte(text, '/')+1:], ":") {
		text += ":" + p.Version
	}
	ref, err := image.Parse(text)
	if err != nil {
		return nil, in.Wrap(err)
	}
	digest := ""
	for _, art := range in.Locked.Artifacts {
		if art.Type == model.RegistryTypeOCI && art.Identifier == ref.Repository && art.Version == ref.Tag {
			digest = art.Integrity
		}
	}
	if digest == "" {
		return nil, hub.Errorf(hub.NotFound, "the image %s of %s is not locked to its bytes", app.Short(text), in.Name).WithHint("mcpm update %s locks it", in.Name)
	}
	s := &service{Image: literal(ref.At(digest)), Security: []string{"no-new-privileges:true"}}
	for _, e := range p.EnvironmentVariables {
		s.setEnv(e.Name, value(e.Name, e.InputWithVariables))
	}
	if err := s.options(in.Name, arguments(p.RuntimeArguments)); err != nil {
		return nil, err
	}
	s.Command = arguments(p.PackageArguments)
	switch u, err := url.Parse(p.Transport.URL); {
	case p.Transport.Type == model.TransportTypeStdio || p.Transport.Type == "":
		s.StdinOpen = true
	case err == nil && u.Port() != "" && len(s.Ports) == 0:
		s.Ports = []string{"127.0.0.1:" + u.Port() + ":" + u.Port()}
	}
	if perm := in.Manifest.Permissions; perm != nil {
		s.limit(perm)
	}
	return s, nil
}

// options takes over what docker is told beside the image. What compose would not do in the same way is refused.
func (s *service) options(name hub.Name, args []string) error {
	for i := 0; i < len(args); i++ {
		flag, val, joined := strings.Cut(args[i], "=")
		takes := slices.Contains([]string{"-e", "--env", "-v", "--volume", "-p", "--publish"}, flag)
		if takes && !joined && i+1 < len(args) {
			i++
			val = args[i]
		}
		switch flag {
		case "run", "--rm", "-i", "--interactive", "--init":
		case "-e", "--env":
			key, text, set := strings.Cut(val, "=")
			if !set {
				s.setEnv(key, nil)
			} else {
				s.setEnv(key, text)
			}
		case "-v", "--volume":
			s.Volumes = append(s.Volumes, val)
		case "-p", "--publish":
			s.Ports = append(s.Ports, val)
		default:
			return hub.Errorf(hub.Invalid, "%s is started with the option %q of docker, which is not written to compose", name, flag).WithHint("mcpm run %s starts it as it is meant", name)
		}
	}
	return nil
}

func (s *service) setEnv(name string, val any) {
	if i := slices.IndexFunc(s.Environment, func(x yaml.MapItem) bool { return x.Key == name }); i >= 0 {
		if val != nil { // an option that only passes it on says less
			s.Environment[i].Value = val
		}
		return
	}
	s.Environment = append(s.Environment, yaml.MapItem{Key: name, Value: val})
}

// limit takes over what a server declares to need: no network when it calls nobody.
func (s *service) limit(p *manifest.Permissions) {
	if (p.Network == nil || len(p.Network.Outbound) == 0) && s.StdinOpen && len(s.Ports) == 0 {
		s.NetworkMode = "none"
	}
	if r := p.Resources; r != nil {
		s.Memory, s.CPUs, s.Pids = strings.ToLower(strings.TrimSuffix(r.Memory, "i")), r.CPUs, r.Pids
	}
}

// arguments writes arguments as compose reads them: what a person gives is a variable.
func arguments(args []model.Argument) []string {
	var out []string
	for _, a := range args {
		hint := app.First(a.ValueHint, strings.TrimLeft(a.Name, "-"))
		text, ok := value(hint, a.InputWithVariables).(string)
		if a.Type != model.ArgumentTypeNamed {
			if ok {
				out = append(out, text)
			}
			continue
		}
		switch {
		case ok:
			out = append(out, a.Name, text)
		case isFlag(a):
			out = append(out, a.Name)
		}
	}
	return out
}

// isFlag reports whether an argument that has no value is one with nothing to ask for.
func isFlag(a model.Argument) bool {
	return a.Type == model.ArgumentTypeNamed && a.ValueHint == "" && a.Placeholder == "" && a.Format == "" && len(a.Choices)+len(a.Variables) == 0
}

var (
	templateRE = lazyregexp.New(`\{([A-Za-z0-9_.-]+)\}`)
	notInVar   = lazyregexp.New(`[^A-Za-z0-9_]+`)
)

// value writes an input as compose reads it: a text with variables, or nil for one that is passed on where it is set.
func value(name string, in model.InputWithVariables) any {
	if in.Value == "" {
		return variable(name, in.Input)
	}
	var out strings.Builder
	rest := in.Value
	for {
		at := templateRE.FindStringSubmatchIndex(rest)
		if at == nil {
			return out.String() + literal(rest)
		}
		key := rest[at[2]:at[3]]
		out.WriteString(literal(rest[:at[0]]))
		if v, ok := in.Variables[key]; ok {
			text, _ := variable(key, v).(string)
			out.WriteString(app.First(text, "${"+variableName(key)+":-}"))
		} else {
			out.WriteString(literal(rest[at[0]:at[1]]))
		}
		rest = rest[at[1]:]
	}
}

func variable(name string, in model.Input) any {
	key := variableName(name)
	switch {
	case in.Value != "":
		return literal(in.Value)
	case in.Default != "":
		return "${" + key + ":-" + literal(in.Default) + "}"
	case in.IsRequired:
		return "${" + key + ":?" + key + " is needed}"
	}
	return nil
}

func variableName(s string) string {
	s = notInVar.ReplaceAllString(s, "_")
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return "_" + s
	}
	return s
}

// literal keeps docker compose from reading a "$" as a variable.
func literal(s string) string { return strings.ReplaceAll(s, "$", "$$") }
