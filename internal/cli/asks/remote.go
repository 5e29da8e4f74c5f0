package asks

import (
	"net/url"
	"slices"

	"github.com/mcphub/mcphub/internal/manifest"
)

// Remote lists the hosts a server runs at, sorted; nil for one that can be started on this machine.
func Remote(m *manifest.Manifest) []string {
	var out []string
	for _, s := range m.Servers {
		address := s.URL
		if s.Remote != nil {
			address = s.Remote.URL
		}
		u, err := url.Parse(address)
		if s.Command != "" || s.Package != nil || err != nil || u.Host == "" {
			return nil
		}
		if !slices.Contains(out, u.Host) {
			out = append(out, u.Host)
		}
	}
	slices.Sort(out)
	return out
}
