package author

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/wire"
)

// since tells what changed since the latest published version, and which number fits that.
func (o *publishOptions) since(ctx context.Context, c *wire.Client, p *parcel) {
	s, err := c.Server(ctx, string(p.name))
	if err != nil || s.LatestVersion == nil {
		return // a first version; a hub that cannot be reached is told by the upload
	}
	if p.there = s.LatestVersion.Version.Version == p.manifest.Version; p.there {
		return
	}
	old, _, err := manifest.Parse(s.LatestVersion.Manifest)
	if err != nil {
		return
	}
	var parts []string
	fits := "patch"
	for _, l := range append(asks.CapabilityChanges(old, p.manifest), asks.PermissionChanges(old, p.manifest)...) {
		parts = append(parts, l.Mark+" "+l.Text)
		switch {
		case l.Mark == "-" || l.Mark == "~":
			fits = "major"
		case fits == "patch" && l.Mark == "+":
			fits = "minor"
		}
	}
	if len(parts) == 0 {
		parts = []string{"same tools, same permissions"}
	}
	if len(parts) > 4 {
		parts = append(parts[:4], fmt.Sprintf("and %d more", len(parts)-4))
	}
	was := s.LatestVersion.Version.Version
	o.step("since "+was, "%s (fits a %s version)", strings.Join(parts, ", "), fits)
}
