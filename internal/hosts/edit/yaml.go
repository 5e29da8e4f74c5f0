package edit

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// yamlText edits YAML whose root is a mapping in block style, one key a line.
type yamlText struct{ spot Spot }

// yamlDoc is a text with the places of the servers in it.
type yamlDoc struct {
	lines  lines
	indent int // of the root's keys
	unit   int // one step of indentation
	key    int // line of the key that holds the servers, or -1
	rest   string
	items  []yamlItem
}

// yamlItem is one server and the line it begins on, how far in.
type yamlItem struct {
	name         string
	line, indent int
}

// empty matches what may follow the colon of a key that holds nothing: no value or an empty one, then a comment.
var empty = lazyregexp.New(`^([ \t]*)(\{[ \t]*\}|\[[ \t]*\]|~|null)?([ \t]*(?:[ \t]#.*)?)$`)

func (l yamlText) parse(text string) (*yamlDoc, error) {
	d := &yamlDoc{lines: linesOf(text), unit: 2, key: -1}
	root, err := l.root(text)
	if err != nil || root == nil {
		return d, err
	}
	for it := root.MapRange(); it.Next(); {
		at := it.Key().GetToken().Position
		d.indent = at.Column - 1
		if child, ok := it.Value().(*ast.MappingNode); ok && !child.IsFlowStyle && len(child.Values) > 0 {
			if n := child.Values[0].Key.GetToken().Position.Column - at.Column; n > 1 {
				d.unit = n
				break
			}
		}
	}
	for it := root.MapRange(); it.Next(); {
		if token := it.Key().GetToken(); it.Key().Type() == ast.StringType && token.Value == l.spot.Key {
			d.key = token.Position.Line - 1
			return d, l.collect(d, it.Value())
		}
	}
	return d, nil
}

// root returns the mapping of a text, nil when it holds nothing but comments.
func (l yamlText) root(text string) (ast.MapNode, error) {
	if _, err := l.decode(text); err != nil {
		return nil, err
	}
	unix := strings.ReplaceAll(text, "\r\n", "\n")
	if strings.Contains(unix, "\r") { // the parser would count other lines than ours
		return nil, hub.Errorf(hub.Invalid, "it has line breaks of one carriage return").WithHint("save it with line feeds")
	}
	file, err := parser.ParseBytes([]byte(unix), 0)
	if err != nil {
		return nil, notYAML(err)
	}
	if len(file.Docs) > 1 {
		return nil, hub.Errorf(hub.Invalid, "it holds several documents").WithHint("keep one: take out the lines ---")
	}
	if len(file.Docs) == 0 {
		return nil, nil
	}
	switch body := file.Docs[0].Body.(type) {
	case nil, *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		if !body.IsFlowStyle {
			return body, nil
		}
	case *ast.MappingValueNode:
		return body, nil
	}
	return nil, hub.Errorf(hub.Invalid, "it is not written as a mapping, one key a line").WithHint("write each key on its own line, without { }")
}

