// Package edit changes the text of an mcp.json and leaves everything else as its author wrote it:
// comments, order, indentation, line endings. It knows syntax only; what a good name or range is, is for
// its caller to say.
package edit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/tailscale/hujson"
)

// The two groups of dependencies.
const (
	Dependencies    = "dependencies"
	DevDependencies = "devDependencies"
)

// Set returns src with key set to value in group, and taken out of the other group. A key is found with
// or without its "@". A new one goes where it belongs by name when the others are sorted, and to the end
// otherwise. An empty src becomes the smallest file that holds it. Malformed when src cannot be read,
// Invalid when it or the group is not an object.
func Set(src []byte, group, key, value string) ([]byte, error) {
	other := DevDependencies
	if group == other {
		other = Dependencies
	}
	e, err := newEditor(src)
	if err != nil {
		return nil, err
	}
	if m := member(e.root, other); m != nil {
		obj, ok := m.Value.Value.(*hujson.Object)
		if !ok {
			return nil, notObject(other)
		}
		removeKey(obj, key)
	}
	m := member(e.root, group)
	if m == nil {
		e.insert(e.root, len(e.root.Members), group, &hujson.Object{}, e.indent(1), e.indent(0))
		m = member(e.root, group)
	}
	obj, ok := m.Value.Value.(*hujson.Object)
	if !ok {
		return nil, notObject(group)
	}
	e.set(obj, key, value)
	return e.bytes()
}

// Remove returns src without key in either group. A comment on the same line goes with it, every other
// stays. When the key is not there, src comes back as it was. It fails as Set does.
func Remove(src []byte, key string) ([]byte, error) {
	e, err := newEditor(src)
	if err != nil {
		return nil, err
	}
	found := false
	for _, group := range []string{Dependencies, DevDependencies} {
		m := member(e.root, group)
		if m == nil {
			continue
		}
		obj, ok := m.Value.Value.(*hujson.Object)
		if !ok {
			return nil, notObject(group)
		}
		found = removeKey(obj, key) || found
	}
	if !found {
		return src, nil
	}
	return e.bytes()
}

func notObject(group string) error {
	return hub.Errorf(hub.Invalid, "mcp.json: %s is not an object", group).WithHint("write \"%s\": {}", group)
}

// editor changes the syntax tree of a file and knows how its author writes.
type editor struct {
	bom     bool
	value   hujson.Value
	root    *hujson.Object
	newline string // "\n" or "\r\n"; "" when everything is on one line
	unit    string // one step of indentation
}

func newEditor(src []byte) (*editor, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))) == 0 {
		src = []byte("{\n}\n")
	}
	if _, err := jsonc.Parse("mcp.json", src, true); err != nil {
		return nil, err
	}
	text, bom := bytes.CutPrefix(src, []byte("\xef\xbb\xbf"))
	v, err := hujson.Parse(bytes.Clone(text))
	if err != nil {
		return nil, hub.Errorf(hub.Malformed, "mcp.json: %v", err)
	}
	root, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil, hub.Errorf(hub.Invalid, "mcp.json is not an object").WithHint("the smallest mcp.json is {}")
	}
	e := &editor{bom: bom, value: v, root: root, unit: "  "}
	if bytes.Contains(text, []byte("\r\n")) {
		e.newline = "\r\n"
	} else if bytes.Contains(bytes.TrimSpace(text), []byte("\n")) || len(root.Members) == 0 {
		e.newline = "\n"
	}
	if len(root.Members) > 0 {
		first := string(root.Members[0].Name.BeforeExtra)
		if i := strings.LastIndexByte(first, '\n'); i >= 0 && strings.Trim(first[i+1:], " \t") == "" && first[i+1:] != "" {
			e.unit = first[i+1:]
		}
	}
	return e, nil
}

// indent is the line break and indentation before something at a depth.
func (e *editor) indent(depth int) string {
	if e.newline == "" {
		return ""
	}
	return e.newline + strings.Repeat(e.unit, depth)
}

func (e *editor) bytes() ([]byte, error) {
	out := e.value.Pack()
	if e.bom {
		out = append([]byte("\xef\xbb\xbf"), out...)
	}
	if _, err := jsonc.Parse("mcp.json", out, true); err != nil {
		return nil, err // a limit that the change went over
	}
	return out, nil
}

func member(obj *hujson.Object, key string) *hujson.ObjectMember {
	for i := range obj.Members {
		if keyOf(obj.Members[i]) == key {
			return &obj.Members[i]
		}
	}
	return nil
}

func keyOf(m hujson.ObjectMember) string {
	lit, ok := m.Name.Value.(hujson.Literal)
	if !ok {
		return ""
	}
	return lit.String()
}

// sameName reports whether a key of the file spells a dependency, with or without the @.
func sameName(have, key string) bool {
	return strings.TrimPrefix(have, "@") == strings.TrimPrefix(key, "@")
}

