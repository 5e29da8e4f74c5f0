package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/serverjson"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// pkg fills in the runner of a package. command is that of an archive, once it is known.
func (f *filler) pkg(l *Launched, p *model.Package, command string) {
	if p.Identifier == "" || strings.HasPrefix(p.Identifier, "-") || strings.ContainsAny(p.Identifier, " \t\r\n\x00") {
		f.fail("the package %s cannot be started: its name would be read as an option", jsonc.Quote(p.Identifier))
		return
	}
	if l.Transport == "" {
		l.Transport = model.TransportTypeStdio
	}
	for _, e := range p.EnvironmentVariables {
		if v, ok, _ := f.input(e.Name, &e.InputWithVariables); ok {
			f.setEnv(l, e.Name, v)
		}
	}
	switch p.RegistryType {
	case model.RegistryTypeNPM:
		f.npx(l, p)
	case model.RegistryTypePyPI:
		f.uvx(l, p)
	case model.RegistryTypeOCI:
		f.docker(l, p)
	case model.RegistryTypeNuGet:
		f.dnx(l, p)
	case model.RegistryTypeMCPB:
		if l.Command = command; command == "" {
			f.fail("its archive is not unpacked, so what it starts is not known")
			return
		}
		l.Args = append(f.arguments(p.RuntimeArguments), f.arguments(p.PackageArguments)...)
	default:
		f.fail("a package of type %s cannot be started directly", p.RegistryType)
		return
	}
	if p.Transport.URL != "" {
		l.URL = f.packageURL(p)
		f.headers(l, p.Transport.Headers)
	}
}

// privateBase returns the registry a package comes from, or "" when that is the public one.
func privateBase(p *model.Package) string {
	public, _ := serverjson.DefaultBaseURL(p.RegistryType)
	if strings.TrimRight(p.RegistryBaseURL, "/") == public {
		return ""
	}
	return p.RegistryBaseURL
}

func (f *filler) npx(l *Launched, p *model.Package) {
	l.Command = model.RuntimeHintNPX
	l.Args = append(l.Args, "-y")
	if base := privateBase(p); base != "" {
		l.Args = append(l.Args, "--registry="+base)
	}
	spec := p.Identifier
	if p.Version != "" {
		spec += "@" + p.Version
	}
	if _, rest, found := takeOption(p.RuntimeArguments, "--package", "-p"); found {
		l.Args = append(append(l.Args, "--package="+spec), dropYes(f.arguments(rest))...)
	} else {
		l.Args = append(append(l.Args, dropYes(f.arguments(p.RuntimeArguments))...), spec)
	}
	l.Args = append(l.Args, f.arguments(p.PackageArguments)...)
}

// dropYes leaves out what Launch says itself.
func dropYes(args []string) []string {
	var out []string
	for _, a := range args {
		if a != "-y" && a != "--yes" {
			out = append(out, a)
		}
	}
	return out
}

func (f *filler) uvx(l *Launched, p *model.Package) {
	l.Command = model.RuntimeHintUVX
	if base := privateBase(p); base != "" {
		l.Args = append(l.Args, "--default-index="+strings.TrimSuffix(strings.TrimRight(base, "/"), "/simple")+"/simple")
	}
	from, rest, found := takeOption(p.RuntimeArguments, "--from")
	extras := ""
	if parts := pypiRE.FindStringSubmatch(from); parts != nil && sameProject(parts[1], p.Identifier) {
		extras = parts[2]
	} else if from != "" {
		f.fail("the runtime arguments ask uvx for %s, which is not the package %s", jsonc.Quote(from), jsonc.Quote(p.Identifier))
	}
	spec := p.Identifier + extras
	if p.Version != "" {
		spec += "==" + p.Version
	}
	if found {
		l.Args = append(append(l.Args, "--from", spec), f.arguments(rest)...)
	} else {
		l.Args = append(append(l.Args, f.arguments(rest)...), spec)
	}
	l.Args = append(l.Args, f.arguments(p.PackageArguments)...)
}

var separatorsRE = lazyregexp.New(`[-_.]+`)

// sameProject compares names as PyPI does.
func sameProject(a, b string) bool {
	return separatorsRE.ReplaceAllString(strings.ToLower(a), "-") == separatorsRE.ReplaceAllString(strings.ToLower(b), "-")
}

