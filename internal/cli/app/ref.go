package app

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// Ref is an argument NAME or NAME@RANGE.
type Ref struct {
	Name  hub.Name
	Rng   resolve.Range
	Given bool // a range was written
}

// maxRef is the longest argument that is read.
const maxRef = 600

// ParseRef reads NAME[@RANGE]. The "@" that starts a scope is not the one before the range.
func ParseRef(s string) (Ref, error) {
	if len(s) > maxRef {
		return Ref{}, Usage("the argument %.40q... has %d characters; at most %d are read", s, len(s), maxRef)
	}
	name, rng, given := s, "", false
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		name, rng, given = s[:i], s[i+1:], true
	}
	if given && strings.TrimSpace(rng) == "" {
		return Ref{}, Usage("%q ends with an @", s).WithHint("write %s@1.2.3, %s@^1.2 or just %s", name, name, name)
	}
	n, err := hub.ParseMirrorName(name)
	if err != nil {
		if !strings.Contains(name, "/") && name != "" && !strings.HasPrefix(name, ".") {
			return Ref{}, Usage("%q is not a server's name: the scope is missing", s).WithHint("mcpm search %s", strings.TrimPrefix(name, "@"))
		}
		return Ref{}, err
	}
	r, err := resolve.ParseRange(rng)
	if err != nil {
		return Ref{}, err
	}
	return Ref{n, r, given}, nil
}

// ParseRefs reads several; naming a server twice is a mistake.
func ParseRefs(args []string) ([]Ref, error) { return several(args, ParseRef) }

func several(args []string, parse func(string) (Ref, error)) ([]Ref, error) {
	var out []Ref
	seen := map[hub.Name]string{}
	for _, s := range args {
		r, err := parse(s)
		if err != nil {
			return nil, err
		}
		if first, ok := seen[r.Name]; ok {
			return nil, Usage("%s is named twice: %s and %s", r.Name, first, s)
		}
		seen[r.Name] = s
		out = append(out, r)
	}
	return out, nil
}

// ParseVersionRef reads NAME@VERSION for verbs that work on one exact version.
func ParseVersionRef(s, example string) (hub.Name, string, error) {
	r, err := ParseRef(s)
	if err != nil {
		return "", "", err
	}
	if !r.Given {
		return "", "", Usage("%s needs a version", s).WithHint("%s", example)
	}
	return r.Name, r.Rng.String(), nil
}
