package hub

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Format is the language a version's manifest was published in.
type Format string

// The formats a manifest is accepted in.
const (
	FormatMCP    Format = "mcp.json"
	FormatServer Format = "server.json"
)

// Server is a name and what is known about it across versions. Facts about the code (packages, tools)
// belong to its versions; the display facts here are those of the latest version, or what its owner set.
type Server struct {
	ID          string // UUIDv7
	Name        Name
	Title       string
	Description string // whole; the official API shows at most 100 characters of it
	License     string // SPDX expression
	Homepage    string
	Repository  string // URL of the source repository
	Keywords    []string
	Categories  []string
	Icon        string // https URL, or empty
	Origin      string // "" for servers published here; otherwise where they were mirrored or imported from
	Latest      LatestFacts
	Installs    int64 // how often mcpm said it installs a version
	Score       int   // completeness of what the publisher tells, 0 to 100; see docs/score.md
	DistTags    map[string]string
	CreatedAt   time.Time
	UpdatedAt   time.Time // last change that a reader could see; strictly grows
}

// Mirrored reports whether the server came from another catalogue rather than from a publisher here.
func (s *Server) Mirrored() bool { return s.Origin != "" }

// LatestFacts are the facts of the latest version that lists show and filters use.
type LatestFacts struct {
	VersionID    string
	Version      string
	State        State
	PackageTypes []string // npm, pypi, oci, mcpb, nuget, cargo, bundle, remote; sorted
	Transports   []string // stdio, streamable-http, sse; sorted
	Runtime      string   // docker, node, python, go, binary, remote or ""
	Tools        int
	Resources    int
	Prompts      int
}

// Unstartable reports whether mcpm starts none of the packages: what NuGet and cargo run cannot be locked to its bytes.
func (f LatestFacts) Unstartable() bool {
	return len(f.PackageTypes) > 0 && !slices.ContainsFunc(f.PackageTypes, func(t string) bool { return t != "nuget" && t != "cargo" })
}

// Version is one immutable version of a server. Manifest, ServerJSON and Bundle never change after
// Submit; the state, its message and the latest mark do.
type Version struct {
	ID          string // UUIDv7
	ServerID    string
	Name        Name // of the server
	Version     string
	State       State
	Message     string // why it is deprecated, yanked, quarantined, rejected ...; at most 500 characters
	Replacement string // name of the server to use instead, when deprecated

	Format         Format
	Manifest       []byte // canonical mcp.json: compact JSON, no comments
	ManifestDigest string // "sha256:<hex>" of Manifest
	ServerJSON     []byte // the official server.json, compact, as it is shown at /v0.1
	FullText       string // description too long for ServerJSON; empty when it fits
	Readme         string // Markdown, at most 256 KiB; untrusted
	Bundle         *Bundle
	Capabilities   []Capability // declared; filled by Submit and Version, not by lists
	Facts          LatestFacts  // of this version, VersionID and State left empty

	Latest          bool
	Mirrored        bool
	PublishedBy     string    // account ID, or "" for mirrored ones
	CreatedAt       time.Time // when it was submitted
	PublishedAt     time.Time // zero until published
	UpdatedAt       time.Time // last visible change
	StatusChangedAt time.Time
}

// PublicationKnown reports whether PublishedAt is when the version was published. A catalogue that does not say when
// leaves us with when we copied it.
func (v *Version) PublicationKnown() bool {
	return !v.Mirrored || v.CreatedAt.Sub(v.PublishedAt).Abs() >= time.Minute
}

// UnpublishWindow is how long after publishing its owner may take a version back.
const UnpublishWindow = 24 * time.Hour

// Bundle is an archive of files kept by this hub, named by its content.
type Bundle struct {
	Digest    string // "sha256:<hex>", the blob's name
	Integrity string // "sha512-<base64>", Subresource Integrity
	Size      int64  // bytes of the .tgz
	Files     int    // entries in it
}

// CapabilityType is tool, resource or prompt.
type CapabilityType string

// The capability types.
const (
	Tool     CapabilityType = "tool"
	Resource CapabilityType = "resource"
	Prompt   CapabilityType = "prompt"
)

// CapabilityTypes are all of them.
var CapabilityTypes = []CapabilityType{Prompt, Resource, Tool}

// Capability is one tool, resource or prompt that a version declares.
type Capability struct {
	Type        CapabilityType  `json:"type"`
	Name        string          `json:"name"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"` // input schema of a tool, arguments of a prompt
	URI         string          `json:"uri,omitempty"`    // of a resource, may be a template
}

// Inputs returns the names of a tool's inputs or a prompt's arguments, sorted: the properties of a JSON Schema
// object, or the names in a list of arguments. None when the schema cannot be read.
func (c Capability) Inputs() []string {
	var names []string
	var object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var list []struct {
		Name string `json:"name"`
	}
	switch {
	case len(c.Schema) == 0:
	case json.Unmarshal(c.Schema, &object) == nil:
		names = slices.Collect(maps.Keys(object.Properties))
	case json.Unmarshal(c.Schema, &list) == nil:
		for _, a := range list {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

// CapabilityCount is one capability name and how many servers' latest versions declare it.
type CapabilityCount struct {
	Type    CapabilityType `json:"type"`
	Name    string         `json:"name"`
	Servers int            `json:"servers"`
}

// Score returns how completely the facts describe a server, 0 to 100. It says nothing about safety.
// The sum is explained in docs/score.md; keep the two alike.
func Score(s *Server, facts LatestFacts, readme bool) int {
	score := 0
	add := func(points int, ok bool) {
		if ok {
			score += points
		}
	}
	add(10, s.Title != "")
	add(15, len(s.Description) >= 30)
	add(15, s.Repository != "")
	add(15, s.License != "")
	add(5, s.Homepage != "")
	add(5, len(s.Keywords)+len(s.Categories) > 0)
	add(20, facts.Tools+facts.Resources+facts.Prompts > 0)
	add(10, len(facts.PackageTypes) > 0)
	add(5, readme)
	return score
}

// Described is the Score as it is shown: half of it for a deprecated server, which nobody should take for a
// complete one.
func (s *Server) Described() int {
	if s.Latest.State == Deprecated {
		return s.Score / 2
	}
	return s.Score
}
