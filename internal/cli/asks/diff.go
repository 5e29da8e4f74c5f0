package asks

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
)

// Difference is one difference: "+" added, "-" removed, "~" changed, "!" described anew.
type Difference struct{ Label, Mark, Text string }

// CapabilityChanges lists what differs between the tools, resources and prompts of two versions.
func CapabilityChanges(old, new *manifest.Manifest) []Difference {
	var lines []Difference
	for _, c := range capability.Compare(manifest.CapabilitiesOf(old), manifest.CapabilitiesOf(new)) {
		label := string(c.Type) + "s"
		say := func(mark, text string) { lines = append(lines, Difference{label, mark, text}) }
		switch c.Kind {
		case capability.Added:
			say("+", c.Name)
			continue
		case capability.Removed:
			say("-", c.Name)
			continue
		}
		if len(c.Words) > 0 {
			say("!", c.Name+": description changed")
		}
		for _, n := range c.Notes {
			say("~", c.Name+": "+noteText(n))
		}
	}
	slices.SortStableFunc(lines, func(a, b Difference) int { return -strings.Compare(a.Label, b.Label) })
	return lines
}

func noteText(n capability.Note) string {
	switch {
	case n.Kind == capability.Added:
		return "new " + n.Text
	case n.Kind == capability.Removed:
		return n.Text + " is gone"
	case n.Text == capability.OtherParts:
		return "the schema of its input changed"
	}
	return n.Text
}

// NewMark follows what is asked for and was not before.
const NewMark = "   NEW"

// PermissionChanges lists what a new version asks for and the old one did not, and the reverse.
func PermissionChanges(old, new *manifest.Manifest) []Difference {
	flat := func(m *manifest.Manifest) map[string]bool {
		out := map[string]bool{}
		for _, a := range Of(m) {
			switch a.Kind {
			case "limits", "values": // of values InputChanges tells
				continue
			case "secrets":
				out[a.Kind+": "+a.Name] = true
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
			lines = append(lines, Difference{"permissions", "+", p + NewMark})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(was)) {
		if !is[p] {
			lines = append(lines, Difference{"permissions", "-", p})
		}
	}
	return lines
}

// InputChanges lists the values a new version takes from people and the old one did not, and the reverse.
func InputChanges(old, new *manifest.Manifest) []Difference {
	values := func(m *manifest.Manifest) map[string]Ask {
		out := map[string]Ask{}
		for _, a := range Of(m) {
			if a.Name != "" {
				out[a.Name] = a
			}
		}
		return out
	}
	was, is := values(old), values(new)
	var lines []Difference
	for _, name := range slices.Sorted(maps.Keys(is)) {
		before, had := was[name]
		switch {
		case !had && is[name].Required:
			lines = append(lines, Difference{"values", "+", name + ", required"})
		case !had:
			lines = append(lines, Difference{"values", "+", name})
		case is[name].Required && !before.Required:
			lines = append(lines, Difference{"values", "~", name + " is now required"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, has := is[name]; !has {
			lines = append(lines, Difference{"values", "-", name})
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
