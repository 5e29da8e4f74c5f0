// Package resolve chooses versions. It is pure: what exists comes through a Provider, and the same
// answers give the same solution. Resolver is the seam, Solver the implementation: it reads ranges into
// sets of known versions, lets package pubgrub search, and explains in sentences why nothing fits.
package resolve

import (
	"context"
	"errors"
	"maps"
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
	Requires    Requires // what is known of it without asking for the version itself
}

// Requires is what a version asks of the machine it runs on. The zero value asks nothing.
type Requires struct {
	Engines   map[string]string // "node", "python": a range; "mcp": protocol versions, such as ">=2025-06-18"
	Hosts     []string          // host applications, one of which must be there
	Platforms []string          // "linux/amd64", or "linux" for all of them
}

// Environment is the machine. What it does not know forbids nothing, and is noted.
type Environment struct {
	Engines  map[string]string          // "node": "22.11.0"; several versions are separated by spaces
	Find     func(engine string) string // asked for what Engines does not have, when a version names it; may be nil
	Hosts    []string                   // ids of host applications, such as "cursor"
	Platform string                     // "linux/amd64"
}

// Offer is everything there is of one server.
type Offer struct {
	Name     hub.Name
	DistTags map[string]string // "latest", "beta" ... to a version
	Versions []Version         // in any order
}

// Needs is what one version asks for.
type Needs struct {
	Dependencies map[string]string // as in mcp.json: a name in either spelling and a range, or an alias
	Requires     Requires
}

// Provider says what exists. Its methods are called at the same time from several goroutines.
type Provider interface {
	// Offer returns all versions of a server. NotFound when there is no such server.
	Offer(ctx context.Context, name hub.Name) (*Offer, error)

	// Needs returns what a version asks for. It is called for versions that are about to be chosen.
	Needs(ctx context.Context, name hub.Name, version string) (Needs, error)
}

// ElsewhereError is in a Provider's NotFound where the server was looked for at a registry of its own, to which its scope is
// mapped: who reads of it wonders why the usual one was not asked.
type ElsewhereError struct {
	Registry string // its address
	Err      error
}

func (e *ElsewhereError) Error() string { return e.Err.Error() }

// Unwrap returns what the registry said.
func (e *ElsewhereError) Unwrap() error { return e.Err }

// asked names the registry that did not have a server.
func asked(err error) string {
	if at, ok := errors.AsType[*ElsewhereError](err); ok {
		return at.Registry + " (the registry of its scope)"
	}
	return "the registry"
}

// Root is a requirement from outside: of the project, or of the command line.
type Root struct {
	Name  hub.Name
	Alias string // the name it has in the project, when that is another one
	Range string // npm syntax, an exact version or a dist-tag; "" is "latest"
	From  string // who asks, as it is told in a conflict: "your project"; "" was typed just now
	Where string // the place where it is written, as it is told in a conflict: "mcp.json line 12"
	Flag  string // what leads a command to the project that asks, with a space before it: " -w @acme/web"
	Dev   bool   // from devDependencies
}

// ID is the name under which the server is in the project.
func (r Root) ID() hub.Name { return hub.Spec{Alias: r.Alias, Name: r.Name}.ID() }

// Choice is the version taken of one server.
type Choice struct {
	Name         hub.Name
	Alias        string // "" unless it is there under another name
	Version      string
	State        hub.State
	Message      string
	Dependencies map[hub.Name]string // by ID, as the version's manifest asks
	Kept         bool                // it was locked and still fits
	Dev          bool                // only devDependencies lead to it
	Notes        []string            // what could not be checked: "needs node >=20, and node was not found here"
}

// ID is the name under which the server is in the project: its alias, or its own name.
func (c Choice) ID() hub.Name { return hub.Spec{Alias: c.Alias, Name: c.Name}.ID() }

// Solution is one version of each server that is needed, sorted by ID.
type Solution []Choice

