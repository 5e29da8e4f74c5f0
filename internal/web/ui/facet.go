package ui

import (
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

// FacetLabel is how people write a value of a facet.
func FacetLabel(f hub.Facet, value string) string {
	switch f {
	case hub.FacetHost:
		if h, ok := hosts.ByID(value); ok {
			return h.Name
		}
	case hub.FacetPackage:
		if label := map[string]string{"pypi": "PyPI", "oci": "Container", "mcpb": "MCPB", "nuget": "NuGet", "bundle": "Bundle on this hub", "remote": "Remote"}[value]; label != "" {
			return label
		}
	case hub.FacetTransport:
		if label := map[string]string{"streamable-http": "Streamable HTTP", "sse": "SSE"}[value]; label != "" {
			return label
		}
	case hub.FacetOrigin:
		return map[string]string{"here": "On this hub", "mirrored": "Elsewhere, copied"}[value]
	case hub.FacetLanguage:
		if label := map[string]string{"javascript": "JavaScript", "python": "Python", "go": "Go", "rust": "Rust", "csharp": "C#"}[value]; label != "" {
			return label
		}
	}
	return value
}
