package oci

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/oci/layout"
	"github.com/mcphub/mcphub/internal/registry"
)

// use is a version that is started from an image here.
type use struct {
	label       string // "@acme/db 1.2.0", for people
	quarantined bool
}

// uses is what the versions of a namespace's servers need of its repositories.
type uses struct {
	public map[string]bool                  // repositories that anybody may read
	tags   map[string]map[string]use        // by repository and tag
	exact  map[string]map[digest.Digest]use // by repository and digest
}

// fresh asks the catalogue, for what changes images.
func (s *Service) fresh(ctx context.Context, namespace string) (*uses, error) {
	images, err := s.Catalogue.ImagesOf(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return usesOf(images, namespace, s.here), nil
}

// here reports whether a host in the name of an image is this hub.
func (s *Service) here(host string) bool {
	host = strings.ToLower(host)
	if host == s.host || host == strings.ToLower(s.base.Host) {
		return true
	}
	if !loopback(host) || !loopback(s.host) {
		return false
	}
	return portOf(host) == portOf(s.host)
}

func portOf(host string) string {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return ""
	}
	return port
}

// usesOf sorts the images that a namespace's versions name. Only those in its own repositories count: a version of
// somebody else must not hold a tag fast, or make a repository public.
func usesOf(images []registry.ImageUse, namespace string, here func(host string) bool) *uses {
	u := &uses{public: map[string]bool{}, tags: map[string]map[string]use{}, exact: map[string]map[digest.Digest]use{}}
	for _, image := range images {
		named, err := reference.ParseNormalizedNamed(image.Reference)
		if err != nil || !here(reference.Domain(named)) {
			continue
		}
		repository := reference.Path(named)
		if !strings.HasPrefix(repository, namespace+"/") {
			continue
		}
		by := use{label: image.Name.String() + " " + image.Version, quarantined: image.State == hub.Quarantined}
		if !by.quarantined {
			u.public[repository] = true
		}
		tags := []string{}
		if _, err := reference.WithTag(named, image.Version); err == nil {
			tags = append(tags, image.Version) // a tag with the number of a version is what people take for it
		}
		if t, ok := named.(reference.Tagged); ok {
			tags = append(tags, t.Tag())
		}
		if d, ok := named.(reference.Digested); ok {
			put(u.exact, repository, d.Digest(), by)
		}
		if reference.IsNameOnly(named) {
			tags = append(tags, "latest") // what a name alone stands for
		}
		for _, tag := range tags {
			put(u.tags, repository, tag, by)
		}
	}
	return u
}

// put notes a use; of two of the same image, that of the version in quarantine counts.
func put[K comparable](m map[string]map[K]use, repository string, key K, by use) {
	if m[repository] == nil {
		m[repository] = map[K]use{}
	}
	if old, ok := m[repository][key]; !ok || !old.quarantined {
		m[repository][key] = by
	}
}

// useCache keeps what was last known of each namespace, for reading.
type useCache struct {
	mu   sync.Mutex
	kept map[string]knownUses
}

type knownUses struct {
	local uint64
	seen  int64
	uses  *uses
}

// maxKnown bounds the cache; past it all is forgotten.
const maxKnown = 1000

// known is fresh, kept until something in the catalogue changes.
func (s *Service) known(ctx context.Context, namespace string) (*uses, error) {
	local, seen := s.Catalogue.Generation()
	s.uses.mu.Lock()
	k, ok := s.uses.kept[namespace]
	s.uses.mu.Unlock()
	if ok && k.local == local && k.seen == seen {
		return k.uses, nil
	}
	u, err := s.fresh(ctx, namespace)
	if err != nil {
		return nil, err
	}
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	if s.uses.kept == nil || len(s.uses.kept) >= maxKnown {
		s.uses.kept = map[string]knownUses{}
	}
	s.uses.kept[namespace] = knownUses{local: local, seen: seen, uses: u}
	return u, nil
}

// held returns the manifests of a repository that versions need: those they name, those their tags stand for, and
// the manifests that these name in turn. With only set, just the uses for which it says so.
func (s *Service) held(ctx context.Context, u *uses, repository string, only func(use) bool) (map[digest.Digest]use, error) {
	out := map[digest.Digest]use{}
	for d, by := range u.exact[repository] {
		if only == nil || only(by) {
			out[d] = by
		}
	}
	for tag, by := range u.tags[repository] {
		if only != nil && !only(by) {
			continue
		}
		d, err := layout.ReadTag(ctx, s.Storage, repository, tag)
		if layout.Missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[d] = by
	}
	todo := make([]digest.Digest, 0, len(out))
	for d := range out {
		todo = append(todo, d)
	}
	for len(todo) > 0 {
		d := todo[0]
		todo = todo[1:]
		refs, err := layout.LoadReferences(ctx, s.Storage, d)
		if layout.Missing(err) {
			continue // named by a version, and never pushed
		}
		if err != nil {
			return nil, err
		}
		for _, child := range refs.Manifests {
			if _, ok := out[child]; !ok {
				out[child] = out[d]
				todo = append(todo, child)
			}
		}
	}
	return out, nil
}

// inQuarantine returns the manifests of a repository that nobody gets.
func (s *Service) inQuarantine(ctx context.Context, u *uses, repository string) (map[digest.Digest]use, error) {
	bad := func(by use) bool { return by.quarantined }
	any := false
	for _, by := range u.tags[repository] {
		any = any || by.quarantined
	}
	for _, by := range u.exact[repository] {
		any = any || by.quarantined
	}
	if !any {
		return nil, nil
	}
	return s.held(ctx, u, repository, bad)
}
