package tools

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

type serverIn struct {
	Name    string `json:"name" jsonschema:"as search_servers gives it"`
	Version string `json:"version,omitempty" jsonschema:"a version or a tag; latest when left out"`
}

type serverOut struct {
	found
	License      string       `json:"license,omitempty"`
	Repository   string       `json:"repository,omitempty"`
	State        string       `json:"state"`
	Message      string       `json:"message,omitempty" jsonschema:"why it is deprecated or yanked"`
	Published    string       `json:"published,omitempty"`
	Versions     []string     `json:"versions" jsonschema:"newest first, at most 20"`
	Capabilities []capability `json:"capabilities"`
	Permissions  *permissions `json:"permissions,omitempty" jsonschema:"what it asks for; nothing means it does not say"`
	Values       []value      `json:"values,omitempty" jsonschema:"what a person has to or may give it"`
}

type capability struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type permissions struct {
	Network     []string `json:"network,omitempty"`
	Files       []string `json:"files,omitempty"`
	Environment []string `json:"environment,omitempty"`
	Programs    bool     `json:"programs,omitempty"`
}

type value struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
	Default     string   `json:"default,omitempty"`
	Choices     []string `json:"choices,omitempty"`
}

const (
	maxVersions     = 20
	maxCapabilities = 100
)

func (t *tools) server(ctx context.Context, in serverIn) (serverOut, error) {
	srv, versions, err := t.Registry.Versions(ctx, in.Name)
	if err != nil {
		return serverOut{}, err
	}
	v, err := t.Registry.Version(ctx, in.Name, cmp.Or(in.Version, "latest"))
	if err != nil {
		return serverOut{}, err
	}
	m, _, err := manifest.Parse(v.Manifest)
	if err != nil {
		return serverOut{}, err
	}
	out := serverOut{
		found: t.found(srv), License: srv.License, Repository: srv.Repository, State: string(v.State), Message: v.Message,
		Versions: []string{}, Capabilities: []capability{}, Values: valuesOf(m),
	}
	out.Version, out.Tools = v.Version, v.Facts.Tools
	if v.PublicationKnown() && !v.PublishedAt.IsZero() {
		out.Published = v.PublishedAt.Format(time.DateOnly)
	}
	for _, other := range versions[:min(len(versions), maxVersions)] {
		out.Versions = append(out.Versions, other.Version)
	}
	for _, c := range v.Capabilities[:min(len(v.Capabilities), maxCapabilities)] {
		out.Capabilities = append(out.Capabilities, capability{string(c.Type), c.Name, short(c.Description)})
	}
	if p := m.Permissions; p != nil {
		out.Permissions = &permissions{Environment: p.Environment, Programs: p.Subprocess}
		if p.Network != nil {
			out.Permissions.Network = p.Network.Outbound
		}
		for _, f := range p.Filesystem {
			out.Permissions.Files = append(out.Permissions.Files, f.Access+" "+f.Path)
		}
	}
	return out, nil
}

// valuesOf lists what a manifest declares as values of its own.
func valuesOf(m *manifest.Manifest) []value {
	var out []value
	for _, name := range slices.Sorted(maps.Keys(m.Configuration)) {
		in := m.Configuration[name]
		out = append(out, value{Name: name, Description: short(in.Description), Required: in.Required, Secret: in.Secret, Default: in.Default, Choices: in.Choices})
	}
	return out
}

type installationIn struct {
	Name string `json:"name" jsonschema:"as search_servers gives it"`
	Host string `json:"host,omitempty" jsonschema:"a host application such as cursor, vscode or claude-desktop; left out for any"`
}

type installationOut struct {
	Command string  `json:"command" jsonschema:"installs the server and registers it with the host applications of the machine"`
	Run     string  `json:"run" jsonschema:"starts it on stdin and stdout"`
	Config  string  `json:"config,omitempty" jsonschema:"what mcpm writes into the file of the host application"`
	File    string  `json:"file,omitempty"`
	After   string  `json:"after,omitempty" jsonschema:"what the person does in the application after that"`
	Values  []value `json:"values,omitempty" jsonschema:"to be set with mcpm config before it starts; never ask for a secret yourself"`
}

func (t *tools) installation(ctx context.Context, in installationIn) (installationOut, error) {
	v, err := t.Registry.Version(ctx, in.Name, "latest")
	if err != nil {
		return installationOut{}, err
	}
	if v.Facts.Unstartable() {
		return installationOut{}, hub.Errorf(hub.Conflict, "mcpm does not start packages of %s", strings.Join(v.Facts.PackageTypes, " and ")).
			WithHint("look for a server that is a container image or an archive")
	}
	m, _, err := manifest.Parse(v.Manifest)
	if err != nil {
		return installationOut{}, err
	}
	name := v.Name.String()
	out := installationOut{Command: "mcpm install " + name, Run: "mcpm run " + name, Values: valuesOf(m)}
	if in.Host == "" {
		return out, nil
	}
	h, ok := hosts.ByID(in.Host)
	if !ok {
		var known []string
		for _, h := range hosts.All() {
			known = append(known, h.ID)
		}
		return installationOut{}, hub.Errorf(hub.NotFound, "this hub does not know a host application %q", in.Host).WithHint("known ones: %s", strings.Join(known, ", "))
	}
	text, err := hosts.File(h, []string{v.Name.Base()}, map[string]hosts.Entry{v.Name.Base(): hosts.RunEntry("mcpm", name)})
	if err != nil {
		return installationOut{}, err
	}
	out.Command, out.Config, out.After = out.Command+" --host "+h.ID, string(text), h.AfterEdit
	for _, p := range h.Places() {
		if p.Scope == hosts.User && (p.OS == "any" || p.OS == "linux") {
			out.File = p.Path
			break
		}
	}
	return out, nil
}
