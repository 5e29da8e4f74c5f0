package manifest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// The codes of issues that Parse reports besides those of Validate.
const (
	CodeType         = jsonc.CodeType         // a value of the wrong type; an error
	CodeUnknownField = jsonc.CodeUnknownField // a key we do not know; a warning
	CodeScripts      = "scripts"              // scripts are listed and never run; a warning
)

// Parse reads an mcp.json: JSON, with comments and trailing commas allowed. Author and repository may be
// strings, capabilities may be names; all become objects. It fails with Malformed when the text cannot be
// read, with TooLarge over the limits of jsonc, and with Invalid when a value has the wrong type; the
// message then names the first line, and the Issues all of them. The issues returned without an error are
// warnings: unknown fields, scripts. Rules on the values themselves are Validate's.
func Parse(data []byte) (*Manifest, []hub.Issue, error) {
	node, err := jsonc.Parse("mcp.json", data, true)
	if err != nil {
		return nil, nil, err
	}
	m := new(Manifest)
	issues := decode(node, m)
	if err := firstError("mcp.json", issues); err != nil {
		return nil, issues, err
	}
	return m, issues, nil
}

func decode(node *jsonc.Node, m *Manifest) []hub.Issue {
	d := &jsonc.Decoder{Hooks: hooks, Unknown: scripts, Aliases: aliases}
	d.Decode(node, reflect.ValueOf(m).Elem(), "")
	return d.Issues
}

// firstError makes one error of the issues that are errors, or nil.
func firstError(file string, issues []hub.Issue) error {
	var first *hub.Issue
	count := 0
	for i := range issues {
		if issues[i].Severity == hub.SeverityError {
			if first == nil {
				first = &issues[i]
			}
			count++
		}
	}
	if first == nil {
		return nil
	}
	msg := fmt.Sprintf("%s line %d: ", file, first.Line)
	if first.Path != "" {
		msg += first.Path + ": "
	}
	msg += first.Message
	if count > 1 {
		msg += fmt.Sprintf(" (and %d more)", count-1)
	}
	return hub.Errorf(hub.Invalid, "%s", msg).WithIssues(issues)
}

// aliases are words that host applications and other package managers use.
var aliases = map[string]string{
	"mcpServers": "servers", "type": "transport", "cmd": "command", "arguments": "args", "environment": "env",
	"licence": "license", "tags": "keywords", "displayName": "title", "display_name": "title",
	"websiteUrl": "homepage", "inputs": "configuration", "isSecret": "secret", "isRequired": "required",
	"format": "type",
}

func scripts(d *jsonc.Decoder, path string, m jsonc.Member) bool {
	if path != "" || m.Name != "scripts" {
		return false
	}
	d.Add(hub.SeverityWarning, CodeScripts, "scripts", m.Line,
		"scripts are never run: nothing in a package is executed when it is installed")
	return true
}

type hook = func(d *jsonc.Decoder, n *jsonc.Node, v reflect.Value, path string)

var hooks = map[reflect.Type]hook{
	reflect.TypeFor[Author]():       decodeAuthor,
	reflect.TypeFor[Repository]():   decodeRepository,
	reflect.TypeFor[Capabilities](): decodeCapabilities,
}

var authorRE = lazyregexp.New(`^([^<(]*?)\s*(?:<([^>]*)>)?\s*(?:\(([^)]*)\))?$`)

// decodeAuthor also reads "Name <mail> (url)", as package.json has it.
func decodeAuthor(d *jsonc.Decoder, n *jsonc.Node, v reflect.Value, path string) {
	if n.Kind != jsonc.String {
		d.Plain(n, v, path)
		return
	}
	a := Author{Name: strings.TrimSpace(n.Text)}
	if p := authorRE.FindStringSubmatch(a.Name); p != nil {
		a = Author{Name: strings.TrimSpace(p[1]), Email: strings.TrimSpace(p[2]), URL: strings.TrimSpace(p[3])}
	}
	v.Set(reflect.ValueOf(a))
}

func decodeRepository(d *jsonc.Decoder, n *jsonc.Node, v reflect.Value, path string) {
	if n.Kind != jsonc.String {
		d.Plain(n, v, path)
		return
	}
	v.Set(reflect.ValueOf(RepositoryOf(n.Text)))
}

// decodeCapabilities reads the three lists, each item a name or an object. Only here is it known which
// type a name has.
func decodeCapabilities(d *jsonc.Decoder, n *jsonc.Node, v reflect.Value, path string) {
	if n.Kind != jsonc.Object {
		d.Plain(n, v, path)
		return
	}
	rest := *n
	rest.Members = nil
	caps := v.Addr().Interface().(*Capabilities)
	for _, m := range n.Members {
		at := jsonc.Join(path, m.Name)
		switch m.Name {
		case "tools":
			caps.Tools = decodeList(d, m.Value, hub.Tool, at)
		case "resources":
			caps.Resources = decodeList(d, m.Value, hub.Resource, at)
		case "prompts":
			caps.Prompts = decodeList(d, m.Value, hub.Prompt, at)
		default:
			rest.Members = append(rest.Members, m)
		}
	}
	d.Plain(&rest, v, path)
}

func decodeList(d *jsonc.Decoder, n *jsonc.Node, kind hub.CapabilityType, path string) []hub.Capability {
	if n.Kind == jsonc.Null {
		return nil
	}
	if n.Kind != jsonc.Array {
		d.Expected("a list", n, path)
		return nil
	}
	var list []hub.Capability
	for i, item := range n.Items {
		c := hub.Capability{}
		at := jsonc.Index(path, i)
		switch item.Kind {
		case jsonc.String:
			c.Name = item.Text
		case jsonc.Object:
			d.Decode(renamed(item, kind), reflect.ValueOf(&c).Elem(), at)
		default:
			d.Expected("a name or an object", item, at)
		}
		if c.Type != "" && c.Type != kind {
			d.Add(hub.SeverityWarning, CodeType, jsonc.Join(at, "type"), item.Line,
				"type %s in a list of %ss is ignored", jsonc.Quote(string(c.Type)), kind)
		}
		c.Type = kind
		if string(c.Schema) == "null" {
			c.Schema = nil
		}
		list = append(list, c)
	}
	return list
}

// renamed gives "inputSchema" of a tool and "arguments" of a prompt, the words of the protocol, our name.
func renamed(n *jsonc.Node, kind hub.CapabilityType) *jsonc.Node {
	word := map[hub.CapabilityType]string{hub.Tool: "inputSchema", hub.Prompt: "arguments", hub.Resource: "uriTemplate"}[kind]
	ours := "schema"
	if kind == hub.Resource {
		ours = "uri"
	}
	if n.Get(word) == nil || n.Get(ours) != nil {
		return n
	}
	out := *n
	out.Members = append([]jsonc.Member(nil), n.Members...)
	for i := range out.Members {
		if out.Members[i].Name == word {
			out.Members[i].Name = ours
		}
	}
	return &out
}
