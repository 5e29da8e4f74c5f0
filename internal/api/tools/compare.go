package tools

import (
	"context"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
)

type compareIn struct {
	Names []string `json:"names" jsonschema:"two to five, as search_servers gives them"`
}

type compareOut struct {
	Servers []compared `json:"servers"`
	Shared  []string   `json:"shared" jsonschema:"capabilities that all have, by type and name"`
}

type compared struct {
	found
	License     string       `json:"license,omitempty"`
	Published   string       `json:"published,omitempty"`
	Only        []string     `json:"only" jsonschema:"capabilities that no other of these has, by type and name"`
	Permissions *permissions `json:"permissions,omitempty"`
	Values      []value      `json:"values,omitempty"`
}

const maxCompared = 5

func (t *tools) compare(ctx context.Context, in compareIn) (compareOut, error) {
	names := slices.Compact(slices.Sorted(slices.Values(in.Names)))
	if len(names) < 2 || len(names) > maxCompared {
		return compareOut{}, hub.Errorf(hub.Invalid, "%d servers were named; two to %d are compared", len(names), maxCompared)
	}
	var all []serverOut
	have := map[string]int{}
	for _, name := range names {
		s, err := t.server(ctx, serverIn{Name: name})
		if err != nil {
			return compareOut{}, err
		}
		all = append(all, s)
		for _, c := range s.Capabilities {
			have[c.Type+" "+c.Name]++
		}
	}
	out := compareOut{Shared: []string{}}
	for i, s := range all {
		c := compared{found: s.found, License: s.License, Published: s.Published, Only: []string{}, Permissions: s.Permissions, Values: s.Values}
		for _, offered := range s.Capabilities {
			key := offered.Type + " " + offered.Name
			switch {
			case have[key] == 1:
				c.Only = append(c.Only, key)
			case have[key] == len(all) && i == 0:
				out.Shared = append(out.Shared, key)
			}
		}
		out.Servers = append(out.Servers, c)
	}
	return out, nil
}
