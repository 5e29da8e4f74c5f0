package app

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Ready returns a server's manifest as it is started here: with what its locked archives start and ask for, and without
// the entries that cannot be started, unless there is no other. e is nil for a server that is not installed.
func (a *App) Ready(m *manifest.Manifest, e *install.Locked) (*manifest.Manifest, error) {
	out := *m
	out.Servers = maps.Clone(m.Servers)
	for key, spec := range m.Servers {
		if spec.Package == nil || spec.Package.RegistryType != model.RegistryTypeMCPB {
			continue
		}
		spec.Command = "" // whatever the manifest says
		if err := a.fillArchive(&spec, e); err != nil {
			return nil, err
		}
		out.Servers[key] = spec
	}
	for _, key := range slices.Sorted(maps.Keys(out.Servers)) {
		if a.Startable(out.Servers[key], e) != nil && len(out.Servers) > 1 && slices.ContainsFunc(slices.Collect(maps.Values(out.Servers)), func(s manifest.ServerSpec) bool { return a.Startable(s, e) == nil }) {
			delete(out.Servers, key)
		}
	}
	return &out, nil
}

// fillArchive puts what a locked archive starts here into an entry; nothing when it cannot be started here.
func (a *App) fillArchive(spec *manifest.ServerSpec, e *install.Locked) error {
	d, art, err := lockedArchive(e, spec.Package)
	if d == nil || err != nil {
		return err
	}
	if _, _, err := d.Start.Program(goos); err != nil {
		return nil //nolint:nilerr // Startable says why
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	command, args, env, err := d.Start.Launch(mcpb.Machine{OS: goos, Home: a.Env.UserHome, Dir: h.Trees().Path(art.Tree.ID(Platform))})
	if err != nil {
		return err
	}
	p := *spec.Package
	p.PackageArguments = slices.Concat(args, p.PackageArguments)
	p.EnvironmentVariables = slices.Concat(env, p.EnvironmentVariables)
	spec.Command, spec.Package = command, &p
	return nil
}

// Startable says why an entry of a server cannot be started here: its kind of package never is, or its archive is not
// for this machine. Forbidden then, and nil when it can, as far as that is known before it was fetched.
func (a *App) Startable(spec manifest.ServerSpec, e *install.Locked) error {
	kind := ""
	if spec.Package != nil {
		kind = spec.Package.RegistryType
	}
	if strings.TrimSuffix(path.Base(strings.ReplaceAll(spec.Command, `\`, "/")), ".exe") == model.RuntimeHintDNX {
		kind = model.RegistryTypeNuGet
	}
	switch kind {
	case model.RegistryTypeNuGet:
		return hub.Errorf(hub.Forbidden, "it is a package of NuGet, which dnx looks up at every start: its bytes cannot be locked, so it is not started").
			WithHint("look for a container image of it, or ask its publisher for one: mcpm search --package oci")
	case model.RegistryTypeCargo:
		return hub.Errorf(hub.Forbidden, "it is a package of cargo, which is compiled with scripts of its own; none is run on this machine").
			WithHint("look for a container image or an archive of it, or ask its publisher for one: mcpm search --package mcpb")
	case model.RegistryTypeMCPB:
		if spec.Command != "" || e == nil {
			return nil
		}
		d, _, err := lockedArchive(e, spec.Package)
		if err != nil {
			return err
		}
		if d == nil {
			return hub.Errorf(hub.NotFound, "its archive %s is not locked", Clean(spec.Package.Identifier)).WithHint("mcpm install")
		}
		_, _, err = d.Start.Program(goos)
		return err
	case "", model.RegistryTypeNPM, model.RegistryTypePyPI, model.RegistryTypeOCI:
		return nil
	}
	return hub.Errorf(hub.Forbidden, "it is a package of the type %s, which this mcpm does not start", Short(kind)).WithHint("install a newer mcpm, or choose another server")
}

// StartableIn says why no entry of a server that is not installed can be started here, nil when one can.
func (a *App) StartableIn(m *manifest.Manifest) error {
	var first error
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		err := a.Startable(m.Servers[key], nil)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}
