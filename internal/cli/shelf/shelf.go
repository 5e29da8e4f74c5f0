// Package shelf finds servers that projects of this machine have locked, for installing them in another one without a
// network.
package shelf

import (
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/mcphub/mcphub/internal/wire"
)

// Entry is a locked server of which everything is in the store.
type Entry struct {
	*install.Locked
	Manifest *manifest.Manifest
	Place    string // whose lockfile has it: the directory of a project, or "all projects"
}

// Find returns the versions of a server that are locked on this machine and came from the registry, each once. A project
// whose lockfile cannot be read has none.
func Find(h install.Home, name hub.Name, registry, platform string) ([]Entry, error) {
	projects, err := h.Projects()
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, p := range projects {
		lock, err := install.ReadLockfile(p.Lock())
		if err != nil {
			continue
		}
		for _, id := range lock.Names() {
			e := lock.Servers[id]
			known := slices.ContainsFunc(out, func(x Entry) bool { return x.Version == e.Version })
			if known || e.Of(id) != name || e.Registry != registry || h.Lacking(e, platform) != "" {
				continue
			}
			m, err := h.Manifest(e.Manifest)
			if err != nil {
				continue
			}
			place := p.Dir
			if p.Global {
				place = "all projects"
			}
			out = append(out, Entry{e, m, place})
		}
	}
	return out, nil
}

// Offer is what the resolver may choose among.
func Offer(name hub.Name, list []Entry) *resolve.Offer {
	o := &resolve.Offer{Name: name}
	for _, e := range list {
		o.Versions = append(o.Versions, resolve.Version{Version: e.Version, State: hub.Published})
	}
	return o
}

// Detail describes an entry as a hub would, as far as it is known here.
func (e Entry) Detail(name hub.Name) *wire.VersionDetail {
	d := &wire.VersionDetail{Version: wire.Version{Name: name.String(), Version: e.Version, State: hub.Published, ManifestDigest: e.Locked.Manifest}}
	if b := e.Bundle(); b != nil {
		d.Bundle = &wire.Bundle{Integrity: b.Integrity, Size: b.Size}
	}
	for _, c := range manifest.CapabilitiesOf(e.Manifest) {
		switch c.Type {
		case hub.Tool:
			d.Tools++
		case hub.Resource:
			d.Resources++
		case hub.Prompt:
			d.Prompts++
		}
	}
	return d
}
