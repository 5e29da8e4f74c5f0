package hub

import (
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// Limits of a server's name.
const (
	MaxScope      = 39  // characters of a hub scope
	MaxName       = 100 // characters after the slash
	MaxMirrorName = 200 // characters of a whole mirrored name (official registry schema)
)

var (
	scopeRE  = lazyregexp.New(`^[a-z0-9](-?[a-z0-9])*$`)
	dnsRE    = lazyregexp.New(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
	nameRE   = lazyregexp.New(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)
	mirrorRE = lazyregexp.New(`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?/[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$`)
)

// Name is a server's name in its stored spelling, "scope/name", without the "@".
// "@company/server" and "company/server" are the same Name.
type Name string

// ParseName reads the name of a server that is published to this hub, in either spelling. It fails with
// Invalid, saying which part breaks which rule.
func ParseName(s string) (Name, error) {
	scope, name, err := splitName(s)
	if err != nil {
		return "", err
	}
	switch {
	case strings.Contains(scope, "."):
		if len(scope) > 128 || !dnsRE.MatchString(scope) {
			return "", invalidName(s, "the namespace %q is not a reverse domain name in lower case", scope)
		}
	case len(scope) < 2 || len(scope) > MaxScope:
		return "", invalidName(s, "the scope %q is %d long; it needs 2 to %d characters", scope, len(scope), MaxScope)
	case !scopeRE.MatchString(scope):
		return "", invalidName(s, "the scope %q may hold a-z, 0-9 and single hyphens between them", scope)
	}
	if len(name) < 2 || len(name) > MaxName {
		return "", invalidName(s, "%q is %d long; it needs 2 to %d characters", name, len(name), MaxName)
	}
	if !nameRE.MatchString(name) {
		return "", invalidName(s, "%q may hold a-z, 0-9, '.', '_' and '-', and starts and ends with a letter or digit", name)
	}
	return Name(scope + "/" + name), nil
}

// ParseMirrorName reads a name under the wider rule of the official registry (letters of either case,
// at most 200 characters), for servers that come from elsewhere and for look-ups.
func ParseMirrorName(s string) (Name, error) {
	scope, name, err := splitName(s)
	if err != nil {
		return "", err
	}
	full := scope + "/" + name
	if len(full) > MaxMirrorName || !mirrorRE.MatchString(full) {
		return "", invalidName(s, "it must be namespace/name of letters, digits, '.', '_' and '-', at most %d characters", MaxMirrorName)
	}
	return Name(full), nil
}

func splitName(s string) (scope, name string, err error) {
	scope, name, ok := strings.Cut(strings.TrimPrefix(s, "@"), "/")
	if !ok || scope == "" || name == "" || strings.Contains(name, "/") {
		return "", "", invalidName(s, "it must be one scope and one name with one slash between")
	}
	if strings.HasPrefix(s, "@") && strings.Contains(scope, ".") {
		return "", "", invalidName(s, "a reverse-DNS namespace is written without the @")
	}
	return scope, name, nil
}

func invalidName(s, format string, args ...any) error {
	e := Errorf(Invalid, format, args...)
	e.Message = "server name " + quote(s) + ": " + e.Message
	return e.WithHint(`write @scope/name, such as @acme/postgres, or a reverse domain, such as io.github.acme/postgres`)
}

// quote shows an untrusted string in a message: quoted, escaped, and cut at 80 bytes.
func quote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "..."
	}
	return strconv.Quote(s)
}

// Scope returns the part before the slash: the namespace that owns the server.
func (n Name) Scope() string { s, _, _ := strings.Cut(string(n), "/"); return s }

// Base returns the part after the slash.
func (n Name) Base() string { _, b, _ := strings.Cut(string(n), "/"); return b }

// ReverseDNS reports whether the scope is a reverse domain name rather than a hub scope.
func (n Name) ReverseDNS() bool { return strings.Contains(n.Scope(), ".") }

// String returns the spelling for people: "@scope/name" for a hub scope, "io.github.x/name" otherwise.
func (n Name) String() string {
	if n == "" || n.ReverseDNS() {
		return string(n)
	}
	return "@" + string(n)
}

// Claim returns the form under which a name is taken: names that differ only in case, '-', '_' or '.'
// after the slash are one claim. The scope counts in lower case.
func (n Name) Claim() string {
	base := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(n.Base()))
	return strings.ToLower(n.Scope()) + "/" + base
}

// ParseScope checks a namespace on its own: a hub scope (with or without "@") or a reverse domain name.
func ParseScope(s string) (string, error) {
	n, err := ParseName(strings.TrimPrefix(s, "@") + "/xx")
	if err != nil {
		return "", Errorf(Invalid, "namespace %s: a scope of a-z, 0-9 and single hyphens (2 to %d characters), or a reverse domain name", quote(s), MaxScope).
			WithHint("write acme, or io.github.acme")
	}
	return n.Scope(), nil
}
