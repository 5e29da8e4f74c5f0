package manifest

import (
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest/edit"
)

// SetDependency returns the text of an mcp.json with the dependency name, of a server or an alias, set to the value rng, among the
// devDependencies when dev is set; in the other group it is taken out. Comments, order, indentation and
// line endings stay as they are; a new key goes where it belongs by name when the others are sorted, and
// to the end otherwise. An empty src becomes the smallest file that holds it. It fails as Parse does when
// src cannot be read, and with Invalid on a bad name or range.
func SetDependency(src []byte, name, rng string, dev bool) ([]byte, error) {
	n, err := hub.ParseLocalName(name)
	if err != nil {
		return nil, err
	}
	spec, err := hub.ParseSpec(n.String(), rng)
	if err != nil {
		return nil, err
	}
	if err := checkRange(spec.Range); err != nil {
		return nil, err
	}
	group := edit.Dependencies
	if dev {
		group = edit.DevDependencies
	}
	return edit.Set(src, group, n.String(), rng)
}

// RemoveDependency returns the text of an mcp.json without the dependency name in either group. A comment
// on the same line goes with it, every other stays. When name is no dependency, src comes back as it was.
func RemoveDependency(src []byte, name string) ([]byte, error) {
	n, err := hub.ParseLocalName(name)
	if err != nil {
		return nil, err
	}
	return edit.Remove(src, n.String())
}
