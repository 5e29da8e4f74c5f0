package migrate

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// Format is what a file was written by.
type Format string

// The formats beside those of host applications.
const (
	MCPMServers    Format = "mcpm.sh"          // servers.json
	MCPMProfiles   Format = "mcpm.sh-profiles" // profiles.json of its first version
	Getmcpm        Format = "getmcpm"          // mcpm.yaml
	DockerProfile  Format = "docker-profile"   // docker mcp profile export
	DockerRegistry Format = "docker-registry"  // registry.yaml
	ToolHive       Format = "toolhive"         // a run configuration
)

// Read reads a file of another tool. Invalid when it is not of the format.
func Read(format Format, text []byte) ([]Server, error) {
	raw, err := asJSON(text)
	if err != nil {
		return nil, err
	}
	var out []Server
	switch format {
	case MCPMServers:
		out, err = mcpmServers(raw)
	case MCPMProfiles:
		out, err = mcpmProfiles(raw)
	case Getmcpm:
		out, err = getmcpm(raw)
	case DockerProfile:
		out, err = dockerProfile(raw)
	case DockerRegistry:
		out, err = dockerRegistry(raw)
	case ToolHive:
		out, err = toolHive(raw)
	default:
		return nil, hub.Errorf(hub.Invalid, "%q is no format that is known", format)
	}
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "not a file of %s: %v", format, err)
	}
	if err := few(len(out)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b Server) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// asJSON reads JSON or YAML. A few aliases of aliases fill any memory, and nobody writes them here.
func asJSON(text []byte) (json.RawMessage, error) {
	if len(text) > MaxFile {
		return nil, hub.Errorf(hub.TooLarge, "the file has %d bytes; at most %d are read", len(text), MaxFile)
	}
	if t := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\uFEFF"))); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		if node, err := jsonc.Parse("the file", t, true); err == nil {
			return json.Marshal(node.Any())
		}
	}
	depth := 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.AliasType, token.AnchorType:
			return nil, hub.Errorf(hub.Invalid, "line %d: YAML anchors and aliases are not read", t.Position.Line)
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > jsonc.MaxDepth {
			return nil, hub.Errorf(hub.TooLarge, "line %d: nested deeper than %d levels", t.Position.Line, jsonc.MaxDepth)
		}
	}
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, hub.Errorf(hub.Invalid, "neither JSON nor YAML: %s", first)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "it holds what JSON cannot: %v", err)
	}
	if _, err := jsonc.Parse("the file", raw, false); err != nil { // its depth
		return nil, err
	}
	return raw, nil
}

// mcpmEntry is a server as mcpm.sh writes it.
type mcpmEntry struct {
	Name    string         `json:"name"`
	Command string         `json:"command"`
	Args    []string       `json:"args"`
	Env     map[string]any `json:"env"`
	URL     string         `json:"url"`
	Headers map[string]any `json:"headers"`
	Tags    []string       `json:"profile_tags"`
}

func (m mcpmEntry) server(key string) Server {
	s := fromEntry(key, hosts.Entry{Command: m.Command, Args: m.Args, Env: texts(m.Env), URL: m.URL, Headers: texts(m.Headers)})
	s.Groups = m.Tags
	return s
}

// texts keeps the values that are strings, numbers or truth values, spelled out.
func texts(all map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range all {
		if text, ok := v.(string); ok {
			out[k] = text
		} else if b, err := json.Marshal(v); err == nil && v != nil {
			out[k] = string(b)
		}
	}
	return out
}

func mcpmServers(raw json.RawMessage) ([]Server, error) {
	var all map[string]mcpmEntry
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	var out []Server
	for key, e := range all {
		out = append(out, e.server(key))
	}
	return out, nil
}

// mcpmProfiles reads profiles that own their servers. One that is in several comes once.
func mcpmProfiles(raw json.RawMessage) ([]Server, error) {
	var all map[string][]mcpmEntry
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	var out []Server
	for _, profile := range slices.Sorted(maps.Keys(all)) {
		for _, e := range all[profile] {
			s := e.server(e.Name)
			s.Groups = []string{profile}
			i := slices.IndexFunc(out, func(o Server) bool {
				return o.Key == s.Key && o.Command == s.Command && slices.Equal(o.Args, s.Args) && o.Identifier == s.Identifier && maps.Equal(o.Env, s.Env)
			})
			if i >= 0 {
				out[i].Groups = append(out[i].Groups, profile)
				continue
			}
			out = append(out, s)
		}
	}
	return out, nil
}

