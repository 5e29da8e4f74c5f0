package app

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/mcphub/mcphub/internal/cli/shelf"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/mcphub/mcphub/internal/wire"
)

// Clean makes text from a stranger fit for a terminal.
func Clean(s string) string { return term.Clean(s) }

// HubProvider answers the resolver from the hub, and from the lockfile where that knows better: the
// dependencies of a locked version need no request. The resolver asks several things at a time.
type HubProvider struct {
	*App
	Lock    *install.Lockfile
	Command string // told to the hub with each version that is fetched: "install" counts
	Shelf   bool   // with --offline, take what other projects of this machine have locked

	mu      sync.Mutex
	offers  map[hub.Name]*resolve.Offer
	fetched map[hub.Name]map[string]*Fetched
}

// Fetched is a version as the hub gave it, checked against its digest.
type Fetched struct {
	Detail    *wire.VersionDetail
	Canonical []byte
	Manifest  *manifest.Manifest
	Registry  string
	Shelf     *shelf.Entry // where it came from when no hub was asked: what is locked elsewhere on this machine
}

// shelved returns what other projects of this machine have of a server, where no hub may be asked.
func (p *HubProvider) shelved(name hub.Name) ([]shelf.Entry, error) {
	if !p.Shelf || !p.Offline {
		return nil, nil
	}
	h, err := p.Store()
	if err != nil {
		return nil, err
	}
	s, err := p.Settings()
	if err != nil {
		return nil, err
	}
	return shelf.Find(h, name, s.RegistryFor(name), Platform)
}

// Offer implements resolve.Provider.
func (p *HubProvider) Offer(ctx context.Context, name hub.Name) (*resolve.Offer, error) {
	p.mu.Lock()
	known := p.offers[name]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if list, err := p.shelved(name); err != nil || len(list) > 0 {
		return shelf.Offer(name, list), err
	}
	c, err := p.ClientFor(name)
	if err != nil {
		return nil, err
	}
	list, err := c.Versions(ctx, string(name))
	if err != nil {
		if s, serr := p.Settings(); serr == nil && s.Scopes[name.Scope()] != "" {
			err = &resolve.ElsewhereError{Registry: s.RegistryFor(name), Err: err}
		}
		return nil, p.NotFoundHint(err, name)
	}
	o := &resolve.Offer{Name: name, DistTags: list.DistTags}
	for _, v := range list.Versions {
		rv := resolve.Version{Version: v.Version, State: v.State, Message: v.Message}
		if v.PublishedAt != nil {
			rv.PublishedAt = *v.PublishedAt
		}
		o.Versions = append(o.Versions, rv)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offers == nil {
		p.offers = map[hub.Name]*resolve.Offer{}
	}
	p.offers[name] = o
	return o, nil
}

// Needs implements resolve.Provider. What is locked was accepted on this machine: its engines and hosts are
// not asked for again.
func (p *HubProvider) Needs(ctx context.Context, name hub.Name, version string) (resolve.Needs, error) {
	if e := p.locked(name, version); e != nil {
		return resolve.Needs{Dependencies: e.Dependencies}, nil
	}
	f, err := p.Fetch(ctx, name, version)
	if err != nil {
		return resolve.Needs{}, err
	}
	m := f.Manifest
	return resolve.Needs{Dependencies: m.Dependencies, Requires: resolve.Requires{Engines: m.Engines, Hosts: m.Hosts}}, nil
}

func (p *HubProvider) locked(name hub.Name, version string) *install.Locked {
	if p.Lock == nil {
		return nil
	}
	for id, e := range p.Lock.Servers { // it may be there under an alias, in another version
		if e.Version == version && e.Of(id) == name {
			return e
		}
	}
	return nil
}

// Fetch returns one version, once per run.
func (p *HubProvider) Fetch(ctx context.Context, name hub.Name, version string) (*Fetched, error) {
	p.mu.Lock()
	known := p.fetched[name][version]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	list, err := p.shelved(name)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.Version == version {
			return &Fetched{Detail: e.Detail(name), Manifest: e.Manifest, Registry: e.Registry, Shelf: &e}, nil
		}
	}
	c, err := p.ClientFor(name)
	if err != nil {
		return nil, err
	}
	d, err := c.Version(ctx, string(name), version, p.Command)
	if err != nil {
		return nil, err
	}
	f := &Fetched{Detail: d, Registry: c.Base()}
	if f.Manifest, f.Canonical, err = checkManifest(d.Manifest, d.ManifestDigest); err != nil {
		return nil, hub.Errorf(hub.KindOf(err), "%s %s: %s", name, version, err.Error()).
			WithHint("try again; if this comes back, tell the operator of %s", c.Base())
	}
	if d.Version.Version != version {
		return nil, hub.Errorf(hub.Integrity, "the hub was asked for %s %s and sent %s", name, version, Clean(d.Version.Version)).
			WithHint("tell the operator of %s", c.Base())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fetched == nil {
		p.fetched = map[hub.Name]map[string]*Fetched{}
	}
	if p.fetched[name] == nil {
		p.fetched[name] = map[string]*Fetched{}
	}
	p.fetched[name][version] = f
	return f, nil
}

// checkManifest compares a manifest with its digest. Inside an answer its bytes may have been escaped
// anew ("<" as \u003c); its canonical form is then compared.
func checkManifest(raw json.RawMessage, digest string) (*manifest.Manifest, []byte, error) {
	m, _, err := manifest.Parse(raw)
	if err != nil {
		return nil, nil, err
	}
	if trust.SHA256(raw) == digest {
		return m, raw, nil
	}
	if canonical := m.Canonical(); trust.SHA256(canonical) == digest {
		return m, canonical, nil
	}
	return nil, nil, hub.Errorf(hub.Integrity, "its manifest does not have the digest %s", Clean(digest))
}

// Find returns the version that a reference means.
func (p *HubProvider) Find(ctx context.Context, r Ref) (string, error) {
	o, err := p.Offer(ctx, r.Name)
	if err != nil {
		return "", err
	}
	for _, v := range o.Versions { // an exact version is shown in any state
		if v.Version == r.Rng.String() {
			return v.Version, nil
		}
	}
	// The offer alone decides, so its dependencies are left out.
	s, err := resolve.Solver{Provider: alone{p}}.Resolve(ctx, []resolve.Root{{Name: r.Name, Range: r.Rng.String()}}, nil)
	if err != nil {
		return "", err
	}
	return s[0].Version, nil
}

// alone is a provider in which nothing depends on anything.
type alone struct{ *HubProvider }

func (alone) Needs(context.Context, hub.Name, string) (resolve.Needs, error) {
	return resolve.Needs{}, nil
}
