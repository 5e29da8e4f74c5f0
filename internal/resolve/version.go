package resolve

import (
	"cmp"
	"strings"
)

// semver is a SemVer version, as far as it counts for precedence. The library's type is not used where
// fifty thousand versions are read for one answer.
type semver struct {
	major, minor, patch uint64
	pre                 string // "beta.1", "" for none
}

// parseSemver reads a strict version, with a "v" before it or not, as hub.CompareVersions does.
func parseSemver(s string) (semver, bool) {
	var v semver
	s = strings.TrimPrefix(s, "v")
	if s, build, ok := strings.Cut(s, "+"); ok {
		return withBuild(s, build)
	}
	core, pre, hasPre := strings.Cut(s, "-")
	if hasPre && !identifiers(pre, true) {
		return v, false
	}
	v.pre = pre
	ok := true
	for i, part := range []*uint64{&v.major, &v.minor, &v.patch} {
		text := core
		if i < 2 {
			if text, core, ok = strings.Cut(core, "."); !ok {
				return v, false
			}
		}
		if *part, ok = number(text); !ok {
			return v, false
		}
	}
	return v, true
}

func withBuild(s, build string) (semver, bool) {
	if strings.Contains(s, "+") || !identifiers(build, false) {
		return semver{}, false
	}
	return parseSemver(strings.TrimPrefix(s, "v"))
}

// number reads decimal digits without leading zeros.
func number(s string) (uint64, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || len(s) > 19 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

// identifiers checks the parts between dots of a prerelease or of build metadata.
func identifiers(s string, strict bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		digits := true
		for i := range len(part) {
			c := part[i]
			switch {
			case c >= '0' && c <= '9':
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-':
				digits = false
			default:
				return false
			}
		}
		if strict && digits && len(part) > 1 && part[0] == '0' {
			return false
		}
	}
	return true
}

func (v semver) compare(w semver) int {
	if c := cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)); c != 0 {
		return c
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return comparePre(v.pre, w.pre)
}

// comparePre compares prereleases part by part: numbers by value and below words, the shorter one first.
func comparePre(a, b string) int {
	for {
		x, moreA, okA := strings.Cut(a, ".")
		y, moreB, okB := strings.Cut(b, ".")
		nx, numX := digits(x)
		ny, numY := digits(y)
		c := 0
		switch {
		case numX && numY:
			c = cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny))
		case numX:
			c = -1
		case numY:
			c = 1
		default:
			c = cmp.Compare(x, y)
		}
		switch {
		case c != 0:
			return c
		case !okA && !okB:
			return 0
		case !okA:
			return -1
		case !okB:
			return 1
		}
		a, b = moreA, moreB
	}
}

func digits(s string) (string, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return s, false
		}
	}
	return s, true
}

// sameTriple reports whether two versions differ at most in their prerelease.
func (v semver) sameTriple(w semver) bool {
	return v.major == w.major && v.minor == w.minor && v.patch == w.patch
}
