package wire

import (
	"encoding/json"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Server is a server in lists, search results and details.
type Server struct {
	ID          string            `json:"id" doc:"UUIDv7; works wherever the name does." format:"uuid"`
	Name        string            `json:"name" doc:"As people write it." example:"@acme/postgres"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description" doc:"Whole; the official API may show less."`
	Version     string            `json:"version" doc:"Latest version." example:"2.3.1"`
	State       hub.State         `json:"state" doc:"State of the latest version." example:"published"`
	License     string            `json:"license,omitempty" example:"Apache-2.0"`
	Homepage    string            `json:"homepage,omitempty"`
	Repository  string            `json:"repository,omitempty"`
	Keywords    []string          `json:"keywords,omitempty"`
	Categories  []string          `json:"categories,omitempty"`
	Icon        string            `json:"icon,omitempty"`
	Packages    []string          `json:"packageTypes,omitempty" doc:"npm, pypi, oci, mcpb, nuget, cargo, bundle, remote."`
	Transports  []string          `json:"transports,omitempty" doc:"stdio, streamable-http, sse."`
	Runtime     string            `json:"runtime,omitempty"`
	Tools       int               `json:"tools" doc:"Declared tools of the latest version."`
	Resources   int               `json:"resources"`
	Prompts     int               `json:"prompts"`
	Installs    int64             `json:"installs" doc:"How often mcpm installed it from this hub."`
	Score       int               `json:"score" doc:"How completely it is described, 0 to 100; half of it when deprecated. Not a security score, and one part of its quality."`
	Mirrored    bool              `json:"mirrored" doc:"True when it was copied from another catalogue and not published here."`
	Origin      string            `json:"origin,omitempty" doc:"Where a mirrored server came from."`
	DistTags    map[string]string `json:"distTags,omitempty"`
	CreatedAt   time.Time         `json:"createdAt"`
	UpdatedAt   time.Time         `json:"updatedAt"`
}

// NewServer renders a server.
func NewServer(s *hub.Server) Server {
	return Server{
		ID: s.ID, Name: s.Name.String(), Title: s.Title, Description: s.Description,
		Version: s.Latest.Version, State: s.Latest.State, License: s.License, Homepage: s.Homepage,
		Repository: s.Repository, Keywords: s.Keywords, Categories: s.Categories, Icon: s.Icon,
		Packages: s.Latest.PackageTypes, Transports: s.Latest.Transports, Runtime: s.Latest.Runtime,
		Tools: s.Latest.Tools, Resources: s.Latest.Resources, Prompts: s.Latest.Prompts,
		Installs: s.Installs, Score: s.Described(), Mirrored: s.Mirrored(), Origin: s.Origin,
		DistTags: s.DistTags, CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
}

// ServerList is one page of servers.
type ServerList struct {
	Servers    []Server `json:"servers"`
	NextCursor string   `json:"nextCursor,omitempty" doc:"Send it back as cursor for the next page; absent on the last one."`
}

// Version is a version without its manifest, as in lists of versions.
type Version struct {
	ID             string     `json:"id" format:"uuid"`
	Name           string     `json:"name" example:"@acme/postgres"`
	Version        string     `json:"version" example:"2.3.1"`
	State          hub.State  `json:"state" example:"published"`
	Message        string     `json:"message,omitempty" doc:"Why it is deprecated, yanked or rejected."`
	Replacement    string     `json:"replacement,omitempty" doc:"The server to use instead."`
	Latest         bool       `json:"latest"`
	Mirrored       bool       `json:"mirrored"`
	ManifestDigest string     `json:"manifestDigest" doc:"sha256 of the manifest's bytes." example:"sha256:9f86d081884c7d65..."`
	Bundle         *Bundle    `json:"bundle,omitempty"`
	PackageTypes   []string   `json:"packageTypes,omitempty"`
	Transports     []string   `json:"transports,omitempty"`
	Runtime        string     `json:"runtime,omitempty"`
	Tools          int        `json:"tools"`
	Resources      int        `json:"resources"`
	Prompts        int        `json:"prompts"`
	CreatedAt      time.Time  `json:"createdAt"`
	PublishedAt    *time.Time `json:"publishedAt,omitempty"`
}

// Bundle is an archive this hub keeps for a version.
type Bundle struct {
	Digest    string `json:"digest" example:"sha256:9f86d081884c7d65..."`
	Integrity string `json:"integrity" doc:"Subresource Integrity." example:"sha512-..."`
	Size      int64  `json:"size" doc:"Bytes of the .tgz."`
	Files     int    `json:"files"`
}

// VersionDetail is a version with all that was published with it.
type VersionDetail struct {
	Version
	Manifest     json.RawMessage  `json:"manifest" doc:"The mcp.json, canonical. Its exact bytes have manifestDigest."`
	ServerJSON   json.RawMessage  `json:"server" doc:"The same as server.json of the official registry."`
	Capabilities []hub.Capability `json:"capabilities,omitempty"`
	Readme       string           `json:"readme,omitempty" doc:"Markdown as published; treat it as hostile."`
	Description  string           `json:"description,omitempty" doc:"Whole description of this version."`
}

// NewVersion renders a version.
func NewVersion(v *hub.Version) Version {
	w := Version{
		ID: v.ID, Name: v.Name.String(), Version: v.Version, State: v.State, Message: v.Message,
		Replacement: v.Replacement, Latest: v.Latest, Mirrored: v.Mirrored, ManifestDigest: v.ManifestDigest,
		PackageTypes: v.Facts.PackageTypes, Transports: v.Facts.Transports, Runtime: v.Facts.Runtime,
		Tools: v.Facts.Tools, Resources: v.Facts.Resources, Prompts: v.Facts.Prompts, CreatedAt: v.CreatedAt.UTC(),
	}
	if v.Bundle != nil {
		w.Bundle = &Bundle{Digest: v.Bundle.Digest, Integrity: v.Bundle.Integrity, Size: v.Bundle.Size, Files: v.Bundle.Files}
	}
	if !v.PublishedAt.IsZero() {
		at := v.PublishedAt.UTC()
		w.PublishedAt = &at
	}
	return w
}

// NewVersionDetail renders a version whole.
func NewVersionDetail(v *hub.Version) VersionDetail {
	return VersionDetail{
		Version: NewVersion(v), Manifest: v.Manifest, ServerJSON: v.ServerJSON,
		Capabilities: v.Capabilities, Readme: v.Readme, Description: v.FullText,
	}
}

// VersionList is all versions of a server, newest publication first.
type VersionList struct {
	Name     string            `json:"name"`
	DistTags map[string]string `json:"distTags,omitempty"`
	Versions []Version         `json:"versions"`
}

// ServerDetail is a server with its latest version.
type ServerDetail struct {
	Server
	LatestVersion *VersionDetail `json:"latestVersion,omitempty"`
}

// CapabilityList is one page of capability names.
type CapabilityList struct {
	Capabilities []hub.CapabilityCount `json:"capabilities"`
	NextCursor   string                `json:"nextCursor,omitempty"`
}

// ServerCapabilities is what one version declares.
type ServerCapabilities struct {
	Name         string           `json:"name"`
	Version      string           `json:"version"`
	Capabilities []hub.Capability `json:"capabilities"`
}
