package app

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// FindHost returns the host application that a person named by id or by name. NotFound, with a guess, for one
// that mcpm does not know.
func FindHost(s string) (hosts.Host, error) {
	var ids, begun []string
	for _, h := range hosts.All() {
		if s != "" && strings.HasPrefix(h.ID, strings.ToLower(s)) {
			begun = append(begun, h.ID)
		}
		if strings.EqualFold(s, h.ID) || strings.EqualFold(s, h.Name) {
			return h, nil
		}
		ids = append(ids, h.ID)
	}
	e := hub.Errorf(hub.NotFound, "mcpm knows no host application %q", s)
	if len(begun) > 0 {
		return hosts.Host{}, e.WithHint("did you mean %s?", strings.Join(begun, " or "))
	}
	if near := jsonc.Nearest(strings.ToLower(s), ids); near != "" {
		return hosts.Host{}, e.WithHint("did you mean %s?", near)
	}
	return hosts.Host{}, e.WithHint("mcpm hosts list names them")
}

// WantOf returns what host applications are to have of a project: the servers that its mcp.json names and its
// lockfile has. Those that are not installed are returned too.
func WantOf(p install.Project) (install.Want, []hub.Name, error) {
	w := install.Want{Project: p}
	m, _, err := ReadManifest(p)
	if err != nil || m == nil {
		return w, nil, err
	}
	lock, err := install.ReadLock(p)
	if err != nil {
		return w, nil, err
	}
	var missing []hub.Name
	named, err := hub.ParseSpecs(m.DevDependencies, m.Dependencies)
	if err != nil {
		return w, nil, err
	}
	named, _ = workspace.Split(named) // members are linked, and so they are wanted
	for n := range named {
		if lock.Servers[n] == nil {
			missing = append(missing, n)
		} else {
			w.Servers = append(w.Servers, n)
		}
	}
	SortNames(w.Servers)
	SortNames(missing)
	return w, missing, nil
}
