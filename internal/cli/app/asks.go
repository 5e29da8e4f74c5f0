package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/manifest"
)

// Ask is one line of what a server asks for.
type Ask struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
}

// AsksOf lists what a manifest asks for, in the order it is shown. Nothing asked for is not listed.
func AsksOf(m *manifest.Manifest) []Ask {
	var out []Ask
	add := func(kind string, details ...string) {
		if len(details) > 0 {
			out = append(out, Ask{kind, strings.Join(details, ", ")})
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
	secrets := map[string]bool{}
	for _, s := range p.Secrets {
		secrets[s] = true
	}
	for name, in := range m.Configuration {
		if in.Secret {
			secrets[name] = true
		}
	}
	add("secrets", slices.Sorted(maps.Keys(secrets))...)
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
	return out
}

// Asks shows what a server asks for. What is declared is all that can be shown: it is not enforced yet.
func (a *App) Asks(m *manifest.Manifest) {
	list := AsksOf(m)
	for _, line := range list {
		a.IO.Printf("    %s%s\n", a.IO.Dim(fmt.Sprintf("%-13s", line.Kind)), a.IO.Wrap(Clean(line.Detail), 17))
	}
	if len(list) == 0 {
		a.IO.Printf("    nothing it declares\n")
	}
}
