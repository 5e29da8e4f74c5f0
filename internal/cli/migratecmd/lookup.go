package migratecmd

import (
	"context"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/migrate"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

func exists(p string) bool { _, err := os.Stat(p); return err == nil }

// known is a server of the hub with its latest version, as far as it was asked for.
type known struct {
	name     hub.Name
	version  string
	manifest *manifest.Manifest
}

// lookup asks the hub. A hub has no look-up by package, so what a search finds is compared with what is
// looked for: package, image or address must be the same, never just the name.
type lookup struct {
	*app.App
	settings *install.Settings
	servers  map[hub.Name]*known // nil for one that cannot be read
	searched map[string][]hub.Name
	noticed  bool // that a search finds less than it should
}

// maxHits is how many results of one search are compared.
const maxHits = 20

// find returns the servers that start or reach the same, and those whose names are similar.
func (l *lookup) find(ctx context.Context, s migrate.Server) (same []*known, near []hub.Name, err error) {
	if s.Kind == migrate.Name {
		n, err := hub.ParseMirrorName(s.Identifier)
		if err != nil {
			return nil, nil, err
		}
		k, err := l.server(ctx, n)
		if err != nil || k != nil {
			return one(k), nil, err
		}
	}
	for _, text := range words(s) {
		hits, err := l.search(ctx, text)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range hits {
			k, err := l.server(ctx, n)
			if err != nil {
				return nil, nil, err
			}
			if k == nil {
				continue
			}
			if s.Kind != migrate.Name && entryOf(k.manifest, s) != "" {
				if !slices.Contains(same, k) {
					same = append(same, k)
				}
			} else if !slices.Contains(near, n) && len(near) < 3 && similar(n, s) {
				near = append(near, n)
			}
		}
		if len(same) > 0 {
			return same, nil, nil
		}
	}
	for _, n := range sortedKeys(l.servers) { // what was found for another entry
		if k := l.servers[n]; k != nil && s.Kind != migrate.Name && entryOf(k.manifest, s) != "" {
			same = append(same, k)
		}
	}
	return same, near, nil
}

func one(k *known) []*known {
	if k == nil {
		return nil
	}
	return []*known{k}
}

var separators = lazyregexp.New(`[^A-Za-z0-9]+`)

// words are the texts that are searched for, the most telling first.
func words(s migrate.Server) []string {
	whole := s.Identifier
	if s.Kind == migrate.Remote {
		_, whole, _ = strings.Cut(whole, "://")
	}
	texts := []string{whole, path.Base(whole), s.Key}
	if s.Kind == migrate.Remote {
		host, rest, _ := strings.Cut(whole, "/")
		parts := strings.Split(host, ".")
		texts = []string{whole, parts[max(0, len(parts)-2)], rest, s.Key} // the company's name, the path
	}
	var out []string
	for _, text := range texts {
		text = strings.TrimSpace(separators.ReplaceAllString(text, " "))
		if text != "" && len(text) <= 200 && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// common are words that say nothing about a server.
var common = []string{"mcp", "server", "servers", "sse", "api", "http", "https", "www", "com", "org", "net", "github", "docker", "ghcr", "remote", "proxy", "client", "tools", "latest", "smithery"}

// similar reports whether the name of a server shares a telling word with what is looked for.
func similar(n hub.Name, s migrate.Server) bool {
	telling := func(text string) []string {
		return slices.DeleteFunc(strings.Split(strings.ToLower(separators.ReplaceAllString(text, " ")), " "), func(w string) bool {
			return len(w) < 3 || slices.Contains(common, w)
		})
	}
	have := telling(n.Base())
	return slices.ContainsFunc(telling(s.Identifier+" "+s.Key), func(w string) bool { return slices.Contains(have, w) })
}

// search asks every hub that is configured: the one for everything, and those that a scope is mapped to.
func (l *lookup) search(ctx context.Context, text string) ([]hub.Name, error) {
	if hits, ok := l.searched[text]; ok {
		return hits, nil
	}
	registries := []string{l.settings.Registry}
	for _, r := range l.settings.Scopes {
		if !slices.Contains(registries, r) {
			registries = append(registries, r)
		}
	}
	var out []hub.Name
	for _, r := range registries {
		c, err := l.ClientAt(r)
		if err != nil {
			return nil, err
		}
		res, err := c.Search(ctx, wire.SearchQuery{Text: text, Limit: maxHits})
		if err != nil {
			return nil, err
		}
		if res.Notice != "" && !l.noticed {
			l.noticed = true
			l.IO.Warnf("%s: %s", r, res.Notice)
		}
		for _, hit := range res.Servers[:min(len(res.Servers), maxHits)] {
			n, err := hub.ParseMirrorName(hit.Name)
			if err == nil && l.settings.RegistryFor(n) == r { // a scope is looked up at its hub alone
				out = append(out, n)
			}
		}
	}
	l.searched[text] = out
	return out, nil
}

// server returns the latest version of a server; nil without an error when there is none to be had.
func (l *lookup) server(ctx context.Context, n hub.Name) (*known, error) {
	if k, ok := l.servers[n]; ok {
		return k, nil
	}
	c, err := l.ClientFor(n)
	if err != nil {
		return nil, err
	}
	d, err := c.Server(ctx, string(n))
	if hub.KindOf(err) == hub.NotFound || hub.KindOf(err) == hub.Gone {
		l.servers[n] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l.servers[n] = readVersion(n, d.LatestVersion)
	return l.servers[n], nil
}

// exact returns the version of a server whose package has a version that was asked for, nil when there is none.
func (l *lookup) exact(ctx context.Context, n hub.Name, s migrate.Server) (*known, error) {
	c, err := l.ClientFor(n)
	if err != nil {
		return nil, err
	}
	d, err := c.Version(ctx, string(n), s.Version, "")
	switch hub.KindOf(err) {
	case hub.NotFound, hub.Gone, hub.Invalid:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := readVersion(n, d)
	if k == nil || d.State == hub.Yanked || packageVersion(k.manifest, s) != s.Version {
		return nil, nil
	}
	return k, nil
}

func readVersion(n hub.Name, d *wire.VersionDetail) *known {
	if d == nil || d.State != hub.Published && d.State != hub.Deprecated {
		return nil
	}
	m, _, err := manifest.Parse(d.Manifest)
	if err != nil {
		return nil
	}
	return &known{n, d.Version.Version, m}
}

// entryOf returns the entry of a manifest that starts or reaches the same, "" when none does.
func entryOf(m *manifest.Manifest, s migrate.Server) string {
	for _, key := range sortedKeys(m.Servers) {
		spec := m.Servers[key]
		if s.Kind == migrate.Remote {
			if address(spec) == s.Identifier {
				return key
			}
			continue
		}
		p, ok := m.PackageOf(spec)
		if !ok || p.RegistryType != s.Kind {
			continue
		}
		switch {
		case s.Kind == model.RegistryTypeOCI:
			if name, _ := migrate.Image(p.Identifier); name == s.Identifier {
				return key
			}
		case s.Kind == model.RegistryTypePyPI && plain(p.Identifier) == plain(s.Identifier), p.Identifier == s.Identifier:
			return key
		}
	}
	return ""
}

// plain compares names of PyPI as PyPI does.
func plain(name string) string { return separators.ReplaceAllString(strings.ToLower(name), "-") }

func address(spec manifest.ServerSpec) string {
	u := spec.URL
	if spec.Remote != nil {
		u = spec.Remote.URL
	}
	if u == "" {
		return ""
	}
	return migrate.Address(u)
}

// packageVersion is the version of the package that the same entry starts.
func packageVersion(m *manifest.Manifest, s migrate.Server) string {
	if s.Kind == migrate.Name {
		return m.Version
	}
	key := entryOf(m, s)
	if key == "" {
		return ""
	}
	p, ok := m.PackageOf(m.Servers[key])
	if !ok {
		return ""
	}
	if s.Kind == model.RegistryTypeOCI {
		if _, tag := migrate.Image(p.Identifier); tag != "" {
			return tag
		}
	}
	return p.Version
}
