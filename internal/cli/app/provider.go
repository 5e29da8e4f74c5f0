package app

import (
	"context"
	"encoding/json"

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
// dependencies of a locked version need no request.
type HubProvider struct {
	*App
	Lock      *install.Lockfile
	Overrides map[hub.Name]string
	Command   string // told to the hub with each version that is fetched: "install" counts

	offers  map[hub.Name]*resolve.Offer
	fetched map[hub.Name]map[string]*Fetched
}

// Fetched is a version as the hub gave it, checked against its digest.
type Fetched struct {
	Detail    *wire.VersionDetail
	Canonical []byte
	Manifest  *manifest.Manifest
	Registry  string
}

// Offer implements resolve.Provider.
func (p *HubProvider) Offer(ctx context.Context, name hub.Name) (*resolve.Offer, error) {
	if o := p.offers[name]; o != nil {
		return o, nil
	}
	c, err := p.ClientFor(name)
	if err != nil {
		return nil, err
	}
	list, err := c.Versions(ctx, string(name))
	if err != nil {
		return nil, NotFoundHint(err, name)
	}
	o := &resolve.Offer{Name: name, DistTags: list.DistTags}
	for _, v := range list.Versions {
		rv := resolve.Version{Version: v.Version, State: v.State, Message: v.Message}
		if v.PublishedAt != nil {
			rv.PublishedAt = *v.PublishedAt
		}
		o.Versions = append(o.Versions, rv)
	}
	if p.offers == nil {
		p.offers = map[hub.Name]*resolve.Offer{}
	}
	p.offers[name] = o
	return o, nil
}

// Dependencies implements resolve.Provider.
func (p *HubProvider) Dependencies(ctx context.Context, name hub.Name, version string) (map[string]string, error) {
	deps := map[string]string{}
	if e := p.locked(name); e != nil && e.Version == version {
		for k, v := range e.Dependencies {
			deps[k] = v
		}
	} else {
		f, err := p.Fetch(ctx, name, version)
		if err != nil {
			return nil, err
		}
		for k, v := range f.Manifest.Dependencies {
			deps[k] = v
		}
	}
	for k := range deps {
		if n, err := hub.ParseMirrorName(k); err == nil && p.Overrides[n] != "" {
			deps[k] = p.Overrides[n]
		}
	}
	return deps, nil
}

func (p *HubProvider) locked(name hub.Name) *install.Locked {
	if p.Lock == nil {
		return nil
	}
	return p.Lock.Servers[name]
}

// Fetch returns one version, once per run.
func (p *HubProvider) Fetch(ctx context.Context, name hub.Name, version string) (*Fetched, error) {
	if f := p.fetched[name][version]; f != nil {
		return f, nil
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
	s, err := resolve.Highest{Provider: alone{p}}.Resolve(ctx, []resolve.Root{{Name: r.Name, Range: r.Rng.String()}}, nil)
	if err != nil {
		return "", err
	}
	return s[0].Version, nil
}

// alone is a provider in which nothing depends on anything.
type alone struct{ *HubProvider }

func (alone) Dependencies(context.Context, hub.Name, string) (map[string]string, error) {
	return nil, nil
}
