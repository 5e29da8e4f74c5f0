package sweep

import (
	"context"
	"fmt"
	"path"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

// repository takes away what one repository does not need, and notes which blobs it goes on having.
func (s *sweeper) repository(ctx context.Context, name string) error {
	s.report.Repositories++
	if err := s.uploads(ctx, name); err != nil {
		return err
	}
	return s.links(ctx, name)
}

// uploads removes those that nobody went on with.
func (s *sweeper) uploads(ctx context.Context, name string) error {
	ids, err := layout.Names(ctx, s.Storage, layout.Uploads(name))
	if err != nil {
		return err
	}
	for _, id := range ids {
		folder, young := layout.Upload(name, id), false
		err := s.Storage.Walk(ctx, folder, func(f driver.FileInfo) error {
			if !f.IsDir() && s.start.Sub(f.ModTime()) < s.Grace {
				young = true
				return driver.ErrFilledBuffer
			}
			return nil
		})
		if layout.Missing(err) || young {
			continue
		}
		if err != nil {
			return err
		}
		s.report.Uploads++
		if err := s.drop(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}

// links removes a repository's links to manifests and blobs that it does not need.
func (s *sweeper) links(ctx context.Context, name string) error {
	revisions, err := layout.Digests(ctx, s.Storage, layout.Revisions(name))
	if err != nil {
		return err
	}
	refs, err := s.read(ctx, revisions)
	if err != nil {
		return err
	}
	keep, err := s.needed(ctx, name, revisions, refs)
	if err != nil {
		return err
	}
	blobs := map[digest.Digest]bool{}
	for _, d := range revisions {
		if !keep[d] {
			s.report.Manifests++
			if err := s.drop(ctx, path.Dir(layout.Revision(name, d))); err != nil {
				return err
			}
			continue
		}
		s.linked[d] = true
		for _, b := range refs[d].Blobs {
			blobs[b] = true
		}
	}
	return s.layers(ctx, name, blobs)
}

// layers removes links to blobs that no manifest of the repository names.
func (s *sweeper) layers(ctx context.Context, name string, needed map[digest.Digest]bool) error {
	layers, err := layout.Digests(ctx, s.Storage, layout.Layers(name))
	if err != nil {
		return err
	}
	for _, d := range layers {
		link := layout.Layer(name, d)
		if !needed[d] {
			old, err := s.old(ctx, link)
			if err != nil {
				return err
			}
			if old {
				s.report.Layers++
				if err := s.drop(ctx, path.Dir(link)); err != nil {
					return err
				}
				continue
			}
		}
		s.linked[d] = true
	}
	return nil
}

// read loads what manifests name. One that cannot be read is an error, never garbage: what it names is not known.
func (s *sweeper) read(ctx context.Context, revisions []digest.Digest) (map[digest.Digest]*layout.References, error) {
	out := make(map[digest.Digest]*layout.References, len(revisions))
	for _, d := range revisions {
		refs, err := layout.LoadReferences(ctx, s.Storage, d)
		if layout.Missing(err) {
			refs, err = &layout.References{}, nil // its bytes are gone, so it names nothing
		}
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", d, err)
		}
		out[d] = refs
	}
	return out, nil
}

// needed returns the manifests of a repository that stay: with a tag, held by a version, or young; what these name;
// and what is about one of them.
func (s *sweeper) needed(ctx context.Context, name string, revisions []digest.Digest, refs map[digest.Digest]*layout.References) (map[digest.Digest]bool, error) {
	keep := map[digest.Digest]bool{}
	held, err := s.Held(ctx, name)
	if err != nil {
		return nil, err
	}
	tags, err := layout.Names(ctx, s.Storage, layout.Tags(name))
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		d, err := layout.ReadTag(ctx, s.Storage, name, tag)
		if layout.Missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held = append(held, d)
	}
	for _, d := range revisions {
		old, err := s.old(ctx, layout.Revision(name, d))
		if err != nil {
			return nil, err
		}
		if !old {
			held = append(held, d)
		}
	}
	about := map[digest.Digest][]digest.Digest{}
	for d, r := range refs {
		if r.Subject != "" {
			about[r.Subject] = append(about[r.Subject], d)
		}
	}
	for len(held) > 0 {
		d := held[0]
		held = held[1:]
		if keep[d] {
			continue
		}
		keep[d] = true
		held = append(held, about[d]...)
		if r := refs[d]; r != nil {
			held = append(held, r.Manifests...)
		}
	}
	return keep, nil
}
