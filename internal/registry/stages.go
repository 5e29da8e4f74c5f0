package registry

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
)

// Stage is one check on the way to published; see AddStage.
type Stage struct {
	Name  string    // "structure", ...
	State hub.State // the version is in this state while the stage runs
	Check func(ctx context.Context, w *Work) error
}

// Work is what a stage sees, and may complete.
type Work struct {
	Version  *hub.Version
	Manifest *manifest.Manifest // set when the request has it, else by the structure stage
	archive  *bundle.Info       // set by the structure stage when there is a bundle
}

// publishStages is the ordered list of checks. A stage that fails with a kinded error rejects the
// version with that message; one that fails without a kind (a crash, a lost database) is tried again
// and never counts as passed.
func (s *Service) publishStages() []Stage {
	return []Stage{
		{Name: "structure", State: hub.Validating, Check: s.checkStructure},
		{Name: "capabilities", State: hub.Validating, Check: checkCapabilities},
		{Name: "artifact digests", State: hub.Scanning, Check: s.checkArtifacts},
	}
}

// AddStage appends a check of another part of the hub. It is for the time before Run and before anything is published.
func (s *Service) AddStage(st Stage) { s.stages = append(s.stages, st) }

// checkStructure reads the manifest again as stored, and every entry of the bundle within its limits.
func (s *Service) checkStructure(ctx context.Context, w *Work) error {
	if w.Manifest != nil && w.Version.Bundle == nil {
		return nil // it was read and found valid a moment ago, in the request
	}
	m, issues, err := manifest.Parse(w.Version.Manifest)
	if err != nil {
		return err
	}
	w.Manifest = m
	if w.Version.Format == hub.FormatMCP {
		issues = append(issues, m.Validate(manifest.ForPublish)...)
	}
	if err := firstErrors("mcp.json", issues); err != nil {
		return err
	}
	if w.Version.Bundle == nil {
		return nil
	}
	r, err := s.blobs.Open(ctx, w.Version.Bundle.Digest, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	limits := bundle.DefaultLimits
	limits.Packed = s.maxBytes
	info, err := bundle.Check(r, limits)
	if err != nil {
		return err
	}
	w.archive = &info
	return sameManifest(w, info.Manifest)
}

// sameManifest makes sure that the mcp.json inside the archive is the one that was published: what
// people read on the hub has to be what they get.
func sameManifest(w *Work, inside []byte) error {
	if len(inside) == 0 {
		return hub.Errorf(hub.Invalid, "the bundle has no mcp.json at its root").WithHint("pack it with mcpm publish")
	}
	m, _, err := manifest.Parse(inside)
	if err != nil {
		return hub.Errorf(hub.Invalid, "the mcp.json in the bundle cannot be read: %v", err)
	}
	if d := trust.SHA256(m.Canonical()); d != w.Version.ManifestDigest {
		return hub.Errorf(hub.Invalid, "the mcp.json in the bundle (%s) is not the one that was published (%s)", d, w.Version.ManifestDigest).
			WithHint("pack and publish in one go with mcpm publish")
	}
	return nil
}

// checkCapabilities looks at what the version says it can do. Whether it does is seen by running it.
func checkCapabilities(_ context.Context, w *Work) error {
	declared := manifest.CapabilitiesOf(w.Manifest)
	if len(declared) != len(w.Version.Capabilities) {
		return hub.Errorf(hub.Invalid, "the manifest declares %d capabilities and %d were stored", len(declared), len(w.Version.Capabilities))
	}
	seen := map[string]bool{}
	for _, c := range declared {
		key := string(c.Type) + " " + c.Name
		if seen[key] {
			return hub.Errorf(hub.Invalid, "%s %q is declared twice", c.Type, c.Name).WithHint("declare it once")
		}
		seen[key] = true
	}
	for key, spec := range w.Manifest.Servers {
		if spec.Capabilities == nil {
			continue
		}
		for _, tool := range spec.Capabilities.Tools {
			if !slices.ContainsFunc(declared, func(c hub.Capability) bool { return c.Type == hub.Tool && c.Name == tool.Name }) {
				return hub.Errorf(hub.Invalid, "servers.%s declares tool %q, which is not among the capabilities of the version", key, tool.Name)
			}
		}
	}
	return nil
}

// checkArtifacts reads every byte of the stored archive once more and compares its digests with those
// the version will carry for ever.
func (s *Service) checkArtifacts(ctx context.Context, w *Work) error {
	b := w.Version.Bundle
	if b == nil {
		return nil
	}
	r, err := s.blobs.Open(ctx, b.Digest, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	h := trust.NewHasher()
	n, err := io.Copy(h, r)
	if err != nil {
		return fmt.Errorf("read blob %s: %w", b.Digest, err)
	}
	if n != b.Size || h.SHA256() != b.Digest || h.SRI512() != b.Integrity {
		return hub.Errorf(hub.Integrity, "the stored bundle has %d bytes and digest %s; %d bytes and %s were received", n, h.SHA256(), b.Size, b.Digest).
			WithHint("publish the version again; if this comes back, the hub's storage damages files")
	}
	return nil
}
