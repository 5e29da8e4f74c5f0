package edit

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/tailscale/hujson"
)

// jsonText edits JSON, with comments and trailing commas where they are.
type jsonText struct{ spot Spot }

func (l jsonText) insert(text, name string, value json.RawMessage) ([]candidate, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	container, err := d.object(l.spot.Key)
	if err != nil {
		return nil, err
	}
	var undo Undo
	switch {
	case container == nil:
		undo.KeyAdded = true
		if len(d.root.members) == 0 {
			undo.Body = d.body(d.root)
		}
		text = d.insert(d.root, l.spot.Key, []byte("{}"), 1)
		if d, err = parseJSON(text); err != nil {
			return nil, err
		}
		if container, err = d.object(l.spot.Key); err != nil {
			return nil, err
		}
	case len(container.members) == 0:
		undo.Body = d.body(container)
	}
	return []candidate{{d.insert(container, name, value, 2), undo}}, nil
}

func (l jsonText) remove(text, name string, undo Undo, last bool) (string, error) {
	d, err := parseJSON(text)
	if err != nil {
		return "", err
	}
	key := l.spot.Key
	container, err := d.object(key)
	if err != nil || container == nil {
		return text, err
	}
	i, ok := container.find(name)
	if !ok {
		return text, nil
	}
	body := undo.Body
	if undo.KeyAdded {
		body = nil // it belongs to the root
	}
	text = d.remove(container, i, body, last)
	if d, err = parseJSON(text); err != nil {
		return "", err
	}
	if container, _ = d.object(key); last && container != nil && len(container.members) == 0 && (undo.KeyAdded || undo.Blank != nil) &&
		strings.TrimSpace(text[container.start+1:container.end-1]) == "" {
		i, _ := d.root.find(key)
		text = d.remove(d.root, i, undo.Body, true)
	}
	return text, nil
}

func (l jsonText) entries(text string) (map[string]json.RawMessage, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	container, err := d.object(l.spot.Key)
	if err != nil || container == nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, m := range container.members {
		std, err := hujson.Standardize([]byte(text[m.value:m.end]))
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "%q is not JSON: %v", m.name, err)
		}
		out[m.name] = bytes.TrimSpace(std)
	}
	return out, nil
}

// rest is nil: members do not reach into each other, and files of many megabytes hold the state of a host.
func (l jsonText) rest(string) (map[string]any, error) { return nil, nil }

// document is a text with the places of its root's members, and those of one object under it.
type document struct {
	text string
	eol  string
	unit string // one step of indentation
	root *object
	tree hujson.Value
}

type object struct {
	start, end int // of "{" and after "}"
	members    []member
}

type member struct {
	name           string
	at, value, end int // of the name, of the value, after the value
}

func parseJSON(text string) (*document, error) {
	v, err := hujson.Parse([]byte(text))
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "not JSON: %s", strings.TrimPrefix(err.Error(), "hujson: ")).WithCause(err)
	}
	d := &document{text: text, eol: eolOf(text), tree: v}
	root, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil, hub.Errorf(hub.Invalid, "not a JSON object")
	}
	d.root = places(v, root)
	d.unit = d.indentUnit()
	return d, nil
}

func places(v hujson.Value, o *hujson.Object) *object {
	out := &object{start: v.StartOffset, end: v.EndOffset}
	for _, m := range o.Members {
		name, _ := m.Name.Value.(hujson.Literal)
		out.members = append(out.members, member{name.String(), m.Name.StartOffset, m.Value.StartOffset, m.Value.EndOffset})
	}
	return out
}

// object returns the object under a member of the root, nil when there is no such member.
func (d *document) object(key string) (*object, error) {
	root := d.tree.Value.(*hujson.Object)
	for i := len(root.Members) - 1; i >= 0; i-- {
		if lit, ok := root.Members[i].Name.Value.(hujson.Literal); !ok || lit.String() != key {
			continue
		}
		v := root.Members[i].Value
		o, ok := v.Value.(*hujson.Object)
		if !ok {
			return nil, hub.Errorf(hub.Invalid, "%q is not an object", key)
		}
		return places(v, o), nil
	}
	return nil, nil
}

func (o *object) find(name string) (int, bool) {
	for i := len(o.members) - 1; i >= 0; i-- {
		if o.members[i].name == name {
			return i, true
		}
	}
	return -1, false
}

func (d *document) body(o *object) *string {
	s := d.text[o.start+1 : o.end-1]
	return &s
}

