package edit

import (
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlArray is an array of inline tables in the text.
type tomlArray struct {
	start    int // after "["
	elements []element
}

type element struct {
	name       string
	start, end int
}

// arrayOf reads the places in the array that is the value of an expression.
func arrayOf(text string, e *unstable.Node) *tomlArray {
	end := int(e.Raw.Offset + e.Raw.Length) // after "]"
	var key int
	for it := e.Key(); it.Next(); {
		key = int(it.Node().Raw.Offset + it.Node().Raw.Length)
	}
	a := &tomlArray{start: key + strings.IndexByte(text[key:], '[') + 1} // only "=" and spaces come before it
	for i := a.start; i < end-1; {
		switch text[i] {
		case '#':
			i += lineEnd(text[i:])
		case ' ', '\t', '\r', '\n', ',':
			i++
		default:
			el := element{start: i, end: i + valueEnd(text[i:])}
			var v struct{ V struct{ Name string } }
			if toml.Unmarshal([]byte("V = "+text[el.start:el.end]), &v) == nil {
				el.name = v.V.Name
			}
			a.elements = append(a.elements, el)
			i = el.end
		}
	}
	return a
}

// insert adds an element behind the others, on a line of its own when the last one has one.
func (a *tomlArray) insert(text, value string) string {
	if len(a.elements) == 0 {
		return text[:a.start] + value + text[a.start:]
	}
	last := a.elements[len(a.elements)-1]
	gap := ", "
	if line := strings.LastIndexByte(text[:last.start], '\n') + 1; line > a.start && strings.TrimSpace(text[line:last.start]) == "" {
		gap = "," + eolOf(text) + text[line:last.start]
	}
	return text[:last.end] + gap + value + text[last.end:]
}

// remove takes an element out with the comma before it, or the first one with what follows it.
func (a *tomlArray) remove(text, name string) string {
	for i, e := range a.elements {
		switch {
		case e.name != name:
			continue
		case i > 0 && !strings.Contains(text[a.elements[i-1].end:e.start], "#"): // a comment stays
			return text[:a.elements[i-1].end] + text[e.end:]
		case i == 0 && len(a.elements) > 1:
			return text[:e.start] + text[a.elements[1].start:]
		}
		return text[:e.start] + text[e.end:]
	}
	return text
}

// valueEnd returns the length of the TOML value s begins with: the parser has seen that it is one.
func valueEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case '"', '\'':
			i += stringEnd(s[i:])
			if depth == 0 {
				return i
			}
			continue
		case '#':
			i += lineEnd(s[i:])
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(s)
}

// stringEnd returns the length of the string s begins with.
func stringEnd(s string) int {
	quote := s[:1]
	if strings.HasPrefix(s, strings.Repeat(quote, 3)) {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote[0] == '"':
			i++
		case strings.HasPrefix(s[i:], quote):
			end := i + len(quote)
			for len(quote) == 3 && end < len(s) && s[end] == quote[0] { // quotes right before the closing ones
				end++
			}
			return end
		}
	}
	return len(s)
}

// lineEnd returns the length of s up to its line break.
func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}
