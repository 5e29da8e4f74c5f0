package resolve

import (
	"math"
	"strings"

	library "github.com/Masterminds/semver/v3"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// Range is a parsed version range: npm's syntax, an exact version string, or a dist-tag.
type Range struct {
	text string
	tag  string   // set when it is a dist-tag; sets is empty then
	sets [][]test // one of them must hold, and all tests in it
}

// test is one comparison: "<", "<=", ">", ">=", "=" or "!=".
type test struct {
	op string
	v  semver
}

// MaxRange is the longest range that is read.
const MaxRange = 256

// tagRE is what looks like a dist-tag; vVersion and x are not. otherRE is the number of a mirrored version
// that is not SemVer, such as 2025.06.18: as a range it means just itself.
var (
	otherRE  = lazyregexp.New(`^[vV]?\d+([._+-]?[0-9A-Za-z]+)*$`)
	tagRE    = lazyregexp.New(`^[A-Za-z][A-Za-z0-9._-]*$`)
	vVersion = lazyregexp.New(`^[vV]\d`)
)

// ParseRange reads a range. "" is the dist-tag latest, and "*" any stable version. Invalid when it is neither a
// range, nor a version, nor a tag.
//
// The reading is npm's own and not that of the semver library, which refuses a prerelease to
// ">=2.0.0-beta <3" because one of the two comparisons names none.
func ParseRange(s string) (Range, error) {
	r := Range{text: strings.TrimSpace(s)}
	if len(r.text) > MaxRange {
		return r, hub.Errorf(hub.Invalid, "the range has %d characters; at most %d are read", len(r.text), MaxRange)
	}
	if r.text == "" {
		r.text = "latest"
	}
	if tagRE.MatchString(r.text) && !isX(r.text) && !vVersion.MatchString(r.text) {
		r.tag = r.text
		return r, nil
	}
	for part := range strings.SplitSeq(r.text, "||") {
		set, ok := parseSet(part)
		if !ok && otherRE.MatchString(r.text) {
			r.sets = nil
			return r, nil
		}
		if !ok {
			return Range{text: r.text}, hub.Errorf(hub.Invalid, "%q is not a version range", clip(s)).
				WithHint("write 1.4.2, ^1.4.0, ~1.4, \">=1.2 <2\", 1.x or a tag such as latest; see mcpm help ranges")
		}
		r.sets = append(r.sets, set)
	}
	return r, nil
}

func isX(s string) bool { return s == "x" || s == "X" || s == "*" }

var (
	hyphenRE = lazyregexp.New(`^\s*(\S+)\s+-\s+(\S+)\s*$`)
	// One comparison. Spaces may stand after the operator; "~>" is "~", and "=>" is ">=".
	partRE = lazyregexp.New(`^(\^|~>?|[<>!]=|=[<>]|[<>=])?\s*([vV]?[0-9xX*][^\s,^~<>=!]*)[\s,]*`)
	// A version of which parts may be missing or x.
	partialRE = lazyregexp.New(`^[vV]?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$`)
)

// parseSet reads what stands between two "||".
func parseSet(s string) ([]test, bool) {
	if m := hyphenRE.FindStringSubmatch(s); m != nil {
		from, ok1 := parsePartial(m[1])
		to, ok2 := parsePartial(m[2])
		if !ok1 || !ok2 {
			return nil, false
		}
		return append(from.tests(">="), to.tests("<=")...), true
	}
	set := []test{} // empty: everything
	for s = strings.TrimLeft(s, " \t\r\n"); s != ""; {
		m := partRE.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		p, ok := parsePartial(m[2])
		if !ok {
			return nil, false
		}
		set = append(set, p.tests(m[1])...)
		s = s[len(m[0]):]
	}
	return set, true
}

// partial is a version of which only the first parts are given.
type partial struct {
	semver
	parts int // how many of major, minor and patch are given
}

func parsePartial(s string) (partial, bool) {
	var p partial
	m := partialRE.FindStringSubmatch(s)
	if m == nil {
		return p, false
	}
	for i, to := range []*uint64{&p.major, &p.minor, &p.patch} {
		text := m[i+1]
		if text == "" || isX(text) {
			return p, m[4] == "" || i == 0 // a prerelease needs all three
		}
		var ok bool
		if *to, ok = number(text); !ok || *to > math.MaxUint64/20 {
			return p, false
		}
		p.parts++
	}
	p.pre = m[4]
	return p, (m[4] == "" || identifiers(m[4], true)) && (m[5] == "" || identifiers(m[5], false))
}

// next returns the first version above all that begin with the first n parts. Its prerelease is the lowest
// there is, so that prereleases of it are above the limit too.
func (p partial) next(n int) semver {
	switch n {
	case 1:
		return semver{p.major + 1, 0, 0, "0"}
	case 2:
		return semver{p.major, p.minor + 1, 0, "0"}
	}
	return semver{p.major, p.minor, p.patch + 1, "0"}
}

// nothing is below every version.
var nothing = test{"<", semver{0, 0, 0, "0"}}

// tests spells an operator and a partial version as comparisons.
func (p partial) tests(op string) []test {
	v := p.semver
	if p.parts == 0 {
		if op == "<" || op == ">" || op == "!=" {
			return []test{nothing}
		}
		return nil
	}
	between := func(n int) []test { return []test{{">=", v}, {"<", p.next(n)}} }
	switch op {
	case "^":
		switch {
		case v.major > 0 || p.parts == 1:
			return between(1)
		case v.minor > 0 || p.parts == 2:
			return between(2)
		}
		return between(3)
	case "~", "~>":
		return between(min(p.parts, 2))
	case ">":
		if p.parts < 3 {
			next := p.next(p.parts)
			next.pre = ""
			return []test{{">=", next}}
		}
	case "<=", "=<":
		if p.parts < 3 {
			return []test{{"<", p.next(p.parts)}}
		}
		op = "<="
	case "<":
		if p.parts < 3 {
			v.pre = "0"
		}
	case "=>":
		op = ">="
	case "", "=":
		if p.parts < 3 {
			return between(p.parts)
		}
		op = "="
	case "!=":
		if p.parts < 3 {
			return []test{nothing}
		}
	}
	return []test{{op, v}}
}

// fits reports whether a version is in the range. A prerelease is only where one comparison of the same
// alternative names a prerelease of the same major.minor.patch.
func (r Range) fits(v semver) bool {
	for _, set := range r.sets {
		ok, named := true, v.pre == ""
		for _, t := range set {
			c := v.compare(t.v)
			switch t.op {
			case "<":
				ok = ok && c < 0
			case "<=":
				ok = ok && c <= 0
			case ">":
				ok = ok && c > 0
			case ">=":
				ok = ok && c >= 0
			case "=":
				ok = ok && c == 0
			case "!=":
				ok = ok && c != 0
			}
			// A limit such as <3.0.0-0 was not named by anybody, and lets nothing in that ">=" does not.
			named = named || t.v.pre != "" && t.v.sameTriple(v)
		}
		if ok && named {
			return true
		}
	}
	return false
}

// String returns the range as it was written.
func (r Range) String() string { return r.text }

// Tag returns the dist-tag, or "" when the range is not one.
func (r Range) Tag() string { return r.tag }

// Fits reports whether a version is in the range, given the server's dist-tags. The very text of a
// version always fits itself, also when it is not SemVer. A prerelease fits only a range that names a
// prerelease of the same major.minor.patch.
func (r Range) Fits(version string, tags map[string]string) bool {
	if r.text == version {
		return true
	}
	if r.tag != "" {
		return tags[r.tag] == version
	}
	v, ok := parseSemver(version)
	return ok && r.fits(v)
}

// Save returns the range that is written into mcp.json for a version that was asked for as r: what the
// person wrote, or "^version" when they wrote nothing or a tag. A version that is not SemVer is pinned,
// or, when it cannot even be written as a range, left to the tag; the lockfile has it exactly.
func (r Range) Save(version string) string {
	if r.tag == "" {
		return r.text
	}
	if _, err := hub.ParseVersion(version); err == nil {
		return "^" + version
	}
	if _, err := library.NewConstraint(version); err == nil { // which mcp.json is checked with
		return version
	}
	return r.tag
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}
