// Package manifest reads and writes the two languages a server is described in: mcp.json, which people
// write (a publisher's manifest and a consumer's project file are the same format), and server.json of
// the official MCP registry. It parses, validates, normalises, converts both ways, edits text without
// losing comments, and says how a described server is started. It does no I/O.
package manifest

import (
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Manifest is one mcp.json.
type Manifest struct {
	Schema      string   `json:"$schema,omitempty"`
	Name        string   `json:"name,omitempty"` // "@scope/name" or "io.github.x/name"; optional in a project
	Version     string   `json:"version,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	License     string   `json:"license,omitempty"` // SPDX
	Author      *Author  `json:"author,omitempty"`  // a string "Name <mail> (url)" is accepted
	Keywords    []string `json:"keywords,omitempty"`
	Categories  []string `json:"categories,omitempty"`
	Homepage    string   `json:"homepage,omitempty"`

	Repository *Repository       `json:"repository,omitempty"` // a string URL is accepted
	Icons      []model.Icon      `json:"icons,omitempty"`
	Engines    map[string]string `json:"engines,omitempty"` // "mcp", "node", "python": a range
	Hosts      []string          `json:"hosts,omitempty"`   // host applications it works with
	Runtime    string            `json:"runtime,omitempty"` // docker, node, python, go, binary, remote

	Servers         map[string]ServerSpec `json:"servers,omitempty"`
	Configuration   map[string]Input      `json:"configuration,omitempty"`
	Permissions     *Permissions          `json:"permissions,omitempty"`
	Dependencies    map[string]string     `json:"dependencies,omitempty"`
	DevDependencies map[string]string     `json:"devDependencies,omitempty"`
	Overrides       map[string]string     `json:"overrides,omitempty"`
	Workspaces      []string              `json:"workspaces,omitempty"`

	// PublisherMeta is the free object a publisher put into server.json's _meta.
	PublisherMeta map[string]any `json:"publisherMeta,omitempty"`

	// ServerSchema is the $schema of the server.json this was made from, when that is not the current one.
	ServerSchema string `json:"serverSchema,omitempty"`
}

// Author of a server.
type Author struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Repository is where the source is.
type Repository struct {
	URL       string `json:"url"`
	Source    string `json:"source,omitempty"` // "github", "gitlab" ...
	ID        string `json:"id,omitempty"`
	Subfolder string `json:"subfolder,omitempty"`
}

// ServerSpec is one way to start or reach the server. Exactly one of Command, Package, Remote and URL
// says how; a key of Manifest.Servers names it.
type ServerSpec struct {
	Transport string            `json:"transport,omitempty"` // stdio (default), streamable-http, sse
	Command   string            `json:"command,omitempty"`
	Args      []string          `json:"args,omitempty"`
	Env       map[string]string `json:"env,omitempty"`

	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`

	Package *model.Package   `json:"package,omitempty"` // as in server.json: npm, pypi, oci, mcpb, nuget, cargo
	Remote  *model.Transport `json:"remote,omitempty"`  // as in server.json, with inputs

	Capabilities *Capabilities `json:"capabilities,omitempty"`
}

// Capabilities are what the server declares. In the file each item is a name or an object.
type Capabilities struct {
	Tools     []hub.Capability `json:"tools,omitempty"`
	Resources []hub.Capability `json:"resources,omitempty"`
	Prompts   []hub.Capability `json:"prompts,omitempty"`
}

// Input is one thing a person has to or may set; the words of mcp.json for the official registry's Input.
type Input struct {
	Type        string   `json:"type,omitempty"` // string (default), number, boolean, filepath
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
	Default     string   `json:"default,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	Choices     []string `json:"choices,omitempty"`
}

// Permissions are what the server asks for; what is not listed is denied.
type Permissions struct {
	Network     *NetworkPermissions `json:"network,omitempty"`
	Filesystem  []PathPermission    `json:"filesystem,omitempty"`
	Environment []string            `json:"environment,omitempty"`
	Secrets     []string            `json:"secrets,omitempty"`
	Resources   *ResourceLimits     `json:"resources,omitempty"`
	Subprocess  bool                `json:"subprocess,omitempty"`
}

// NetworkPermissions lists "host:port" patterns; a host may start with "*.".
type NetworkPermissions struct {
	Outbound []string `json:"outbound,omitempty"`
}

// PathPermission opens one path.
type PathPermission struct {
	Path   string `json:"path"`   // "${workspace}", "~/Notes" ...
	Access string `json:"access"` // read or write
}

// ResourceLimits bound what the server may use.
type ResourceLimits struct {
	Memory string  `json:"memory,omitempty"` // "512Mi"
	CPUs   float64 `json:"cpus,omitempty"`
	Pids   int     `json:"pids,omitempty"`
}
