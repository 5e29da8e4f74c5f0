// Package edit puts an entry into the text of a configuration file and takes it out again: JSON with or
// without comments, YAML and TOML. It parses to find the place and changes only the bytes there, so that
// comments, order, indentation and line endings stay. An edit that cannot be shown to be undone byte for
// byte, and to leave every other value as it was, is refused with Invalid; nothing is ever guessed.
package edit

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/tailscale/hujson"
)

// Spot is where a file holds its servers.
type Spot struct {
	Language string // json (comments and trailing commas are kept), yaml or toml
	Key      string // member of the root; dots in it mean nothing
	List     bool   // the servers are a list, not a mapping; each has a "name"
	Named    bool   // an entry of the mapping repeats its name as "name"
	Fresh    string // what a file that holds nothing begins with
}

// Undo is what Remove needs to give back a file as it was before the first Insert: things that cannot be
// seen in the text any more. Keep the first one of a file until the last entry is out again.
type Undo struct {
	Blank    *string `json:"blank,omitempty"`    // the whole text, when it held no value at all
	KeyAdded bool    `json:"keyAdded,omitempty"` // the member that holds the servers was not there
	Body     *string `json:"body,omitempty"`     // what stood for the empty collection, or in the empty root
}

// candidate is one way to edit a text.
type candidate struct {
	text string
	undo Undo
}

// language is how a text is read and edited. No text has a byte order mark, and none is blank.
type language interface {
	// insert returns ways to add the entry, the best first. The name is not there yet.
	insert(text, name string, value json.RawMessage) ([]candidate, error)
	// remove takes the entry out; a text without it comes back as it is. With last, undo is what the first
	// insert gave.
	remove(text, name string, undo Undo, last bool) (string, error)
	// entries returns the servers by name.
	entries(text string) (map[string]json.RawMessage, error)
	// rest returns the values of everything but the servers, nil when inserting cannot change them.
	rest(text string) (map[string]any, error)
}

func (s Spot) language() language {
	switch s.Language {
	case "yaml":
		return yamlText{s}
	case "toml":
		return tomlText{s}
	}
	return jsonText{s}
}

// bom is the byte order mark some editors on Windows put first; it is kept.
const bom = "\uFEFF"

// Insert puts a server into a host's file and returns the new text. A text without any value counts as an
// empty file. Exists when name is there already; Invalid when the text is not in its language, does not
// have the shape of a host's file, or cannot be edited without changing more than the entry.
func Insert(src []byte, s Spot, name string, value json.RawMessage) ([]byte, Undo, error) {
	text, mark := strings.CutPrefix(string(src), bom)
	blank := strings.TrimSpace(text) == ""
	if blank {
		text = s.fresh(eolOf(text))
	}
	l := s.language()
	have, err := l.entries(text)
	if err != nil {
		return nil, Undo{}, err
	}
	if _, ok := have[name]; ok {
		return nil, Undo{}, hub.Errorf(hub.Exists, "%q is there already", name)
	}
	if s.List || s.Named {
		value = withName(value, name)
	}
	ways, err := l.insert(text, name, value)
	if err != nil {
		return nil, Undo{}, err
	}
	for _, way := range ways {
		after := way.text
		if mark {
			after = bom + after
		}
		if blank {
			was := string(src)
			way.undo = Undo{Blank: &was}
		}
		back, err := Remove([]byte(after), s, name, way.undo, true)
		if err == nil && bytes.Equal(back, src) && onlyAdds(l, text, way.text, have, name, value) {
			return []byte(after), way.undo, nil
		}
	}
	return nil, Undo{}, hub.Errorf(hub.Invalid, "an entry cannot be added under %q without changing something else", s.Key).
		WithHint("add it by hand, or write the servers under %q in the plain form, one setting a line", s.Key)
}

// Remove takes the server out again. With last, undo is what the first Insert gave: what that made beside
// the entry goes too, unless somebody uses it now. A text that does not hold name comes back unchanged.
func Remove(src []byte, s Spot, name string, undo Undo, last bool) ([]byte, error) {
	text, mark := strings.CutPrefix(string(src), bom)
	if strings.TrimSpace(text) == "" {
		return src, nil
	}
	l := s.language()
	have, err := l.entries(text)
	if err != nil {
		return nil, err
	}
	if _, ok := have[name]; !ok {
		return src, nil
	}
	out, err := l.remove(text, name, undo, last)
	if err != nil {
		return nil, err
	}
	if !onlyDrops(l, text, out, have, name) {
		return nil, hub.Errorf(hub.Invalid, "the entry %q cannot be taken out without changing something else", name).WithHint("take it out by hand")
	}
	if last && undo.Blank != nil && strings.TrimSpace(out) == strings.TrimSpace(s.fresh("\n")) {
		return []byte(*undo.Blank), nil
	}
	if mark {
		out = bom + out
	}
	return []byte(out), nil
}

// Entries returns the servers of a file: name to standard JSON. nil when there are none.
func Entries(src []byte, s Spot) (map[string]json.RawMessage, error) {
	text := strings.TrimPrefix(string(src), bom)
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	return s.language().entries(text)
}

// Standard returns the whole file as standard JSON.
func Standard(src []byte, s Spot) (json.RawMessage, error) {
	text := strings.TrimPrefix(string(src), bom)
	l := s.language()
	if _, err := l.entries(text); err != nil {
		return nil, err
	}
	switch l := l.(type) {
	case yamlText:
		return asJSON(l.decode(text))
	case tomlText:
		return asJSON(l.decode(text))
	}
	return hujson.Standardize([]byte(text))
}

func asJSON(all map[string]any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

func (s Spot) fresh(eol string) string {
	text := s.Fresh
	if text == "" && s.Language != "yaml" && s.Language != "toml" {
		text = "{}\n"
	}
	return strings.ReplaceAll(text, "\n", eol)
}

// onlyAdds reports whether after holds what before held, and the new entry.
func onlyAdds(l language, before, after string, have map[string]json.RawMessage, name string, value json.RawMessage) bool {
	now, err := l.entries(after)
	if err != nil || !sameValue(now[name], value) {
		return false
	}
	delete(now, name)
	return sameEntries(have, now) && sameRest(l, before, after)
}

// onlyDrops reports whether after holds what before held, but for the entry. An entry that was there twice
// may be left once.
func onlyDrops(l language, before, after string, have map[string]json.RawMessage, name string) bool {
	if strings.TrimSpace(after) == "" {
		return len(have) == 1
	}
	now, err := l.entries(after)
	if err != nil {
		return false
	}
	kept := map[string]json.RawMessage{}
	for k, v := range have {
		if k != name {
			kept[k] = v
		}
	}
	delete(now, name)
	return sameEntries(kept, now) && sameRest(l, before, after)
}

func sameEntries(a, b map[string]json.RawMessage) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || !sameValue(v, w) {
			return false
		}
	}
	return true
}

func sameRest(l language, before, after string) bool {
	a, err := l.rest(before)
	if err != nil {
		return false
	}
	b, err := l.rest(after)
	return err == nil && (len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b))
}

// sameValue compares two JSON values; the order of members and the spelling of numbers mean nothing.
func sameValue(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// withName puts the name first in an entry that does not tell it.
func withName(value json.RawMessage, name string) json.RawMessage {
	var has struct{ Name *string }
	if json.Unmarshal(value, &has) != nil || has.Name != nil {
		return value
	}
	rest := bytes.TrimSpace(bytes.TrimSpace(value)[1:])
	out := `{"name":` + quote(name)
	if rest[0] != '}' {
		out += ","
	}
	return json.RawMessage(out + string(rest))
}
