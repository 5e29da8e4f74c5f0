package jsonc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Any returns the value as encoding/json would decode it into an any, with numbers kept as json.Number.
func (n *Node) Any() any {
	switch n.Kind {
	case Bool:
		return n.Bool
	case Number:
		return json.Number(n.Text)
	case String:
		return n.Text
	case Array:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Any()
		}
		return list
	case Object:
		m := make(map[string]any, len(n.Members))
		for _, f := range n.Members {
			m[f.Name] = f.Value.Any()
		}
		return m
	}
	return nil
}

// JSON returns the value as compact JSON with sorted keys.
func (n *Node) JSON() []byte { return marshal(n.Any()) }

// Compact returns JSON text compact and with sorted keys, so that equal documents have equal bytes. The
// characters <, > and & are escaped, because encoding/json escapes them when the bytes are embedded in
// another answer, and they must survive that unchanged. It fails on text that is not one JSON value.
func Compact(data []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return marshal(v), nil
}

// Encode returns v as compact JSON with sorted keys. v must be a value that encoding/json can marshal.
func Encode(v any) []byte {
	b, err := Compact(marshal(v))
	if err != nil {
		panic("jsonc: Encode: " + err.Error()) // marshal made it
	}
	return b
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("jsonc: marshal: " + err.Error()) // callers hand over plain data that was parsed before
	}
	return b
}

// describe says what a node is, for "expected X, got Y".
func (n *Node) describe() string {
	switch n.Kind {
	case Bool:
		return fmt.Sprintf("a boolean (%t)", n.Bool)
	case Number:
		return fmt.Sprintf("a number (%s)", cut(n.Text))
	case String:
		return fmt.Sprintf("a string (%s)", Quote(n.Text))
	case Array:
		return "a list"
	case Object:
		return "an object"
	}
	return "null"
}

func cut(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
