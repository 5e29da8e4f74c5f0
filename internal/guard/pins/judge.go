package pins

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Where a definition that is trusted comes from.
const (
	FromPublisher = "publisher" // the manifest, which the lockfile holds by its digest
	FromFirstUse  = "first use"
	FromPerson    = "accepted"
)

// Pin is a definition that is trusted.
type Pin struct {
	Digest     string          `json:"digest"`
	Definition json.RawMessage `json:"definition"`
	From       string          `json:"from"`
	Time       time.Time       `json:"time"`
}

// Waiting is a definition that nobody accepted yet.
type Waiting struct {
	Reason     string          `json:"reason"`
	Digest     string          `json:"digest"`
	Definition json.RawMessage `json:"definition"`
	Time       time.Time       `json:"time"`
}

// Declared is what a manifest says of a tool. Only one with a schema counts as its definition: without one it is a summary
// that somebody wrote.
type Declared struct {
	Title, Description string
	Schema             json.RawMessage
}

// same reports whether a tool is what its publisher declared. What a manifest cannot say, such as annotations, is not
// compared.
func (d Declared) same(t Tool) bool {
	var is struct {
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"inputSchema"`
	}
	if json.Unmarshal(t.Definition, &is) != nil || is.Title != d.Title || is.Description != d.Description {
		return false
	}
	v, err := decode(d.Schema)
	if err != nil {
		return false
	}
	text, err := encode(v)
	return err == nil && string(text) == string(is.Schema)
}

// Definition is what a manifest says of a tool as a server would, to be compared with what that says. It is nil when the schema
// is none.
func (d Declared) Definition(name string) json.RawMessage {
	schema, err := decode(d.Schema)
	if err != nil {
		return nil
	}
	all := map[string]any{"name": name, "inputSchema": schema}
	for key, text := range map[string]string{"title": d.Title, "description": d.Description} {
		if text != "" {
			all[key] = text
		}
	}
	out, err := encode(all)
	if err != nil {
		return nil
	}
	return out
}

// Judge says why a tool is not to be used, "" when it may be. What is new and may be is recorded in f; what is not waits
// there to be accepted.
func (f *File) Judge(t Tool, declared map[string]Declared, now time.Time) (reason string) {
	pin, known := f.Tools[t.Name]
	if known && pin.Digest == t.Digest {
		if _, waits := f.Waiting[t.Name]; waits {
			delete(f.Waiting, t.Name) // it is again what it was
			f.changed = true
		}
		return ""
	}
	reason, from := f.verdict(t, known, declared)
	if reason == "" {
		f.pin(t, from, now)
		return ""
	}
	if f.Waiting[t.Name].Digest != t.Digest {
		f.Waiting[t.Name] = Waiting{Reason: reason, Digest: t.Digest, Definition: t.Definition, Time: now.UTC()}
		f.changed = true
	}
	return reason
}

func (f *File) pin(t Tool, from string, now time.Time) {
	f.Tools[t.Name] = Pin{Digest: t.Digest, Definition: t.Definition, From: from, Time: now.UTC()}
	delete(f.Waiting, t.Name)
	f.changed = true
}

func (f *File) verdict(t Tool, known bool, declared map[string]Declared) (reason, from string) {
	d, told := declared[t.Name]
	switch {
	case known:
		return "its definition changed: " + f.parts(t), ""
	case told && d.same(t):
		return "", FromPublisher
	case told:
		return "it is not what its publisher declared", ""
	case len(declared) > 0:
		return "its publisher did not declare it", ""
	case f.Complete:
		return "it is new since the first use", ""
	}
	return suspicious(t), FromFirstUse
}

// parts names the fields of a definition that are not what they were.
func (f *File) parts(t Tool) string {
	var was, is map[string]json.RawMessage
	_ = json.Unmarshal(f.Tools[t.Name].Definition, &was) // what cannot be read differs as a whole
	_ = json.Unmarshal(t.Definition, &is)
	var names []string
	for _, k := range []string{"title", "description", "inputSchema", "outputSchema", "annotations"} {
		if string(was[k]) != string(is[k]) {
			names = append(names, k)
		}
	}
	if len(names) == 0 {
		return "other fields"
	}
	return strings.Join(names, ", ")
}

// suspicious says why a definition is not trusted when it is first seen: a name that looks like another, or text that a
// person does not see and a model reads.
func suspicious(t Tool) string {
	for _, r := range t.Name {
		if r <= ' ' || r > '~' {
			return fmt.Sprintf("its name holds U+%04X, which can look like another character or like none", r)
		}
	}
	if r, found := Hidden(string(t.Definition)); found {
		return fmt.Sprintf("its definition holds U+%04X, which a person does not see", r)
	}
	return ""
}

// Hidden returns the first character of a text that is not seen and says something all the same: tags, which spell whole
// sentences, and marks that turn the direction of what follows.
func Hidden(s string) (rune, bool) {
	for _, r := range s {
		switch {
		case r >= 0xe0000 && r <= 0xe007f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r >= 0xfff9 && r <= 0xfffb:
			return r, true
		}
	}
	return 0, false
}
