package edit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlText edits TOML. A mapping of servers is one table each, [KEY.NAME]; a list is [[KEY]] tables, or an
// array of inline tables where the file has one.
type tomlText struct{ spot Spot }

// tomlDoc is a text with the places of the servers in it.
type tomlDoc struct {
	text  string
	lines lines
	items []tomlItem
	array *tomlArray // KEY = [...]
}

// tomlItem is one server: the lines that tell of it, which need not be together.
type tomlItem struct {
	name  string
	parts []span
}

// span is a run of lines from..to-1.
type span struct {
	from, to int
	header   bool // it begins with a table's header
}

func (l tomlText) parse(text string) (*tomlDoc, error) {
	if _, err := l.decode(text); err != nil {
		return nil, err
	}
	d := &tomlDoc{text: text, lines: linesOf(text)}
	var p unstable.Parser
	p.Reset([]byte(text))
	var table []string // the path of the header in force
	owner := -1        // the item of the expression before, so that a run of lines is one part
	for p.NextExpression() {
		e := p.Expression()
		path, at := keyOf(e)
		header := e.Kind == unstable.Table || e.Kind == unstable.ArrayTable
		end := at
		if header {
			table = path
		} else {
			path = append(slices.Clone(table), path...)
			end = int(e.Raw.Offset+e.Raw.Length) - 1
		}
		if path[0] != l.spot.Key {
			owner = -1
			continue
		}
		i, err := l.place(d, e, path)
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			d.items[i].add(span{strings.Count(text[:at], "\n"), strings.Count(text[:end], "\n") + 1, header}, owner == i)
		}
		owner = i
	}
	return d, p.Error()
}

// place finds the item an expression under the key belongs to, or begins one. -1 when it is of none.
func (l tomlText) place(d *tomlDoc, e *unstable.Node, path []string) (int, error) {
	key, last := l.spot.Key, len(d.items)-1
	switch {
	case len(path) == 1 && e.Kind == unstable.KeyValue:
		if e.Value().Kind == unstable.Array && l.spot.List {
			d.array = arrayOf(d.text, e)
			return -1, nil
		}
		return -1, hub.Errorf(hub.Invalid, "%s is written as one value, which cannot be added to", key).WithHint("write %s, one table for each server", l.header("NAME"))
	case l.spot.List && (e.Kind == unstable.ArrayTable && len(path) == 1):
		d.items = append(d.items, tomlItem{})
		return last + 1, nil
	case l.spot.List && last < 0, !l.spot.List && e.Kind == unstable.ArrayTable && len(path) == 1:
		return -1, hub.Errorf(hub.Invalid, "%s is not written as %s", key, l.header("NAME")).WithHint("write %s, one table for each server", l.header("NAME"))
	case l.spot.List:
		if e.Kind == unstable.KeyValue && len(path) == 2 && path[1] == "name" && e.Value().Kind == unstable.String {
			d.items[last].name = string(e.Value().Data)
		}
		return last, nil
	case len(path) == 1:
		return -1, nil // [mcp_servers]
	}
	i := slices.IndexFunc(d.items, func(it tomlItem) bool { return it.name == path[1] })
	if i < 0 {
		i = len(d.items)
		d.items = append(d.items, tomlItem{name: path[1]})
	}
	return i, nil
}

func (it *tomlItem) add(s span, more bool) {
	if n := len(it.parts); more && n > 0 {
		it.parts[n-1].to = s.to
		return
	}
	it.parts = append(it.parts, s)
}

// keyOf returns the key of an expression, and where it begins.
func keyOf(e *unstable.Node) (path []string, at int) {
	for it := e.Key(); it.Next(); {
		if path == nil {
			at = int(it.Node().Raw.Offset)
		}
		path = append(path, string(it.Node().Data))
	}
	return path, at
}

func (l tomlText) insert(text, name string, value json.RawMessage) ([]candidate, error) {
	d, err := l.parse(text)
	if err != nil {
		return nil, err
	}
	v, err := ordered(value)
	if err != nil {
		return nil, err
	}
	members, _ := v.([]pair)
	if d.array != nil {
		return []candidate{{text: d.array.insert(text, tomlValue(v))}}, nil
	}
	block := []string{l.header(name)}
	for _, m := range members {
		if m.value != nil { // TOML has no null
			block = append(block, tomlKey(m.name)+" = "+tomlValue(m.value))
		}
	}
	end := d.lines.content()
	at := 0
	for _, it := range d.items {
		at = max(at, it.parts[len(it.parts)-1].to)
	}
	var ways []candidate
	for _, at := range []int{d.afterComments(at), end} { // after the other servers, or last
		b := block
		if at > 0 {
			b = append([]string{""}, block...)
		}
		if at > 0 || len(d.items) == 0 && end == 0 {
			ways = append(ways, candidate{text: d.lines.insert(at, b, eolOf(text))})
		}
	}
	return ways, nil
}

// afterComments skips comments that end the section before a line, but not those that begin the next one.
func (d *tomlDoc) afterComments(at int) int {
	if at == 0 {
		return 0
	}
	to := at
	for to < len(d.lines) && d.lines.comment(to) {
		to++
	}
	if to == len(d.lines) || d.lines.blank(to) {
		return to
	}
	return at
}

func (l tomlText) remove(text, name string, _ Undo, _ bool) (string, error) {
	d, err := l.parse(text)
	if err != nil {
		return "", err
	}
	if d.array != nil {
		return d.array.remove(text, name), nil
	}
	i := slices.IndexFunc(d.items, func(it tomlItem) bool { return it.name == name })
	if i < 0 {
		return text, nil
	}
	left := d.lines
	for _, part := range slices.Backward(d.items[i].parts) {
		if part.header && part.from > 0 && left.blank(part.from-1) {
			part.from--
		}
		left = left.cut(part.from, part.to)
	}
	return left.String(), nil
}

func (l tomlText) decode(text string) (map[string]any, error) {
	var all map[string]any
	if err := toml.Unmarshal([]byte(text), &all); err != nil {
		why := strings.TrimPrefix(err.Error(), "toml: ")
		if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
			row, col := at.Position()
			why = fmt.Sprintf("line %d, column %d: %s", row, col, why)
		}
		return nil, hub.Errorf(hub.Invalid, "not TOML: %s", why).WithCause(err)
	}
	return all, nil
}

func (l tomlText) entries(text string) (map[string]json.RawMessage, error) {
	all, err := l.decode(text)
	if err != nil {
		return nil, err
	}
	return l.spot.entriesOf(all)
}

func (l tomlText) rest(text string) (map[string]any, error) {
	all, err := l.decode(text)
	delete(all, l.spot.Key)
	return all, err
}

func (l tomlText) header(name string) string {
	if l.spot.List {
		return "[[" + tomlKey(l.spot.Key) + "]]"
	}
	return "[" + tomlKey(l.spot.Key) + "." + tomlKey(name) + "]"
}

var bareKey = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

func tomlKey(s string) string {
	if bareKey.MatchString(s) {
		return s
	}
	return quote(s)
}

func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, tomlValue(e))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case []pair:
		var all []string
		for _, m := range v {
			if m.value != nil {
				all = append(all, tomlKey(m.name)+" = "+tomlValue(m.value))
			}
		}
		if len(all) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(all, ", ") + " }"
	}
	return fmt.Sprint(v)
}
