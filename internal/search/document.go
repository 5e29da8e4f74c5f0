package search

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

const (
	maxReadme = 32 << 10 // bytes of a readme that are looked at
	// A server's vectors: one of what it is, one of its readme, one of each of so many capabilities.
	maxCapabilityVectors = 40
	embedBatch           = 256 // texts embedded at once
)

// Document puts together what search knows of a server from its record and its latest version.
func Document(srv *hub.Server, v *hub.Version) hub.Document {
	d := hub.Document{ID: srv.ID, Name: srv.Name, Title: srv.Title, Description: srv.Description, Readme: v.Readme[:min(len(v.Readme), maxReadme)],
		Keywords: srv.Keywords, Capabilities: v.Capabilities, Installs: srv.Installs, Score: srv.Described(), UpdatedAt: srv.UpdatedAt}
	if srv.Latest.State == hub.Deprecated { // whoever sorts by quality is not shown first what its publisher gave up
		d.Score = 0
	}
	origin := "here"
	if srv.Mirrored() {
		origin = "mirrored"
	}
	d.Labels = hub.Labels{
		hub.FacetCategory: categories(srv.Categories), hub.FacetPackage: srv.Latest.PackageTypes, hub.FacetTransport: srv.Latest.Transports,
		hub.FacetRuntime: one(srv.Latest.Runtime), hub.FacetLicense: one(srv.License), hub.FacetPublisher: one(srv.Name.Scope()),
		hub.FacetOrigin: {origin}, hub.FacetLanguage: languages(srv.Latest), hub.FacetHost: {anyHost},
	}
	for _, c := range v.Capabilities {
		facet := map[hub.CapabilityType]hub.Facet{hub.Tool: hub.FacetTool, hub.Resource: hub.FacetResource, hub.Prompt: hub.FacetPrompt}[c.Type]
		if facet != "" && !slices.Contains(d.Labels[facet], c.Name) {
			d.Labels[facet] = append(d.Labels[facet], c.Name)
		}
	}
	if m, _, err := manifest.Parse(v.Manifest); err == nil {
		manifestLabels(d.Labels, m)
	}
	return d
}

// categories brings the spellings of categories together: "Dev Tools" and "dev-tools", "database" and "databases".
func categories(list []string) []string {
	var out []string
	for _, c := range list {
		if c = Value(hub.FacetCategory, c); c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// Keywords are the categories and keywords of a server, each once however it is spelled.
func Keywords(srv *hub.Server) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range slices.Concat(srv.Categories, srv.Keywords) {
		if key := Value(hub.FacetCategory, w); key != "" && !seen[key] {
			seen[key] = true
			out = append(out, w)
		}
	}
	return out
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// languages are those a server is written in, as far as its packages tell.
func languages(f hub.LatestFacts) []string {
	var out []string
	add := func(lang string) {
		if lang != "" && !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	add(map[string]string{"node": "javascript", "python": "python", "go": "go"}[f.Runtime])
	for _, p := range f.PackageTypes {
		add(map[string]string{"npm": "javascript", "pypi": "python", "nuget": "csharp", "cargo": "rust"}[p])
	}
	return out
}

func manifestLabels(l hub.Labels, m *manifest.Manifest) {
	if len(m.Hosts) > 0 {
		l[hub.FacetHost] = m.Hosts
	}
	l[hub.FacetProtocol] = one(m.Engines["mcp"])
	p := m.Permissions
	if p == nil {
		return
	}
	var asks []string
	add := func(what string, is bool) {
		if is {
			asks = append(asks, what)
		}
	}
	add("environment", len(p.Environment) > 0)
	add("files", len(p.Filesystem) > 0)
	add("network", p.Network != nil && len(p.Network.Outbound) > 0)
	add("secrets", len(p.Secrets) > 0)
	add("subprocess", p.Subprocess)
	l[hub.FacetPermission] = asks
}

// texts are what the vectors of a document are made of.
func texts(d hub.Document) []string {
	out := []string{about(d)}
	for _, c := range d.Capabilities[:min(len(d.Capabilities), maxCapabilityVectors)] {
		out = append(out, strings.TrimSuffix(spoken(c.Name)+": "+c.Description, ": "))
	}
	if d.Readme != "" {
		out = append(out, d.Readme)
	}
	return out
}

// about is what a document says of the server as a whole.
func about(d hub.Document) string {
	parts := slices.Concat([]string{d.Title, spoken(d.Name.Base()), d.Description}, d.Keywords, d.Labels[hub.FacetCategory])
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ". ")
}

// spoken writes a name as words.
func spoken(name string) string {
	return strings.NewReplacer("-", " ", "_", " ", ".", " ", "/", " ").Replace(name)
}

func (s *Service) documents(ctx context.Context, servers []*hub.Server) ([]hub.Document, error) {
	ids := make([]string, len(servers))
	for i, srv := range servers {
		ids[i] = srv.Latest.VersionID
	}
	versions, err := s.store.VersionsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]hub.Document, 0, len(servers))
	for _, srv := range servers {
		if v := versions[srv.Latest.VersionID]; v != nil { // else replaced since the server was read; its event follows
			out = append(out, Document(srv, v))
		}
	}
	return out, nil
}

