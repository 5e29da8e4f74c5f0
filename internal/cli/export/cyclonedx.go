package export

import (
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/mcphub/mcphub/internal/cli/app"
)

// writeCycloneDX writes a bill as CycloneDX 1.6 in JSON. It has no time, so that the same lockfile gives the same bytes.
func writeCycloneDX(out io.Writer, b *bill) error {
	doc := cdx.NewBOM()
	doc.SerialNumber = b.id.URN()
	subject := componentOf(b.project)
	subject.Type = cdx.ComponentTypeApplication
	doc.Metadata = &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePreBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "mcpm", Version: app.Version}}},
		Component:  &subject,
	}
	components, needs := []cdx.Component{}, []cdx.Dependency{dependencyOf(b.project)}
	for _, p := range b.parts {
		components = append(components, componentOf(p))
		needs = append(needs, dependencyOf(p))
	}
	doc.Components, doc.Dependencies = &components, &needs
	enc := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	return enc.EncodeVersion(doc, cdx.SpecVersion1_6)
}

func dependencyOf(p part) cdx.Dependency {
	d := cdx.Dependency{Ref: p.ref}
	if len(p.needs) > 0 {
		d.Dependencies = &p.needs
	}
	return d
}

func componentOf(p part) cdx.Component {
	c := cdx.Component{BOMRef: p.ref, Type: cdx.ComponentTypeLibrary, Name: p.name, Version: p.version, Description: p.description, PackageURL: p.purl}
	switch {
	case p.server:
		c.Type = cdx.ComponentTypeApplication
	case p.image:
		c.Type = cdx.ComponentTypeContainer
	}
	if p.optional {
		c.Scope = cdx.ScopeOptional
	}
	if len(p.digests) > 0 {
		var hashes []cdx.Hash
		for _, d := range p.digests {
			hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgorithm(d.algorithm), Value: d.hex})
		}
		c.Hashes = &hashes
	}
	if p.license != "" {
		c.Licenses = &cdx.Licenses{{Expression: p.license}}
	}
	if p.website != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: p.website}}
	}
	if len(p.facts) > 0 {
		var props []cdx.Property
		for _, name := range p.sorted() {
			props = append(props, cdx.Property{Name: name, Value: p.facts[name]})
		}
		c.Properties = &props
	}
	return c
}
