package resolve

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/mcphub/mcphub/internal/hub"
)

// Range is a parsed version range: npm's syntax, an exact version string, or a dist-tag.
type Range struct {
	text       string
	tag        string // set when it is a dist-tag; every other field is empty then
	constraint *semver.Constraints
	pre        []*semver.Version // prereleases named in the range: only their own triple may match one
}

// MaxRange is the longest range that is read.
const MaxRange = 256

var (
	tagRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	preRE = regexp.MustCompile(`\d+\.\d+\.\d+-[0-9A-Za-z.-]+`)
)

// ParseRange reads a range. "" is the dist-tag latest, and "*" any stable version. Invalid when it is neither a
// range, nor a version, nor a tag.
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
	c, err := semver.NewConstraint(spell(r.text))
	if err != nil {
		return r, hub.Errorf(hub.Invalid, "%q is not a version range", clip(s)).
			WithHint("write 1.4.2, ^1.4.0, ~1.4, \">=1.2 <2\", 1.x or a tag such as latest; see mcpm help ranges").WithCause(err)
	}
	r.constraint = c
	for _, p := range preRE.FindAllString(r.text, -1) {
		if v, err := semver.StrictNewVersion(p); err == nil {
			r.pre = append(r.pre, v)
		}
	}
	return r, nil
}

var vVersion = regexp.MustCompile(`^[vV]\d`)

func isX(s string) bool { return s == "x" || s == "X" }

// spell turns what npm allows and the library reads otherwise: an empty alternative is "*".
func spell(s string) string {
	parts := strings.Split(s, "||")
	for i, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			p = "*"
		}
		parts[i] = p
	}
	return strings.Join(parts, " || ")
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
	v, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v"))
	if err != nil {
		return false
	}
	if v.Prerelease() == "" {
		return r.constraint.Check(v)
	}
	for _, p := range r.pre {
		if p.Major() == v.Major() && p.Minor() == v.Minor() && p.Patch() == v.Patch() {
			return r.constraint.Check(v)
		}
	}
	return false
}

// Save returns the range that is written into mcp.json for a version that was asked for as r: what the
// person wrote, or "^version" when they wrote nothing or a tag. A version that is not SemVer is pinned,
// or, when it cannot even be written as a range, left to the tag; the lockfile has it exactly.
func (r Range) Save(version string) string {
	if r.tag == "" {
		return r.text
	}
	if _, err := semver.StrictNewVersion(version); err == nil {
		return "^" + version
	}
	if _, err := semver.NewConstraint(version); err == nil {
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
