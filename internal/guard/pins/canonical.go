// Package pins remembers how the tools of a server were defined when they were first seen or last accepted, and judges what
// the server lists now by that.
package pins

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Tool is one definition as a server listed it.
type Tool struct {
	Name       string
	Definition json.RawMessage // keys sorted, without what no model reads: icons and _meta
	Digest     string          // "sha256:<hex>" of Definition
}

const (
	maxDepth      = 100
	maxDefinition = 256 << 10 // bytes
	maxToolName   = 256       // bytes
)

// Read brings the definition of a tool into its canonical form, so that only a change of meaning changes it. It is an error
// when programs could read it in two ways: a key that is there twice, or bytes that are no text.
func Read(raw []byte) (Tool, error) {
	if len(raw) > maxDefinition {
		return Tool{}, fmt.Errorf("its definition has %d bytes; at most %d are taken", len(raw), maxDefinition)
	}
	v, err := decode(raw)
	if err != nil {
		return Tool{}, err
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return Tool{}, errors.New("its definition is not an object")
	}
	name, ok := fields["name"].(string)
	if !ok || name == "" {
		return Tool{}, errors.New("a tool has no name")
	}
	if len(name) > maxToolName {
		return Tool{}, fmt.Errorf("its name has %d bytes; at most %d are taken", len(name), maxToolName)
	}
	delete(fields, "_meta")
	delete(fields, "icons")
	text, err := encode(fields)
	if err != nil {
		return Tool{}, err
	}
	return Tool{Name: name, Definition: text, Digest: digest(text)}, nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // maps are written with sorted keys
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// decode reads one JSON value and refuses what could be read in two ways.
func decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("its definition is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // 1 and 1.0 stay apart, large numbers stay exact
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows its definition")
	}
	return v, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("its definition is more than %d levels deep", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		fields := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			key := k.(string) // the decoder takes nothing else there
			if _, twice := fields[key]; twice {
				return nil, fmt.Errorf("the key %q is there twice", key)
			}
			if fields[key], err = value(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return fields, err
	}
	return t, nil
}
