package oci

import (
	"context"
	"strings"

	"github.com/distribution/reference"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/mcphub/mcphub/internal/registry"
)

// CheckVersion is a stage of publishing: the images of this hub that a version is started from have to be here, in its own
// namespace or one that anybody may pull. Invalid when one is not; whether it is somebody's secret is not told.
func (s *Service) CheckVersion(ctx context.Context, w *registry.Work) error {
	for _, image := range registry.ImagesOfVersion(w.Version) {
		named, err := reference.ParseNormalizedNamed(image.Reference)
		if err != nil || !s.here(reference.Domain(named)) {
			continue // of another registry: it is looked for where it is installed
		}
		ok, err := s.has(ctx, named, w.Version.Name.Scope())
		if err != nil {
			return err
		}
		if !ok {
			return hub.Errorf(hub.Invalid, "there is no image %s on this hub", image.Reference).
				WithHint("push it before the version is published: docker push %s", reference.TagNameOnly(named))
		}
	}
	return nil
}

// has reports whether a version in a namespace can be started from an image here.
func (s *Service) has(ctx context.Context, named reference.Named, namespace string) (bool, error) {
	repository := reference.Path(named)
	if !strings.HasPrefix(repository, namespace+"/") {
		owner, _, _ := strings.Cut(repository, "/")
		if u, err := s.known(ctx, owner); err != nil || !u.public[repository] {
			return false, err
		}
	}
	var err error
	if d, exact := named.(reference.Digested); exact {
		_, err = s.Storage.Stat(ctx, layout.Revision(repository, d.Digest()))
	} else {
		tag := reference.TagNameOnly(named).(reference.Tagged).Tag()
		_, err = layout.ReadTag(ctx, s.Storage, repository, tag)
	}
	if layout.Missing(err) {
		return false, nil
	}
	return err == nil, err
}
