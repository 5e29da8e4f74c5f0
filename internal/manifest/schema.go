package manifest

import (
	_ "embed"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

//go:embed mcp.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of mcp.json, for editors. It is looser than Parse and
// Validate: what it refuses they refuse too, and some of what they refuse it cannot say.
func Schema() []byte { return slices.Clone(schema) }

// object is a JSON object in the making.
type object = map[string]any

// GenerateSchema makes the schema from the Go types. The committed file is what it returned last; a test
// holds the two together.
func GenerateSchema() []byte {
	g := &generator{defs: object{}}
	root := g.object(reflect.TypeFor[Manifest]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "mcp.json: an MCP server, or a project that uses some"
	root["$defs"] = g.defs
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("manifest: GenerateSchema: " + err.Error()) // it is made of strings, lists and objects
	}
	return append(b, '\n')
}

type generator struct{ defs object }

// words is what a person should know of a field; a field without words has only its type.
var words = map[string]string{
	"Manifest.name":            "@scope/name, or a reverse domain such as io.github.acme/postgres. Needed to publish.",
	"Manifest.version":         "Semantic version, such as 1.4.2. Published once and never again.",
	"Manifest.description":     "What the server does, in one or two sentences.",
	"Manifest.license":         "SPDX expression, such as Apache-2.0.",
	"Manifest.servers":         "The ways to start or reach the server, by name.",
	"Manifest.configuration":   "What people have to or may set; used as ${NAME} in args, env, url and headers.",
	"Manifest.permissions":     "What the server asks for. What is not listed is denied.",
	"Manifest.dependencies":    "Servers this one needs, with version ranges as npm writes them. \"db2\": \"mcpm:@acme/db@^1\" is a server under a name of your own, and \"workspace:^\" is another member of this workspace.",
	"Manifest.devDependencies": "Servers needed only to work on this project.",
	"Manifest.overrides":       "Versions to use whatever the dependencies ask for.",
	"Manifest.workspaces":      "Where the servers of this repository are, as patterns of directories; ! leaves out.",
	"Manifest.engines":         "Ranges of what it runs on: mcp (protocol dates), node, python.",
	"ServerSpec.command":       "Program to run, without a shell. A relative path is a file of the bundle.",
	"ServerSpec.package":       "Package to run, as in server.json.",
	"ServerSpec.remote":        "Server on the network with inputs, as in server.json.",
	"ServerSpec.url":           "Server on the network.",
	"Permissions.network":      "Hosts it may call, as host:port; *.example.com:443 covers subdomains.",
}

// enums are the values of fields that have few.
var enums = map[string][]any{
	"Manifest.runtime":      {"docker", "node", "python", "go", "binary", "remote"},
	"ServerSpec.transport":  {model.TransportTypeStdio, model.TransportTypeStreamableHTTP, model.TransportTypeSSE},
	"Input.type":            {"string", "number", "boolean", "filepath"},
	"PathPermission.access": {"read", "write"},
	"Argument.type":         {"positional", "named"},
	"Input.format":          {"string", "number", "boolean", "filepath"},
}

func (g *generator) of(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	case reflect.TypeFor[Author](), reflect.TypeFor[Repository]():
		return object{"anyOf": []any{object{"type": "string"}, g.ref(t)}}
	case reflect.TypeFor[hub.Capability]():
		return object{"anyOf": []any{object{"type": "string", "minLength": 1}, g.ref(t)}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Struct:
		return g.ref(t)
	case reflect.Slice:
		return object{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	}
	return object{} // any
}

// ref returns a reference to the definition of a struct, making it first. Two types of the same name
// come from different packages.
func (g *generator) ref(t reflect.Type) any {
	name := t.Name()
	if strings.HasSuffix(t.PkgPath(), "/model") && name == "Input" {
		name = "OfficialInput"
	}
	if _, made := g.defs[name]; !made {
		g.defs[name] = object{} // so that a type that holds itself ends
		g.defs[name] = g.object(t)
	}
	return object{"$ref": "#/$defs/" + name}
}

func (g *generator) object(t reflect.Type) object {
	props, required := object{}, []any{}
	g.fields(t, props, &required)
	out := object{"type": "object", "properties": props}
	if t == reflect.TypeFor[hub.Capability]() {
		// Parse fills the type in, and takes the protocol's own word for the schema.
		required = []any{"name"}
		props["inputSchema"] = object{"type": "object"}
		props["arguments"] = object{"type": "array"}
		props["uriTemplate"] = object{"type": "string"}
	}
	if len(required) > 0 {
		out["required"] = required
	}
	if t == reflect.TypeFor[ServerSpec]() {
		var ways []any
		for _, way := range []string{"command", "package", "remote", "url"} {
			ways = append(ways, object{"required": []any{way}})
		}
		out["oneOf"] = ways
	}
	return out
}

func (g *generator) fields(t reflect.Type, props object, required *[]any) {
	for f := range t.Fields() {
		if f.Anonymous {
			g.fields(f.Type, props, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		s, _ := g.of(f.Type).(object)
		where := t.Name() + "." + name
		if w := words[where]; w != "" {
			s["description"] = w
		}
		if e := enums[where]; e != nil {
			s["enum"] = e
		}
		props[name] = s
		if !strings.Contains(options, "omitempty") {
			*required = append(*required, name)
		}
	}
}
