package web

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// The small functions with which templates put facts into words.

// scopeOf is a namespace as people write it.
func scopeOf(n hub.Name) string { return strings.TrimSuffix(hub.Name(n.Scope()+"/x").String(), "/x") }

func publisherPath(n hub.Name) string { return "/publishers/" + url.PathEscape(scopeOf(n)) }

// namePath is the path of a server that is named in a text.
func namePath(name string) string { return ui.ServerPath(hub.Name(strings.TrimPrefix(name, "@"))) }

// capID is the address of a capability on its page.
func capID(c hub.Capability) string {
	return string(c.Type) + "-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, c.Name)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// needed says how many of the values have to be given.
func needed(inputs []input) string {
	n := 0
	for _, in := range inputs {
		if in.Required {
			n++
		}
	}
	switch n {
	case 0:
		return "none of them required"
	case len(inputs):
		return "all required"
	}
	return itoa(n) + " required"
}

// safeLink is an address of a publisher, when it is one for the web.
func safeLink(s string) templ.SafeURL {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return ""
	}
	return templ.SafeURL(u.String())
}

func withoutScheme(s string) string {
	_, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	return strings.TrimSuffix(strings.TrimSuffix(rest, "/"), ".git")
}

func sorted(m map[string]string) [][2]string {
	var out [][2]string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, [2]string{k, m[k]})
	}
	return out
}

func engineWord(e string) string {
	if word := map[string]string{"mcp": "MCP", "node": "Node.js", "python": "Python"}[e]; word != "" {
		return word
	}
	return e
}

func bytesWord(n int64) string {
	switch {
	case n < 1024:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/1024)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// placeWord says on which system and for whom a file is.
func placeWord(p hosts.Path) string {
	system := map[string]string{"linux": "on Linux", "darwin": "on macOS", "windows": "on Windows"}[p.OS]
	if p.Scope == hosts.Project {
		return strings.TrimSpace("in a project " + system)
	}
	return system
}

func withdrawn(versions []*hub.Version) []*hub.Version {
	var out []*hub.Version
	for _, v := range versions {
		if v.State != hub.Published {
			out = append(out, v)
		}
	}
	return out
}
