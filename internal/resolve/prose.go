package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/resolve/pubgrub"
)

func (t *story) sentence(x fact) string {
	switch x.kind {
	case rootFact:
		who := x.from
		if who == "" {
			who = "what you ask for"
		}
		return who + " " + t.predicate(x)
	case clashFact:
		return fmt.Sprintf("the alias %s is both %s and %s", string(t.packs[x.pkg].id), t.packs[x.dep].spec.Name, t.packs[x.pkg].spec.Name)
	}
	return t.versions(x.pkg, x.set) + " " + t.predicate(x)
}

// predicate is a sentence without its subject.
func (t *story) predicate(x fact) string {
	if x.kind == barredFact {
		return x.text
	}
	name := t.called(x.dep)
	var words []string
	for _, r := range x.rng {
		if r = strings.TrimSpace(r); r == "" {
			r = "latest"
		}
		if r = name + " " + clip(r); !slices.Contains(words, r) {
			words = append(words, r)
		}
		name = strings.TrimPrefix(name, t.called(x.dep))
	}
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	text := strings.Join(words, " or ")
	if len(words) > 3 {
		text = t.versions(x.dep, x.in)
	}
	if x.override {
		text += " (by overrides)"
	}
	if x.in.Empty() {
		text += ", and no version fits that"
	}
	if x.where != "" {
		text += " (" + x.where + ")"
	}
	return "needs " + text
}

// called is how a package is named in a sentence.
func (s *search) called(p int) string {
	pk := s.packs[p]
	if pk.spec.Alias != "" {
		return pk.spec.Alias + " (" + pk.spec.Name.String() + ")"
	}
	return pk.spec.Name.String()
}

// cannot makes "X cannot", and "no version of X can" of every one.
func cannot(what string) string {
	if rest, ok := strings.CutPrefix(what, "every "); ok {
		return "no " + rest + " can"
	}
	return what + " cannot"
}

// versions describes a set of versions of a package: "@acme/db 2.x", "@acme/db 1.4.0 and 1.4.1".
func (s *search) versions(p int, set pubgrub.Set) string {
	pk := s.packs[p]
	name := pk.spec.Name.String()
	if pk.spec.Alias != "" {
		name = pk.spec.Alias + " (" + name + ")"
	}
	of := pk.usable
	if !set.Meets(of) {
		of = s.everything(p)
	}
	in := pk.ascending(set.And(of))
	all := pk.ascending(of)
	switch {
	case len(in) == 0:
		return name
	case len(in) == 1:
		return name + " " + clip(pk.versions[in[0]].Version)
	case len(in) == len(all):
		return "every version of " + name
	}
	for _, depth := range []int{1, 2} {
		if words := pk.series(in, all, depth); words != "" {
			return name + " " + words
		}
	}
	first, last := pk.versions[in[0]].Version, pk.versions[in[len(in)-1]].Version
	if at := slices.Index(all, in[0]); len(in) > 2 && slices.Equal(all[at:at+len(in)], in) {
		return name + " " + clip(first) + " to " + clip(last)
	}
	words := make([]string, len(in))
	for i, v := range in {
		words[i] = pk.versions[v].Version
	}
	if len(words) <= 3 {
		return name + " " + and(words)
	}
	return name + " " + list(words, 3)
}

// series describes versions as whole major or minor series, "1.x and 2.x", or returns "".
func (p *pack) series(in, all []int, depth int) string {
	of := func(i int) string {
		switch v := p.read[i]; {
		case !p.isSemver[i]:
			return ""
		case depth == 1:
			return fmt.Sprintf("%d.x", v.major)
		default:
			return fmt.Sprintf("%d.%d.x", v.major, v.minor)
		}
	}
	size := map[string]int{}
	for _, i := range all {
		size[of(i)]++
	}
	var words []string
	for _, i := range in {
		if w := of(i); w == "" {
			return ""
		} else if len(words) == 0 || words[len(words)-1] != w {
			words = append(words, w)
		}
		size[words[len(words)-1]]--
	}
	for _, w := range words {
		if size[w] != 0 {
			return ""
		}
	}
	if len(words) > 3 {
		return ""
	}
	return and(words)
}

func and(words []string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " and " + words[n]
	}
	return strings.Join(words, "")
}
