package jsonc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// The codes of issues that Decode reports.
const (
	CodeType         = "type"
	CodeUnknownField = "unknown-field"
)

// Decoder fills Go values from nodes and collects what is wrong. Field names are matched exactly, by
// their json tag; null is the same as absent; keys that start with "x-" are ignored.
type Decoder struct {
	// Hooks decode single types in their own way, such as a string where an object is usual.
	Hooks map[reflect.Type]func(d *Decoder, n *Node, v reflect.Value, path string)
	// Unknown is asked about a key that no field has; it returns true when it dealt with it.
	Unknown func(d *Decoder, path string, m Member) bool
	// Aliases maps words people use to the field they mean, for hints.
	Aliases map[string]string

	Issues []hub.Issue
}

// Add appends an issue.
func (d *Decoder) Add(sev hub.Severity, code, path string, line int, format string, args ...any) {
	d.Issues = append(d.Issues, hub.Issue{
		Path: path, Message: fmt.Sprintf(format, args...), Severity: sev, Code: code, Line: line,
	})
}

// Expected reports a wrong type at path.
func (d *Decoder) Expected(want string, n *Node, path string) {
	d.Add(hub.SeverityError, CodeType, path, n.Line, "expected %s, got %s", want, n.describe())
}

// Decode fills v, which must be settable, from n.
func (d *Decoder) Decode(n *Node, v reflect.Value, path string) {
	if hook := d.Hooks[v.Type()]; hook != nil && n.Kind != Null {
		hook(d, n, v, path)
		return
	}
	d.Plain(n, v, path)
}

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// Plain is Decode without asking the hook of v's own type.
func (d *Decoder) Plain(n *Node, v reflect.Value, path string) {
	if n.Kind == Null {
		return
	}
	if v.Type() == rawType {
		v.SetBytes(n.JSON())
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		before := len(d.Issues)
		d.Decode(n, p.Elem(), path)
		if !hub.HasErrors(d.Issues[before:]) {
			v.Set(p)
		}
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Map:
		d.dictionary(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Interface:
		v.Set(reflect.ValueOf(n.Any()))
	default:
		d.scalar(n, v, path)
	}
}

func (d *Decoder) scalar(n *Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if n.Kind != String {
			d.Expected("a string", n, path)
			return
		}
		v.SetString(n.Text)
	case reflect.Bool:
		if n.Kind != Bool {
			d.Expected("true or false", n, path)
			return
		}
		v.SetBool(n.Bool)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.Text, 64)
		if n.Kind != Number || err != nil {
			d.Expected("a number", n, path)
			return
		}
		v.SetFloat(f)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Text, 10, 64)
		if n.Kind != Number || err != nil {
			d.Expected("a whole number", n, path)
			return
		}
		v.SetInt(i)
	default:
		panic("jsonc: cannot decode into " + v.Type().String())
	}
}

func (d *Decoder) list(n *Node, v reflect.Value, path string) {
	if n.Kind != Array {
		d.Expected("a list", n, path)
		return
	}
	s := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		if item.Kind == Null {
			d.Expected("a value", item, Index(path, i))
			continue
		}
		d.Decode(item, s.Index(i), Index(path, i))
	}
	v.Set(s)
}

func (d *Decoder) dictionary(n *Node, v reflect.Value, path string) {
	if n.Kind != Object {
		d.Expected("an object", n, path)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Members))
	for _, m := range n.Members {
		if m.Value.Kind == Null && v.Type().Elem().Kind() != reflect.Interface {
			continue
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if m.Value.Kind != Null {
			d.Decode(m.Value, elem, Join(path, m.Name))
		}
		out.SetMapIndex(reflect.ValueOf(m.Name), elem)
	}
	v.Set(out)
}

func (d *Decoder) object(n *Node, v reflect.Value, path string) {
	if n.Kind != Object {
		d.Expected("an object", n, path)
		return
	}
	before := len(d.Issues)
	fields := fieldsOf(v)
	for _, m := range n.Members {
		if f, ok := fields[m.Name]; ok {
			d.Decode(m.Value, f, Join(path, m.Name))
			continue
		}
		if strings.HasPrefix(m.Name, "x-") || d.Unknown != nil && d.Unknown(d, path, m) {
			continue
		}
		d.unknown(path, m, fields)
	}
	// A type with its own UnmarshalJSON remembers what the fields cannot show, such as "given but empty".
	if v.Addr().Type().Implements(unmarshalerType) && !hub.HasErrors(d.Issues[before:]) {
		if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(n.JSON()); err != nil {
			d.Add(hub.SeverityError, CodeType, path, n.Line, "%v", err)
		}
	}
}

func (d *Decoder) unknown(path string, m Member, fields map[string]reflect.Value) {
	msg := "unknown field " + Quote(m.Name) + " is ignored"
	if want := d.Aliases[m.Name]; want != "" && fields[want].IsValid() {
		msg += fmt.Sprintf("; did you mean %q?", want)
	} else if near := Nearest(m.Name, keysOf(fields)); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	d.Add(hub.SeverityWarning, CodeUnknownField, Join(path, m.Name), m.Line, "%s", msg)
}

// fieldsOf returns the settable fields of a struct by json name, those of embedded structs included.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			for k, x := range fieldsOf(v.Field(i)) {
				out[k] = x
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			out[name] = v.Field(i)
		}
	}
	return out
}

func keysOf(m map[string]reflect.Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
