package source

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// rawTool is a tool as a catalogue lists it.
type rawTool struct {
	Name        string
	Title       string
	Description string
	Schema      any // the JSON schema of its input, or nil
}

// tools makes capabilities, leaving out what cannot be declared, with a warning.
func (e *Entry) tools(list []rawTool) []hub.Capability {
	var out []hub.Capability
	seen := map[string]bool{}
	for _, t := range list {
		name := strings.TrimSpace(t.Name)
		switch {
		case name == "" || len(name) > 256:
			e.warn("a tool with the name %q was left out", cut(t.Name, 40))
			continue
		case seen[name]:
			e.warn("the tool %q is listed twice; the first one is kept", cut(name, 60))
			continue
		case len(out) == manifest.MaxCapabilities:
			e.warn("only the first %d tools are kept", manifest.MaxCapabilities)
			return out
		}
		seen[name] = true
		c := hub.Capability{Type: hub.Tool, Name: name, Title: t.Title, Description: e.capText(name, t.Description)}
		if schema, ok := t.Schema.(map[string]any); ok && len(schema) > 0 {
			b, err := json.Marshal(schema)
			if err == nil && len(b) <= manifest.MaxSchema {
				c.Schema = b
			} else {
				e.warn("the input schema of the tool %q is too large and was left out", cut(name, 60))
			}
		} else if t.Schema != nil && !ok {
			e.warn("the input schema of the tool %q is not an object and was left out", cut(name, 60))
		}
		out = append(out, c)
	}
	return out
}

func (e *Entry) capText(name, s string) string {
	if len(s) <= manifest.MaxCapText {
		return s
	}
	e.warn("the description of %q was cut to %d bytes", cut(name, 60), manifest.MaxCapText)
	return strings.ToValidUTF8(s[:manifest.MaxCapText], "")
}

// attach gives the capabilities to the entry that is started by default.
func attach(m *manifest.Manifest, caps *manifest.Capabilities) {
	key, spec, err := m.Entry("")
	if err != nil || len(caps.Tools)+len(caps.Resources)+len(caps.Prompts) == 0 {
		return
	}
	spec.Capabilities = caps
	m.Servers[key] = spec
}

// keep gives the capabilities of a server that cannot be started to its version, since no entry of the
// manifest could carry them. People still search for them.
func (e *Entry) keep(m *manifest.Manifest, caps *manifest.Capabilities) {
	if len(m.Servers) > 0 || len(caps.Tools)+len(caps.Resources)+len(caps.Prompts) == 0 {
		return
	}
	v := e.Version
	v.Capabilities = slices.Concat(caps.Tools, caps.Resources, caps.Prompts)
	v.Facts.Tools, v.Facts.Resources, v.Facts.Prompts = len(caps.Tools), len(caps.Resources), len(caps.Prompts)
	e.Server.Latest = v.Facts
}
