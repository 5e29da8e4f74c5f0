package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// dockerEntry is one server.yaml of Docker's catalogue, as far as we read it.
type dockerEntry struct {
	Name  string `json:"name"`
	Image string `json:"image"`
	Type  string `json:"type"` // server, remote, poci
	Meta  struct {
		Category string   `json:"category"`
		Tags     []string `json:"tags"`
	} `json:"meta"`
	About struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Icon        string `json:"icon"`
	} `json:"about"`
	Source struct {
		Project   string `json:"project"`
		Directory string `json:"directory"`
	} `json:"source"`
	Remote struct {
		Transport string            `json:"transport_type"`
		URL       string            `json:"url"`
		Headers   map[string]string `json:"headers"`
	} `json:"remote"`
	Run         dockerRun        `json:"run"`
	Config      dockerConfig     `json:"config"`
	OAuth       []dockerProvider `json:"oauth"`
	Requirement string           `json:"requirement"`
}

type dockerRun struct {
	Command        []string       `json:"command"`
	Volumes        []string       `json:"volumes"`
	Ports          []string       `json:"ports"`
	Env            map[string]any `json:"env"`
	AllowHosts     []string       `json:"allowHosts"`
	DisableNetwork bool           `json:"disableNetwork"`
}

type dockerProvider struct {
	Provider string `json:"provider"`
	Env      string `json:"env"`
}

type dockerSecret struct {
	Name        string `json:"name"`
	Env         string `json:"env"`
	Example     any    `json:"example"`
	Description string `json:"description"`
	Required    any    `json:"required"` // absent means yes
}

type dockerVariable struct {
	Name        string `json:"name"`
	Value       any    `json:"value"`
	Default     any    `json:"default"`
	Example     any    `json:"example"`
	Description string `json:"description"`
}

type dockerConfig struct {
	Description string           `json:"description"`
	Secrets     []dockerSecret   `json:"secrets"`
	Env         []dockerVariable `json:"env"`
	Parameters  struct {
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
	} `json:"parameters"`
}

// readDocker reads a server.yaml with the tools.json beside it. It becomes com.docker.mcp/<name> with a
// version made of both.
func readDocker(source string, data []byte) Entry {
	e := Entry{Source: source, Name: filepath.Base(filepath.Dir(source))}
	node, err := yamlNode(data)
	if err != nil {
		e.refuse("%v", err)
		return e
	}
	var in dockerEntry
	e.decode(node, &in)
	if in.Name == "" || in.About.Title == "" && in.Type == "" {
		e.refuse("it is not a server of Docker's catalogue: name, type or about is missing")
		return e
	}
	e.Name = in.Name
	name, ok := e.mirrorName("com.docker.mcp", in.Name)
	if !ok {
		return e
	}
	tools, err := e.dockerTools(filepath.Join(filepath.Dir(source), "tools.json"))
	if err != nil {
		e.warn("tools.json: %v", err)
	}
	m := &manifest.Manifest{
		Name: name.String(), Title: cut(strings.TrimSpace(in.About.Title), manifest.MaxTitle),
		Description: strings.TrimSpace(in.About.Description), Keywords: e.words("keywords", in.Meta.Tags),
		Categories: e.words("categories", []string{in.Meta.Category}), Repository: e.repository(in.Source.Project, in.Source.Directory),
		Version: syntheticVersion(jsonc.Encode(map[string]any{"server": node.Any(), "tools": tools})),
	}
	if icon := strings.TrimSpace(in.About.Icon); strings.HasPrefix(icon, "https://") {
		m.Icons = []model.Icon{{Src: icon}}
	} else if icon != "" {
		e.warn("the icon %q is not an https URL and was left out", cut(icon, 80))
	}
	switch in.Type {
	case "remote":
		e.dockerRemote(m, &in)
	case "poci":
		e.refuse("it is of type poci: its tools are single containers that only Docker's own gateway can run")
		return e
	default:
		e.dockerServer(m, &in)
	}
	for _, o := range in.OAuth {
		e.warn("people sign in to %s with OAuth; here its token has to be given by hand", o.Provider)
	}
	if in.Requirement != "" {
		e.warn("it needs %s to be running", cut(in.Requirement, 60))
	}
	caps := &manifest.Capabilities{Tools: e.tools(dockerToolList(tools))}
	attach(m, caps)
	if e.fill(name, OriginDocker, m, nil, nil); e.Refused == "" {
		e.keep(m, caps)
	}
	return e
}