// Find returns the choice for a server, by ID.
func (s Solution) Find(id hub.Name) (Choice, bool) {
	for _, c := range s {
		if c.ID() == id {
			return c, true
		}
	}
	return Choice{}, false
}

// MarkDev sets Dev in every choice, from the roots.
func (s Solution) MarkDev(roots []Root) {
	needed := map[hub.Name]bool{}
	choices := map[hub.Name]*Choice{}
	for i := range s {
		choices[s[i].ID()] = &s[i]
	}
	var todo []hub.Name
	for _, r := range roots {
		if !r.Dev {
			todo = append(todo, r.ID())
		}
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if needed[id] {
			continue
		}
		needed[id] = true
		if c := choices[id]; c != nil {
			todo = slices.AppendSeq(todo, maps.Keys(c.Dependencies))
		}
	}
	for i := range s {
		s[i].Dev = !needed[s[i].ID()]
	}
}

// Resolver chooses one version of every server that the roots need, directly or not. A version in locked
// (by ID) is kept while it fits, even when it was yanked since. Conflict when nothing fits all, NotFound when a
// server does not exist, Invalid when a range of the roots cannot be read.
type Resolver interface {
	Resolve(ctx context.Context, roots []Root, locked map[hub.Name]string) (Solution, error)
}

// Prefer says which of the versions that fit is taken.
type Prefer int

// The preferences. In all of them a stable version goes before a prerelease and one that is not deprecated
// before one that is.
const (
	PreferLocked  Prefer = iota // what is locked, then the highest
	PreferHighest               // the highest, whatever is locked
	PreferLowest                // the lowest: do the ranges in mcp.json tell the truth?
)

// Solver is the Resolver. Servers that the roots name get the best version first, in the order of the
// roots, but those that are locked before the others, so that what is new does not push them; then those that
// these need, in order of name; and so on. A lower version of one is taken only where that makes the rest fit.
type Solver struct {
	Provider  Provider
	Env       Environment
	Overrides map[hub.Name]string // by ID: the range that replaces every other, of the roots as well
	Prefer    Prefer
}

// Resolve implements Resolver.
func (s Solver) Resolve(ctx context.Context, roots []Root, locked map[hub.Name]string) (Solution, error) {
	q := &question{Solver: s, fetch: newFetcher(s.Provider), roots: roots, locked: locked}
	found, failed, err := q.solve(ctx)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed.explain(ctx)
	}
	return found, nil
}

// Matching returns the versions of an offer that are in a range and can be resolved, highest first.
func Matching(o *Offer, r Range) []string {
	tags := withLatest(o)
	var out []string
	for _, v := range resolvable(o) {
		if r.Fits(v.Version, tags) || r.String() == "*" {
			out = append(out, v.Version)
		}
	}
	return out
}

// withLatest returns the dist-tags with "latest" set by rule where the hub did not set it.
func withLatest(o *Offer) map[string]string {
	keys := make([]hub.VersionKey, 0, len(o.Versions))
	for _, v := range o.Versions {
		if v.Version == o.DistTags["latest"] && v.State.Resolvable() {
			return o.DistTags
		}
		if v.State.Resolvable() {
			keys = append(keys, hub.VersionKey{ID: v.Version, Version: v.Version, State: v.State, PublishedAt: v.PublishedAt})
		}
	}
	tags := map[string]string{}
	for k, v := range o.DistTags {
		tags[k] = v
	}
	delete(tags, "latest")
	if latest := hub.Latest(keys); latest != "" {
		tags["latest"] = latest
	}
	return tags
}

// resolvable returns the versions a new resolution may take, highest first.
func resolvable(o *Offer) []Version {
	var out []Version
	for _, v := range o.Versions {
		if v.State.Resolvable() {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b Version) int {
		return hub.CompareVersions(b.Version, b.PublishedAt, a.Version, a.PublishedAt)
	})
	return out
}

func sorted(s Solution) Solution {
	slices.SortFunc(s, func(a, b Choice) int { return strings.Compare(string(a.ID()), string(b.ID())) })
	return s
}
