package app

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// Ref is an argument NAME or NAME@RANGE.
type Ref struct {
	Name  hub.Name // in the project: the server's own, or an alias
	Of    hub.Name // the server, where an argument says what an alias stands for
	Rng   resolve.Range
	Local string // the range, where it is one for a member of the workspace: "workspace:^"
	Given bool   // a range was written
}

// MaxRef is the longest argument that is read.
const MaxRef = 600

// ParseRef reads NAME[@RANGE] of a server. The "@" that starts a scope is not the one before the range.
func ParseRef(s string) (Ref, error) { return parseRef(s, hub.ParseMirrorName) }

// ParseLocal reads the same of what is in a project, where an alias is a name, too.
func ParseLocal(s string) (Ref, error) { return parseRef(s, hub.ParseLocalName) }

// ParseAsked reads what is to be installed: NAME[@RANGE], ALIAS[@RANGE] of one that is there, or ALIAS@mcpm:NAME[@RANGE].
func ParseAsked(s string) (Ref, error) {
	if name, rng, ok := strings.Cut(s, "@"+hub.LocalPrefix); ok && len(s) <= MaxRef { // a member of the workspace
		n, err := hub.ParseMirrorName(name)
		if err != nil {
			return Ref{}, err
		}
		if _, err := hub.ParseSpec(name, hub.LocalPrefix+rng); err != nil {
			return Ref{}, err
		}
		return Ref{Name: n, Local: hub.LocalPrefix + rng, Given: true}, nil
	}
	alias, target, ok := strings.Cut(s, "@"+hub.AliasPrefix)
	if !ok || len(s) > MaxRef {
		return ParseLocal(s)
	}
	spec, err := hub.ParseSpec(alias, hub.AliasPrefix+target)
	if err != nil {
		return Ref{}, err
	}
	r, err := resolve.ParseRange(spec.Range)
	return Ref{Name: spec.ID(), Of: spec.Name, Rng: r, Given: true}, err
}

func parseRef(s string, parse func(string) (hub.Name, error)) (Ref, error) {
	if len(s) > MaxRef {
		return Ref{}, Usage("the argument %.40q... has %d characters; at most %d are read", s, len(s), MaxRef)
	}
	name, rng, given := s, "", false
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		name, rng, given = s[:i], s[i+1:], true
	}
	if given && strings.TrimSpace(rng) == "" {
		return Ref{}, Usage("%q ends with an @", s).WithHint("write %s@1.2.3, %s@^1.2 or just %s", name, name, name)
	}
	n, err := parse(name)
	if err != nil {
		if !strings.Contains(name, "/") && name != "" && !strings.HasPrefix(name, ".") {
			return Ref{}, NoScope(s)
		}
		return Ref{}, err
	}
	r, err := resolve.ParseRange(rng)
	if err != nil {
		return Ref{}, err
	}
	return Ref{Name: n, Rng: r, Given: given}, nil
}

// NoScope is the error about a word that is no server's name, and no alias either.
func NoScope(s string) error {
	name := strings.TrimPrefix(s, "@")
	if i := strings.IndexByte(name, '@'); i > 0 {
		name = name[:i]
	}
	return Usage("%q is not a server's name: the scope is missing", s).WithHint("mcpm search %s", name)
}

// ParseRefs reads several with ParseLocal or another; naming a server twice is a mistake.
func ParseRefs(args []string, parse func(string) (Ref, error)) ([]Ref, error) {
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