// collect finds the servers under the key.
func (l yamlText) collect(d *yamlDoc, value ast.Node) error {
	const braces = "is written in { } or [ ]" // what stands in those has no places
	line := strings.TrimRight(d.lines[d.key], "\r\n")
	switch v := value.(type) {
	case *ast.MappingNode:
		if v.IsFlowStyle && len(v.Values) > 0 {
			return l.refuse(braces)
		}
		for _, m := range v.Values {
			if m.Key.IsMergeKey() {
				return l.refuse("takes servers over from elsewhere with <<")
			}
			at := m.Key.GetToken().Position
			d.items = append(d.items, yamlItem{m.Key.GetToken().Value, at.Line - 1, at.Column - 1})
		}
	case *ast.SequenceNode:
		if v.IsFlowStyle && len(v.Values) > 0 {
			return l.refuse(braces)
		}
		for _, e := range v.Entries {
			at := e.Start.Position
			d.items = append(d.items, yamlItem{itemName(e.Value), at.Line - 1, at.Column - 1})
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return l.refuse("has an anchor, an alias or a tag (&, *, !)")
	}
	if len(d.items) > 0 {
		return nil
	}
	colon := strings.Index(line, ":")
	if colon < 0 || !empty.MatchString(line[colon+1:]) {
		return l.refuse(braces)
	}
	d.rest = line[colon+1:]
	return nil
}

func (l yamlText) refuse(why string) error {
	return hub.Errorf(hub.Invalid, "%q %s, which cannot be added to", l.spot.Key, why).WithHint("write the servers under %s: in plain lines, then try again", l.spot.Key)
}

// itemName returns the name a server of a list gives itself, or "".
func itemName(n ast.Node) string {
	m, ok := n.(ast.MapNode)
	if !ok {
		return ""
	}
	for it := m.MapRange(); it.Next(); {
		if it.Key().GetToken().Value == "name" {
			var name string
			_ = yaml.NodeToValue(it.Value(), &name) // one that is no string is no name
			return name
		}
	}
	return ""
}

func (l yamlText) insert(text, name string, value json.RawMessage) ([]candidate, error) {
	d, err := l.parse(text)
	if err != nil {
		return nil, err
	}
	v, err := ordered(value)
	if err != nil {
		return nil, err
	}
	eol := eolOf(text)
	if d.key < 0 {
		block := append([]string{pad(d.indent) + yamlScalar(l.spot.Key) + ":"}, l.item(name, v, d.indent+d.unit, d.unit)...)
		var ways []candidate
		for _, at := range []int{d.lines.content(), len(d.lines)} {
			ways = append(ways, candidate{d.lines.insert(at, block, eol), Undo{KeyAdded: true}})
		}
		return ways, nil
	}
	if len(d.items) == 0 {
		was := d.rest
		d.setRest(empty.ReplaceAllString(was, "$3"))
		at := d.key + 1
		for at < len(d.lines) && d.lines.comment(at) && d.lines.indent(at) > d.indent {
			at++
		}
		block := l.item(name, v, d.indent+d.unit, d.unit)
		return []candidate{{d.lines.insert(at, block, eol), Undo{Body: &was}}}, nil
	}
	last := d.items[len(d.items)-1]
	block := l.item(name, v, last.indent, d.unit)
	end := d.end(last)
	below := end
	for below < len(d.lines) && d.lines.comment(below) && d.lines.indent(below) >= last.indent && last.indent > d.indent {
		below++ // comments that belong to the last server
	}
	return []candidate{{text: d.lines.insert(below, block, eol)}, {text: d.lines.insert(end, block, eol)}}, nil
}

// end returns the line after the last one that says something of a server.
func (d *yamlDoc) end(it yamlItem) int {
	end := it.line + 1
	for i := end; i < len(d.lines); i++ {
		if d.lines.blank(i) || d.lines.comment(i) {
			continue
		}
		if d.lines.indent(i) <= it.indent {
			break
		}
		end = i + 1
	}
	return end
}

// setRest changes what follows the colon of the key.
func (d *yamlDoc) setRest(rest string) {
	line := d.lines[d.key]
	head := line[:strings.Index(line, ":")+1]
	d.lines = slices.Clone(d.lines)
	d.lines[d.key] = head + rest + line[len(strings.TrimRight(line, "\r\n")):]
}

func (l yamlText) remove(text, name string, undo Undo, last bool) (string, error) {
	d, err := l.parse(text)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(d.items, func(it yamlItem) bool { return it.name == name })
	if i < 0 {
		return text, nil
	}
	from, to := d.items[i].line, d.end(d.items[i])
	if len(d.items) > 1 {
		return d.lines.cut(from, to).String(), nil
	}
	line := strings.TrimRight(d.lines[d.key], "\r\n")
	rest := line[strings.Index(line, ":")+1:]
	alone := from == d.key+1 && strings.TrimSpace(rest) == ""
	if last && alone && (undo.KeyAdded || undo.Blank != nil) && !(to < len(d.lines) && d.lines.comment(to) && d.lines.indent(to) > d.indent) {
		return d.lines.cut(d.key, to).String(), nil
	}
	d.lines = d.lines.cut(from, to)
	none := " {}"
	if l.spot.List {
		none = " []"
	}
	if last && undo.Body != nil && empty.ReplaceAllString(*undo.Body, "$3") == rest {
		d.setRest(*undo.Body)
	} else {
		d.setRest(none + rest)
	}
	return d.lines.String(), nil
}

func (l yamlText) decode(text string) (map[string]any, error) {
	var all map[string]any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		return nil, notYAML(err)
	}
	return all, nil
}

func notYAML(err error) error {
	why := err.Error()
	if e := (yaml.Error)(nil); errors.As(err, &e) && e.GetToken() != nil {
		return hub.Errorf(hub.Invalid, "not YAML: line %d: %s", e.GetToken().Position.Line, e.GetMessage()).WithCause(err)
	}
	why, _, _ = strings.Cut(why, "\n")
	return hub.Errorf(hub.Invalid, "not YAML: %s", why).WithCause(err)
}

func (l yamlText) entries(text string) (map[string]json.RawMessage, error) {
	all, err := l.decode(text)
	if err != nil {
		return nil, err
	}
	return l.spot.entriesOf(all)
}

func (l yamlText) rest(text string) (map[string]any, error) {
	all, err := l.decode(text)
	delete(all, l.spot.Key)
	return all, err
}
