package manifest

import (
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
)

// MaxRange is the longest version range, in bytes.
const MaxRange = 256

var (
	tagRE     = lazyregexp.New(`^[a-z][a-z0-9._-]{0,63}$`)
	versionRE = lazyregexp.New(`^[vx][0-9.]`)
)

// ParseRange reads a version range in npm's syntax: "^1.2.0", "~1.2", "1.x", ">=1 <3", "1.2.0 - 1.4.0",
// "^1 || ^2", "*". The empty string is "*". It fails with Invalid. A dist-tag such as "latest" is not a
// range: whoever knows the tags resolves it, see IsTag.
func ParseRange(s string) (*semver.Constraints, error) {
	bad := func(format string, args ...any) error {
		return hub.Errorf(hub.Invalid, "version range "+jsonc.Quote(s)+": "+format, args...).
			WithHint("write a range such as ^1.2.0, ~1.2, >=1.0.0 <3.0.0, or an exact version")
	}
	if len(s) > MaxRange {
		return nil, bad("%d characters; at most %d are allowed", len(s), MaxRange)
	}
	trimmed := strings.TrimSpace(s)
	if IsTag(trimmed) {
		return nil, bad("it is a tag, not a range")
	}
	if trimmed == "" {
		trimmed = "*"
	}
	for _, part := range strings.Split(trimmed, "||") {
		if strings.TrimSpace(part) == "" && trimmed != "*" {
			return nil, bad("nothing stands on one side of ||")
		}
	}
	c, err := semver.NewConstraint(trimmed)
	if err != nil {
		return nil, bad("it is not in the syntax of npm")
	}
	return c, nil
}

// checkRange says what is wrong with the range of a dependency, which may be a tag unless it is of a workspace.
func checkRange(s string) (err error) {
	rng, local := hub.LocalRange(s)
	if local && rng == "" {
		return hub.Errorf(hub.Invalid, "%s says no range", jsonc.Quote(s)).WithHint("write workspace:*, workspace:^, workspace:~ or workspace:1.2.0")
	}
	if local || !IsTag(s) {
		_, err = ParseRange(rng)
	}
	return err
}

// IsTag reports whether a dependency's version is a dist-tag, such as "latest" or "beta", and no range.
func IsTag(s string) bool {
	return tagRE.MatchString(s) && s != "x" && !versionRE.MatchString(s)
}
