package oci

import (
	"context"

	"github.com/distribution/reference"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
)

// Check fails when an image that somebody is about to publish a version with is named as one of this hub and is not here,
// or not for them, which reads the same. NotFound then. What is at other registries, or no name of an image, is not looked at.
func (s *Service) Check(ctx context.Context, actor hub.Actor, image string) error {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil || !s.here(reference.Domain(named)) {
		return nil //nolint:nilerr // whether it is a name at all was looked at with the rest of the manifest
	}
	named = reference.TagNameOnly(named)
	missing := hub.Errorf(hub.NotFound, "the image %s is not at this hub", short(image)).
		WithHint("push it first: docker push, or mcpm publish of a project with \"runtime\": \"docker\"")
	_, namespace, err := parseName(reference.Path(named))
	if err != nil {
		return missing.WithCause(err)
	}
	may, err := s.mayPull(ctx, actor, reference.Path(named), namespace)
	if err != nil {
		return err
	}
	if !may {
		return missing
	}
	if d, ok := named.(reference.Digested); ok {
		name, err := reference.WithName(reference.Path(named))
		if err != nil {
			return missing.WithCause(err)
		}
		repo, err := s.images.Repository(ctx, name)
		if err != nil {
			return err
		}
		manifests, err := repo.Manifests(ctx)
		if err != nil {
			return err
		}
		there, err := manifests.Exists(ctx, d.Digest())
		if err == nil && !there {
			return missing
		}
		return err
	}
	tagged, ok := named.(reference.Tagged)
	if !ok {
		return missing
	}
	if _, err := layout.ReadTag(ctx, s.Storage, reference.Path(named), tagged.Tag()); err != nil {
		if layout.Missing(err) {
			return missing
		}
		return err
	}
	return nil
}