func (f *filler) docker(l *Launched, p *model.Package) {
	l.Command = model.RuntimeHintDocker
	if p.RunTimeHint == "podman" {
		l.Command = p.RunTimeHint
	}
	l.Args = []string{"run", "--rm", "-i"}
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		l.Args = append(l.Args, "-e", name) // the value travels in the environment, out of sight of ps
	}
	for _, a := range f.arguments(p.RuntimeArguments) {
		if a != "--rm" && a != "-i" && a != "run" {
			l.Args = append(l.Args, a)
		}
	}
	image := p.Identifier
	if p.Version != "" && !serverjson.Tagged(image) {
		image += ":" + p.Version
	}
	l.Args = append(append(l.Args, image), f.arguments(p.PackageArguments)...)
}

func (f *filler) dnx(l *Launched, p *model.Package) {
	l.Command = model.RuntimeHintDNX
	spec := p.Identifier
	if p.Version != "" {
		spec += "@" + p.Version
	}
	l.Args = append(l.Args, spec, "--yes")
	if base := privateBase(p); base != "" {
		l.Args = append(l.Args, "--source", base)
	}
	l.Args = append(l.Args, dropYes(f.arguments(p.RuntimeArguments))...)
	if rest := f.arguments(p.PackageArguments); len(rest) > 0 {
		l.Args = append(append(l.Args, "--"), rest...)
	}
}

// arguments fills in arguments of server.json. Several values of a repeated one are given as lines.
func (f *filler) arguments(list []model.Argument) []string {
	var out []string
	for i := range list {
		a := &list[i]
		if a.Type == model.ArgumentTypeNamed {
			out = append(out, f.named(a)...)
			continue
		}
		value, ok, given := f.input(a.ValueHint, &a.InputWithVariables)
		if !ok {
			if a.Value == "" && a.ValueHint == "" && a.HasValueOrHint() {
				out = append(out, "") // an empty word, said on purpose
			}
			continue
		}
		for _, v := range split(value, a.IsRepeated) {
			if given {
				f.noSmuggling(a.Value, v, "argument "+jsonc.Quote(a.ValueHint))
			}
			out = append(out, v)
		}
	}
	return out
}

func (f *filler) named(a *model.Argument) []string {
	key := a.Name
	if _, there := f.vars[key]; !there {
		key = strings.TrimLeft(a.Name, "-")
	}
	value, ok, _ := f.input(key, &a.InputWithVariables)
	switch {
	case !ok && IsFlag(a):
		return []string{a.Name}
	case !ok:
		return nil
	case a.Format == model.FormatBoolean && value == "true" && a.Value == "":
		return []string{a.Name}
	case a.Format == model.FormatBoolean && value == "false" && a.Value == "":
		return nil
	}
	var out []string
	for _, v := range split(value, a.IsRepeated) {
		out = append(out, a.Name, v)
	}
	return out
}

// IsFlag reports whether a named argument is a flag with nothing to ask for.
func IsFlag(a *model.Argument) bool {
	return a.ValueHint == "" && a.Default == "" && !a.IsRequired && a.Format == "" && a.Placeholder == "" &&
		len(a.Choices) == 0 && len(a.Variables) == 0
}

func split(value string, repeated bool) []string {
	if !repeated {
		return []string{value}
	}
	return strings.Split(value, "\n")
}

// packageURL fills the address a started package listens on, from its variables and arguments.
func (f *filler) packageURL(p *model.Package) string {
	return braceRE.ReplaceAllStringFunc(p.Transport.URL, func(found string) string {
		name := found[1 : len(found)-1]
		for _, e := range p.EnvironmentVariables {
			if e.Name == name {
				v, _, _ := f.input(name, &e.InputWithVariables)
				return v
			}
		}
		for _, list := range [][]model.Argument{p.RuntimeArguments, p.PackageArguments} {
			for i := range list {
				if a := &list[i]; a.Name == name || a.ValueHint == name {
					v, _, _ := f.input(strings.TrimLeft(name, "-"), &a.InputWithVariables)
					return v
				}
			}
		}
		return found
	})
}

// takeOption takes an option with its value out of a runner's arguments, written as a named argument, as
// one word with "=", or as two words.
func takeOption(list []model.Argument, options ...string) (value string, rest []model.Argument, found bool) {
	for i := 0; i < len(list); i++ {
		a := list[i]
		word, v, joined := a.Name, a.Value, true
		if a.Type != model.ArgumentTypeNamed {
			word, v, joined = strings.Cut(a.Value, "=")
		}
		if !slices.Contains(options, word) {
			rest = append(rest, a)
			continue
		}
		found = true
		if value = v; !joined && i+1 < len(list) {
			i++
			value = list[i].Value
		}
	}
	return value, rest, found
}
