package export

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/archives"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/mcpb"
	"github.com/modelcontextprotocol/registry/pkg/model"
	"github.com/package-url/packageurl-go"
)

// serverRef names a server in a bill. There is no type of package URL for MCP servers yet.
func serverRef(name hub.Name, version string) string {
	return packageurl.NewPackageURL(packageurl.TypeGeneric, name.Scope(), name.Base(), version, nil, "").String()
}

// server adds a server, what it is made of, and what needs what.
func (w *writer) server(name hub.Name, e *install.Locked, about *manifest.Manifest, lock *install.Lockfile) error {
	purl := packageurl.NewPackageURL(packageurl.TypeGeneric, name.Scope(), name.Base(), e.Version, qualifiers("repository_url", e.Registry), "").String()
	p := part{ref: serverRef(name, e.Version), server: true, name: name.String(), version: e.Version, purl: purl,
		facts: map[string]string{"mcpm:registry": e.Registry, "mcpm:manifest": e.Manifest}}
	if about != nil {
		p.description, p.license, p.website = about.Description, licenseOf(about.License), webURL(about.Homepage)
	}
	if b := e.Bundle(); b != nil {
		if d, ok := digestOf(b.Integrity); ok {
			p.digests = []digest{d}
		}
	}
	s := w.add(p)
	for dep := range e.Dependencies {
		if n, err := hub.ParseMirrorName(dep); err == nil && lock.Servers[n] != nil {
			s.need(serverRef(n, lock.Servers[n].Version))
		}
	}
	for i := range e.Artifacts {
		art := &e.Artifacts[i]
		switch {
		case art.Type == "bundle":
		case art.Type == "remote":
			s.facts["mcpm:remote"] = art.Identifier
		case art.Type == model.RegistryTypeMCPB && art.Tree != nil:
			doc, err := archives.Of(art)
			if err != nil {
				return err
			}
			w.archive(s, art, doc)
		case art.Tree != nil:
			if err := w.tree(s, art); err != nil {
				return err
			}
		default:
			w.artifact(s, art)
		}
	}
	return nil
}

// tree adds a package of npm or PyPI with all that is pinned for it.
func (w *writer) tree(s *part, art *install.Artifact) error {
	doc, err := app.DocumentOf(art)
	if err != nil {
		return err
	}
	refs := map[string]*part{}
	all := doc.Parts()
	for _, x := range all {
		kind, name := doc.Type, x.Name
		namespace := ""
		if scope, base, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(name, "@") {
			namespace, name = scope, base
		}
		p := part{name: x.Name, version: x.Version, optional: x.Optional, facts: map[string]string{}}
		p.purl = packageurl.NewPackageURL(kind, namespace, name, x.Version, qualifiers("repository_url", doc.Registry), "").ToString()
		if u, err := packageurl.FromString(p.purl); err == nil { // as its type is to be written
			p.purl = u.ToString()
		}
		p.ref = p.purl
		for _, h := range x.Hashes {
			if d, ok := digestOf(h); ok {
				p.digests = append(p.digests, d)
			}
		}
		if len(p.digests) > 1 {
			p.facts["mcpm:digests"] = "one for each file of this version; a machine takes the file that fits it"
		}
		if x.Marker != "" {
			p.facts["mcpm:marker"] = x.Marker
		}
		refs[x.Key] = w.add(p)
		if doc.Root(x) {
			s.need(refs[x.Key].ref)
		}
	}
	for _, x := range all {
		from := refs[x.Key]
		for _, key := range x.Needs {
			from.need(refs[key].ref)
		}
		if doc.Type == model.RegistryTypePyPI && !doc.Root(x) { // what of them needs what is not pinned
			for _, root := range all {
				if doc.Root(root) {
					refs[root.Key].need(from.ref)
				}
			}
		}
	}
	return nil
}

// archive adds an archive, which brings along what it needs.
func (w *writer) archive(s *part, art *install.Artifact, doc *mcpb.Document) {
	p := part{name: path.Base(doc.URL), version: doc.Version, digests: []digest{{"SHA-256", doc.SHA256}}, facts: map[string]string{}}
	if d, ok := digestOf(doc.Integrity); ok {
		p.digests = append(p.digests, d)
	}
	p.facts["mcpm:files"] = "what the archive brings along is not listed; its tree was locked as " + app.First(art.Tree.Files[app.Platform], "not fetched on this system")
	p.purl = generic(p.name, doc.Version, map[string]string{"download_url": doc.URL, "checksum": "sha256:" + doc.SHA256})
	p.ref = p.purl
	s.need(w.add(p).ref)
}

// artifact adds what is no tree: an image, a file, a package of another kind.
func (w *writer) artifact(s *part, art *install.Artifact) {
	p := part{name: art.Identifier, version: art.Version, facts: map[string]string{}}
	if d, ok := digestOf(art.Integrity); ok {
		p.digests = []digest{d}
	}
	switch art.Type {
	case model.RegistryTypeOCI:
		p.purl = imageURL(art.Identifier, art.Version, art.Integrity)
		p.version, p.image = app.First(art.Version, art.Integrity), true
	case model.RegistryTypeMCPB: // its archive was refused, so that nothing of it runs
		q := map[string]string{"download_url": art.Identifier}
		if len(p.digests) > 0 {
			q["checksum"] = "sha256:" + p.digests[0].hex
		}
		p.name = art.Identifier[strings.LastIndexByte(art.Identifier, '/')+1:]
		p.purl = generic(p.name, art.Version, q)
	case model.RegistryTypeNPM, model.RegistryTypePyPI, model.RegistryTypeNuGet, "cargo":
		p.purl = packageurl.NewPackageURL(art.Type, "", art.Identifier, art.Version, nil, "").ToString()
		p.facts["mcpm:pinned"] = "no: only its name and version are locked"
	default:
		p.purl = generic(art.Identifier, art.Version, nil)
	}
	p.ref = p.purl
	s.need(w.add(p).ref)
}

func generic(name, version string, q map[string]string) string {
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", name, version, packageurl.QualifiersFromMap(q), "").ToString()
}

func qualifiers(key, value string) packageurl.Qualifiers {
	if value == "" {
		return nil
	}
	return packageurl.QualifiersFromMap(map[string]string{key: value})
}

// imageURL writes an image, such as images.example/acme/db with its tag and digest, as a package URL. One that an older mcpm
// has not locked to a digest is named by its tag.
func imageURL(repository, tag, digest string) string {
	q := map[string]string{"repository_url": repository}
	version := digest
	if digest == "" {
		version = tag
	} else if tag != "" {
		q["tag"] = tag
	}
	base := repository[strings.LastIndexByte(repository, '/')+1:]
	return packageurl.NewPackageURL(packageurl.TypeOCI, "", base, version, packageurl.QualifiersFromMap(q), "").ToString()
}

// webURL returns an address that a browser may open, "" for anything else.
func webURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// sorted returns the facts of a part by name.
func (p *part) sorted() []string { return slices.Sorted(maps.Keys(p.facts)) }
