package resolve

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// AliasPrefix begins the value of a dependency under another name: "db2": "mcpm:@company/db@^1".
const AliasPrefix = "mcpm:"

// Spec is one dependency as mcp.json writes it.
type Spec struct {
	Alias string // the local name, "" when it is the server's own
	Name  hub.Name
	Range string
}

// ID is the name under which a server is in the project: its alias, or its own name. An alias has no slash,
// so it is never the name of a server.
func (s Spec) ID() hub.Name {
	if s.Alias != "" {
		return hub.Name(s.Alias)
	}
	return s.Name
}

var aliasRE = lazyregexp.New(`^[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?$`)

// ParseSpec reads a member of "dependencies": a server's name and a range, or a name of one's own and
// "mcpm:NAME@RANGE". The range itself is read by ParseRange. Invalid when a name is none.
func ParseSpec(key, value string) (Spec, error) {
	target, ok := strings.CutPrefix(strings.TrimSpace(value), AliasPrefix)
	if !ok {
		n, err := hub.ParseMirrorName(key)
		return Spec{Name: n, Range: value}, err
	}
	if !aliasRE.MatchString(key) {
		return Spec{}, hub.Errorf(hub.Invalid, "%q is not a name for an alias", clip(key)).
			WithHint("use a-z, 0-9, '.', '_' and '-', such as db2; without a slash, which only servers have")
	}
	name, rng := target, ""
	if i := strings.LastIndexByte(target, '@'); i > 0 {
		name, rng = target[:i], target[i+1:]
	}
	n, err := hub.ParseMirrorName(name)
	if err != nil {
		return Spec{}, hub.Errorf(hub.Invalid, "%q is not what an alias stands for", clip(value)).
			WithHint("write %s@scope/name@RANGE, such as %s@acme/db@^1", AliasPrefix, AliasPrefix)
	}
	if strings.HasPrefix(strings.TrimSpace(rng), AliasPrefix) {
		return Spec{}, hub.Errorf(hub.Invalid, "%q: an alias cannot stand for an alias", clip(value))
	}
	return Spec{Alias: key, Name: n, Range: rng}, nil
}
