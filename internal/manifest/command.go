package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

var (
	npmRE   = lazyregexp.New(`^((?:@[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*)(?:@([\w.+-]+))?$`)
	pypiRE  = lazyregexp.New(`^([A-Za-z0-9][\w.-]*)(\[[\w, .-]+\])?(?:(?:==|@)([\w.+!-]+))?$`)
	imageRE = lazyregexp.New(`^[a-z0-9][\w.:/-]*(@sha256:[a-f0-9]{64})?$`)
)

// PackageOf returns the package an entry runs: the one it names, or the one that its command would fetch
// and start (npx, bunx, uvx, docker run, podman run). The version is empty when the command leaves it
// open. It reports false for every other command, and for arguments it does not fully understand.
func (m *Manifest) PackageOf(s ServerSpec) (*model.Package, bool) {
	if s.Package != nil {
		if len(s.Env) == 0 {
			return s.Package, true
		}
		p := *s.Package
		p.EnvironmentVariables = slices.Clone(p.EnvironmentVariables)
		m.addEnv(&p, s.Env)
		return &p, true
	}
	var p *model.Package
	switch s.Command {
	case "npx", "bunx", "pnpx":
		p = m.npxPackage(s.Args)
	case "uvx":
		p = m.uvxPackage(s.Args)
	case "uv":
		if len(s.Args) > 2 && s.Args[0] == "tool" && s.Args[1] == "run" {
			p = m.uvxPackage(s.Args[2:])
		}
	case "docker", "podman":
		p = m.dockerPackage(s.Command, s.Args)
	}
	if p == nil {
		return nil, false
	}
	p.Transport.Type = s.transportOf()
	m.addEnv(p, s.Env)
	return p, true
}

func (m *Manifest) addEnv(p *model.Package, env map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		p.EnvironmentVariables = setKeyValue(p.EnvironmentVariables, m.keyValue(name, env[name]))
	}
}

// setKeyValue adds kv, or replaces the one of its name.
func setKeyValue(list []model.KeyValueInput, kv model.KeyValueInput) []model.KeyValueInput {
	for i := range list {
		if list[i].Name == kv.Name {
			list[i] = kv
			return list
		}
	}
	return append(list, kv)
}

func (m *Manifest) npxPackage(args []string) *model.Package {
	spec, i := "", 0
	for ; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		switch flag, value, _ := strings.Cut(args[i], "="); flag {
		case "-y", "--yes", "-q", "--quiet", "--":
		case "-p", "--package":
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			if spec != "" {
				return nil
			}
			spec = value
		default:
			return nil
		}
	}
	if i == len(args) {
		return nil
	}
	bin := ""
	if spec == "" {
		spec = args[i]
	} else {
		bin = args[i]
	}
	parts := npmRE.FindStringSubmatch(spec)
	if parts == nil {
		return nil
	}
	p := &model.Package{RegistryType: model.RegistryTypeNPM, Identifier: parts[1], RunTimeHint: model.RuntimeHintNPX}
	p.Version = exactVersion(parts[2])
	if bin != "" {
		p.RuntimeArguments = []model.Argument{named("--package", parts[1]), positional(bin, nil)}
	}
	p.PackageArguments = m.arguments(args[i+1:])
	return p
}

func (m *Manifest) uvxPackage(args []string) *model.Package {
	from, i := "", 0
	var runtime []model.Argument
	for ; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		flag, value, hasValue := strings.Cut(args[i], "=")
		switch flag {
		case "--from", "--python", "-p", "--with":
		case "-q", "--quiet", "--isolated", "--refresh":
			continue
		default:
			return nil
		}
		if !hasValue && i+1 < len(args) {
			i++
			value = args[i]
		}
		if flag == "--from" {
			from = value
			continue
		}
		runtime = append(runtime, named(flag, value))
	}
	if i == len(args) {
		return nil
	}
	spec := args[i]
	if from != "" {
		spec = from
	}
	parts := pypiRE.FindStringSubmatch(spec)
	if parts == nil {
		return nil
	}
	p := &model.Package{
		RegistryType: model.RegistryTypePyPI, Identifier: parts[1], Version: exactVersion(parts[3]),
		RunTimeHint: model.RuntimeHintUVX, RuntimeArguments: runtime,
	}
	switch {
	case from != "":
		p.RuntimeArguments = append(p.RuntimeArguments, named("--from", parts[1]+parts[2]), positional(args[i], nil))
	case parts[2] != "":
		return nil // extras cannot be said without --from
	}
	p.PackageArguments = m.arguments(args[i+1:])
	return p
}

// exactVersion drops "latest", which is no version.
func exactVersion(v string) string {
	if v == "latest" {
		return ""
	}
	return v
}

// dockerFlags are the options of docker run that take no value.
var dockerFlags = []string{"-i", "--interactive", "--rm", "-t", "--tty", "-it", "-ti", "--init", "--read-only", "--privileged"}

func (m *Manifest) dockerPackage(hint string, args []string) *model.Package {
	if len(args) == 0 || args[0] != "run" {
		return nil
	}
	p := &model.Package{RegistryType: model.RegistryTypeOCI, RunTimeHint: hint}
	i := 1
	for ; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		if slices.Contains(dockerFlags, args[i]) {
			if !slices.Contains(dockerFlags[:7], args[i]) {
				p.RuntimeArguments = append(p.RuntimeArguments, named(args[i], ""))
			}
			continue
		}
		flag, value, hasValue := strings.Cut(args[i], "=")
		if !hasValue {
			if i++; i == len(args) {
				return nil
			}
			value = args[i]
		}
		if flag == "-e" || flag == "--env" {
			if ref := soleVariable(value); ref != "" {
				value = ref // "-e ${TOKEN}" is meant as "-e TOKEN"
			}
			name, v, given := strings.Cut(value, "=")
			kv := model.KeyValueInput{Name: name}
			if kv.Input = m.input(name); given {
				kv = m.keyValue(name, v)
			}
			p.EnvironmentVariables = setKeyValue(p.EnvironmentVariables, kv)
			continue
		}
		a := named(flag, "")
		a.Value, a.Variables = m.template(value)
		p.RuntimeArguments = append(p.RuntimeArguments, a)
	}
	if i == len(args) || !imageRE.MatchString(args[i]) {
		return nil
	}
	p.Identifier = args[i]
	p.PackageArguments = m.arguments(args[i+1:])
	return p
}

// arguments turns the words after the package into positional arguments, so that they come out as they
// went in; variables in them become inputs.
func (m *Manifest) arguments(args []string) []model.Argument {
	var out []model.Argument
	for _, arg := range args {
		value, vars := m.template(arg)
		out = append(out, positional(value, vars))
	}
	return out
}

func positional(value string, vars map[string]model.Input) model.Argument {
	a := model.Argument{Type: model.ArgumentTypePositional}
	a.Value, a.Variables = value, vars
	if value == "" { // an empty word must be said to be there
		a.ValueHint = "value"
	}
	return a
}

func named(name, value string) model.Argument {
	a := model.Argument{Type: model.ArgumentTypeNamed, Name: name}
	a.Value = value
	return a
}