// insert adds a member at the end of o, which stands depth levels deep.
func (d *document) insert(o *object, name string, value []byte, depth int) string {
	closing := o.end - 1
	indent := strings.Repeat(d.unit, depth)
	if len(o.members) == 0 {
		inner := strings.TrimRight(d.text[o.start+1:closing], " \t\r\n")
		entry := d.eol + indent + quote(name) + ": " + d.format(value, indent)
		return d.text[:o.start+1] + inner + entry + d.eol + strings.Repeat(d.unit, depth-1) + d.text[closing:]
	}
	last := o.members[len(o.members)-1]
	tail := d.text[last.end:closing]
	if !strings.Contains(d.text[o.start:closing], "\n") { // all on one line: stay there
		var compact bytes.Buffer
		_ = json.Compact(&compact, value)
		comma := commaIn(tail)
		entry := " " + quote(name) + ": " + compact.String()
		if comma >= 0 {
			at := last.end + comma + 1
			return d.text[:at] + entry + "," + d.text[at:]
		}
		return d.text[:last.end] + "," + entry + d.text[last.end:]
	}
	if lead, ok := d.lineIndent(o.members[0].at); ok {
		indent = lead
	}
	entry := d.eol + indent + quote(name) + ": " + d.format(value, indent)
	at := last.end // after the last line that says something
	comma := commaIn(tail)
	if nl := strings.LastIndexByte(tail, '\n'); nl >= 0 && strings.TrimSpace(tail[nl:]) == "" {
		at += len(strings.TrimRight(tail[:nl], " \t\r\n"))
	} else if comma >= 0 {
		at += comma + 1
	}
	if comma >= 0 {
		at = max(at, last.end+comma+1)
		return d.text[:at] + entry + "," + d.text[at:]
	}
	return d.text[:last.end] + "," + d.text[last.end:at] + entry + d.text[at:]
}

// remove takes member i out of o: the inverse of insert. When nothing is left and last is set, the body
// that was there before comes back.
func (d *document) remove(o *object, i int, body *string, last bool) string {
	m := o.members[i]
	from, to := o.start+1, o.end-1
	if i > 0 {
		from = o.members[i-1].end
	}
	gap := d.text[from:m.at]
	cut := m.at // where the cut starts: the line break before the name, if it has its own line
	if lead := len(strings.TrimRight(gap, " \t\r\n")); strings.Contains(gap[lead:], "\n") || i > 0 || lead == 0 {
		cut = from + lead
	}
	after := d.text[m.end:to]
	if i < len(o.members)-1 {
		after = d.text[m.end:o.members[i+1].at]
	}
	if comma := commaIn(after); comma >= 0 {
		return d.text[:cut] + after[:comma] + d.text[m.end+comma+1:]
	}
	if i > 0 { // the comma before goes with it
		comma := from + commaIn(gap)
		return d.text[:comma] + d.text[comma+1:cut] + d.text[m.end:]
	}
	left := strings.TrimRight(d.text[o.start+1:cut], " \t\r\n") + strings.TrimRight(after, " \t\r\n")
	if last && body != nil && strings.TrimRight(*body, " \t\r\n") == left {
		left = *body
	} else if strings.Contains(left, "\n") || strings.Contains(left, "//") {
		left += after[len(strings.TrimRight(after, " \t\r\n")):]
	}
	return d.text[:o.start+1] + left + d.text[to:]
}

// format lays a value out over lines, as its neighbours are.
func (d *document) format(value []byte, indent string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, value, indent, d.unit); err != nil {
		return string(value)
	}
	return strings.ReplaceAll(b.String(), "\n", d.eol)
}

// lineIndent returns the white space before offset at when nothing else stands before it on its line.
func (d *document) lineIndent(at int) (string, bool) {
	line := d.text[strings.LastIndexByte(d.text[:at], '\n')+1 : at]
	return line, strings.TrimSpace(line) == "" && strings.Contains(d.text[:at], "\n")
}

func (d *document) indentUnit() string {
	for _, m := range d.root.members {
		if lead, ok := d.lineIndent(m.at); ok && lead != "" {
			return lead
		}
	}
	return "  "
}

// commaIn returns the offset of the first comma outside comments, or -1.
func commaIn(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ',':
			return i
		case strings.HasPrefix(s[i:], "//"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				return -1
			}
			i += n
		case strings.HasPrefix(s[i:], "/*"):
			n := strings.Index(s[i+2:], "*/")
			if n < 0 {
				return -1
			}
			i += n + 3
		}
	}
	return -1
}
