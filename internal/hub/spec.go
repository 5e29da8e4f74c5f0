package hub

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// AliasPrefix begins the value of a dependency under another name: "db2": "mcpm:@company/db@^1".
const AliasPrefix = "mcpm:"

// Spec is one dependency as mcp.json writes it.
type Spec struct {
	Alias string // the local name, "" when it is the server's own
	Name  Name
	Range string
}

// ID is the name under which a server is in the project: its alias, or its own name. An alias has no slash,
// so it is never the name of a server.
func (s Spec) ID() Name {
	if s.Alias != "" {
		return Name(s.Alias)
	}
	return s.Name
}

var aliasRE = lazyregexp.New(`^[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?$`)

// ParseSpec reads a member of "dependencies": a server's name and a range, or a name of one's own and
// "mcpm:NAME@RANGE". The range itself is read by ParseRange. Invalid when a name is none.
func ParseSpec(key, value string) (Spec, error) {
	target, ok := strings.CutPrefix(strings.TrimSpace(value), AliasPrefix)
	if !ok {
		n, err := ParseMirrorName(key)
		return Spec{Name: n, Range: value}, err
	}
	if !aliasRE.MatchString(key) {
		return Spec{}, Errorf(Invalid, "%s is not a name for an alias", quote(key)).
			WithHint("use a-z, 0-9, '.', '_' and '-', such as db2; without a slash, which only servers have")
	}
	name, rng := target, ""
	if i := strings.LastIndexByte(target, '@'); i > 0 {
		name, rng = target[:i], target[i+1:]
	}
	n, err := ParseMirrorName(name)
	if err != nil {
		return Spec{}, Errorf(Invalid, "%s is not what an alias stands for", quote(value)).
			WithHint("write %s@scope/name@RANGE, such as %s@acme/db@^1", AliasPrefix, AliasPrefix)
	}
	if strings.HasPrefix(strings.TrimSpace(rng), AliasPrefix) {
		return Spec{}, Errorf(Invalid, "%s: an alias cannot stand for an alias", quote(value))
	}
	return Spec{Alias: key, Name: n, Range: rng}, nil
}

// Value is what mcp.json says of the dependency: the range, or "mcpm:NAME@RANGE" of an alias.
func (s Spec) Value() string {
	if s.Alias == "" {
		return s.Range
	}
	if s.Range == "" {
		return AliasPrefix + s.Name.String()
	}
	return AliasPrefix + s.Name.String() + "@" + s.Range
}

// ParseSpecs reads groups of dependencies by the names they have in the project; a later group counts more. What cannot be
// read is left out, and the first such error returned.
func ParseSpecs(groups ...map[string]string) (map[Name]Spec, error) {
	out := map[Name]Spec{}
	var failed error
	for _, deps := range groups {
		for _, key := range slices.Sorted(maps.Keys(deps)) {
			s, err := ParseSpec(key, deps[key])
			if err == nil {
				out[s.ID()] = s
			} else if failed == nil {
				failed = err
			}
		}
	}
	return out, failed
}

// ParseLocalName reads the name under which a server is in a project: its own, or an alias. Invalid when it is neither.
func ParseLocalName(s string) (Name, error) {
	if aliasRE.MatchString(s) {
		return Name(s), nil
	}
	return ParseMirrorName(s)
}

// IsAlias reports whether a name is one of a project's own, that stands for a server.
func (n Name) IsAlias() bool { return n != "" && !strings.Contains(string(n), "/") }

// LocalPrefix begins the range of a dependency on another member of the same workspace.
const LocalPrefix = "workspace:"

// LocalRange returns what a range such as "workspace:^1.2" asks of the version of a member, where "^" and "~" alone ask
// nothing; ok is false for the ranges of others, which come back as they are.
func LocalRange(s string) (rng string, ok bool) {
	rng, ok = strings.CutPrefix(strings.TrimSpace(s), LocalPrefix)
	if rng = strings.TrimSpace(rng); ok && (rng == "^" || rng == "~") {
		rng = "*"
	}
	return rng, ok
}
