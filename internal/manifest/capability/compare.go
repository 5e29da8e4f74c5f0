package capability

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Kind is added, removed or changed.
type Kind string

// The kinds of change.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is what became of one tool, resource or prompt.
type Change struct {
	Kind  Kind
	Type  hub.CapabilityType
	Name  string
	Words []Word // of the description, when that changed
	Notes []Note // about title, address and inputs
}

// Note is one line about one part.
type Note struct {
	Kind Kind
	Text string
}

// Word is a stretch of a description: in both, or only in the old or the new one.
type Word struct {
	Kind Kind // "" for in both
	Text string
}

// OtherParts is the note about a schema that differs in what Fields does not read.
const OtherParts = "the schema of its inputs, in parts that have no row here; see the JSON of both versions"

type key struct {
	kind hub.CapabilityType
	name string
}

// Compare returns what differs between the capabilities of two versions: removed, changed and added ones,
// each in the order of the list they are in.
func Compare(old, new []hub.Capability) []Change {
	was, is := map[key]hub.Capability{}, map[key]hub.Capability{}
	for _, c := range old {
		was[key{c.Type, c.Name}] = c
	}
	for _, c := range new {
		is[key{c.Type, c.Name}] = c
	}
	var out []Change
	for _, c := range old {
		if _, stays := is[key{c.Type, c.Name}]; !stays {
			out = append(out, Change{Kind: Removed, Type: c.Type, Name: c.Name})
		}
	}
	for _, c := range new {
		if before, had := was[key{c.Type, c.Name}]; had {
			if ch, differs := compareOne(before, c); differs {
				out = append(out, ch)
			}
		}
	}
	for _, c := range new {
		if _, had := was[key{c.Type, c.Name}]; !had {
			out = append(out, Change{Kind: Added, Type: c.Type, Name: c.Name, Words: []Word{{Text: c.Description}}})
		}
	}
	return out
}

func compareOne(a, b hub.Capability) (Change, bool) {
	c := Change{Kind: Changed, Type: b.Type, Name: b.Name}
	if a.Description != b.Description {
		c.Words = Words(a.Description, b.Description)
	}
	if a.Title != b.Title {
		c.Notes = append(c.Notes, Note{Changed, "title: " + quoted(a.Title) + " is now " + quoted(b.Title)})
	}
	if a.URI != b.URI {
		c.Notes = append(c.Notes, Note{Changed, "address: " + quoted(a.URI) + " is now " + quoted(b.URI)})
	}
	c.Notes = append(c.Notes, compareFields(Fields(a.Schema), Fields(b.Schema))...)
	if len(c.Notes) == 0 && !sameJSON(a.Schema, b.Schema) {
		c.Notes = append(c.Notes, Note{Changed, OtherParts})
	}
	return c, len(c.Words) > 0 || len(c.Notes) > 0
}

func compareFields(old, new []Field) []Note {
	was := map[string]Field{}
	for _, f := range old {
		was[f.Name] = f
	}
	var out []Note
	for _, f := range new {
		before, had := was[f.Name]
		delete(was, f.Name)
		if !had {
			out = append(out, Note{Added, "input " + f.Name + " (" + f.Type + demand(f) + ")"})
			continue
		}
		out = append(out, compareField(before, f)...)
	}
	for _, f := range old {
		if _, gone := was[f.Name]; gone {
			out = append(out, Note{Removed, "input " + f.Name})
		}
	}
	return out
}

func compareField(a, b Field) []Note {
	var out []Note
	say := func(text string) { out = append(out, Note{Changed, "input " + b.Name + " " + text}) }
	if a.Type != b.Type {
		say("was " + a.Type + " and is " + b.Type)
	}
	if a.Required != b.Required {
		say(map[bool]string{true: "is now required", false: "is not required any more"}[b.Required])
	}
	if a.Default != b.Default {
		say("has the default " + quoted(b.Default) + ", it was " + quoted(a.Default))
	}
	if !slices.Equal(a.Choices, b.Choices) {
		say("has other choices: " + quoted(strings.Join(b.Choices, ", ")))
	}
	if a.Meaning != b.Meaning {
		say("is described anew: " + quoted(b.Meaning))
	}
	return out
}

func demand(f Field) string {
	if f.Required {
		return ", required"
	}
	return ""
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return "“" + s + "”"
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return bytes.Equal(a, b)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

// maxWords bounds the comparison of two descriptions; longer ones are shown whole, old and new.
const maxWords = 1200

// Words compares two texts word by word.
func Words(a, b string) []Word {
	x, y := split(a), split(b)
	if len(x) > maxWords || len(y) > maxWords {
		return []Word{{Removed, a}, {Added, b}}
	}
	// lengths of the longest common subsequence of the rests x[i:] and y[j:]
	width := len(y) + 1
	long := make([]uint16, (len(x)+1)*width)
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				long[i*width+j] = long[(i+1)*width+j+1] + 1
			} else {
				long[i*width+j] = max(long[(i+1)*width+j], long[i*width+j+1])
			}
		}
	}
	var out []Word
	add := func(kind Kind, s string) {
		if n := len(out); n > 0 && out[n-1].Kind == kind {
			out[n-1].Text += s
			return
		}
		out = append(out, Word{kind, s})
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			add("", x[i])
			i, j = i+1, j+1
		case j == len(y) || (i < len(x) && long[(i+1)*width+j] >= long[i*width+j+1]):
			add(Removed, x[i])
			i++
		default:
			add(Added, y[j])
			j++
		}
	}
	return out
}

// split parts a text into words, each with the space behind it.
func split(s string) []string {
	var out []string
	start, space := 0, false
	for i, r := range s {
		white := r == ' ' || r == '\n' || r == '\t'
		if space && !white {
			out = append(out, s[start:i])
			start = i
		}
		space = white
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
