package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

func eolOf(text string) string {
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// quote spells a string in JSON. What JSON leaves bare and YAML or TOML do not is escaped, so that it is a
// string of those as well.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "<" and "&" in arguments stay readable
	_ = enc.Encode(s)        // a string always encodes
	out := strings.TrimSuffix(b.String(), "\n")
	if !strings.ContainsFunc(out, unprintable) {
		return out
	}
	var escaped strings.Builder
	for _, r := range out {
		if unprintable(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		} else {
			escaped.WriteRune(r)
		}
	}
	return escaped.String()
}

func unprintable(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0xfffe || r == 0xffff
}

// lines are those of a text, each with its line break; the last one may have none.
type lines []string

func linesOf(text string) lines {
	all := strings.SplitAfter(text, "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// insert puts a block before line at. A text that ends without a line break still does afterwards.
func (l lines) insert(at int, block []string, eol string) string {
	head, body := strings.Join(l[:at], ""), strings.Join(block, eol)
	if at > 0 && !strings.HasSuffix(l[at-1], "\n") {
		return head + eol + body
	}
	return head + body + eol + strings.Join(l[at:], "")
}

// cut takes the lines from..to-1 out: the inverse of insert.
func (l lines) cut(from, to int) lines {
	out := append(append(lines{}, l[:from]...), l[to:]...)
	if to == len(l) && from > 0 && to > from && !strings.HasSuffix(l[to-1], "\n") {
		out[from-1] = strings.TrimSuffix(strings.TrimSuffix(out[from-1], "\n"), "\r")
	}
	return out
}

func (l lines) String() string { return strings.Join(l, "") }

func (l lines) blank(i int) bool { return strings.TrimSpace(l[i]) == "" }

// comment reports a line of nothing but a comment, as YAML and TOML write it.
func (l lines) comment(i int) bool { return strings.HasPrefix(strings.TrimSpace(l[i]), "#") }

// content returns the line after the last one that is not blank.
func (l lines) content() int {
	n := len(l)
	for n > 0 && l.blank(n-1) {
		n--
	}
	return n
}

// indent counts the spaces before the text of a line.
func (l lines) indent(i int) int { return len(l[i]) - len(strings.TrimLeft(l[i], " ")) }

// pair is a member of an object whose order counts.
type pair struct {
	name  string
	value any // string, bool, json.Number, nil, []any or []pair
}

// ordered reads a JSON value and keeps the order of members.
func ordered(value json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	return orderedValue(dec)
}

func orderedValue(dec *json.Decoder) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := orderedValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	case json.Delim('{'):
		object := []pair{}
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := orderedValue(dec)
			if err != nil {
				return nil, err
			}
			object = append(object, pair{k.(string), v})
		}
		_, err = dec.Token()
		return object, err
	}
	return t, nil
}
