// Package resolve chooses versions. It is pure: what exists comes through a Provider, and the same
// answers give the same solution. Resolver is the seam: Highest, here, takes the highest version that
// fits all ranges it has seen; a solver that searches can stand in its place.
package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// Version is one version on offer.
type Version struct {
	Version     string
	State       hub.State
	Message     string // why it is deprecated or yanked
	PublishedAt time.Time
}

// Offer is everything there is of one server.
type Offer struct {
	Name     hub.Name
	DistTags map[string]string // "latest", "beta" ... to a version
	Versions []Version         // in any order
}

// Provider says what exists.
type Provider interface {
	// Offer returns all versions of a server. NotFound when there is no such server.
	Offer(ctx context.Context, name hub.Name) (*Offer, error)

	// Dependencies returns the ranges a version asks of other servers; their keys are names in either
	// spelling.
	Dependencies(ctx context.Context, name hub.Name, version string) (map[string]string, error)
}

// Root is a requirement from outside: of the project, or of the command line.
type Root struct {
	Name  hub.Name
	Range string // npm syntax, an exact version or a dist-tag; "" is "latest"
	From  string // who asks, as it is told in a conflict: "your project"
}

// Choice is the version taken of one server.
type Choice struct {
	Name         hub.Name
	Version      string
	State        hub.State
	Message      string
	Dependencies map[hub.Name]string // as the version's manifest asks
	Kept         bool                // it was locked and still fits
}

// Solution is one version of each server that is needed, sorted by name.
type Solution []Choice

// Find returns the choice for a server.
func (s Solution) Find(name hub.Name) (Choice, bool) {
	for _, c := range s {
		if c.Name == name {
			return c, true
		}
	}
	return Choice{}, false
}

// Resolver chooses one version of every server that the roots need, directly or not. A version in locked
// is kept while it fits, even when it was yanked since. Conflict when nothing fits all, NotFound when a
// server does not exist.
type Resolver interface {
	Resolve(ctx context.Context, roots []Root, locked map[hub.Name]string) (Solution, error)
}

// Highest resolves by taking, for each server, the highest version that fits every range asked of it.
// It does not go back to a lower version of one server to make another fit; where that would be needed
// it reports the conflict.
type Highest struct{ Provider Provider }

// maxRounds bounds how often a late range may change an earlier choice.
const maxRounds = 100

// want is one range asked of a server, and by whom.
type want struct{ rng, from string }

// Resolve implements Resolver.
func (h Highest) Resolve(ctx context.Context, roots []Root, locked map[hub.Name]string) (Solution, error) {
	chosen := map[hub.Name]Choice{}
	offers := map[hub.Name]*Offer{}
	for range maxRounds {
		wants, order := gather(roots, chosen)
		changed := false
		for _, name := range order {
			if offers[name] == nil {
				o, err := h.Provider.Offer(ctx, name)
				if err != nil {
					return nil, missing(err, name, wants[name])
				}
				offers[name] = o
			}
			v, kept, err := pick(offers[name], wants[name], locked[name])
			if err != nil {
				return nil, err
			}
			if old, ok := chosen[name]; ok && old.Version == v.Version {
				continue
			}
			deps, err := h.dependencies(ctx, name, v.Version)
			if err != nil {
				return nil, err
			}
			chosen[name] = Choice{name, v.Version, v.State, v.Message, deps, kept}
			changed = true
		}
		for name := range chosen { // what only a discarded version needed
			if wants[name] == nil {
				delete(chosen, name)
			}
		}
		if !changed {
			return sorted(chosen), nil
		}
	}
	return nil, hub.Errorf(hub.Conflict, "no set of versions was found in %d rounds", maxRounds).
		WithHint("pin one of the servers to an exact version, such as mcpm install NAME@1.2.3")
}

func (h Highest) dependencies(ctx context.Context, name hub.Name, version string) (map[hub.Name]string, error) {
	raw, err := h.Provider.Dependencies(ctx, name, version)
	if err != nil {
		return nil, err
	}
	var out map[hub.Name]string
	for dep, rng := range raw {
		n, err := hub.ParseMirrorName(dep)
		if err != nil {
			return nil, hub.Errorf(hub.Invalid, "%s %s depends on %q, which is no server name", name, version, dep)
		}
		if out == nil {
			out = map[hub.Name]string{}
		}
		out[n] = rng
	}
	return out, nil
}

// gather walks from the roots along the chosen versions and returns what is asked of each server, and the
// servers in the order they were met (roots first, then by name), so that runs are alike.
func gather(roots []Root, chosen map[hub.Name]Choice) (map[hub.Name][]want, []hub.Name) {
	wants := map[hub.Name][]want{}
	var order []hub.Name
	add := func(name hub.Name, w want) {
		if wants[name] == nil {
			order = append(order, name)
		}
		wants[name] = append(wants[name], w)
	}
	for _, r := range roots {
		add(r.Name, want{r.Range, r.From})
	}
	for i := 0; i < len(order); i++ {
		c, ok := chosen[order[i]]
		if !ok {
			continue
		}
		deps := make([]hub.Name, 0, len(c.Dependencies))
		for d := range c.Dependencies {
			deps = append(deps, d)
		}
		slices.Sort(deps)
		for _, d := range deps {
			add(d, want{c.Dependencies[d], c.Name.String() + " " + c.Version})
		}
	}
	return wants, order
}

func sorted(chosen map[hub.Name]Choice) Solution {
	out := make(Solution, 0, len(chosen))
	for _, c := range chosen {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Choice) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out
}

// missing says who asked for a server that is not there.
func missing(err error, name hub.Name, wants []want) error {
	if hub.KindOf(err) != hub.NotFound || len(wants) == 0 || wants[0].from == "" {
		return err
	}
	return hub.Errorf(hub.NotFound, "%s asks for %s, which the registry does not have", wants[0].from, name).
		WithHint("mcpm search %s", name.Base()).WithCause(fmt.Errorf("offer of %s: %w", name, err))
}
