package app

import (
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/edit"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// ReadManifest reads a project's mcp.json and its text. Both are nil when there is none.
func ReadManifest(p install.Project) (*manifest.Manifest, []byte, error) {
	text, err := install.ReadFile(p.Manifest(), jsonc.MaxBytes)
	if err != nil || text == nil {
		return nil, nil, err
	}
	m, _, err := manifest.Parse(text)
	if err != nil {
		e := hub.Errorf(hub.KindOf(err), "%s", strings.Replace(err.Error(), install.ManifestFile, p.Manifest(), 1))
		return nil, nil, e.WithHint("mend the file; mcpm changed nothing")
	}
	return m, text, nil
}

// DependencyLines returns the line of mcp.json on which each dependency stands.
func DependencyLines(text []byte) map[hub.Name]int {
	lines := map[hub.Name]int{}
	doc, err := jsonc.Parse(install.ManifestFile, text, true)
	if err != nil {
		return lines // there is none, or whoever needs what is in it says so
	}
	for _, group := range []string{edit.DevDependencies, edit.Dependencies} { // the latter counts
		if deps := doc.Get(group); deps != nil {
			for _, m := range deps.Members {
				if n, err := hub.ParseLocalName(m.Name); err == nil {
					lines[n] = m.Line
				}
			}
		}
	}
	return lines
}

// CompareNames orders names for slices.SortFunc.
func CompareNames(a, b hub.Name) int { return strings.Compare(string(a), string(b)) }

// HostNames spells host ids for people: "Claude Desktop, Cursor and VS Code".
func HostNames(ids []string) string {
	var names []string
	for _, id := range ids {
		if h, ok := hosts.ByID(id); ok {
			names = append(names, h.Name)
		}
	}
	return AndList(names)
}

// AndList writes "a, b and c".
func AndList(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Closest names a locked server that a person may have meant.
func Closest(lock *install.Lockfile, name hub.Name) string {
	var names []string
	for _, n := range lock.Names() {
		if n.Base() == name.Base() {
			return n.String()
		}
		names = append(names, n.String())
	}
	slices.Sort(names)
	return jsonc.Nearest(name.String(), names)
}

// SortNames orders names.
func SortNames(names []hub.Name) { slices.SortFunc(names, CompareNames) }
