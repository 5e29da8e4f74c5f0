package manifest

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// A variable is ${NAME}. $${NAME} is the text ${NAME}. Nothing else is special, and no shell sees it.
var (
	variableRE = lazyregexp.New(`\$?\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}`)
	soleRE     = lazyregexp.New(`^\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}$`)
)

// knownVariables are filled by mcpm, and need no configuration.
var knownVariables = []string{"version", "name", "workspace", "bundle", "HOME", "USER", "TMPDIR", "PATH"}

// KnownVariable reports whether mcpm itself gives ${name} a value.
func KnownVariable(name string) bool { return slices.Contains(knownVariables, name) }

// Expand replaces each ${NAME} in s by what get returns for NAME; $${NAME} stays as ${NAME}.
func Expand(s string, get func(name string) string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return variableRE.ReplaceAllStringFunc(s, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		return get(found[2 : len(found)-1])
	})
}

// variablesIn returns the names of the variables in s.
func variablesIn(s string) []string {
	var names []string
	Expand(s, func(name string) string { names = append(names, name); return "" })
	return names
}

// soleVariable returns the name when s is nothing but one variable, or "".
func soleVariable(s string) string {
	if p := soleRE.FindStringSubmatch(s); p != nil {
		return p[1]
	}
	return ""
}
