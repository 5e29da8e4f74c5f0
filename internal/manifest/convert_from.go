package manifest

import (
	"fmt"
	"sort"

	"github.com/mcphub/mcphub/internal/hub"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// FromServerJSON returns the manifest that says what sj says. ServerJSON gives sj back. Packages and
// remotes become entries named after their kind ("npm", "oci", "remote"), numbered where their order
// would be lost otherwise.
func FromServerJSON(sj *apiv0.ServerJSON) *Manifest {
	m := &Manifest{
		Name: hub.Name(sj.Name).String(), Version: sj.Version, Title: sj.Title, Description: sj.Description,
		Homepage: sj.WebsiteURL, Icons: sj.Icons,
	}
	if sj.Schema != model.CurrentSchemaURL {
		m.ServerSchema = sj.Schema
	}
	if r := sj.Repository; r != nil {
		m.Repository = &Repository{URL: r.URL, Source: r.Source, ID: r.ID, Subfolder: r.Subfolder}
	}
	if sj.Meta != nil {
		m.PublisherMeta = sj.Meta.PublisherProvided
	}
	if len(sj.Packages)+len(sj.Remotes) == 0 {
		return m
	}
	m.Servers = make(map[string]ServerSpec, len(sj.Packages)+len(sj.Remotes))
	var names []string
	for _, p := range sj.Packages {
		names = append(names, p.RegistryType)
	}
	for i, key := range entryKeys(names, "package") {
		p := sj.Packages[i]
		m.Servers[key] = ServerSpec{Transport: p.Transport.Type, Package: &p}
	}
	names = names[:0]
	for _, r := range sj.Remotes {
		name := "remote"
		if len(sj.Remotes) > 1 && r.Type == model.TransportTypeSSE {
			name = "remote-sse"
		}
		names = append(names, name)
	}
	for i, key := range entryKeys(names, "remote") {
		r := sj.Remotes[i]
		m.Servers[key] = ServerSpec{Transport: r.Type, Remote: &r}
	}
	return m
}

// entryKeys turns names into keys whose sorted order is the given one. They stay as they are when they
// are sorted and differ; otherwise each gets its number in front.
func entryKeys(names []string, fallback string) []string {
	keys := make([]string, len(names))
	plain := sort.StringsAreSorted(names)
	for i, n := range names {
		if i > 0 && n == names[i-1] || !entryRE.MatchString(n) || (fallback == "package" && (n == "remote" || n == "remote-sse")) {
			plain = false
		}
	}
	width := len(fmt.Sprint(len(names)))
	for i, n := range names {
		if keys[i] = n; plain {
			continue
		}
		keys[i] = fmt.Sprintf("%s-%0*d", fallback, width, i+1)
		if fallback == "package" && entryRE.MatchString(n) {
			keys[i] += "-" + n
		}
	}
	return keys
}
