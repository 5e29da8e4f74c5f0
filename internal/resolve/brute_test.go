package resolve_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// brute solves as the documentation of Solver says, with no cleverness: what is asked for first is decided first,
// the best version first, and the first set in which everything fits is the answer. It knows nothing of clauses.
type brute struct {
	shelf  *shelf
	locked map[hub.Name]string
	lowest bool
	chosen map[hub.Name]string
	queue  []hub.Name
	wants  map[hub.Name][]string
	steps  int
}

func (b *brute) candidates(name hub.Name) []string {
	o := b.shelf.offers[name]
	tier := func(v resolve.Version) int {
		t := 0
		if hub.Prerelease(v.Version) {
			t += 2
		}
		if v.State == hub.Deprecated {
			t++
		}
		return t
	}
	var out []string
	vs := slices.Clone(o.Versions)
	slices.SortFunc(vs, func(x, y resolve.Version) int {
		if d := tier(x) - tier(y); d != 0 {
			return d
		}
		c := hub.CompareVersions(x.Version, x.PublishedAt, y.Version, y.PublishedAt)
		if !b.lowest {
			c = -c
		}
		return c
	})
	for _, v := range vs {
		isLocked := b.locked[name] == v.Version
		if !(v.State.Resolvable() || isLocked && v.State.Fetchable()) {
			continue
		}
		if isLocked && !b.lowest {
			out = append([]string{v.Version}, out...)
		} else if v.State.Resolvable() {
			out = append(out, v.Version)
		}
	}
	for _, v := range vs { // a yanked one that is locked comes last of all, when nobody prefers it
		if b.lowest && b.locked[name] == v.Version && v.State == hub.Yanked {
			out = append(out, v.Version)
		}
	}
	return out
}

func (b *brute) fits(name hub.Name, version string) bool {
	for _, w := range b.wants[name] {
		r, err := resolve.ParseRange(w)
		if err != nil || !r.Fits(version, nil) {
			return false
		}
	}
	return true
}

func (b *brute) run(level int) bool {
	if level == len(b.queue) {
		return true
	}
	name := b.queue[level]
	for _, v := range b.candidates(name) {
		if b.steps++; b.steps > 200_000 {
			return false
		}
		if !b.fits(name, v) {
			continue
		}
		b.chosen[name] = v
		deps := b.shelf.needs[string(name)+" "+v].Dependencies
		n, ok := len(b.queue), true
		for _, d := range slices.Sorted(maps.Keys(deps)) {
			dep := hub.Name(d)
			b.wants[dep] = append(b.wants[dep], deps[d])
			if !slices.Contains(b.queue, dep) {
				b.queue = append(b.queue, dep)
			}
			if at := b.chosen[dep]; at != "" && !b.fits(dep, at) {
				ok = false
			}
		}
		if ok && b.run(level+1) {
			return true
		}
		b.queue = b.queue[:n]
		for d := range deps {
			b.wants[hub.Name(d)] = b.wants[hub.Name(d)][:len(b.wants[hub.Name(d)])-1]
		}
		delete(b.chosen, name)
	}
	return false
}

// graph makes up a small hub, as text.
func graph(r *rand.Rand) string {
	n := 2 + r.IntN(6)
	versions := []string{"0.1.0", "0.2.0", "1.0.0", "1.1.0", "1.1.1", "1.2.0-beta.1", "2.0.0", "2.1.0", "3.0.0-rc.1"}
	ranges := []string{"*", "^1.0.0", "^2", "~1.1", ">=1.1 <2.1", "1.x || 2.x", "<2", "0.x", "^1.2.0-beta.1", "2.0.0", ">=2", "1.0.0 - 1.1"}
	var lines []string
	for p := range n {
		for _, v := range versions {
			if r.IntN(3) == 0 {
				continue
			}
			line := fmt.Sprintf("p/p%d %s", p, v)
			switch r.IntN(12) {
			case 0:
				line += " yanked"
			case 1:
				line += " deprecated"
			case 2:
				line += " quarantined"
			}
			var deps []string
			for d := range n {
				if d != p && r.IntN(n) < 2 || r.IntN(40) == 0 {
					deps = append(deps, fmt.Sprintf("p/p%d %s", d, ranges[r.IntN(len(ranges))]))
				}
			}
			if len(deps) > 0 {
				line += " -> " + strings.Join(deps, ", ")
			}
			lines = append(lines, line)
		}
		lines = append(lines, fmt.Sprintf("p/p%d 9.9.9 yanked", p)) // so that every server exists
	}
	return strings.Join(lines, "\n")
}

