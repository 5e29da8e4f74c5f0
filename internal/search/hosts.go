package search

import (
	"cmp"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
)

// anyHost is the label of a server whose publisher names no host application: any of them can use it through mcpm.
// Engines keep this one label; a label for each host application would be on nearly every server, and be counted
// with every page.
const anyHost = "any"

// asked is what the engines are asked for when people filter so.
func (s *Service) asked(filter hub.Labels) hub.Labels {
	known := func(host string) bool { return slices.Contains(s.hosts, host) }
	if !slices.ContainsFunc(filter[hub.FacetHost], known) {
		return filter
	}
	out := without(filter, hub.FacetHost)
	out[hub.FacetHost] = append([]string{anyHost}, filter[hub.FacetHost]...)
	return out
}

// spread counts servers that any host application can use with each that this hub knows. Hosts with as many servers
// are in the order of the configuration, the best known first.
func (s *Service) spread(counts []hub.FacetCount) []hub.FacetCount {
	i := slices.IndexFunc(counts, func(c hub.FacetCount) bool { return c.Value == anyHost })
	if i >= 0 {
		everywhere := counts[i].Count
		counts = slices.Delete(counts, i, i+1)
		for _, host := range s.hosts {
			if j := slices.IndexFunc(counts, func(c hub.FacetCount) bool { return c.Value == host }); j >= 0 {
				counts[j].Count += everywhere
				continue
			}
			counts = append(counts, hub.FacetCount{Value: host, Count: everywhere})
		}
	}
	slices.SortStableFunc(counts, func(a, b hub.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(s.fame(a.Value), s.fame(b.Value)))
	})
	return counts
}

// fame is the place of a host application among those this hub knows; others come last.
func (s *Service) fame(host string) int {
	if i := slices.Index(s.hosts, host); i >= 0 {
		return i
	}
	return len(s.hosts)
}
