package app

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Difference is one difference: "+" added, "-" removed, "~" changed, "!" described anew.
type Difference struct{ Label, Mark, Text string }

// CapabilityChanges lists what differs between the tools, resources and prompts of two versions.
func CapabilityChanges(old, new *manifest.Manifest) []Difference {
	type key struct {
		kind hub.CapabilityType
		name string
	}
	index := func(m *manifest.Manifest) map[key]hub.Capability {
		out := map[key]hub.Capability{}
		for _, c := range manifest.CapabilitiesOf(m) {
			out[key{c.Type, c.Name}] = c
		}
		return out
	}
	was, is := index(old), index(new)
	var lines []Difference
	for _, c := range manifest.CapabilitiesOf(new) {
		o, had := was[key{c.Type, c.Name}]
		label := string(c.Type) + "s"
		switch {
		case !had:
			lines = append(lines, Difference{label, "+", c.Name})
		case !bytes.Equal(o.Schema, c.Schema):
			lines = append(lines, Difference{label, "~", c.Name + ": its input changed"})
		}
		if had && o.Description != c.Description {
			lines = append(lines, Difference{label, "!", c.Name + ": description changed"})
		}
	}
	for _, c := range manifest.CapabilitiesOf(old) {
		if _, has := is[key{c.Type, c.Name}]; !has {
			lines = append(lines, Difference{string(c.Type) + "s", "-", c.Name})
		}
	}
	slices.SortStableFunc(lines, func(a, b Difference) int { return -strings.Compare(a.Label, b.Label) })
	return lines
}

// PermissionChanges lists what a new version asks for and the old one did not, and the reverse.
func PermissionChanges(old, new *manifest.Manifest) []Difference {
	flat := func(m *manifest.Manifest) map[string]bool {
		out := map[string]bool{}
		for _, a := range AsksOf(m) {
			if a.Kind == "limits" {
				continue
			}
			for part := range strings.SplitSeq(a.Detail, ", ") {
				out[a.Kind+": "+part] = true
			}
		}
		return out
	}
	was, is := flat(old), flat(new)
	var lines []Difference
	for _, p := range slices.Sorted(maps.Keys(is)) {
		if !was[p] {
			lines = append(lines, Difference{"permissions", "+", p + "   NEW"})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(was)) {
		if !is[p] {
			lines = append(lines, Difference{"permissions", "-", p})
		}
	}
	return lines
}

// CapabilitiesOf sorts a report into the three lists of a manifest.
func CapabilitiesOf(r *gateway.Report) *manifest.Capabilities {
	c := &manifest.Capabilities{}
	for _, x := range r.Capabilities {
		switch x.Type {
		case hub.Tool:
			c.Tools = append(c.Tools, x)
		case hub.Resource:
			c.Resources = append(c.Resources, x)
		case hub.Prompt:
			c.Prompts = append(c.Prompts, x)
		}
	}
	for _, list := range [][]hub.Capability{c.Tools, c.Resources, c.Prompts} {
		slices.SortFunc(list, func(a, b hub.Capability) int { return strings.Compare(a.Name, b.Name) })
	}
	return c
}
