package edit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// item spells a server in lines: as a key of a mapping, or as a member of a list.
func (l yamlText) item(name string, value any, indent, unit int) []string {
	if !l.spot.List {
		return yamlMember(pair{name, value}, indent, unit)
	}
	var out []string
	members, _ := value.([]pair)
	for _, m := range members {
		out = append(out, yamlMember(m, indent+2, unit)...)
	}
	out[0] = pad(indent) + "- " + out[0][indent+2:]
	return out
}

func yamlMember(m pair, indent, unit int) []string {
	key := pad(indent) + yamlScalar(m.name) + ":"
	switch v := m.value.(type) {
	case []pair:
		if len(v) == 0 {
			return []string{key + " {}"}
		}
		out := []string{key}
		for _, sub := range v {
			out = append(out, yamlMember(sub, indent+unit, unit)...)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []string{key + " []"}
		}
		out := []string{key}
		for _, e := range v {
			out = append(out, pad(indent+unit)+"- "+yamlScalar(e))
		}
		return out
	}
	return []string{key + " " + yamlScalar(m.value)}
}

// plain matches strings that every reader of YAML takes for strings without quotes.
var (
	plain    = lazyregexp.New(`^[A-Za-z/][A-Za-z0-9_./+-]*$`)
	notPlain = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}
)

// yamlScalar spells a value on one line. What is in a list within a list keeps to the braces of JSON.
func yamlScalar(v any) string {
	switch v := v.(type) {
	case string:
		if plain.MatchString(v) && !slices.Contains(notPlain, strings.ToLower(v)) {
			return v
		}
		return quote(v)
	case nil:
		return "null"
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, yamlScalar(e))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case []pair:
		var all []string
		for _, m := range v {
			all = append(all, yamlScalar(m.name)+": "+yamlScalar(m.value))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func pad(n int) string { return strings.Repeat(" ", n) }
