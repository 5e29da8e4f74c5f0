package manifest

import (
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// Canonical returns the manifest as compact JSON with sorted keys, the form that is stored, signed and
// digested. It is stable: parsing it and making it canonical again gives the same bytes. The characters
// <, > and & are escaped, so that the bytes survive being embedded in another JSON answer. Comments,
// unknown fields and x- fields are not part of it.
func (m *Manifest) Canonical() []byte {
	first := jsonc.Encode(m.normal())
	node, err := jsonc.Parse("mcp.json", first, false)
	if err != nil {
		return first // over a limit; Validate says so
	}
	again := new(Manifest)
	if hub.HasErrors(decode(node, again)) {
		return first
	}
	return jsonc.Encode(again)
}

// normal returns a copy in which every capability has the type of its list.
func (m *Manifest) normal() *Manifest {
	c := *m
	c.Servers = make(map[string]ServerSpec, len(m.Servers))
	for k, s := range m.Servers {
		if s.Capabilities != nil {
			s.Capabilities = &Capabilities{
				Tools:     typed(s.Capabilities.Tools, hub.Tool),
				Resources: typed(s.Capabilities.Resources, hub.Resource),
				Prompts:   typed(s.Capabilities.Prompts, hub.Prompt),
			}
		}
		c.Servers[k] = s
	}
	return &c
}

func typed(list []hub.Capability, kind hub.CapabilityType) []hub.Capability {
	list = slices.Clone(list)
	for i := range list {
		list[i].Type = kind
	}
	return list
}
