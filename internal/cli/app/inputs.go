package app

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/value"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Input is one value that a server may be given.
type Input struct {
	manifest.Input
	Name    string
	FromEnv bool // a variable of the environment is taken for it
}

// Inputs returns the entry of a server that is started, "" for the preferred one, and what it may be given: required
// ones first, then by name. What cannot be left out is required, whatever was declared.
func (a *App) Inputs(p install.Project, m *manifest.Manifest, entry string) (manifest.ServerSpec, []Input, error) {
	_, spec, err := a.entry(m, entry)
	if err != nil {
		return spec, nil, err
	}
	return spec, Needed(m, spec, p.Dir, a.Env.UserHome), nil
}

// Needed is InputsOf with what turns out to be missing when an entry is started, required ones first.
func Needed(m *manifest.Manifest, spec manifest.ServerSpec, workspace, home string) []Input {
	list := InputsOf(m, spec)
	_, missing, err := manifest.Launch(m, spec, map[string]string{"workspace": workspace, "HOME": home, "bundle": "."})
	if err != nil {
		missing = nil // it says so itself when it is started
	}
	for _, x := range missing {
		i := slices.IndexFunc(list, func(in Input) bool { return in.Name == x.Name })
		if i < 0 {
			list = append(list, Input{Name: x.Name, Input: manifest.Input{Description: x.Description, Secret: x.Secret}})
			i = len(list) - 1
		}
		list[i].Required = true
	}
	slices.SortFunc(list, RequiredFirst)
	return list
}

// RequiredFirst orders inputs for slices.SortFunc: required ones first, then by name.
func RequiredFirst(a, b Input) int {
	if a.Required != b.Required {
		return rank(b.Required) - rank(a.Required)
	}
	return strings.Compare(a.Name, b.Name)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a *App) entry(m *manifest.Manifest, named string) (string, manifest.ServerSpec, error) {
	if named != "" {
		spec, err := m.EntryNamed(named)
		return named, spec, err
	}
	s, err := a.Settings()
	if err != nil {
		return "", manifest.ServerSpec{}, err
	}
	return archives.Preferred(m, goos).Entry(s.DefaultTransport)
}

var variableRE = lazyregexp.New(`\$?\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// ours are the variables that mcpm fills itself.
var ours = []string{"version", "name", "workspace", "bundle", "HOME", "USER", "TMPDIR", "PATH"}

// InputsOf lists all values an entry may be given, by name.
func InputsOf(m *manifest.Manifest, spec manifest.ServerSpec) []Input {
	c := collector{inputs: map[string]Input{}, local: !remote(spec)}
	for name, in := range m.Configuration {
		c.add(name, in, true)
	}
	c.texts(slices.Concat([]string{spec.Command, spec.URL}, spec.Args, slices.Collect(maps.Values(spec.Env)), slices.Collect(maps.Values(spec.Headers)))...)
	if p, ok := m.PackageOf(spec); ok {
		c.archive = p.RegistryType == model.RegistryTypeMCPB
		c.keyed(p.EnvironmentVariables)
		c.keyed(p.Transport.Headers)
		for _, a := range slices.Concat(p.RuntimeArguments, p.PackageArguments) {
			c.argument(&a)
		}
	}
	if spec.Remote != nil {
		c.variables(spec.Remote.Variables)
		c.keyed(spec.Remote.Headers)
	}
	for _, name := range ours {
		delete(c.inputs, name)
	}
	var out []Input
	for _, name := range slices.Sorted(maps.Keys(c.inputs)) {
		in := c.inputs[name]
		in.Secret = in.Secret || m.Permissions != nil && slices.Contains(m.Permissions.Secrets, name) || soundsSecret(in)
		out = append(out, in)
	}
	return out
}

// soundsSecret takes an input for a secret because of its name, unless it can hardly hold one: MAX_TOKENS is a number.
func soundsSecret(in Input) bool {
	return manifest.LooksSecret(in.Name) && in.Type != "number" && in.Type != "boolean" && len(in.Choices) == 0
}

// inputOf returns an input of server.json in the words of mcp.json.
func inputOf(in model.Input) manifest.Input {
	return manifest.Input{
		Type: string(in.Format), Description: in.Description, Required: in.IsRequired, Secret: in.IsSecret,
		Default: in.Default, Placeholder: in.Placeholder, Choices: in.Choices,
	}
}

// Check says whether a value may be given to the input; the value of a secret is in no error.
func (in Input) Check(v string) error {
	return value.Rule{Type: in.Type, Choices: in.Choices, Secret: in.Secret}.Check(in.Name, v)
}

// collector gathers inputs; what is declared twice is one input with what either says.
type collector struct {
	inputs  map[string]Input
	local   bool
	archive bool // its values have short names of its publisher's, such as "path" or "username"
}

func (c *collector) add(name string, in manifest.Input, env bool) {
	if name == "" {
		return
	}
	have, there := c.inputs[name]
	if !there {
		have = Input{Name: name}
	}
	have.Description, have.Type = First(have.Description, in.Description), First(have.Type, in.Type)
	have.Default, have.Placeholder = First(have.Default, in.Default), First(have.Placeholder, in.Placeholder)
	have.Required, have.Secret = have.Required || in.Required, have.Secret || in.Secret
	if len(have.Choices) == 0 {
		have.Choices = in.Choices
	}
	// What goes to a remote server leaves this machine: only what was given to it by name with mcpm config, never
	// whatever variable its publisher thought of.
	have.FromEnv = have.FromEnv || env && c.local
	c.inputs[name] = have
}

func (c *collector) texts(texts ...string) {
	for _, t := range texts {
		for _, found := range variableRE.FindAllStringSubmatch(t, -1) {
			c.add(found[1], manifest.Input{}, true)
		}
	}
}

func (c *collector) variables(list map[string]model.Input) {
	for name, in := range list {
		if in.Value == "" {
			c.add(name, inputOf(in), !c.archive)
		}
	}
}

// keyed adds environment variables or headers; one with a fixed value has only the variables in it.
func (c *collector) keyed(list []model.KeyValueInput) {
	for _, kv := range list {
		c.variables(kv.Variables)
		if kv.Value == "" {
			c.add(kv.Name, inputOf(kv.Input), true)
		}
	}
}

// argument adds what is asked for an argument. Its name is short and its publisher's, such as "path" or "user": no
// variable of the environment is meant.
func (c *collector) argument(a *model.Argument) {
	c.variables(a.Variables)
	switch {
	case a.Value != "" || a.Type == model.ArgumentTypeNamed && manifest.IsFlag(a):
	case a.Type == model.ArgumentTypeNamed:
		c.add(strings.TrimLeft(a.Name, "-"), inputOf(a.Input), false)
	default:
		c.add(a.ValueHint, inputOf(a.Input), false)
	}
}