func (e *editor) set(obj *hujson.Object, key, rng string) {
	at, sorted := len(obj.Members), true
	for i := range obj.Members {
		have := keyOf(obj.Members[i])
		if sameName(have, key) {
			obj.Members[i].Value.Value = hujson.String(rng)
			return
		}
		if i > 0 && keyOf(obj.Members[i-1]) > have {
			sorted = false
		}
		if have > key && at == len(obj.Members) {
			at = i
		}
	}
	if !sorted {
		at = len(obj.Members)
	}
	before, closing := e.indent(2), e.indent(1)
	if len(obj.Members) > 0 {
		before = lastLine(obj.Members[0].Name.BeforeExtra)
		if e.newline != "" && !strings.Contains(before, "\n") {
			closing = "" // the group is on one line, in a file that has many
		}
	}
	e.insert(obj, at, key, hujson.String(rng), before, closing)
}

// lastLine is the line break and indentation right before a key, without comments.
func lastLine(extra hujson.Extra) string {
	s := string(extra)
	i := strings.LastIndexByte(s, '\n')
	if i < 0 {
		return " "
	}
	if i > 0 && s[i-1] == '\r' {
		i--
	}
	return strings.TrimRight(s[i:], "/*") // nothing but space can follow a line comment's end
}

// insert puts a new member at a place in obj. before is the white space in front of it, closing that in
// front of the brace when the object was empty.
func (e *editor) insert(obj *hujson.Object, at int, key string, value hujson.ValueTrimmed, before, closing string) {
	m := hujson.ObjectMember{Name: hujson.Value{Value: hujson.String(key)}, Value: hujson.Value{Value: value}}
	m.Value.BeforeExtra = hujson.Extra(" ")
	if len(obj.Members) > 0 {
		if sib := obj.Members[0].Value.BeforeExtra; len(bytes.TrimSpace(sib)) == 0 {
			m.Value.BeforeExtra = bytes.Clone(sib)
		}
	}
	if at < len(obj.Members) {
		next := &obj.Members[at].Name
		line, rest := splitLine(next.BeforeExtra)
		m.Name.BeforeExtra = closed(line + before)
		if next.BeforeExtra = hujson.Extra(rest); rest == "" {
			next.BeforeExtra = hujson.Extra(before)
		}
		obj.Members = slices.Insert(obj.Members, at, m)
		return
	}
	line, rest := splitLine(obj.AfterExtra)
	if strings.TrimSpace(line) == "" {
		line = ""
	}
	m.Name.BeforeExtra = closed(line + before)
	if len(obj.Members) == 0 && strings.TrimSpace(rest) == "" {
		rest = closing
	}
	if n := len(obj.Members); n > 0 && obj.Members[n-1].Value.AfterExtra != nil {
		m.Value.AfterExtra = hujson.Extra{} // the author ends lists with a comma
	}
	obj.AfterExtra = hujson.Extra(rest)
	obj.Members = append(obj.Members, m)
}

// splitLine splits what stands between two values at the end of the first line: a comment before it
// belongs to what came before.
func splitLine(extra hujson.Extra) (line, rest string) {
	s := string(extra)
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			end := strings.Index(s[i:], "*/")
			if end < 0 {
				return s, ""
			}
			i += end + 1
		case s[i] == '\n':
			if i > 0 && s[i-1] == '\r' {
				i--
			}
			return s[:i], s[i:]
		case strings.HasPrefix(s[i:], "//"):
			end := strings.IndexByte(s[i:], '\n')
			if end < 0 {
				return s, ""
			}
			i += end
			if s[i-1] == '\r' {
				i--
			}
			return s[:i], s[i:]
		}
	}
	if strings.TrimSpace(s) == "" {
		return "", s
	}
	return s, ""
}

// closed ends a line comment that would otherwise swallow what follows.
func closed(s string) hujson.Extra {
	for i := 0; i < len(s); i++ {
		var end int
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			end = strings.Index(s[i:], "*/") + 1
		case strings.HasPrefix(s[i:], "//"):
			if end = strings.IndexByte(s[i:], '\n'); end < 0 {
				return hujson.Extra(s + "\n")
			}
		}
		i += end
	}
	return hujson.Extra(s)
}

// removeKey takes a key out of obj and reports whether it was there.
func removeKey(obj *hujson.Object, key string) bool {
	at := slices.IndexFunc(obj.Members, func(m hujson.ObjectMember) bool { return sameName(keyOf(m), key) })
	if at < 0 {
		return false
	}
	gone := obj.Members[at]
	kept, own := splitLine(gone.Name.BeforeExtra) // kept belongs to what came before
	own = strings.TrimSuffix(own, lastLine(gone.Name.BeforeExtra))
	last := at == len(obj.Members)-1
	obj.Members = slices.Delete(obj.Members, at, at+1)
	if !last {
		next := &obj.Members[at].Name
		_, rest := splitLine(next.BeforeExtra)
		next.BeforeExtra = closed(kept + own + rest)
		return true
	}
	_, rest := splitLine(obj.AfterExtra)
	after := kept + own + rest
	if n := len(obj.Members); n == 0 {
		if strings.TrimSpace(after) == "" {
			after = ""
		}
	} else if prev := &obj.Members[n-1].Value; gone.Value.AfterExtra == nil {
		after = string(prev.AfterExtra) + after
		prev.AfterExtra = nil
	}
	obj.AfterExtra = closed(after)
	return true
}
