package manifest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/spdx"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// runtimes says what a package of each type needs to run.
var runtimes = map[string]string{
	model.RegistryTypeNPM: "node", model.RegistryTypePyPI: "python", model.RegistryTypeOCI: "docker",
	model.RegistryTypeCargo: "binary", model.RegistryTypeMCPB: "binary", model.RegistryTypeNuGet: "binary",
}

// Facts returns what lists show and filters use of one version. hasBundle says whether an archive is
// published with it. VersionID and State are the caller's.
func Facts(m *Manifest, hasBundle bool) hub.LatestFacts {
	types, transports := map[string]bool{}, map[string]bool{}
	if hasBundle {
		types["bundle"] = true
	}
	for _, s := range m.Servers {
		transports[s.transportOf()] = true
		switch p, ok := m.PackageOf(s); {
		case ok:
			types[p.RegistryType] = true
		case s.Remote != nil || s.URL != "":
			types["remote"] = true
		}
	}
	f := hub.LatestFacts{
		Version: m.Version, Runtime: m.Runtime,
		PackageTypes: slices.Sorted(maps.Keys(types)), Transports: slices.Sorted(maps.Keys(transports)),
	}
	if f.Runtime == "" {
		f.Runtime = m.guessRuntime()
	}
	for _, c := range CapabilitiesOf(m) {
		switch c.Type {
		case hub.Tool:
			f.Tools++
		case hub.Resource:
			f.Resources++
		case hub.Prompt:
			f.Prompts++
		}
	}
	return f
}

// guessRuntime is the runtime of the entry that would be started, when the manifest does not say it.
func (m *Manifest) guessRuntime() string {
	_, s, err := m.Entry("")
	if err != nil {
		return ""
	}
	if p, ok := m.PackageOf(s); ok {
		return runtimes[p.RegistryType]
	}
	switch {
	case s.Remote != nil || s.URL != "":
		return "remote"
	case s.Command == "node" || s.Command == "npx" || s.Command == "bunx":
		return "node"
	case s.Command == "python" || s.Command == "python3" || s.Command == "uv" || s.Command == "uvx":
		return "python"
	case s.Command == "docker" || s.Command == "podman":
		return "docker"
	}
	return ""
}

// CapabilitiesOf returns the capabilities all entries declare, tools first, then resources and prompts,
// each by name. One that several entries declare is there once, as the first entry by name has it.
func CapabilitiesOf(m *Manifest) []hub.Capability {
	var out []hub.Capability
	seen := map[string]bool{}
	add := func(list []hub.Capability, kind hub.CapabilityType) {
		for _, c := range list {
			c.Type = kind
			if key := string(kind) + "\x00" + c.Name; !seen[key] {
				seen[key] = true
				out = append(out, c)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		if c := m.Servers[key].Capabilities; c != nil {
			add(c.Tools, hub.Tool)
			add(c.Resources, hub.Resource)
			add(c.Prompts, hub.Prompt)
		}
	}
	rank := map[hub.CapabilityType]int{hub.Tool: 0, hub.Resource: 1, hub.Prompt: 2}
	slices.SortStableFunc(out, func(a, b hub.Capability) int {
		if d := rank[a.Type] - rank[b.Type]; d != 0 {
			return d
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}

// License returns an SPDX expression as it is stored for what people write: "mit" is MIT. What is no single
// known identifier is returned as it is.
func License(s string) string {
	if id := spdx.Nearest(s); id != "" {
		return id
	}
	return s
}
