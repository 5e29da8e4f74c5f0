package workspace

import (
	"iter"
	"maps"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

func keys(m map[hub.Name]string) iter.Seq[hub.Name] { return maps.Keys(m) }

// Split takes the dependencies on members of the workspace out of those on servers of a hub.
func Split(specs map[hub.Name]hub.Spec) (others, local map[hub.Name]hub.Spec) {
	others, local = map[hub.Name]hub.Spec{}, map[hub.Name]hub.Spec{}
	for id, s := range specs {
		if _, ok := hub.LocalRange(s.Range); ok {
			local[id] = s
		} else {
			others[id] = s
		}
	}
	return others, local
}

// Needs returns the members that a manifest asks for, by the ranges that begin with "workspace:".
func Needs(m *manifest.Manifest) map[hub.Name]string {
	out := map[hub.Name]string{}
	specs, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none is told by whoever checks the manifest
	for _, s := range specs {
		if _, ok := hub.LocalRange(s.Range); ok {
			out[s.Name] = s.Range
		}
	}
	return out
}

// Real returns the range that stands for a "workspace:" range where the workspace is not: of "*" the version of the member,
// of "^" and "~" these before it, of others what follows the prefix. Conflict when the version is not in the range.
func Real(rng, version string) (string, error) {
	local, ok := hub.LocalRange(rng)
	if !ok {
		return rng, nil
	}
	v, err := hub.ParseVersion(version)
	if err != nil {
		return "", hub.Errorf(hub.Invalid, "its version %.80q is none", version).WithHint("write a version such as 1.0.0 into its mcp.json")
	}
	switch text := strings.TrimSpace(strings.TrimPrefix(rng, hub.LocalPrefix)); text {
	case "*":
		return version, nil
	case "^", "~":
		return text + version, nil
	default:
		c, err := manifest.ParseRange(local)
		if err != nil {
			return "", err
		}
		if text != version && !c.Check(v) {
			return "", hub.Errorf(hub.Conflict, "%s does not take its version, which is %s", rng, version).WithHint("write workspace:^, or a range that takes it")
		}
		return text, nil
	}
}