func getmcpm(raw json.RawMessage) ([]Server, error) {
	var file struct {
		Version string `json:"version"`
		Servers map[string]struct {
			Version  string         `json:"version"`
			URL      string         `json:"url"`
			Profiles []string       `json:"profiles"`
			Env      map[string]any `json:"env"`
		} `json:"servers"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Version != "1" {
		return nil, hub.Errorf(hub.Invalid, "its version is %q, and 1 is read", file.Version)
	}
	var out []Server
	for key, e := range file.Servers {
		s := Server{Key: key, Groups: e.Profiles, Env: map[string]string{}, Headers: map[string]string{}}
		if e.URL != "" {
			s.reach(e.URL)
		} else {
			s.named(key, e.Version)
		}
		s.Elsewhere = slices.Sorted(maps.Keys(e.Env))
		out = append(out, s)
	}
	return out, nil
}

// named is a server of the official registry.
func (s *Server) named(name, version string) {
	n, err := hub.ParseMirrorName(name)
	if err != nil || !strings.Contains(n.Scope(), ".") {
		s.fail("its name is not one of the official registry")
		return
	}
	s.Kind, s.Identifier = Name, n.String()
	if strings.IndexFunc(version, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) < 0 && version != "" {
		s.Version = version
	}
}

func dockerProfile(raw json.RawMessage) ([]Server, error) {
	var file struct {
		Name    string `json:"name"`
		Servers []struct {
			Type   string         `json:"type"`
			Image  string         `json:"image"`
			Source string         `json:"source"`
			Config map[string]any `json:"config"`
			Snap   struct {
				Server struct {
					Name    string `json:"name"`
					Secrets []struct {
						Env string `json:"env"`
					} `json:"secrets"`
				} `json:"server"`
			} `json:"snapshot"`
		} `json:"servers"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Servers == nil {
		return nil, hub.Errorf(hub.Invalid, "it has no servers")
	}
	var out []Server
	for _, e := range file.Servers {
		s := Server{Key: e.Snap.Server.Name, Env: map[string]string{}, Headers: map[string]string{}}
		if file.Name != "" {
			s.Groups = []string{file.Name}
		}
		switch {
		case e.Type == "image" && e.Image != "":
			s.Kind = model.RegistryTypeOCI
			s.Identifier, s.Version = Image(strings.TrimPrefix(e.Image, "docker://"))
			s.Key = first(s.Key, path.Base(s.Identifier))
		case e.Type == "registry":
			s.fromRegistryURL(e.Source)
			s.Key = first(s.Key, s.Identifier, e.Source)
		default:
			s.Key = first(s.Key, e.Source, e.Image)
			s.fail("its type in Docker's profile is " + first(e.Type, "not told"))
		}
		for _, secret := range e.Snap.Server.Secrets {
			if secret.Env != "" {
				s.Elsewhere = append(s.Elsewhere, secret.Env)
			}
		}
		s.Elsewhere = append(s.Elsewhere, slices.Sorted(maps.Keys(e.Config))...)
		out = append(out, s)
	}
	return out, nil
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// fromRegistryURL reads the address of a server in a registry: .../servers/NAME/versions/VERSION.
func (s *Server) fromRegistryURL(address string) {
	u, err := url.Parse(address)
	if err != nil {
		s.fail("its source is no address of a registry")
		return
	}
	parts := strings.Split(u.EscapedPath(), "/")
	i := slices.Index(parts, "servers")
	if i < 0 || i+1 >= len(parts) {
		s.fail("its source is no address of a registry")
		return
	}
	name, err := url.PathUnescape(parts[i+1])
	if err != nil || !strings.Contains(name, "/") {
		s.fail("its source names it by a number, not by its name")
		return
	}
	version := ""
	if i+3 < len(parts) && parts[i+2] == "versions" && parts[i+3] != "latest" {
		version = parts[i+3]
	}
	s.named(name, version)
}

func dockerRegistry(raw json.RawMessage) ([]Server, error) {
	var file struct {
		Registry map[string]any `json:"registry"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	var out []Server
	for key := range file.Registry {
		s := Server{Key: key, Env: map[string]string{}, Headers: map[string]string{}}
		s.named("com.docker.mcp/"+key, "")
		out = append(out, s)
	}
	return out, nil
}

func toolHive(raw json.RawMessage) ([]Server, error) {
	var file struct {
		Name     string            `json:"name"`
		Schema   string            `json:"schema_version"`
		Image    string            `json:"image"`
		URL      string            `json:"remote_url"`
		Registry string            `json:"registry_server_name"`
		Args     []string          `json:"cmd_args"`
		Env      map[string]string `json:"env_vars"`
		Secrets  []string          `json:"secrets"`
		Volumes  []string          `json:"volumes"`
		Group    string            `json:"group"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Schema == "" || file.Name == "" {
		return nil, hub.Errorf(hub.Invalid, "it has no schema_version or no name")
	}
	args := file.Args
	entry := hosts.Entry{Env: file.Env, URL: file.URL}
	switch scheme, rest, _ := strings.Cut(file.Image, "://"); {
	case file.URL != "":
	case scheme == "npx":
		entry.Command, entry.Args = "npx", append([]string{"-y", rest}, args...)
	case scheme == "uvx":
		entry.Command, entry.Args = "uvx", append([]string{rest}, args...)
	case rest == "" && file.Image != "":
		options := []string{"run", "-i", "--rm"}
		for _, v := range file.Volumes {
			options = append(options, "-v", v)
		}
		entry.Command, entry.Args = "docker", append(append(options, file.Image), args...)
	}
	s := fromEntry(file.Name, entry)
	if scheme, _, ok := strings.Cut(file.Image, "://"); ok && s.Why != "" {
		s.Why = "ToolHive builds it from " + scheme + "://, which is not read"
	}
	if file.Group != "" {
		s.Groups = []string{file.Group}
	}
	delete(s.Env, "MCP_TRANSPORT") // ToolHive's own
	for _, secret := range file.Secrets {
		if _, target, ok := strings.Cut(secret, ",target="); ok {
			s.Elsewhere = append(s.Elsewhere, target)
			delete(s.Env, target)
		}
	}
	return []Server{s}, nil
}
