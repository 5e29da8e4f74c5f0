// Package asks is what servers ask for, read from their manifests: permissions, secrets and other values; and what of it, and
// of their tools, differs between two versions.
package asks

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Ask is one line of what a server asks for. A secret or another value that it is given has a line of its own.
type Ask struct {
	Kind        string `json:"kind"` // network, files, environment, secrets, programs, limits, values
	Detail      string `json:"detail"`
	Name        string `json:"name,omitempty"` // of a secret or value, as mcpm config takes it
	Description string `json:"description,omitempty"`
	Required    bool   `json:"required,omitempty"`
	Secret      bool   `json:"secret,omitempty"`
}

// Of lists what a manifest asks for, in the order it is shown. Nothing asked for is not listed.
func Of(m *manifest.Manifest) []Ask {
	var out []Ask
	add := func(kind string, details ...string) {
		if len(details) > 0 {
			out = append(out, Ask{Kind: kind, Detail: strings.Join(details, ", ")})
		}
	}
	p := m.Permissions
	if p == nil {
		p = &manifest.Permissions{}
	}
	if p.Network != nil {
		add("network", p.Network.Outbound...)
	}
	for _, f := range p.Filesystem {
		add("files", f.Path+" ("+f.Access+")")
	}
	add("environment", p.Environment...)
	values := valuesAsked(m, p.Secrets)
	for _, in := range values {
		if in.Secret {
			out = append(out, askFor("secrets", in))
		}
	}
	if p.Subprocess {
		add("programs", "may start other programs")
	}
	if r := p.Resources; r != nil {
		var limits []string
		if r.Memory != "" {
			limits = append(limits, r.Memory+" of memory")
		}
		if r.CPUs > 0 {
			limits = append(limits, fmt.Sprintf("%g CPUs", r.CPUs))
		}
		if r.Pids > 0 {
			limits = append(limits, fmt.Sprintf("%d processes", r.Pids))
		}
		add("limits", limits...)
	}
	for _, in := range values {
		if !in.Secret {
			out = append(out, askFor("values", in))
		}
	}
	return out
}

// valuesAsked lists what all entries of a manifest may be given, required ones first, then by name; secrets among them
// that only its permissions name.
func valuesAsked(m *manifest.Manifest, secrets []string) []app.Input {
	all := map[string]app.Input{}
	for _, spec := range m.Servers {
		for _, in := range app.Needed(m, spec, ".", ".") {
			have, there := all[in.Name]
			if !there {
				have = in
			}
			have.Description, have.Default = app.First(have.Description, in.Description), app.First(have.Default, in.Default)
			have.Required, have.Secret = have.Required || in.Required, have.Secret || in.Secret
			all[in.Name] = have
		}
	}
	for _, name := range secrets {
		if _, there := all[name]; !there {
			all[name] = app.Input{Name: name, Input: manifest.Input{Secret: true}}
		}
	}
	return slices.SortedFunc(maps.Values(all), app.RequiredFirst)
}

func askFor(kind string, in app.Input) Ask {
	required := in.Required && in.Default == ""
	text := in.Name
	switch {
	case required:
		text += " (required)"
	case in.Default != "" && !in.Secret:
		text += " (default " + app.Short(in.Default) + ")"
	}
	return Ask{Kind: kind, Detail: text + app.Join(": ", in.Description), Name: in.Name, Description: in.Description, Required: required, Secret: in.Secret}
}

// maxAsked is how many lines of what a server asks for are shown: what is required comes first.
const maxAsked = 40

// Print writes what a server asks for, a line each, under its kind. What is declared is all that can be shown.
func Print(t *term.IO, w io.Writer, list []Ask) {
	kind := ""
	for i, line := range list {
		if i == maxAsked {
			fmt.Fprintf(w, "    %-13sand %d more; --json lists all\n", "", len(list)-i)
			return
		}
		label := line.Kind
		if label == kind {
			label = ""
		}
		kind = line.Kind
		fmt.Fprintf(w, "    %s%s\n", t.Dim(fmt.Sprintf("%-13s", label)), t.Wrap(app.Clean(line.Detail), 17))
	}
}

// SourceOf says where a version comes from, for the one who is to trust it.
func SourceOf(registry string, mirrored bool, origin string) string {
	if mirrored {
		if origin != "" {
			registry += " from " + origin
		}
		return "copied by " + registry + ", not published there"
	}
	return "published on " + registry
}
