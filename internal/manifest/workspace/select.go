package workspace

import (
	"path"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Member is one server of a workspace.
type Member struct {
	Name    hub.Name // "" when its mcp.json gives it none
	Dir     string   // below the root, with slashes
	Version string
	Needs   map[hub.Name]string // the members that it asks for by "workspace:" ranges, and those
}

// String names a member for people.
func (m Member) String() string {
	if m.Name == "" {
		return m.Dir
	}
	return m.Name.String()
}

// Named returns the member that a person named: by its name, its directory, or its name without the scope when only one
// is called so. NotFound when there is none, Invalid when several are meant.
func Named(all []Member, s string) (Member, error) {
	dir := path.Clean(strings.TrimSuffix(s, "/"))
	var short []Member
	for _, m := range all {
		if m.Dir == dir || m.Name != "" && (m.Name.String() == s || string(m.Name) == s) {
			return m, nil
		}
		if m.Name != "" && m.Name.Base() == s {
			short = append(short, m)
		}
	}
	switch len(short) {
	case 0:
	case 1:
		return short[0], nil
	default:
		return Member{}, hub.Errorf(hub.Invalid, "%.80q means %s and %s", s, short[0], short[1]).WithHint("write the whole name, or the directory")
	}
	var names []string
	for _, m := range all {
		names = append(names, m.String())
	}
	e := hub.Errorf(hub.NotFound, "no member of this workspace is called %.80q", s)
	if len(names) == 0 {
		return Member{}, e.WithHint("no directory that \"workspaces\" of mcp.json means has an mcp.json")
	}
	return Member{}, e.WithHint("there are %s", strings.Join(names[:min(len(names), 8)], ", "))
}

// Filter returns the members that any of some filters means: a glob of the name, such as "@acme/*", or of the path, such as
// "./servers/*"; a leading "!" takes members out again. With nothing but those, they are taken out of all. Invalid when a
// filter is no pattern, NotFound when one that is not negated means no member.
func Filter(all []Member, filters []string) ([]Member, error) {
	keep := map[string]bool{}
	for _, f := range filters {
		if strings.HasPrefix(f, "!") {
			continue
		}
		n := 0
		for _, m := range all {
			ok, err := meant(m, f)
			if err != nil {
				return nil, err
			}
			if ok {
				keep[m.Dir], n = true, n+1
			}
		}
		if n == 0 {
			return nil, hub.Errorf(hub.NotFound, "--filter %.80q means no member of this workspace", f).WithHint(`a filter is a name such as "@acme/*", or a path such as "./servers/*"`)
		}
	}
	only := !slices.ContainsFunc(filters, func(f string) bool { return !strings.HasPrefix(f, "!") })
	var out []Member
	for _, m := range all {
		in := keep[m.Dir] || only
		for _, f := range filters {
			if f, not := strings.CutPrefix(f, "!"); not {
				ok, err := meant(m, f)
				if err != nil {
					return nil, err
				}
				in = in && !ok
			}
		}
		if in {
			out = append(out, m)
		}
	}
	return out, nil
}

// meant reports whether a filter without its "!" means a member.
func meant(m Member, f string) (bool, error) {
	bad := hub.Errorf(hub.Invalid, "--filter %.80q is no pattern", f).WithHint(`a filter is a name such as "@acme/*", or a path such as "./servers/*"`)
	if rel, ok := strings.CutPrefix(f, "./"); ok {
		if check(rel) != nil {
			return false, bad
		}
		return Matches([]string{rel}, m.Dir), nil
	}
	if _, err := path.Match(f, ""); err != nil || f == "" || len(f) > maxPattern {
		return false, bad
	}
	ok, _ := path.Match(f, m.Name.String()) // it was tried
	return ok && m.Name != "", nil
}

// Order sorts members so that each comes after those it needs, and otherwise by directory. Conflict names a circle.
func Order(members []Member) ([]Member, error) {
	byName := map[hub.Name]Member{}
	for _, m := range members {
		byName[m.Name] = m
	}
	var out []Member
	state := map[string]int{} // 1 is being visited, 2 is done
	var visit func(m Member, chain []string) error
	visit = func(m Member, chain []string) error {
		chain = append(slices.Clone(chain), m.String())
		switch state[m.Dir] {
		case 1:
			return hub.Errorf(hub.Conflict, "members of this workspace need one another: %s", strings.Join(chain, " needs ")).WithHint("take one of these dependencies out")
		case 2:
			return nil
		}
		state[m.Dir] = 1
		for _, n := range slices.Sorted(keys(m.Needs)) {
			if on, ok := byName[n]; ok {
				if err := visit(on, chain); err != nil {
					return err
				}
			}
		}
		state[m.Dir] = 2
		out = append(out, m)
		return nil
	}
	for _, m := range slices.SortedFunc(slices.Values(members), func(a, b Member) int { return strings.Compare(a.Dir, b.Dir) }) {
		if err := visit(m, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}
