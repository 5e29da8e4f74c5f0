package app

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/confine"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// LaunchOptions say how a server is to be started.
type LaunchOptions struct {
	Bundle    string          // directory of its unpacked bundle
	Locked    *install.Locked // what of it is locked; nil for a server that is not installed
	Entry     string          // Key of Servers; "" takes the preferred one
	Args      []string        // after the server's own
	workspace string
	AllowHTTP bool
	Peek      bool // only say what is missing: no secret is fetched, and there is no Server
	Confined  bool // in a sandbox, with what its manifest asks for and Grants allow
	Contained bool // with Confined: in a container, if node or Python runs it
	Grants    confine.Grants
	Context   context.Context // ends the wait for a keychain; nil waits as long as the keychain may take
}

// launched is a server ready to be started, or the values that are still missing.
type launched struct {
	Server  *gateway.Server
	Missing []manifest.Missing
	Key     string // Entry of the manifest that was taken
	Spec    manifest.ServerSpec
	Secrets map[string]string // those that the server is given, by name
}

// Launch fills in how a server is started. A value comes from the environment of mcpm (not for a remote
// server), else from mcpm config, else from the manifest's default. It is handed over in the environment or in headers;
// a secret that would be an argument is refused, unless mcpm config allowed it.
func (a *App) Launch(p install.Project, name hub.Name, m *manifest.Manifest, o LaunchOptions) (*launched, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	key, spec, err := a.entry(m, o.Entry)
	if err != nil {
		return nil, err
	}
	if err := a.Startable(spec, o.Locked); err != nil {
		if e := (*hub.Error)(nil); errors.As(err, &e) && e.Kind == RefusedKind {
			return nil, Refused("%s: %s", name, e.Message).WithHint("%s", e.Hint)
		}
		return nil, err
	}
	inputs := InputsOf(m, spec)
	stored, err := a.stored(p, name, inputs, o)
	if err != nil {
		return nil, err
	}
	vars, err := a.valuesOf(p, name, inputs, stored, o)
	if err != nil {
		return nil, &valuesError{err}
	}
	away := remote(spec)
	workspace := o.workspace
	if workspace == "" {
		workspace = a.Dir
		if !p.Global {
			workspace = p.Dir
		}
	}
	if !away {
		maps.Copy(vars, map[string]string{"workspace": workspace, "HOME": a.Env.UserHome, "bundle": o.Bundle})
		for _, k := range []string{"USER", "TMPDIR", "PATH"} {
			vars[k] = a.Getenv(k)
		}
	}
	if o.Bundle == "" {
		delete(vars, "bundle")
	}
	l, missing, err := manifest.Launch(m, spec, vars)
	if err != nil {
		return nil, err
	}
	out := &launched{Missing: missing, Key: key, Spec: spec, Secrets: secretsOf(inputs, vars)}
	if len(missing) > 0 || o.Peek {
		return out, nil
	}
	if in := secretInArgs(inputs, vars, stored, l); in != "" {
		return nil, inArgs(p, name, in)
	}
	out.Server = &gateway.Server{
		Command: l.Command, Args: append(l.Args, o.Args...), Dir: l.Dir, Env: a.serverEnv(l.Env, o.Bundle != ""),
		Transport: l.Transport, URL: l.URL, Headers: l.Headers, AllowHTTP: o.AllowHTTP,
	}
	if o.Locked != nil {
		start := func() error { return a.startPinned(o.Locked, out.Server, o.Confined) }
		if p := spec.Package; p != nil && p.RegistryType == model.RegistryTypeMCPB {
			start = func() error { return a.startArchive(o.Locked, p, out.Server, o.Confined) }
		}
		if err := start(); err != nil {
			return nil, err
		}
	}
	if s.DockerRuntime != "" && (l.Command == "docker" || l.Command == "podman") {
		out.Server.Command = s.DockerRuntime
	}
	if confine.IsContainer(out.Server) || o.Confined && (!away || out.Server.Command != "") {
		at := confine.Machine{Home: a.Env.UserHome, Getenv: a.Getenv, Runtime: s.DockerRuntime, Workspace: workspace, Bundle: o.Bundle, LookPath: exec.LookPath, Values: vars}
		return out, a.confine(at, m, out.Server, l.Env, o)
	}
	return out, nil
}

// confine gives a server its container or its sandbox.
func (a *App) confine(at confine.Machine, m *manifest.Manifest, s *gateway.Server, set map[string]string, o LaunchOptions) error {
	h, err := a.Store()
	if err != nil {
		return err
	}
	at.Store = h.Dir
	if confine.IsContainer(s) {
		return at.Contain(m, s, o.Grants, o.Confined, func(ref string) error { return a.pull(o.ctx(), ref) })
	}
	if o.Contained {
		settings, err := a.Settings()
		if err != nil {
			return err
		}
		with := confine.Runtimes{Images: settings.RuntimeImages, Pull: func(ref string) error { return a.pull(o.ctx(), ref) }}
		if done, err := at.OnRuntime(m, s, set, o.Grants, with); done {
			return err
		}
		a.IO.Debugf("mcpm: it is a program of its own, and runs in the native sandbox\n")
	}
	return at.Confine(m, s, set, o.Grants)
}

