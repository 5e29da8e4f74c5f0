// Package capability reads what tools, resources and prompts say about themselves as far as pages show it:
// the inputs of a JSON Schema as rows, and what differs between two versions of a server.
package capability

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Field is one input of a tool, or argument of a prompt.
type Field struct {
	Name     string // "filter.since", "items[].id"
	Type     string // "string", "array of integer", "one of"
	Meaning  string
	Default  string
	Choices  []string
	Required bool
}

// The bounds of what is read of one schema.
const (
	maxDepth  = 5
	maxFields = 200
)

// Fields returns the inputs that a schema names, in its order; nested ones follow their parent. A schema that
// cannot be read has none.
func Fields(raw json.RawMessage) []Field {
	if len(raw) == 0 {
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		return arguments(raw)
	}
	r := &reader{root: raw}
	r.object(raw, "", 0)
	return r.out
}

// Tells reports whether a capability says more than what it is called.
func Tells(c hub.Capability) bool {
	return c.Description != "" || c.URI != "" || len(c.Schema) > 0
}

// arguments reads the list form that prompts use.
func arguments(raw json.RawMessage) []Field {
	var list []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Required    bool   `json:"required"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []Field
	for _, a := range list[:min(len(list), maxFields)] {
		out = append(out, Field{Name: a.Name, Type: "string", Meaning: a.Description, Required: a.Required})
	}
	return out
}

// node is what is read of one schema.
type node struct {
	Ref         string            `json:"$ref"`
	Type        json.RawMessage   `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Default     json.RawMessage   `json:"default"`
	Const       json.RawMessage   `json:"const"`
	Enum        []json.RawMessage `json:"enum"`
	Properties  json.RawMessage   `json:"properties"`
	Required    []string          `json:"required"`
	Items       json.RawMessage   `json:"items"`
	AnyOf       []json.RawMessage `json:"anyOf"`
	OneOf       []json.RawMessage `json:"oneOf"`
	AllOf       []json.RawMessage `json:"allOf"`
}

type reader struct {
	root json.RawMessage
	out  []Field
}

func (r *reader) object(raw json.RawMessage, prefix string, depth int) {
	n, ok := r.read(raw, 0)
	if !ok || depth > maxDepth {
		return
	}
	required := map[string]bool{}
	for _, name := range n.Required {
		required[name] = true
	}
	for _, m := range members(n.Properties) {
		if len(r.out) >= maxFields {
			return
		}
		r.field(prefix+m.name, m.value, required[m.name], depth)
	}
	for _, part := range n.AllOf {
		r.object(part, prefix, depth+1)
	}
}

func (r *reader) field(name string, raw json.RawMessage, required bool, depth int) {
	n, ok := r.read(raw, 0)
	if !ok {
		r.out = append(r.out, Field{Name: name, Type: "any", Required: required})
		return
	}
	f := Field{Name: name, Type: r.typeOf(n, 0), Meaning: n.Description, Required: required, Default: text(n.Default)}
	if f.Meaning == "" && !strings.EqualFold(n.Title, name) {
		f.Meaning = n.Title
	}
	for _, e := range n.Enum {
		f.Choices = append(f.Choices, text(e))
	}
	if len(n.Const) > 0 {
		f.Choices = append(f.Choices, text(n.Const))
	}
	r.out = append(r.out, f)
	r.object(raw, name+".", depth+1)
	if len(n.Items) > 0 {
		r.object(n.Items, name+"[].", depth+1)
	}
}

// read decodes a schema and follows a reference within the same document.
func (r *reader) read(raw json.RawMessage, hops int) (node, bool) {
	var n node
	if json.Unmarshal(raw, &n) != nil || hops > maxDepth {
		return n, false
	}
	path, ok := strings.CutPrefix(n.Ref, "#/")
	if !ok {
		return n, true
	}
	at := r.root
	for step := range strings.SplitSeq(path, "/") {
		var m map[string]json.RawMessage
		if json.Unmarshal(at, &m) != nil {
			return n, false
		}
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	target, ok := r.read(at, hops+1)
	if n.Description != "" {
		target.Description = n.Description
	}
	return target, ok
}

func (r *reader) typeOf(n node, depth int) string {
	var one string
	var many []string
	if json.Unmarshal(n.Type, &one) != nil {
		_ = json.Unmarshal(n.Type, &many) // neither: the type is not told
	}
	switch {
	case one == "array" && len(n.Items) > 0 && depth < 3:
		if item, ok := r.read(n.Items, 0); ok {
			if of := r.typeOf(item, depth+1); of != "any" {
				return "array of " + of
			}
		}
		return one
	case one != "":
		return one
	case len(many) > 0:
		return strings.Join(many, " or ")
	}
	var parts []string
	for _, alternative := range append(n.AnyOf, n.OneOf...) {
		if a, ok := r.read(alternative, 0); ok && depth < 3 {
			parts = append(parts, r.typeOf(a, depth+1))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, " or ")
	case len(n.Properties) > 0:
		return "object"
	case len(n.Enum) > 0:
		return "choice"
	}
	return "any"
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

type member struct {
	name  string
	value json.RawMessage
}

// members returns the members of a JSON object in their order.
func members(raw json.RawMessage) []member {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out []member
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return out
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return out
		}
		out = append(out, member{name, value})
	}
	return out
}

// Pretty indents JSON for reading; what is no JSON comes back as it is.
func Pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
