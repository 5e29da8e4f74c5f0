package hub

import (
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// MaxVersion is the longest version string, in characters (official registry schema).
const MaxVersion = 255

// ParseVersion reads a version published to this hub: strict SemVer 2.0.0, with no leading "v".
func ParseVersion(s string) (*semver.Version, error) {
	if len(s) > MaxVersion {
		return nil, Errorf(Invalid, "version %s has %d characters; at most %d are allowed", quote(s), len(s), MaxVersion)
	}
	v, err := semver.StrictNewVersion(s)
	if err != nil {
		return nil, Errorf(Invalid, "version %s is not SemVer 2.0.0", quote(s)).
			WithHint("write MAJOR.MINOR.PATCH, such as 1.4.2 or 2.0.0-beta.1").WithCause(err)
	}
	return v, nil
}

// semverOf reads a mirrored version: three numeric parts, optional "v" prefix. nil when it is not SemVer.
func semverOf(s string) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	if err != nil {
		return nil
	}
	return v
}

// CompareVersions orders two version strings as the official registry does: SemVer by precedence (build
// metadata ignored), SemVer above anything else, two others by publish time. It returns -1, 0 or +1.
func CompareVersions(a string, aAt time.Time, b string, bAt time.Time) int {
	va, vb := semverOf(a), semverOf(b)
	switch {
	case va != nil && vb != nil:
		return va.Compare(vb)
	case va != nil:
		return 1
	case vb != nil:
		return -1
	}
	return aAt.Compare(bAt)
}

// Prerelease reports whether s is a SemVer version with a prerelease part.
func Prerelease(s string) bool {
	v := semverOf(s)
	return v != nil && v.Prerelease() != ""
}

// VersionKey is what choosing the latest version needs to know of one.
type VersionKey struct {
	ID          string
	Version     string
	State       State
	PublishedAt time.Time
	Mirrored    bool
}

// Latest returns the ID of the version that "latest" means, or "" for none. Best is the highest stable
// version that is published or deprecated, then the highest prerelease, and when all are withdrawn the
// highest withdrawn one keeps the mark, so that a server always has exactly one. Equal precedence: the
// later published mirrored version wins, and among our own the earlier one stays.
func Latest(keys []VersionKey) string {
	best := -1
	for i, k := range keys {
		if best < 0 || k.newerThan(keys[best]) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return keys[best].ID
}

// newerThan reports whether k replaces old as latest.
func (k VersionKey) newerThan(old VersionKey) bool {
	if a, b := k.tier(), old.tier(); a != b {
		return a > b
	}
	c := CompareVersions(k.Version, k.PublishedAt, old.Version, old.PublishedAt)
	if c != 0 {
		return c > 0
	}
	if k.Mirrored {
		return k.PublishedAt.After(old.PublishedAt)
	}
	return k.PublishedAt.Before(old.PublishedAt)
}

func (k VersionKey) tier() int {
	switch {
	case !k.State.Resolvable():
		return 0
	case Prerelease(k.Version):
		return 1
	}
	return 2
}
