package app

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
)

// LaunchOptions say how a server is to be started.
type LaunchOptions struct {
	Bundle    string          // directory of its unpacked bundle
	Locked    *install.Locked // what of it is locked; nil for a server that is not installed
	Entry     string          // Key of Servers; "" takes the preferred one
	Args      []string        // after the server's own
	workspace string
	AllowHTTP bool
}

// launched is a server ready to be started, or the values that are still missing.
type launched struct {
	Server  *gateway.Server
	Missing []manifest.Missing
	Key     string // Entry of the manifest that was taken
	Spec    manifest.ServerSpec
}

// Launch fills in how a server is started. A value comes from the environment of mcpm (not for a remote
// server), else from mcpm config, else from the manifest's default.
func (a *App) Launch(p install.Project, name hub.Name, m *manifest.Manifest, o LaunchOptions) (*launched, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	key, spec, err := m.Entry(s.DefaultTransport)
	if o.Entry != "" {
		key = o.Entry
		spec, err = m.EntryNamed(o.Entry)
	}
	if err != nil {
		return nil, err
	}
	h, err := a.Store()
	if err != nil {
		return nil, err
	}
	vars, err := h.Values(p, name)
	if err != nil {
		return nil, err
	}
	away := remote(spec)
	for _, in := range InputsOf(m, spec) {
		// What goes to a remote server leaves this machine: only what was given to it by name with mcpm config,
		// never whatever variable its publisher thought of.
		if v := a.Given(in); v != "" && !away {
			vars[in] = v
		}
	}
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
	out := &launched{Missing: missing, Key: key, Spec: spec}
	if len(missing) > 0 {
		return out, nil
	}
	out.Server = &gateway.Server{
		Command: l.Command, Args: append(l.Args, o.Args...), Dir: l.Dir, Env: a.serverEnv(l.Env, o.Bundle != ""),
		Transport: l.Transport, URL: l.URL, Headers: l.Headers, AllowHTTP: o.AllowHTTP,
	}
	if o.Locked != nil {
		if err := a.startPinned(o.Locked, out.Server); err != nil {
			return nil, err
		}
	}
	if s.DockerRuntime != "" && (l.Command == "docker" || l.Command == "podman") {
		out.Server.Command = s.DockerRuntime
	}
	return out, nil
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

var variableRE = regexp.MustCompile(`\$?\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// InputsOf lists the names of all values an entry may need.
func InputsOf(m *manifest.Manifest, spec manifest.ServerSpec) []string {
	seen := map[string]bool{}
	for name := range m.Configuration {
		seen[name] = true
	}
	scan := func(texts ...string) {
		for _, t := range texts {
			for _, found := range variableRE.FindAllStringSubmatch(t, -1) {
				seen[found[1]] = true
			}
		}
	}
	scan(append([]string{spec.Command, spec.URL}, spec.Args...)...)
	scan(slices.Collect(maps.Values(spec.Env))...)
	scan(slices.Collect(maps.Values(spec.Headers))...)
	if p, ok := m.PackageOf(spec); ok {
		for _, e := range p.EnvironmentVariables {
			seen[e.Name] = true
			for v := range e.Variables {
				seen[v] = true
			}
		}
		for _, a := range slices.Concat(p.RuntimeArguments, p.PackageArguments) {
			for v := range a.Variables {
				seen[v] = true
			}
		}
	}
	if spec.Remote != nil {
		for v := range spec.Remote.Variables {
			seen[v] = true
		}
		for _, h := range spec.Remote.Headers {
			seen[h.Name] = true
			for v := range h.Variables {
				seen[v] = true
			}
		}
	}
	for _, own := range []string{"version", "name", "workspace", "bundle", "HOME", "USER", "TMPDIR", "PATH"} {
		delete(seen, own)
	}
	return slices.Sorted(maps.Keys(seen))
}
