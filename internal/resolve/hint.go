package resolve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// maxHints is how many ways out are shown, maxTried how many wishes of the project are changed to find them.
const (
	maxHints = 2
	maxTried = 6
)

// advice returns what to do: commands, each of which was tried on the same question and solves it.
func (f *failed) advice(ctx context.Context, facts []fact, subject int) string {
	again := *f.question
	again.hint = true
	f.question = &again
	var roots []int // the subject first, then the other wishes
	for _, x := range append([]fact{facts[subject]}, facts...) {
		if x.kind == rootFact && !slices.Contains(roots, x.root) && len(roots) < maxTried {
			roots = append(roots, x.root)
		}
	}
	var ways []string
	for _, r := range roots {
		if way := f.change(ctx, r, r == roots[0]); way != "" && len(ways) < maxHints {
			ways = append(ways, way)
		}
	}
	if len(ways) == 0 {
		ways = f.otherwise(ctx, facts, roots)
	}
	if len(ways) == 0 {
		p := f.packs[facts[subject].dep]
		if p.usable.Empty() {
			return "mcpm search " + p.spec.Name.Base()
		}
		return fmt.Sprintf("mcpm info %s --versions shows what there is", p.spec.Name)
	}
	if way := f.beside(ctx, roots[0]); way != "" && slices.ContainsFunc(facts, func(x fact) bool { return x.kind == needFact && x.dep == facts[subject].dep }) {
		ways = append(ways, way)
	}
	return strings.Join(ways, "\nor ")
}

// beside looks for a way to have what was typed under a name of its own, beside the version that others need.
func (f *failed) beside(ctx context.Context, root int) string {
	r := f.roots[root]
	if r.From != "" || r.Alias != "" || r.Range == "" || r.Range == "latest" || strings.ContainsAny(r.Range, " <>|*~&;()$`\"'\\") {
		return ""
	}
	changed := r
	changed.Alias = r.Name.Base() + "-2"
	if _, bad, err := f.with(root, changed).solve(ctx); bad != nil || err != nil {
		return ""
	}
	return fmt.Sprintf("have both: mcpm install%s %s@%s%s@%s", r.Flag, changed.Alias, hub.AliasPrefix, r.Name, r.Range)
}

// change looks for another version of what a root names that makes everything fit.
func (f *failed) change(ctx context.Context, root int, subject bool) string {
	q := f.with(root, f.roots[root])
	q.free = root + 1
	s, bad, err := q.solve(ctx)
	if bad != nil || err != nil {
		return ""
	}
	r := f.roots[root]
	c, _ := s.Find(r.ID())
	ranges := []string{c.Version}
	if _, err := hub.ParseVersion(c.Version); err == nil && !strings.Contains(c.Version, "+") {
		ranges = []string{"^" + c.Version, c.Version}
	}
	for _, rng := range ranges {
		changed := r
		changed.Range, changed.From = rng, ""
		s, bad, err := f.with(root, changed).solve(ctx)
		if bad != nil || err != nil {
			continue
		}
		c, _ := s.Find(r.ID())
		do := f.command(root, changed)
		if subject {
			return fmt.Sprintf("%s %s works with what you have: %s", r.Name, c.Version, do)
		}
		return fmt.Sprintf("%s %s: %s", f.direction(root, c.Version), r.Name, do)
	}
	return ""
}

// with returns the question with another wish in the place of one. What is named anew forgets its lock.
func (f *failed) with(root int, r Root) *question {
	q := *f.question
	q.roots = slices.Clone(f.roots)
	q.roots[root] = r
	q.locked = maps.Clone(f.locked)
	delete(q.locked, r.ID())
	return &q
}

// command writes the command that asks for a changed root and for all else that was typed.
func (f *failed) command(root int, changed Root) string {
	if changed.Alias != "" {
		return fmt.Sprintf("write %q: %q into mcp.json", changed.Alias, hub.AliasPrefix+changed.Name.String()+"@"+changed.Range)
	}
	words := []string{"mcpm install"}
	dev := true
	for i, r := range f.roots {
		if i != root && (r.From != "" || r.Flag != changed.Flag) || r.Alias != "" {
			continue
		}
		if i == root {
			r = changed
		}
		dev = dev && r.Dev
		word := r.Name.String()
		if r.Range != "" && r.Range != "latest" {
			word += "@" + r.Range
		}
		if strings.ContainsAny(word, " <>|*~&;()$`\"'\\") {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	}
	if dev {
		words[0] += " -D"
	}
	words[0] += changed.Flag
	return strings.Join(words, " ")
}

// direction says where a version lies from what the root asked for.
func (f *failed) direction(root int, version string) string {
	p := f.packs[f.byRoot[root]]
	r, err := f.parse(f.roots[root].Range)
	if err != nil {
		return "change"
	}
	asked, err := p.set(r, false)
	if err != nil || asked.Empty() {
		return "change"
	}
	order := p.ascending(f.everything(f.byRoot[root]))
	at := slices.IndexFunc(order, func(v int) bool { return p.versions[v].Version == version })
	in := p.ascending(asked)
	switch {
	case at > slices.Index(order, in[len(in)-1]):
		return "raise"
	case at < slices.Index(order, in[0]):
		return "lower"
	}
	return "change"
}

// otherwise looks for a way out that is not another version of one thing: no override, a newer engine, or
// doing without one server.
func (f *failed) otherwise(ctx context.Context, facts []fact, roots []int) []string {
	for _, x := range facts {
		if !x.override {
			continue
		}
		q := *f.question
		q.Overrides = maps.Clone(f.Overrides)
		delete(q.Overrides, f.packs[x.dep].id)
		if _, bad, err := q.solve(ctx); bad == nil && err == nil {
			return []string{fmt.Sprintf("take %s out of \"overrides\" in mcp.json", f.called(x.dep))}
		}
	}
	var cures []string
	for _, x := range facts {
		if x.cure != "" && !slices.Contains(cures, x.cure) {
			cures = append(cures, x.cure)
		}
	}
	if len(cures) > 0 {
		q := *f.question
		q.Env = Environment{}
		if _, bad, err := q.solve(ctx); bad == nil && err == nil {
			return []string{"it works " + and(cures)}
		}
	}
	for _, root := range roots {
		if len(f.roots) < 2 || f.roots[root].From == "" {
			continue
		}
		q := *f.question
		q.roots = slices.Delete(slices.Clone(f.roots), root, root+1)
		if _, bad, err := q.solve(ctx); bad == nil && err == nil {
			do := fmt.Sprintf("without %s it works: mcpm uninstall%s %s", f.roots[root].Name, f.roots[root].Flag, f.roots[root].Name)
			if again := f.typed(); again != "" {
				do += " && " + again
			}
			return []string{do}
		}
	}
	return nil
}

// typed is the command that was typed, "" when nothing was named in it.
func (f *failed) typed() string {
	for i, r := range f.roots {
		if r.From == "" {
			return f.command(i, r)
		}
	}
	return ""
}