// stored returns what was configured, after plain text secrets were moved. A server that is not installed gets nothing
// of what was given for all projects: anybody's mcp.json can claim a name.
func (a *App) stored(p install.Project, name hub.Name, inputs []Input, o LaunchOptions) (map[string]install.Value, error) {
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	if o.Locked == nil && !o.Peek {
		return h.OwnValues(p, name)
	}
	values, err := h.Values(p, name)
	if err != nil || o.Peek || !slices.ContainsFunc(inputs, func(in Input) bool { return in.Secret && values[in.Name].Plain }) {
		return values, err
	}
	if err := a.MoveSecrets(o.ctx(), p, name, inputs); err != nil {
		a.IO.Warnf("%v", err) // it is still there, and the server has asked for it
	}
	return h.Values(p, name)
}

// valuesOf returns the values of a server's inputs, those of the environment first. Only what is needed is fetched.
func (a *App) valuesOf(p install.Project, name hub.Name, inputs []Input, stored map[string]install.Value, o LaunchOptions) (map[string]string, error) {
	given, needed := map[string]string{}, map[string]install.Value{}
	for k, v := range stored {
		if v.Kept == "" {
			needed[k] = v // of another entry, perhaps; it costs nothing
		}
	}
	for _, in := range inputs {
		v := a.Given(in.Name)
		switch {
		case v != "" && in.FromEnv:
			given[in.Name] = v
			delete(needed, in.Name)
		case stored[in.Name].Kept != "" && o.Peek:
			given[in.Name] = anyValue(in)
		case stored[in.Name].Kept != "":
			needed[in.Name] = stored[in.Name]
		}
	}
	vars, err := a.Reveal(o.ctx(), p, name, needed)
	if err != nil {
		return nil, err
	}
	maps.Copy(vars, given)
	return vars, nil
}

// valuesError is an error about a server's values: its bytes are as they were locked, whatever the kind says.
type valuesError struct{ error }

// Unwrap returns the error.
func (e *valuesError) Unwrap() error { return e.error }

// anyValue is a value that an input would take, for one that is not looked at.
func anyValue(in Input) string {
	switch {
	case len(in.Choices) > 0:
		return in.Choices[0]
	case in.Type == "number":
		return "0"
	case in.Type == "boolean":
		return "true"
	}
	return "kept"
}

// secretsOf returns the values of the inputs that are secret.
func secretsOf(inputs []Input, vars map[string]string) map[string]string {
	out := map[string]string{}
	for _, in := range inputs {
		if v := vars[in.Name]; in.Secret && v != "" {
			out[in.Name] = v
		}
	}
	return out
}

// secretInArgs names a secret that is on the command line and was not allowed there, or "".
func secretInArgs(inputs []Input, vars map[string]string, stored map[string]install.Value, l manifest.Launched) string {
	for _, in := range inputs {
		v := vars[in.Name]
		if !in.Secret || v == "" || stored[in.Name].InArgs {
			continue
		}
		if slices.ContainsFunc(append(slices.Clone(l.Args), l.Command), func(arg string) bool { return strings.Contains(arg, v) }) {
			return in.Name
		}
	}
	return ""
}

func (o LaunchOptions) ctx() context.Context {
	if o.Context != nil {
		return o.Context
	}
	return context.Background()
}

// remote reports whether the server is somewhere else.
func remote(spec manifest.ServerSpec) bool { return spec.URL != "" || spec.Remote != nil }

// Given returns the value the environment has for a server's input, or "". What is mcpm's own is not for
// servers: a manifest could name MCPM_TOKEN and have it sent to any address.
func (a *App) Given(input string) string {
	if strings.HasPrefix(input, "MCPM_") {
		return ""
	}
	return a.Getenv(input)
}

// serverEnv is the environment of a server: mcpm's own without what is mcpm's, and what the entry sets.
func (a *App) serverEnv(set map[string]string, bundled bool) []string {
	var env []string
	for _, kv := range a.Environ() {
		k, _, _ := strings.Cut(kv, "=")
		if _, ours := set[k]; !ours && !strings.HasPrefix(k, "MCPM_") {
			env = append(env, kv)
		}
	}
	if _, ok := set["PYTHONDONTWRITEBYTECODE"]; bundled && !ok {
		env = append(env, "PYTHONDONTWRITEBYTECODE=1") // a bundle stays as it was unpacked
	}
	for _, k := range slices.Sorted(maps.Keys(set)) {
		env = append(env, k+"="+set[k])
	}
	return env
}
