package source

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// ToolkitLabel is the label in which an image says, in YAML or JSON, how Docker's MCP Toolkit starts it.
const ToolkitLabel = "io.docker.server.metadata"

// toolkitEntry is what that label holds, as far as we read it: an entry of a catalogue of the Toolkit.
type toolkitEntry struct {
	Name           string           `json:"name"`
	Title          string           `json:"title"`
	Description    string           `json:"description"`
	Type           string           `json:"type"` // server, remote, poci
	Secrets        []dockerSecret   `json:"secrets"`
	Env            []dockerVariable `json:"env"`
	Command        []string         `json:"command"`
	Volumes        []string         `json:"volumes"`
	User           string           `json:"user"`
	DisableNetwork bool             `json:"disableNetwork"`
	AllowHosts     []string         `json:"allowHosts"`
	ExtraHosts     []string         `json:"extraHosts"`
	Tools          []any            `json:"tools"`
	Config         []struct {
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
	} `json:"config"`
	OAuth struct {
		Providers []dockerProvider `json:"providers"`
	} `json:"oauth"`
	Metadata struct {
		Category string   `json:"category"`
		Tags     []string `json:"tags"`
		License  string   `json:"license"`
	} `json:"metadata"`
}

// FromLabels makes of the labels of an image a manifest with one entry, "default", that starts it: of the Toolkit's label when
// it has one, and of the annotations of the OCI image specification for what that leaves out. It has neither scope nor
// version when the labels do not give them. The labels are the image's own words: what was left out of them or changed is in the
// warnings. Invalid when the Toolkit's label cannot be read or describes something else than an image that is a server.
func FromLabels(image string, labels map[string]string) (*manifest.Manifest, []string, error) {
	e := Entry{Source: image, Name: image}
	var in toolkitEntry
	if text := labels[ToolkitLabel]; text != "" {
		node, err := yamlNode([]byte(text))
		if err != nil {
			return nil, nil, hub.Errorf(hub.Invalid, "the label %s of %s cannot be read: %v", ToolkitLabel, image, err)
		}
		if _, ok := node.Any().(map[string]any); !ok {
			return nil, nil, hub.Errorf(hub.Invalid, "the label %s of %s holds no fields", ToolkitLabel, image)
		}
		e.decode(node, &in)
	}
	if in.Type != "" && in.Type != "server" {
		return nil, nil, hub.Errorf(hub.Invalid, "%s says of itself that it is of type %.40q; only an image that is itself a server can be started", image, in.Type)
	}
	oci := func(key string) string { return strings.TrimSpace(labels["org.opencontainers.image."+key]) }
	first := func(values ...string) string {
		i := slices.IndexFunc(values, func(s string) bool { return strings.TrimSpace(s) != "" })
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(values[i])
	}
	m := &manifest.Manifest{
		Name:  first(labels["io.modelcontextprotocol.server.name"], in.Name),
		Title: cut(first(in.Title, oci("title")), manifest.MaxTitle), Description: first(in.Description, oci("description")),
		License: e.license(first(in.Metadata.License, oci("licenses"))), Homepage: e.link("homepage", oci("url")), Repository: e.repository(oci("source"), ""),
		Keywords: e.words("keywords", in.Metadata.Tags), Categories: e.words("categories", []string{in.Metadata.Category}),
	}
	if _, err := hub.ParseVersion(oci("version")); err == nil {
		m.Version = oci("version")
	}
	entry := in.entry(image)
	for _, o := range entry.OAuth {
		e.warn("people sign in to %s with OAuth; here its token has to be given by hand", o.Provider)
	}
	if in.User != "" {
		e.warn("it asks to be the user %q; in the sandbox it is the image's own user, yours or nobody, and never root", cut(in.User, 40))
	}
	if len(in.ExtraHosts) > 0 {
		e.warn("it asks for names of hosts of its own, which are left out: %s", cut(strings.Join(in.ExtraHosts, ", "), 80))
	}
	e.dockerServer(m, entry)
	m.Servers = map[string]manifest.ServerSpec{"default": m.Servers["docker"]}
	tools := e.tools(dockerToolList(in.Tools))
	for i := range tools {
		tools[i].Type = "" // in mcp.json the list says it
	}
	attach(m, &manifest.Capabilities{Tools: tools})
	return m, e.Warnings, nil
}

// entry is the same in the words of Docker's catalogue of sources.
func (in *toolkitEntry) entry(image string) *dockerEntry {
	d := &dockerEntry{Name: in.Name, Image: image, Run: dockerRun{
		Command: in.Command, Volumes: in.Volumes, AllowHosts: in.AllowHosts, DisableNetwork: in.DisableNetwork,
	}}
	d.Config.Secrets, d.Config.Env, d.OAuth = in.Secrets, in.Env, in.OAuth.Providers
	d.Config.Parameters.Properties = map[string]any{}
	for _, c := range in.Config {
		maps.Copy(d.Config.Parameters.Properties, c.Properties)
		d.Config.Parameters.Required = append(d.Config.Parameters.Required, c.Required...)
	}
	return d
}
