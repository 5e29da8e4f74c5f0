package registry

import (
	"context"
	"encoding/json"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// ImageUse is a container image that a version is started from.
type ImageUse struct {
	Name      hub.Name
	Version   string
	State     hub.State // a visible one
	Reference string    // as the publisher wrote it: "hub.example.com/acme/db:1.2.0"
}

// ImagesOf returns the images that the visible versions of a namespace's servers are started from, those that
// were unpublished left out: nothing holds what their owner took back. Only what was published here counts; a
// mirrored version says nothing about the images of this hub.
func (s *Service) ImagesOf(ctx context.Context, namespace string) ([]ImageUse, error) {
	here := false
	q := hub.ServerQuery{Sort: hub.SortName, Limit: 100, Scope: namespace, Mirrored: &here}
	var uses []ImageUse
	for {
		page, err := s.store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, srv := range page {
			versions, err := s.store.Versions(ctx, srv.ID)
			if err != nil {
				return nil, err
			}
			for _, v := range versions {
				uses = append(uses, imagesOf(v)...)
			}
		}
		if len(page) < q.Limit {
			return uses, nil
		}
		q.After = &hub.ServerAfter{Name: page[len(page)-1].Name}
	}
}

func imagesOf(v *hub.Version) []ImageUse {
	if v.State == hub.Unpublished {
		return nil
	}
	var official struct {
		Packages []struct {
			RegistryType string `json:"registryType"`
			Identifier   string `json:"identifier"`
		} `json:"packages"`
	}
	if json.Unmarshal(v.ServerJSON, &official) != nil {
		return nil // rendered by this hub: it is JSON
	}
	var uses []ImageUse
	for _, p := range official.Packages {
		if p.RegistryType == model.RegistryTypeOCI {
			uses = append(uses, ImageUse{Name: v.Name, Version: v.Version, State: v.State, Reference: p.Identifier})
		}
	}
	return uses
}

// MayPushImages fails unless the actor may publish to a namespace, and so push images to it. Errors:
// Unauthenticated, Forbidden with the namespaces that the actor may publish to.
func (s *Service) MayPushImages(actor hub.Actor, namespace string) error {
	return mayPublish(actor, hub.Name(namespace+"/images"))
}

// imagesAreHere fails when a version is started from an image that this hub is to have and does not.
func (s *Service) imagesAreHere(ctx context.Context, actor hub.Actor, v *hub.Version) error {
	if s.image == nil {
		return nil
	}
	for _, use := range imagesOf(v) {
		if err := s.image(ctx, actor, use.Reference); err != nil {
			return err
		}
	}
	return nil
}
