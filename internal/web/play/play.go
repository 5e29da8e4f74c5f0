// Package play is the page on which a tool is tried: a form made of the schema of its inputs, and what it answered.
package play

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/capability"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// View is what the page shows.
type View struct {
	*ui.Frame
	Server   *hub.Server
	Version  string
	Back     string // path of the capabilities
	Action   string // path of the form
	Tool     hub.Capability
	Remote   string // host that the arguments are sent to, "" for a server in a sandbox of the hub
	MaySend  bool   // else one has to sign in
	Inputs   []Input
	JSON     string // arguments that were written by hand
	Problem  string
	Answer   *playground.Answer
	Declined string // why it cannot be tried
}

// Prepare finds out how the tool is tried, and makes the form.
func (v *View) Prepare(m *manifest.Manifest, version *hub.Version) {
	way, err := playground.WayOf(m, version)
	if err != nil {
		v.Declined = err.Error()
	}
	v.Remote = way.Host()
	v.Fill(nil)
}

// Fill fills in what was entered; nil for a form that is new.
func (v *View) Fill(entered url.Values) {
	v.Inputs, v.JSON = Inputs(v.Tool.Schema, entered), strings.TrimSpace(entered.Get(jsonName))
}

// Input is one field of the form.
type Input struct {
	capability.Field
	ID    string
	Kind  kind
	Value string
}

type kind string

const (
	textKind   kind = "text"
	numberKind kind = "number"
	choiceKind kind = "choice"
	jsonKind   kind = "json"
)

const (
	prefix   = "arg." // before the names of inputs in the form
	jsonName = "json" // of the field for arguments by hand
)

// Inputs returns the fields of the form, with what was entered. Inputs within inputs are written as JSON.
func Inputs(schema json.RawMessage, entered url.Values) []Input {
	var out []Input
	parent := ""
	for _, f := range capability.Fields(schema) {
		if parent != "" && (strings.HasPrefix(f.Name, parent+".") || strings.HasPrefix(f.Name, parent+"[].")) {
			continue
		}
		parent = f.Name
		in := Input{Field: f, ID: "in-" + strconv.Itoa(len(out)), Kind: kindOf(f), Value: f.Default}
		if entered != nil {
			in.Value = entered.Get(prefix + f.Name)
		}
		out = append(out, in)
	}
	return out
}

func kindOf(f capability.Field) kind {
	if len(f.Choices) > 0 {
		return choiceKind
	}
	types := strings.Split(f.Type, " or ")
	switch types[0] {
	case "boolean":
		return choiceKind
	case "string":
		return textKind
	case "integer", "number":
		return numberKind
	}
	return jsonKind
}

// Options are what can be chosen for an input.
func (in Input) Options() []string {
	if len(in.Choices) > 0 {
		return in.Choices
	}
	return []string{"true", "false"}
}

// Arguments makes a tool's arguments of what was entered. An empty field leaves its input out. Invalid, naming the input, for
// what is not of its type.
func (v *View) Arguments() (json.RawMessage, error) {
	if v.JSON != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(v.JSON), &object); err != nil || object == nil {
			return nil, hub.Errorf(hub.Invalid, "the arguments are no JSON object").WithHint(`write them like {"city": "Ghent"}`)
		}
		return json.RawMessage(v.JSON), nil
	}
	out := map[string]json.RawMessage{}
	for _, in := range v.Inputs {
		if in.Value == "" {
			if in.Required && in.Kind != textKind {
				return nil, hub.Errorf(hub.Invalid, "%s is required", in.Name)
			}
			if !in.Required {
				continue
			}
		}
		value, err := in.value()
		if err != nil {
			return nil, err
		}
		out[in.Name] = value
	}
	return json.Marshal(out)
}

func (in Input) value() (json.RawMessage, error) {
	if !utf8.ValidString(in.Value) {
		return nil, hub.Errorf(hub.Invalid, "%s is not text", in.Name)
	}
	text := strings.ReplaceAll(in.Value, "\r\n", "\n") // as forms send line breaks
	asText := func() (json.RawMessage, error) { return json.Marshal(text) }
	plain := strings.TrimSpace(text)
	switch in.Kind {
	case textKind:
		return asText()
	case numberKind:
		var n json.Number
		if json.Unmarshal([]byte(plain), &n) != nil {
			return nil, hub.Errorf(hub.Invalid, "%s is %q, which is no number", in.Name, in.Value)
		}
		return json.RawMessage(plain), nil
	case choiceKind:
		if strings.HasPrefix(in.Type, "string") || !json.Valid([]byte(plain)) {
			return asText()
		}
		return json.RawMessage(plain), nil
	}
	if !json.Valid([]byte(plain)) {
		if in.Type == "any" || slices.Contains(strings.Split(in.Type, " or "), "string") {
			return asText()
		}
		return nil, hub.Errorf(hub.Invalid, "%s is not JSON, and it is of type %s", in.Name, in.Type).WithHint(`write lists like ["a", "b"] and objects like {"a": 1}`)
	}
	var small bytes.Buffer
	if err := json.Compact(&small, []byte(plain)); err != nil {
		return nil, err
	}
	return small.Bytes(), nil
}

// about is what stands beside the name of an input.
func (in Input) about() string {
	if in.Required {
		return in.Type + ", required"
	}
	return in.Type
}

// about names a part of an answer that is no text.
func about(p playground.Piece) string {
	out := p.Kind
	if p.Type != "" {
		out += ", " + p.Type
	}
	if p.Size > 0 {
		out += ", " + strconv.Itoa(p.Size) + " bytes, not shown"
	}
	return out
}
