package manifest

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/serverjson"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// ServerJSON returns the manifest as an official server.json, and the whole description when that one had
// to be cut to its 100 characters ("" when it fits). Entries with a command that runs a pinned package
// (npx, uvx, docker run) become packages, entries with a url become remotes. What server.json cannot say
// is left out: commands of the bundle, permissions, capabilities, a homepage or icons without https.
func (m *Manifest) ServerJSON() (sj *apiv0.ServerJSON, fullDescription string) {
	sj = &apiv0.ServerJSON{
		Schema: model.CurrentSchemaURL, Name: strings.TrimPrefix(m.Name, "@"), Version: m.Version,
	}
	if m.ServerSchema != "" {
		sj.Schema = m.ServerSchema
	}
	sj.Title, _ = shorten(m.Title, serverjson.MaxDescription)
	var cut bool
	if sj.Description, cut = shorten(m.Description, serverjson.MaxDescription); cut {
		fullDescription = m.Description
	}
	if strings.HasPrefix(m.Homepage, "https://") {
		sj.WebsiteURL = m.Homepage
	}
	for _, icon := range m.Icons {
		if strings.HasPrefix(icon.Src, "https://") && len(icon.Src) <= serverjson.MaxIconSrc {
			sj.Icons = append(sj.Icons, icon)
		}
	}
	sj.Repository = m.Repository.official()
	if len(m.PublisherMeta) > 0 {
		sj.Meta = &apiv0.ServerMeta{PublisherProvided: m.PublisherMeta}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Servers)) {
		m.addEntry(sj, m.Servers[key])
	}
	return sj, fullDescription
}

func (m *Manifest) addEntry(sj *apiv0.ServerJSON, s ServerSpec) {
	switch {
	case s.Package != nil:
		full, _ := m.PackageOf(s)
		p := *full
		if p.Transport.Type == "" {
			p.Transport.Type = s.transportOf()
		}
		sj.Packages = append(sj.Packages, p)
	case s.Remote != nil:
		r := *s.Remote
		if r.Type == "" {
			r.Type = s.transportOf()
		}
		sj.Remotes = append(sj.Remotes, r)
	case s.URL != "":
		sj.Remotes = append(sj.Remotes, m.remoteOf(s))
	case s.Command != "":
		if p, ok := m.PackageOf(s); ok && pinned(p) {
			sj.Packages = append(sj.Packages, *p)
		}
	}
}

func pinned(p *model.Package) bool {
	return p.Version != "" || p.RegistryType == model.RegistryTypeOCI && serverjson.Tagged(p.Identifier)
}

// official returns the repository as server.json has it; nil when it is not a URL that can be shown.
func (r *Repository) official() *model.Repository {
	if r == nil || r.URL == "" {
		return nil
	}
	out := &model.Repository{URL: r.URL, Source: r.Source, ID: r.ID, Subfolder: r.Subfolder}
	if out.Source != "" {
		return out
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	if out.Source = sourceOf(u); out.Source == "" {
		out.Source = u.Hostname()
	}
	return out
}

// remoteOf turns an entry with a URL and headers into a remote whose inputs carry the configuration.
func (m *Manifest) remoteOf(s ServerSpec) model.Transport {
	t := model.Transport{Type: s.transportOf()}
	var used map[string]model.Input
	t.URL, used = m.template(s.URL)
	if len(used) > 0 {
		t.Variables = used
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		t.Headers = append(t.Headers, m.keyValue(name, s.Headers[name]))
	}
	return t
}

// keyValue turns NAME=value of mcp.json into an input of server.json. A value that is one variable
// named like the header or environment variable becomes the input itself.
func (m *Manifest) keyValue(name, value string) model.KeyValueInput {
	kv := model.KeyValueInput{Name: name}
	if soleVariable(value) == name && !KnownVariable(name) {
		kv.Input = m.input(name)
		return kv
	}
	kv.Value, kv.Variables = m.template(value)
	return kv
}

func (m *Manifest) declares(name string) bool {
	if _, ok := m.Configuration[name]; ok {
		return true
	}
	for _, s := range m.Servers {
		if p := s.Package; p != nil && (slices.ContainsFunc(p.EnvironmentVariables, func(e model.KeyValueInput) bool { return e.Name == name }) ||
			slices.ContainsFunc(p.PackageArguments, func(a model.Argument) bool {
				return a.ValueHint == name || strings.TrimLeft(a.Name, "-") == name
			})) {
			return true
		}
	}
	return false
}

// template rewrites ${NAME} to {NAME} and returns the inputs for the names in it.
func (m *Manifest) template(s string) (string, map[string]model.Input) {
	var vars map[string]model.Input
	out := Expand(s, func(name string) string {
		if name == "version" {
			return m.Version
		}
		if vars == nil {
			vars = map[string]model.Input{}
		}
		vars[name] = m.input(name)
		return "{" + name + "}"
	})
	return out, vars
}

// input returns the configuration called name in the words of server.json.
func (m *Manifest) input(name string) model.Input {
	in, ok := m.Configuration[name]
	if !ok {
		return model.Input{IsRequired: true, IsSecret: LooksSecret(name)}
	}
	out := model.Input{
		Description: in.Description, IsRequired: in.Required, IsSecret: in.Secret,
		Default: in.Default, Placeholder: in.Placeholder, Choices: in.Choices,
	}
	if in.Type != "" && in.Type != "string" {
		out.Format = model.Format(in.Type)
	}
	return out
}

// LooksSecret reports whether the name of a variable or header says that its value is a secret.
func LooksSecret(name string) bool {
	n := strings.ToUpper(name)
	for _, word := range []string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "API-KEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL", "AUTHORIZATION", "PASSPHRASE"} {
		if strings.Contains(n, word) {
			return true
		}
	}
	return strings.HasSuffix(n, "_KEY") || strings.HasSuffix(n, "_PAT") || n == "KEY"
}

// ServerFacts returns the display facts of a server: those that lists and pages show. ID, name,
// timestamps and origin are the caller's.
func ServerFacts(m *Manifest) hub.Server {
	s := hub.Server{
		Title: m.Title, Description: m.Description, License: m.License, Homepage: m.Homepage,
		Keywords: m.Keywords, Categories: m.Categories,
	}
	if m.Repository != nil {
		s.Repository = m.Repository.URL
	}
	for _, icon := range m.Icons {
		if strings.HasPrefix(icon.Src, "https://") {
			s.Icon = icon.Src
			break
		}
	}
	return s
}
