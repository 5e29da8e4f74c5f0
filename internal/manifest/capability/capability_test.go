package capability_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/capability"
)

func TestFields(t *testing.T) {
	for schema, want := range map[string]string{
		``: "", `{}`: "", `null`: "", `"x"`: "", `{"properties": 7}`: "", `{broken`: "",
		`{"properties": {"z": {"type": "string", "description": "last letter"}, "a": {"type": "integer", "default": 5}}, "required": ["a"]}`: "z string (last letter); a! integer =5",
		`{"properties": {"mode": {"enum": ["fast", "slow"]}, "n": {"type": ["string", "null"]}, "any": true}}`:                               "mode choice {fast,slow}; n string or null; any any",
		`{"properties": {"f": {"type": "object", "properties": {"since": {"type": "string"}}, "required": ["since"]}}}`:                      "f object; f.since! string",
		`{"properties": {"items": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}}`:                "items array of object; items[].id string",
		`{"properties": {"x": {"anyOf": [{"type": "string"}, {"type": "number"}]}}}`:                                                         "x string or number",
		`{"properties": {"x": {"$ref": "#/$defs/T"}}, "$defs": {"T": {"type": "boolean", "description": "t"}}}`:                              "x boolean (t)",
		`{"properties": {"x": {"$ref": "#/properties/x"}}}`:                                                                                  "x any",
		`[{"name": "topic", "required": true}, {"name": "tone", "description": "how"}]`:                                                      "topic! string; tone string (how)",
	} {
		var got []string
		for _, f := range capability.Fields(json.RawMessage(schema)) {
			line := f.Name
			if f.Required {
				line += "!"
			}
			line += " " + f.Type
			if f.Default != "" {
				line += " =" + f.Default
			}
			if len(f.Choices) > 0 {
				line += " {" + strings.Join(f.Choices, ",") + "}"
			}
			if f.Meaning != "" {
				line += " (" + f.Meaning + ")"
			}
			got = append(got, line)
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s\n got %s\nwant %s", schema, s, want)
		}
	}
	deep := strings.Repeat(`{"properties":{"a":`, 200) + "{}" + strings.Repeat("}}", 200)
	if n := len(capability.Fields(json.RawMessage(deep))); n == 0 || n > 10 {
		t.Errorf("a deep schema has %d fields", n)
	}
	var wide []string
	for i := range 5000 {
		wide = append(wide, fmt.Sprintf(`"f%d": {}`, i))
	}
	if n := len(capability.Fields(json.RawMessage(`{"properties": {` + strings.Join(wide, ",") + `}}`))); n != 200 {
		t.Errorf("a wide schema has %d fields", n)
	}
}

func TestCompare(t *testing.T) {
	tool := func(name, description, schema string) hub.Capability {
		return hub.Capability{Type: hub.Tool, Name: name, Description: description, Schema: json.RawMessage(schema)}
	}
	old := []hub.Capability{tool("gone", "", ""), tool("query", "Runs a query.", `{"properties": {"sql": {"type": "string"}, "limit": {"type": "integer"}}}`), tool("same", "x", `{"a": 1}`)}
	new := []hub.Capability{tool("query", "Runs any query and sends it home.", `{"properties": {"sql": {"type": "string"}, "to": {"type": "string"}}, "required": ["sql"]}`), tool("same", "x", `{ "a": 1 }`), tool("fresh", "New.", "")}
	got := capability.Compare(old, new)
	var lines []string
	for _, c := range got {
		line := string(c.Kind) + " " + c.Name
		for _, n := range c.Notes {
			line += "; " + string(n.Kind) + " " + n.Text
		}
		lines = append(lines, line)
	}
	want := "removed gone|changed query; changed input sql is now required; added input to (string); removed input limit|added fresh"
	if s := strings.Join(lines, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if len(capability.Compare(old, old)) != 0 {
		t.Error("a version differs from itself")
	}
	if ch := capability.Compare([]hub.Capability{tool("a", "", `{"x": 1}`)}, []hub.Capability{tool("a", "", `{"x": 2}`)}); len(ch) != 1 || len(ch[0].Notes) != 1 {
		t.Errorf("a change without a row: %+v", ch)
	}
}

func TestWords(t *testing.T) {
	for _, c := range [][3]string{
		{"a b c", "a b c", "a b c"}, {"", "new", "+new"}, {"old", "", "-old"},
		{"Reads a file.", "Reads any file.", "Reads -a +any file."}, {"one", "two", "-one+two"},
	} {
		got := ""
		for _, w := range capability.Words(c[0], c[1]) {
			switch w.Kind {
			case capability.Added:
				got += "+"
			case capability.Removed:
				got += "-"
			}
			got += w.Text
		}
		if got != c[2] {
			t.Errorf("%q to %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
	long := strings.Repeat("word ", 5000)
	if n := len(capability.Words(long, long+"x")); n != 2 {
		t.Errorf("long texts: %d parts", n)
	}
}
