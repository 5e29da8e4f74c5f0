package weaviate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// maxObjects is how many objects the engine returns at most (its QUERY_MAXIMUM_RESULTS).
const maxObjects = 10_000

// Nearest implements hub.Vectors. Parts of one server may fill the first places, so more are asked for until enough
// servers are among them.
func (x *Vectors) Nearest(ctx context.Context, q hub.VectorQuery) ([]hub.Hit, error) {
	if q.Limit < 1 || q.Limit > hub.MaxSearch {
		return nil, hub.Errorf(hub.Invalid, "a search shows 1 to %d results, not %d", hub.MaxSearch, q.Limit)
	}
	for f := range q.Filter {
		if !slices.Contains(hub.Facets, f) {
			return nil, hub.Errorf(hub.Invalid, "there is no facet %q", f)
		}
	}
	var hits []hub.Hit
	err := x.reading(ctx, func(at collection) error {
		dims, err := x.dims(ctx, at)
		if err != nil || dims == 0 {
			hits = nil
			return err
		}
		if len(q.Vector) != dims {
			return hub.Errorf(hub.Invalid, "the vector has %d dimensions, the index has %d", len(q.Vector), dims)
		}
		hits, err = x.nearest(ctx, at.name, q)
		return err
	})
	if err != nil {
		return nil, failed("searched", err)
	}
	return hits, nil
}

func (x *Vectors) nearest(ctx context.Context, class string, q hub.VectorQuery) ([]hub.Hit, error) {
	vector, err := json.Marshal(q.Vector)
	if err != nil { // not a number
		return nil, hub.Errorf(hub.Invalid, "the vector is not one of numbers")
	}
	for n := min(maxObjects, 4*q.Limit+16); ; n = min(maxObjects, 4*n) {
		arguments := fmt.Sprintf("limit: %d, nearVector: {vector: %s}, %s", n, vector, filterOf(q.Filter, len(q.Vector)))
		list, err := x.get(ctx, class, arguments, "server _additional{distance}")
		if err != nil {
			return nil, err
		}
		if hits := best(list); len(hits) >= q.Limit || len(list) < n || n == maxObjects {
			return hits[:min(len(hits), q.Limit)], nil
		}
	}
}

// best returns each server by its nearest part.
func best(list []found) []hub.Hit {
	var out []hub.Hit
	seen := map[string]bool{}
	for _, o := range list { // nearest first
		if !seen[o.Server] {
			seen[o.Server] = true
			out = append(out, hub.Hit{ID: o.Server, Score: 1 - o.Additional.Distance})
		}
	}
	slices.SortFunc(out, func(a, b hub.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID)) })
	return out
}
