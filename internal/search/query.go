package search

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// Query is a question and how its answer is shown.
type Query struct {
	Text   string     // words, with filters in it: see Parse
	Filter hub.Labels // further filters
	Sort   hub.SearchSort
	Limit  int    // 1 to 100
	Offset int    // results before this page
	After  string // ID of the last result of the page before: the page begins after it, wherever it is now
	Facets []hub.Facet
	Exact  bool // look for the words as they are written, without correcting them
}

// aliases are other words for facets.
var aliases = map[string]hub.Facet{"language": hub.FacetLanguage, "licence": hub.FacetLicense, "scope": hub.FacetPublisher, "type": hub.FacetPackage,
	"pkg": hub.FacetPackage, "registry": hub.FacetPackage, "platform": hub.FacetRuntime, "author": hub.FacetPublisher, "topic": hub.FacetCategory}

// values are other words for values.
var values = map[hub.Facet]map[string]string{
	hub.FacetLanguage:  {"js": "javascript", "ts": "javascript", "typescript": "javascript", "node": "javascript", "py": "python", "golang": "go", "c#": "csharp", "dotnet": "csharp"},
	hub.FacetHost:      {"claude": "claude-desktop", "code": "vscode", "vs-code": "vscode", "gemini": "gemini-cli", "copilot": "copilot-cli", "lmstudio": "lm-studio", "roo": "roo-code", "kimi": "kimi-cli"},
	hub.FacetTransport: {"http": "streamable-http", "streamable": "streamable-http"},
	hub.FacetPackage:   {"docker": "oci", "python": "pypi", "node": "npm"},
	hub.FacetCategory: { // as catalogues call what is one thing
		"database": "databases", "db": "databases", "dev tools": "developer tools", "devtools": "developer tools", "development": "developer tools", "developer": "developer tools",
		"dev ops": "devops", "ai ml": "ai", "ai systems": "ai", "artificial intelligence": "ai", "e commerce": "ecommerce", "commerce": "ecommerce",
		"data analytics": "analytics", "payment": "payments", "file": "files", "file system": "files", "filesystem": "files", "games": "gaming", "game": "gaming",
		"docs": "documentation", "observability": "monitoring", "messages": "messaging", "web service": "web services", "tool": "tools", "knowledge": "knowledge base",
	},
}

// Parse takes the filters out of a text: words such as tool:query, lang:python or license:mit, whose first part is a
// facet. A value with spaces stands in double quotes. What is no filter stays in the text.
func Parse(text string) (rest string, filter hub.Labels) {
	filter = hub.Labels{}
	var words []string
	for _, w := range fields(text) {
		name, value, ok := strings.Cut(w, ":")
		facet, known := FacetNamed(name)
		value = strings.Trim(value, `"`)
		if !ok || !known || value == "" {
			words = append(words, w)
			continue
		}
		for v := range strings.SplitSeq(value, ",") {
			if v = Value(facet, v); v != "" && !slices.Contains(filter[facet], v) {
				filter[facet] = append(filter[facet], v)
			}
		}
	}
	return strings.Join(words, " "), filter
}

// fields cuts a text at spaces that are not between double quotes.
func fields(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t' || r == '\n' || r == '\r')
	})
}

// FacetNamed returns the facet that people call so.
func FacetNamed(name string) (hub.Facet, bool) {
	name = strings.ToLower(name)
	if f, ok := aliases[name]; ok {
		return f, true
	}
	return hub.Facet(name), slices.Contains(hub.Facets, hub.Facet(name))
}

// FacetList names all facets, for people.
func FacetList() string {
	out := make([]string, len(hub.Facets))
	for i, f := range hub.Facets {
		out[i] = string(f)
	}
	return strings.Join(out, ", ")
}

// Value returns a facet's value as it is stored for what people write.
func Value(facet hub.Facet, v string) string {
	v = strings.TrimSpace(v)
	switch facet {
	case hub.FacetLicense:
		return manifest.License(v)
	case hub.FacetPublisher:
		return strings.ToLower(strings.TrimPrefix(v, "@"))
	case hub.FacetCategory:
		v = strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), " ")
	case hub.FacetTool, hub.FacetResource, hub.FacetPrompt, hub.FacetProtocol:
		return v
	}
	v = strings.ToLower(v)
	if other, ok := values[facet][v]; ok {
		return other
	}
	return v
}

// merge adds filters to others: of one facet any value may match.
func merge(a, b hub.Labels) hub.Labels {
	out := hub.Labels{}
	for _, l := range []hub.Labels{a, b} {
		for f, vs := range l {
			for _, v := range vs {
				if !slices.Contains(out[f], v) {
					out[f] = append(out[f], v)
				}
			}
		}
	}
	return out
}

func without(l hub.Labels, facet hub.Facet) hub.Labels {
	out := hub.Labels{}
	for f, vs := range l {
		if f != facet {
			out[f] = vs
		}
	}
	return out
}
