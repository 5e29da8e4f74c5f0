package archives

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Ready returns a server's manifest as it is started here: with what its locked archives start and ask for. An
// archive that is not locked, or cannot be started here, has no command. e is nil for a server that is not installed.
func (k Keeper) Ready(m *manifest.Manifest, e *install.Locked) (*manifest.Manifest, error) {
	out := *m
	out.Servers = maps.Clone(m.Servers)
	for key, spec := range m.Servers {
		if spec.Package == nil || spec.Package.RegistryType != model.RegistryTypeMCPB {
			continue
		}
		spec.Command = "" // whatever the manifest says
		if err := k.fill(&spec, e); err != nil {
			return nil, err
		}
		out.Servers[key] = spec
	}
	return &out, nil
}

// Preferred returns a manifest that went through Ready without the entries that cannot be started here, for choosing one;
// all of them when none can.
func Preferred(m *manifest.Manifest, goos string) *manifest.Manifest {
	out := *m
	out.Servers = maps.Clone(m.Servers)
	maps.DeleteFunc(out.Servers, func(_ string, s manifest.ServerSpec) bool {
		return Startable(s, nil, goos) != nil || s.Command == "" && s.Package != nil && s.Package.RegistryType == model.RegistryTypeMCPB
	})
	if len(out.Servers) == 0 {
		return m
	}
	return &out
}

// fill puts what a locked archive starts here into an entry; nothing when it cannot be started here.
func (k Keeper) fill(spec *manifest.ServerSpec, e *install.Locked) error {
	d, art, err := Locked(e, spec.Package)
	if d == nil || err != nil {
		return err
	}
	if _, _, err := d.Start.Program(k.OS); err != nil {
		return nil //nolint:nilerr // Startable says why
	}
	command, args, env, err := d.Start.Launch(mcpb.Machine{OS: k.OS, Home: k.UserHome, Dir: k.Home.Trees().Path(art.Tree.ID(k.Platform))})
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
func Startable(spec manifest.ServerSpec, e *install.Locked, goos string) error {
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
			WithHint("look for a container image of it, or ask its publisher for one: mcpm search WORDS --package oci")
	case model.RegistryTypeCargo:
		return hub.Errorf(hub.Forbidden, "it is a package of cargo, which is compiled with scripts of its own; none is run on this machine").
			WithHint("look for a container image or an archive of it, or ask its publisher for one: mcpm search WORDS --package mcpb")
	case model.RegistryTypeMCPB:
		if spec.Command != "" || e == nil {
			return nil
		}
		d, _, err := Locked(e, spec.Package)
		if err != nil {
			return err
		}
		if d == nil {
			return hub.Errorf(hub.NotFound, "its archive %s is not locked", term.Clean(spec.Package.Identifier)).WithHint("mcpm install")
		}
		_, _, err = d.Start.Program(goos)
		return err
	case "", model.RegistryTypeNPM, model.RegistryTypePyPI, model.RegistryTypeOCI:
		return nil
	}
	return hub.Errorf(hub.Forbidden, "it is a package of the type %s, which this mcpm does not start", term.Clean(kind)).WithHint("install a newer mcpm, or choose another server")
}

// StartableIn says why no entry of a server that is not installed can be started here, nil when one can.
func StartableIn(m *manifest.Manifest, goos string) error {
	var first error
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		err := Startable(m.Servers[key], nil, goos)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}