func (s *Service) updateText(ctx context.Context, found []*hub.Server, gone []string) error {
	docs, err := s.documents(ctx, found)
	if err != nil {
		return err
	}
	if len(docs) > 0 {
		if err := s.index.Put(ctx, docs); err != nil {
			return err
		}
	}
	return s.index.Delete(ctx, gone)
}

func (s *Service) rebuildText(ctx context.Context, each func(put func([]*hub.Server) error) error) error {
	return s.index.Rebuild(ctx, func(put func(context.Context, []hub.Document) error) error {
		var waiting []hub.Document
		err := each(func(servers []*hub.Server) error {
			docs, err := s.documents(ctx, servers)
			if waiting = append(waiting, docs...); err != nil || len(waiting) < 1000 {
				return err
			}
			err, waiting = put(ctx, waiting), waiting[:0]
			return err
		})
		if err != nil || len(waiting) == 0 {
			return err
		}
		return put(ctx, waiting)
	})
}

func (s *Service) updateVectors(ctx context.Context, found []*hub.Server, gone []string) error {
	docs, err := s.vectorDocs(ctx, found)
	if err != nil {
		return err
	}
	if len(docs) > 0 {
		if err := s.vectors.Put(ctx, docs); err != nil {
			return err
		}
	}
	return s.vectors.Delete(ctx, gone)
}

func (s *Service) rebuildVectors(ctx context.Context, each func(put func([]*hub.Server) error) error) error {
	return s.vectors.Rebuild(ctx, func(put func(context.Context, []hub.VectorDoc) error) error {
		return each(func(servers []*hub.Server) error {
			docs, err := s.vectorDocs(ctx, servers)
			if err != nil || len(docs) == 0 {
				return err
			}
			return put(ctx, docs)
		})
	})
}

func (s *Service) vectorDocs(ctx context.Context, servers []*hub.Server) ([]hub.VectorDoc, error) {
	docs, err := s.documents(ctx, servers)
	if err != nil {
		return nil, err
	}
	return VectorDocs(ctx, s.embedder, docs)
}

// VectorDocs embeds documents.
func VectorDocs(ctx context.Context, e hub.Embedder, docs []hub.Document) ([]hub.VectorDoc, error) {
	var all []string
	ends := make([]int, len(docs))
	for i, d := range docs {
		all = append(all, texts(d)...)
		ends[i] = len(all)
	}
	vectors := make([][]float32, 0, len(all))
	for part := range slices.Chunk(all, embedBatch) {
		v, err := e.Embed(ctx, part)
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, v...)
	}
	out := make([]hub.VectorDoc, len(docs))
	start := 0
	for i, d := range docs {
		parts := vectors[start:ends[i]]
		for _, p := range parts[1:] {
			blend(p, parts[0])
		}
		out[i] = hub.VectorDoc{ID: d.ID, Labels: d.Labels, Parts: parts}
		start = ends[i]
	}
	return out, nil
}

// blend makes v the direction between it and what the server is about: one tool among many says less of a server
// than its description does.
func blend(v, about []float32) {
	var norm float64
	for i := range v {
		v[i] += about[i]
		norm += float64(v[i]) * float64(v[i])
	}
	if norm == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(norm))
	for i := range v {
		v[i] *= scale
	}
}