// TestAgainstBruteForce: on small graphs the solver gives the very answer of a search that tries everything, in all
// preferences, or both give none; what it advises is then true. The same question has the same answer.
func TestAgainstBruteForce(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	solved, refused := 0, 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		text := graph(r)
		stock := newShelf(t, text)
		b := &brute{shelf: stock, locked: map[hub.Name]string{}, lowest: seed%3 == 2, chosen: map[hub.Name]string{}, wants: map[hub.Name][]string{}}
		var roots []resolve.Root
		for p := range 1 + r.IntN(2) {
			root := resolve.Root{Name: hub.Name(fmt.Sprintf("p/p%d", p)), Range: []string{"*", "^1", "^2.0.0", ">=1"}[r.IntN(4)], From: "your project"}
			roots = append(roots, root)
			b.wants[root.Name] = []string{root.Range}
		}
		if seed%3 == 1 {
			for name, o := range stock.offers {
				if r.IntN(2) == 0 {
					b.locked[name] = o.Versions[r.IntN(len(o.Versions))].Version
				}
			}
		}
		for _, kept := range []bool{true, false} { // of the roots, what is locked is decided first
			for _, root := range roots {
				v := b.locked[root.Name]
				if is := v != "" && b.fits(root.Name, v) && slices.Contains(b.candidates(root.Name), v); is == kept {
					b.queue = append(b.queue, root.Name)
				}
			}
		}
		solver := resolve.Solver{Provider: stock}
		if b.lowest {
			solver.Prefer = resolve.PreferLowest
		}
		got, err := solver.Resolve(t.Context(), roots, b.locked)
		again, err2 := solver.Resolve(t.Context(), roots, b.locked)
		if fmt.Sprint(got, detail(err)) != fmt.Sprint(again, detail(err2)) {
			t.Fatalf("seed %d: two answers:\n%v %v\n%v %v", seed, got, detail(err), again, detail(err2))
		}
		want := b.run(0)
		if b.steps > 200_000 {
			continue
		}
		if want != (err == nil) || err != nil && hub.KindOf(err) != hub.Conflict {
			t.Fatalf("seed %d: solver says %v, trying everything says %v\n%s", seed, detail(err), b.chosen, text)
		}
		if err != nil {
			refused++
			checkAdvice(t, seed, solver, roots, b.locked, err.(*hub.Error))
			continue
		}
		solved++
		have := map[hub.Name]string{}
		for _, c := range got {
			have[c.Name] = c.Version
		}
		if !maps.Equal(have, b.chosen) {
			t.Fatalf("seed %d: %v, trying everything gives %v\n%s", seed, have, b.chosen, text)
		}
	}
	if solved < rounds/10 || refused < rounds/10 {
		t.Errorf("%d solved and %d refused say little", solved, refused)
	}
}

// checkAdvice does what every "mcpm install" in a hint says.
func checkAdvice(t *testing.T, seed int, s resolve.Solver, roots []resolve.Root, locked map[hub.Name]string, e *hub.Error) {
	t.Helper()
	if len(e.Issues) == 0 || e.Hint == "" {
		t.Fatalf("seed %d: %s with %d sentences and the hint %q", seed, e, len(e.Issues), e.Hint)
	}
	for line := range strings.SplitSeq(e.Hint, "\n") {
		_, args, ok := strings.Cut(line, "mcpm install ")
		if !ok {
			continue
		}
		next, lock := slices.Clone(roots), maps.Clone(locked)
		for arg := range strings.FieldsSeq(args) {
			if arg == "-D" {
				continue
			}
			name, rng, _ := strings.Cut(strings.TrimPrefix(arg, "@"), "@")
			i := slices.IndexFunc(next, func(r resolve.Root) bool { return string(r.Name) == name })
			if i < 0 {
				t.Fatalf("seed %d: %q speaks of something else", seed, line)
			}
			next[i].Range, next[i].From = rng, ""
			delete(lock, next[i].Name)
		}
		if _, err := s.Resolve(t.Context(), next, lock); err != nil {
			t.Fatalf("seed %d: %q does not help: %s", seed, line, detail(err))
		}
	}
}

// detail is all of an error that a person sees.
func detail(err error) string {
	e, ok := err.(*hub.Error)
	if !ok {
		return fmt.Sprint(err)
	}
	lines := []string{"error: " + e.Message}
	for _, i := range e.Issues {
		lines = append(lines, "  "+i.Message)
	}
	return strings.Join(append(lines, "hint: "+strings.ReplaceAll(e.Hint, "\n", "\n      ")), "\n")
}
