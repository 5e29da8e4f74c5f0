package wire

import (
	"encoding/json"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Login is the body of POST /auth/login.
type Login struct {
	User     string `json:"user" doc:"Account name or e-mail." minLength:"1" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// Refresh is the body of POST /auth/token.
type Refresh struct {
	RefreshToken string `json:"refreshToken" minLength:"1" maxLength:"200"`
}

// Session is the answer to both.
type Session struct {
	AccessToken  string    `json:"accessToken" doc:"EdDSA JWT; send it as Authorization: Bearer."`
	ExpiresAt    time.Time `json:"expiresAt"`
	RefreshToken string    `json:"refreshToken" doc:"Good for one use; the answer to that use brings the next."`
	Account      Account   `json:"account"`
}

// Account is who one is.
type Account struct {
	ID         string      `json:"id" format:"uuid"`
	Name       string      `json:"name" example:"acme"`
	Email      string      `json:"email"`
	Role       hub.Role    `json:"role"`
	Namespaces []string    `json:"namespaces" doc:"Scopes this account may publish to."`
	Scopes     []hub.Scope `json:"scopes" doc:"What the credential of this request may be used for."`
	CreatedAt  time.Time   `json:"createdAt"`
}

// Key is an API key without its secret.
type Key struct {
	ID        string      `json:"id" format:"uuid"`
	Name      string      `json:"name"`
	Prefix    string      `json:"prefix" doc:"The first characters." example:"mcph_3kT9"`
	Scopes    []hub.Scope `json:"scopes"`
	CreatedAt time.Time   `json:"createdAt"`
	ExpiresAt *time.Time  `json:"expiresAt,omitempty"`
	LastUsed  *time.Time  `json:"lastUsed,omitempty" doc:"Exact to a minute."`
}

// NewKeyRequest is the body of POST /keys.
type NewKeyRequest struct {
	Name   string      `json:"name" minLength:"1" maxLength:"100" example:"ci"`
	Scopes []hub.Scope `json:"scopes,omitempty" doc:"Default: read." maxItems:"3"`
	Days   int         `json:"expiresInDays,omitempty" minimum:"0" maximum:"3650" doc:"0 for never."`
}

// NewKey is a key with its secret, shown once.
type NewKey struct {
	Key
	Secret string `json:"secret" doc:"Shown only now." example:"mcph_..."`
}

// KeyList is the body of GET /keys.
type KeyList struct {
	Keys []Key `json:"keys"`
}

// PutServer is the body of PUT /servers/{id}: display facts, and a manifest for the first version.
type PutServer struct {
	Title       *string         `json:"title,omitempty" maxLength:"100"`
	Description *string         `json:"description,omitempty" maxLength:"4096"`
	License     *string         `json:"license,omitempty" maxLength:"200"`
	Homepage    *string         `json:"homepage,omitempty" maxLength:"2048"`
	Repository  *string         `json:"repository,omitempty" maxLength:"2048"`
	Keywords    []string        `json:"keywords,omitempty" maxItems:"50"`
	Categories  []string        `json:"categories,omitempty" maxItems:"20"`
	Manifest    json.RawMessage `json:"manifest,omitempty" doc:"An mcp.json; publishes the first version."`
}

// Publication is the answer to a publish: the version in the state it reached so far. Poll Location
// (GET the version with ?pending=true) until the state is published or rejected.
type Publication struct {
	Version
	Stages []Stage `json:"stages,omitempty" doc:"The steps taken so far, in order."`
}

// Stage is one step of a publication.
type Stage struct {
	State  hub.State `json:"state"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// HostShape tells how a host application keeps its servers.
type HostShape struct {
	ID        string          `json:"id" example:"claude-desktop"`
	Name      string          `json:"name" example:"Claude Desktop"`
	Format    string          `json:"format" example:"json" doc:"json, jsonc, yaml or toml."`
	Key       string          `json:"key" example:"mcpServers" doc:"Member of the file that holds the servers."`
	Paths     []HostPath      `json:"paths"`
	Example   json.RawMessage `json:"example" doc:"A whole file with one local and, where the host can, one remote server; in JSON, whatever the format."`
	Text      string          `json:"text" doc:"The same, as the file spells it."`
	List      bool            `json:"list" doc:"Whether the servers are a list, each with a name, and not members by name."`
	Remote    bool            `json:"remote" doc:"Whether the file can name a remote server."`
	AfterEdit string          `json:"afterEdit,omitempty" example:"restart Claude Desktop"`
}

// HostPath is where the file is.
type HostPath struct {
	OS    string `json:"os" doc:"linux, darwin, windows or any."`
	Scope string `json:"scope" doc:"user or project."`
	Path  string `json:"path"`
}

// HostConfig is a ready-to-paste configuration of one server for one host.
type HostConfig struct {
	Host      string          `json:"host"`
	Name      string          `json:"name" doc:"The server."`
	Version   string          `json:"version"`
	Path      string          `json:"path" doc:"The user file on Linux; GET /config/{host} lists all."`
	Config    json.RawMessage `json:"config" doc:"What goes into the file, in JSON whatever its format."`
	Text      string          `json:"text" doc:"The same in the format of the file, for pasting."`
	AfterEdit string          `json:"afterEdit,omitempty"`
}

// ImageUsage is what a namespace has of container images on the hub.
type ImageUsage struct {
	Namespace    string `json:"namespace" example:"acme"`
	Repositories int    `json:"repositories"`
	Tags         int    `json:"tags"`
	Bytes        int64  `json:"bytes" doc:"Each blob once; uploads that are not finished count."`
	Quota        int64  `json:"quota" doc:"Bytes that the namespace may have, 0 for no limit."`
}