// yamlNode reads YAML without anchors, within the limits of jsonc.
func yamlNode(data []byte) (*jsonc.Node, error) {
	if len(data) > jsonc.MaxBytes {
		return nil, fmt.Errorf("the file has %d bytes; at most %d are allowed", len(data), jsonc.MaxBytes)
	}
	for _, t := range lexer.Tokenize(string(data)) {
		if t.Type == token.AliasType || t.Type == token.AnchorType {
			// A few aliases of aliases fill any memory, and no catalogue needs them.
			return nil, fmt.Errorf("line %d: YAML anchors and aliases are not read", t.Position.Line)
		}
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("it is not YAML: %s", first)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("it holds what JSON cannot: %v", err)
	}
	return jsonc.Parse("the entry", b, false)
}

func (e *Entry) dockerTools(path string) ([]any, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	node, err := jsonc.Parse("tools.json", data, false)
	if err != nil {
		return nil, err
	}
	list, ok := node.Any().([]any)
	if !ok {
		return nil, errors.New("it is not a list")
	}
	return list, nil
}

func dockerToolList(list []any) []rawTool {
	var out []rawTool
	for _, item := range list {
		t, ok := item.(map[string]any)
		if !ok {
			continue
		}
		r := rawTool{Name: text(t["name"]), Description: text(t["description"]), Schema: t["inputSchema"]}
		if args, ok := t["arguments"].([]any); ok && r.Schema == nil && len(args) > 0 {
			r.Schema = argumentSchema(args)
		}
		out = append(out, r)
	}
	return out
}

