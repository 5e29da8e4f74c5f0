package registry

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// Server returns a server by name (either spelling) or UUID.
func (s *Service) Server(ctx context.Context, ref string) (*hub.Server, error) {
	srv, err := s.store.Server(ctx, strings.TrimPrefix(ref, "@"))
	if hub.KindOf(err) == hub.NotFound {
		return nil, notFound(ref)
	}
	if err == nil && srv.Latest.Version == "" {
		return nil, notFound(ref) // submitted, but nothing of it was published yet
	}
	return srv, err
}

func notFound(ref string) error {
	return hub.Errorf(hub.NotFound, "there is no server %q here", ref).
		WithHint("look for it: mcpm search %s", hub.Name(strings.TrimPrefix(ref, "@")).Base())
}

// Servers returns one page of servers.
func (s *Service) Servers(ctx context.Context, q hub.ServerQuery) ([]*hub.Server, error) {
	return s.store.List(ctx, q)
}

// Versions returns the visible versions of a server, newest publication first.
func (s *Service) Versions(ctx context.Context, ref string) (*hub.Server, []*hub.Version, error) {
	srv, err := s.Server(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	versions, err := s.store.Versions(ctx, srv.ID)
	return srv, versions, err
}

// Version returns one version whole, by number or dist-tag. Gone when it was unpublished.
func (s *Service) Version(ctx context.Context, ref, version string) (*hub.Version, error) {
	srv, err := s.Server(ctx, ref)
	if err != nil {
		return nil, err
	}
	v, err := s.store.Version(ctx, srv.ID, version, false)
	if hub.KindOf(err) == hub.NotFound {
		return nil, hub.Errorf(hub.NotFound, "%s has no version or tag %q", srv.Name, version).
			WithHint("its latest version is %s", srv.Latest.Version)
	}
	if err != nil {
		return nil, err
	}
	if v.State == hub.Unpublished {
		return nil, hub.Errorf(hub.Gone, "%s was unpublished by its owner on %s%s", label(v.Name, v.Version),
			v.StatusChangedAt.UTC().Format("2006-01-02"), because(v.Message)).
			WithHint("its number is never used again; choose another version")
	}
	return v, nil
}

func because(message string) string {
	if message == "" {
		return ""
	}
	return ": " + message
}

// Bundle opens the archive of a version. Forbidden when the version is quarantined.
func (s *Service) Bundle(ctx context.Context, ref, version string) (*hub.Version, func(offset, length int64) (io.ReadCloser, error), error) {
	v, err := s.Version(ctx, ref, version)
	if err != nil {
		return nil, nil, err
	}
	if !v.State.Fetchable() {
		return nil, nil, hub.Errorf(hub.Forbidden, "%s is quarantined%s", label(v.Name, v.Version), because(v.Message)).
			WithHint("choose another version")
	}
	if v.Bundle == nil {
		return nil, nil, hub.Errorf(hub.NotFound, "%s has no bundle: it is started from its packages", label(v.Name, v.Version)).
			WithHint("GET the version to see its packages")
	}
	return v, func(offset, length int64) (io.ReadCloser, error) {
		return s.blobs.Open(ctx, v.Bundle.Digest, offset, length)
	}, nil
}

// Page returns one page of the official API's list.
func (s *Service) Page(ctx context.Context, q hub.CatalogQuery) ([]hub.CatalogRow, error) {
	return s.store.Page(ctx, q)
}

// Capabilities returns one page of capability names with their counts.
func (s *Service) Capabilities(ctx context.Context, q hub.CapabilityQuery) ([]hub.CapabilityCount, error) {
	return s.store.CountCapabilities(ctx, q)
}

// Quality judges a server by what is known of it.
func (s *Service) Quality(ctx context.Context, ref string) (*hub.Server, hub.Quality, error) {
	srv, versions, err := s.Versions(ctx, ref)
	if err != nil {
		return nil, hub.Quality{}, err
	}
	latest, err := s.store.VersionByID(ctx, srv.Latest.VersionID)
	if err != nil {
		return nil, hub.Quality{}, err
	}
	now := s.now()
	recent, err := s.store.InstallsByDay(ctx, srv.ID, now.AddDate(0, 0, -60))
	if err != nil {
		return nil, hub.Quality{}, err
	}
	return srv, hub.Assess(srv, latest, versions, recent, now), nil
}

// InstallsByDay returns how often a server was installed from this hub on each of the last days, days without
// installs left out.
func (s *Service) InstallsByDay(ctx context.Context, serverID string, days int) ([]hub.DayCount, error) {
	return s.store.InstallsByDay(ctx, serverID, s.now().AddDate(0, 0, -days))
}

// Trending returns the servers installed most often in the last days, at most limit.
func (s *Service) Trending(ctx context.Context, days, limit int) ([]*hub.Server, error) {
	counts, err := s.store.Trending(ctx, s.now().AddDate(0, 0, -days), limit)
	if err != nil || len(counts) == 0 {
		return nil, err
	}
	ids := make([]string, len(counts))
	for i, c := range counts {
		ids[i] = c.ServerID
	}
	return s.byIDs(ctx, ids)
}

// byIDs keeps the order of ids and leaves out servers that are gone.
func (s *Service) byIDs(ctx context.Context, ids []string) ([]*hub.Server, error) {
	found, err := s.store.ServersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b *hub.Server) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return slices.DeleteFunc(found, func(s *hub.Server) bool { return s.Latest.Version == "" }), nil
}

// Counts returns how many servers and versions can be seen.
func (s *Service) Counts(ctx context.Context) (servers, versions int64, err error) {
	return s.store.CountServers(ctx)
}

// PageByDate returns all versions of one server as the official API shows them, newest publication
// first.
func (s *Service) PageByDate(ctx context.Context, name hub.Name, includeDeleted bool) ([]hub.CatalogRow, error) {
	rows, err := s.store.Page(ctx, hub.CatalogQuery{Limit: maxVersions, Name: name, IncludeDeleted: includeDeleted})
	if err != nil || len(rows) < 2 {
		return rows, err
	}
	srv, err := s.store.Server(ctx, string(name))
	if err != nil {
		return nil, err
	}
	versions, err := s.store.Versions(ctx, srv.ID)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(versions))
	for i, v := range versions {
		place[v.Version] = i
	}
	slices.SortStableFunc(rows, func(a, b hub.CatalogRow) int { return place[a.Version] - place[b.Version] })
	return rows, nil
}

// maxVersions is how many versions a server can have, as in the official registry.
const maxVersions = 10000
