// Package jsonc reads the JSON that people and strangers write: JSON with comments or without, within
// limits, with the line of everything, refusing what two readers could read differently (a key given
// twice, bytes that are not UTF-8). It then fills Go values from it, naming each mistake by path and line
// instead of stopping at the first. It is the floor of internal/manifest and does no I/O.
package jsonc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/tailscale/hujson"
)

// Limits of a document.
const (
	MaxBytes = 1 << 20 // of the whole text
	MaxDepth = 64      // of objects and arrays in one another
	MaxItems = 10000   // of one array, or keys of one object
)

// Kind is what a Node is.
type Kind byte

// The kinds of node.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value of a document with the line it starts on.
type Node struct {
	Kind    Kind
	Line    int      // 1-based
	Bool    bool     // of a Bool
	Text    string   // decoded text of a String, literal of a Number
	Items   []*Node  // of an Array
	Members []Member // of an Object, in the order of the text, names unique
}

// Member is one key of an object.
type Member struct {
	Name  string
	Line  int
	Value *Node
}

// Get returns the member called name, or nil.
func (n *Node) Get(name string) *Node {
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// bom is what some editors put before UTF-8 text; it says nothing and is skipped.
var bom = []byte("\xef\xbb\xbf")

// Parse reads one document. file names it in messages ("mcp.json"); comments allows // and /* */ and
// trailing commas. It fails with TooLarge over a limit and with Malformed, naming the line, when the text
// is not what it should be.
func Parse(file string, data []byte, comments bool) (*Node, error) {
	if len(data) > MaxBytes {
		return nil, hub.Errorf(hub.TooLarge, "%s has %d bytes; at most %d are allowed", file, len(data), MaxBytes)
	}
	data = bytes.TrimPrefix(data, bom)
	r := &reader{file: file, data: data}
	for i, c := range data {
		if c == '\n' {
			r.newlines = append(r.newlines, i)
		}
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, hub.Errorf(hub.Malformed, "%s line %d: the byte 0x%02x is not UTF-8", file, r.line(i), data[i]).
			WithHint("save the file as UTF-8")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, hub.Errorf(hub.Malformed, "%s is empty", file).WithHint("the smallest %s is {}", file)
	}
	if i := tooDeep(data); i >= 0 {
		return nil, hub.Errorf(hub.TooLarge, "%s line %d: nested deeper than %d levels", file, r.line(i), MaxDepth)
	}
	v, err := hujson.Parse(data)
	if err != nil {
		return nil, r.syntaxError(err)
	}
	if !comments && !v.IsStandard() {
		return nil, r.notStandard()
	}
	return r.node(&v)
}

type reader struct {
	file     string
	data     []byte
	newlines []int
}

func (r *reader) line(offset int) int { return 1 + sort.SearchInts(r.newlines, offset) }

// syntaxError turns "hujson: line 3, column 5: ..." into a message that names our file.
func (r *reader) syntaxError(err error) error {
	msg := strings.TrimPrefix(err.Error(), "hujson: ")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		where, _, _ := strings.Cut(msg, ": ")
		return hub.Errorf(hub.Malformed, "%s %s: the text ends in the middle of a value", r.file, where).
			WithHint("a closing brace, bracket or quote is missing").WithCause(err)
	}
	return hub.Errorf(hub.Malformed, "%s %s", r.file, msg).WithCause(err)
}

// notStandard points at the first comment or trailing comma.
func (r *reader) notStandard() error {
	b, comma := r.data, -1
	at := len(b)
scan:
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			comma = -1
		case ',':
			comma = i
		case ' ', '\t', '\r', '\n':
		case '/':
			at = i
			break scan
		case '}', ']':
			if comma >= 0 {
				at = comma
				break scan
			}
		default:
			comma = -1
		}
	}
	return hub.Errorf(hub.Malformed, "%s line %d: comments and trailing commas are not allowed here", r.file, r.line(at)).
		WithHint("%s is plain JSON; only mcp.json may hold comments", r.file)
}

func (r *reader) node(v *hujson.Value) (*Node, error) {
	n := &Node{Line: r.line(v.StartOffset)}
	switch x := v.Value.(type) {
	case hujson.Literal:
		return n, r.literal(n, x)
	case *hujson.Array:
		n.Kind = Array
		if len(x.Elements) > MaxItems {
			return nil, r.tooMany(n.Line, len(x.Elements), "items in one list")
		}
		for i := range x.Elements {
			item, err := r.node(&x.Elements[i])
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
	case *hujson.Object:
		n.Kind = Object
		return n, r.members(n, x)
	}
	return n, nil
}

func (r *reader) members(n *Node, x *hujson.Object) error {
	if len(x.Members) > MaxItems {
		return r.tooMany(n.Line, len(x.Members), "keys in one object")
	}
	seen := make(map[string]int, len(x.Members))
	for i := range x.Members {
		key := &Node{Line: r.line(x.Members[i].Name.StartOffset)}
		if err := r.literal(key, x.Members[i].Name.Value.(hujson.Literal)); err != nil {
			return err
		}
		if first, twice := seen[key.Text]; twice {
			return hub.Errorf(hub.Malformed, "%s line %d: the key %s is given twice; the first is on line %d",
				r.file, key.Line, Quote(key.Text), first).WithHint("remove one of them")
		}
		seen[key.Text] = key.Line
		val, err := r.node(&x.Members[i].Value)
		if err != nil {
			return err
		}
		n.Members = append(n.Members, Member{Name: key.Text, Line: key.Line, Value: val})
	}
	return nil
}

func (r *reader) literal(n *Node, x hujson.Literal) error {
	switch x.Kind() {
	case 't', 'f':
		n.Kind, n.Bool = Bool, x.Bool()
	case '0':
		n.Kind, n.Text = Number, string(x)
	case '"':
		n.Kind, n.Text = String, x.String()
		// Databases refuse NUL in text, so a document with one could be accepted and then not be stored.
		if strings.ContainsRune(n.Text, 0) {
			return hub.Errorf(hub.Malformed, "%s line %d: a string holds the NUL character", r.file, n.Line)
		}
	}
	return nil
}

func (r *reader) tooMany(line, have int, what string) error {
	return hub.Errorf(hub.TooLarge, "%s line %d: %d %s; at most %d are allowed", r.file, line, have, what, MaxItems)
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// tooDeep returns where the text first nests too deep, or -1. It runs before the recursive parser, so
// that a megabyte of "[" costs nothing.
func tooDeep(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > MaxDepth {
				return i
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '/':
			i = skipComment(b, i)
		}
	}
	return -1
}

// skipComment returns the last byte of the comment that starts at i, or i when none does.
func skipComment(b []byte, i int) int {
	end := ""
	switch {
	case bytes.HasPrefix(b[i:], []byte("//")):
		end = "\n"
	case bytes.HasPrefix(b[i:], []byte("/*")):
		end = "*/"
	default:
		return i
	}
	j := bytes.Index(b[i+2:], []byte(end))
	if j < 0 {
		return len(b)
	}
	return i + 2 + j + len(end) - 1
}

// Quote shows an untrusted string in a message: quoted, escaped and cut at 80 bytes.
func Quote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "..."
	}
	return strconv.Quote(s)
}

// Join returns the path of a key below path: "servers.db", or dependencies["io.github.x/y"] when the key
// itself has a dot or a bracket.
func Join(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]") || key == "":
		return path + "[" + Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// Index returns the path of a list item below path.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
