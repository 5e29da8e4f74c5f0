package registry

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/mcphub/mcphub/internal/hub"
)

// What pages ask beside what programs ask: it reads, and decides who may see it.

// ByIDs returns the visible servers with these IDs (at most 100), in their order.
func (s *Service) ByIDs(ctx context.Context, ids []string) ([]*hub.Server, error) {
	return s.byIDs(ctx, ids)
}

// Mine returns the servers in the actor's namespaces, by namespace and name, at most 100 of each. Unauthenticated
// for nobody.
func (s *Service) Mine(ctx context.Context, actor hub.Actor) ([]*hub.Server, error) {
	if actor.Anonymous() {
		return nil, hub.Errorf(hub.Unauthenticated, "your servers are shown when you are signed in").WithHint("sign in first")
	}
	var out []*hub.Server
	for _, scope := range actor.Namespaces {
		rows, err := s.store.List(ctx, hub.ServerQuery{Sort: hub.SortName, Limit: 100, Scope: scope})
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// featuredSetting is where the choice of the administrators is kept: a JSON list of server IDs.
const featuredSetting = "featured"

// MaxFeatured is how many servers can be featured.
const MaxFeatured = 12

// Featured returns the servers that administrators chose to show first, in their order.
func (s *Service) Featured(ctx context.Context) ([]*hub.Server, error) {
	b, err := s.store.Setting(ctx, featuredSetting)
	if hub.KindOf(err) == hub.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	if err := json.Unmarshal(b, &ids); err != nil {
		return nil, err
	}
	return s.byIDs(ctx, ids)
}

// Feature chooses the servers that are shown first. Forbidden unless the actor is an administrator; Invalid
// when there are too many, or a name is not here.
func (s *Service) Feature(ctx context.Context, actor hub.Actor, names []string) error {
	if !actor.Admin() {
		return hub.Errorf(hub.Forbidden, "what is featured is chosen by administrators").WithHint("ask an administrator of this hub")
	}
	if len(names) > MaxFeatured {
		return hub.Errorf(hub.Invalid, "%d servers are too many to feature; at most %d", len(names), MaxFeatured)
	}
	ids := []string{}
	for _, name := range names {
		srv, err := s.Server(ctx, name)
		if hub.KindOf(err) == hub.NotFound {
			return hub.Errorf(hub.Invalid, "there is no server %q here", name).WithHint("write names as @scope/name, one a line")
		}
		if err != nil {
			return err
		}
		if !slices.Contains(ids, srv.ID) {
			ids = append(ids, srv.ID)
		}
	}
	b, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	if err := s.store.SetSetting(ctx, featuredSetting, b); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "featured servers changed", "actor", actor.Name, "servers", names, "request_id", actor.RequestID)
	s.Changed()
	return nil
}