// argumentSchema makes a JSON schema of Docker's list of arguments.
func argumentSchema(args []any) map[string]any {
	props, required := map[string]any{}, []any{}
	for _, a := range args {
		arg, ok := a.(map[string]any)
		if !ok || text(arg["name"]) == "" {
			continue
		}
		name := text(arg["name"])
		p := map[string]any{}
		if t := text(arg["type"]); slices.Contains([]string{"string", "number", "integer", "boolean", "array", "object", "null"}, t) {
			p["type"] = t
		}
		if d := text(arg["desc"]); d != "" {
			p["description"] = d
		}
		if items, ok := arg["items"].(map[string]any); ok {
			p["items"] = items
		}
		props[name] = p
		if optional, _ := arg["optional"].(bool); !optional {
			required = append(required, name)
		}
	}
	schema := map[string]any{"type": "object", "properties": props}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func (e *Entry) dockerRemote(m *manifest.Manifest, in *dockerEntry) {
	if e.link("URL", in.Remote.URL) == "" {
		e.warn("it says no URL, so nobody can connect")
		return
	}
	e.configure(m, in)
	spec := manifest.ServerSpec{Transport: model.TransportTypeStreamableHTTP, URL: in.Remote.URL, Headers: in.Remote.Headers}
	if in.Remote.Transport == "sse" {
		spec.Transport = model.TransportTypeSSE
	}
	e.declare(m, spec)
	m.Servers = map[string]manifest.ServerSpec{"remote": spec}
}

// dockerServer writes the container as the command that starts it, which then becomes a package.
func (e *Entry) dockerServer(m *manifest.Manifest, in *dockerEntry) {
	image := in.Image
	if image == "" {
		image = "mcp/" + in.Name
		e.warn("it names no image; %q is taken, where Docker puts those it builds", image)
	}
	env := e.configure(m, in)
	spec := manifest.ServerSpec{Command: model.RuntimeHintDocker, Args: []string{"run", "-i", "--rm"}, Env: env}
	for _, v := range in.Run.Volumes {
		spec.Args = append(spec.Args, "-v", e.template(in, v))
	}
	for _, p := range in.Run.Ports {
		spec.Args = append(spec.Args, "-p", p)
	}
	if in.Run.DisableNetwork {
		spec.Args = append(spec.Args, "--network", "none")
		m.Permissions = &manifest.Permissions{Network: &manifest.NetworkPermissions{}}
	}
	if len(in.Run.AllowHosts) > 0 {
		m.Permissions = &manifest.Permissions{Network: &manifest.NetworkPermissions{Outbound: in.Run.AllowHosts}}
	}
	spec.Args = append(spec.Args, image)
	for _, c := range in.Run.Command {
		spec.Args = append(spec.Args, e.template(in, c))
	}
	m.Servers = map[string]manifest.ServerSpec{"docker": e.packaged(m, "docker", spec)}
}

// configure declares secrets and parameters, and returns the environment that passes them on.
func (e *Entry) configure(m *manifest.Manifest, in *dockerEntry) map[string]string {
	m.Configuration = map[string]manifest.Input{}
	env := map[string]string{}
	oauth := map[string]bool{}
	for _, o := range in.OAuth {
		oauth[o.Env] = true
	}
	for _, s := range in.Config.Secrets {
		if !inputNameRE.MatchString(s.Env) {
			e.warn("the secret %q has no variable it can be passed in", cut(s.Name, 60))
			continue
		}
		required, given := s.Required.(bool)
		m.Configuration[s.Env] = manifest.Input{
			Description: s.Description, Required: (required || !given) && !oauth[s.Env], Secret: true, Placeholder: text(s.Example),
		}
		env[s.Env] = "${" + s.Env + "}"
	}
	for name, prop := range flatten("", in.Config.Parameters.Properties) {
		m.Configuration[name] = parameter(prop, slices.Contains(in.Config.Parameters.Required, name))
	}
	for _, v := range in.Config.Env {
		if !inputNameRE.MatchString(v.Name) {
			e.warn("the environment variable %q was left out", cut(v.Name, 60))
			continue
		}
		value := e.template(in, text(v.Value))
		if value == "" {
			value = "${" + v.Name + "}"
		}
		env[v.Name] = value
		for _, ref := range referenceRE.FindAllStringSubmatch(value, -1) {
			input, declared := m.Configuration[ref[1]]
			if !declared || input.Placeholder == "" {
				input.Placeholder = text(v.Example)
			}
			if input.Description == "" {
				input.Description = v.Description
			}
			if input.Default == "" {
				input.Default = text(v.Default)
			}
			input.Secret = input.Secret || manifest.LooksSecret(v.Name)
			m.Configuration[ref[1]] = input
		}
	}
	for name, value := range in.Run.Env {
		env[name] = e.template(in, text(value))
	}
	return env
}

// flatten returns the parameters by name; those of a nested object as "outer.inner".
func flatten(prefix string, props map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for name, v := range props {
		p, ok := v.(map[string]any)
		name = prefix + name
		if !ok || !inputNameRE.MatchString(name) {
			continue
		}
		if inner, ok := p["properties"].(map[string]any); ok && strings.Count(name, ".") < 4 {
			for k, x := range flatten(name+".", inner) {
				out[k] = x
			}
			continue
		}
		out[name] = p
	}
	return out
}

func parameter(p map[string]any, required bool) manifest.Input {
	in := manifest.Input{Description: text(p["description"]), Default: text(p["default"]), Placeholder: text(p["example"])}
	in.Required = required && in.Default == ""
	if in.Description == "" {
		in.Description = text(p["title"])
	}
	switch text(p["type"]) {
	case "number", "integer":
		in.Type = "number"
	case "boolean":
		in.Type = "boolean"
	}
	if choices, ok := p["enum"].([]any); ok {
		for _, c := range choices {
			in.Choices = append(in.Choices, text(c))
		}
	}
	return in
}

var templateRE = lazyregexp.New(`\{\{\s*([^}|]+?)\s*((?:\|[^}|]*)*)\}\}`)

// template rewrites Docker's {{server.parameter|filter}} to our ${parameter}.
func (e *Entry) template(in *dockerEntry, s string) string {
	return templateRE.ReplaceAllStringFunc(s, func(found string) string {
		parts := templateRE.FindStringSubmatch(found)
		name := strings.TrimPrefix(parts[1], in.Name+".")
		if !inputNameRE.MatchString(name) {
			e.warn("the template %s was left as it is", cut(found, 60))
			return found
		}
		if strings.Contains(parts[2], "into") {
			e.warn("%q may have several values in Docker; here it has one", name)
		}
		for _, filter := range strings.Split(parts[2], "|") {
			if strings.TrimSpace(filter) == "volume" {
				return "${" + name + "}:${" + name + "}" // a path is mounted where it is
			}
		}
		return "${" + name + "}"
	})
}
