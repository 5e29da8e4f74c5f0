package hosts

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/tailscale/hujson"
)

// Undo is what Remove needs to give back a file as it was before the first Insert: things that cannot be
// seen in the text any more. Keep the first one of a file until the last entry is out again.
type Undo struct {
	Blank    *string `json:"blank,omitempty"`    // the whole text, when it held no value at all
	KeyAdded bool    `json:"keyAdded,omitempty"` // the member that holds the servers was not there
	Body     *string `json:"body,omitempty"`     // what stood between the braces of the object that was empty
}

// bom is the byte order mark some editors on Windows put first; it is kept.
const bom = "\uFEFF"

// Insert puts a server under the member key of a host's file and returns the new text. A text without any
// value counts as an empty object. Exists when name is there already; Invalid when the text is not JSON
// (comments and trailing commas are fine) or does not have the shape of a host's file.
func Insert(src []byte, key, name string, value json.RawMessage) ([]byte, Undo, error) {
	text, mark := strings.CutPrefix(string(src), bom)
	prefix := ""
	if mark {
		prefix = bom
	}
	var undo Undo
	if strings.TrimSpace(text) == "" {
		blank := string(src)
		undo.Blank = &blank
		text = "{}" + eolOf(text)
	}
	d, err := parse(text)
	if err != nil {
		return nil, undo, err
	}
	container, err := d.object(key)
	if err != nil {
		return nil, undo, err
	}
	if container == nil {
		if undo.Blank == nil {
			undo.KeyAdded = true
			if len(d.root.members) == 0 {
				undo.Body = d.body(d.root)
			}
		}
		text = d.insert(d.root, key, []byte("{}"), 1)
		if d, err = parse(text); err != nil {
			return nil, undo, err
		}
		if container, err = d.object(key); err != nil {
			return nil, undo, err
		}
	} else {
		if _, ok := container.find(name); ok {
			return nil, undo, hub.Errorf(hub.Exists, "%q is there already", name)
		}
		if len(container.members) == 0 {
			undo.Body = d.body(container)
		}
	}
	return []byte(prefix + d.insert(container, name, value, 2)), undo, nil
}

// Remove takes the server out again. With last, undo is what the first Insert gave: what that made beside
// the entry goes too, unless somebody uses it now. A text that does not hold name comes back unchanged.
func Remove(src []byte, key, name string, undo Undo, last bool) ([]byte, error) {
	text, mark := strings.CutPrefix(string(src), bom)
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	container, err := d.object(key)
	if err != nil || container == nil {
		return src, err
	}
	i, ok := container.find(name)
	if !ok {
		return src, nil
	}
	body := undo.Body
	if undo.KeyAdded {
		body = nil // it belongs to the root
	}
	text = d.remove(container, i, body, last)
	if d, err = parse(text); err != nil {
		return nil, err
	}
	if container, _ = d.object(key); last && container != nil && len(container.members) == 0 && (undo.KeyAdded || undo.Blank != nil) &&
		strings.TrimSpace(text[container.start+1:container.end-1]) == "" {
		i, _ := d.root.find(key)
		text = d.remove(d.root, i, undo.Body, true)
		if undo.Blank != nil && strings.TrimSpace(text) == "{}" {
			return []byte(*undo.Blank), nil
		}
	}
	if mark {
		text = bom + text
	}
	return []byte(text), nil
}

// Entries returns the servers under key: name to standard JSON. nil when there are none.
func Entries(src []byte, key string) (map[string]json.RawMessage, error) {
	text := strings.TrimPrefix(string(src), bom)
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	container, err := d.object(key)
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

func parse(text string) (*document, error) {
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

func eolOf(text string) string {
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
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

// quote spells a member's name in JSON.
func quote(s string) string {
	b, _ := marshal(s) // a string always marshals
	return string(b)
}
