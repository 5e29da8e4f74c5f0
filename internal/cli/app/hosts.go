package app

import (
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// FindHost returns the host application that a person named by id or by name. NotFound, with a guess, for one
// that mcpm does not know.
func FindHost(s string) (hosts.Host, error) {
	var ids []string
	for _, h := range hosts.All() {
		if strings.EqualFold(s, h.ID) || strings.EqualFold(s, h.Name) {
			return h, nil
		}
		ids = append(ids, h.ID)
	}
	e := hub.Errorf(hub.NotFound, "mcpm knows no host application %q", s)
	if near := jsonc.Nearest(strings.ToLower(s), ids); near != "" {
		return hosts.Host{}, e.WithHint("did you mean %s?", near)
	}
	return hosts.Host{}, e.WithHint("mcpm hosts list names them")
}
