package oci

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/mcphub/mcphub/internal/oci/layout"
)

// listTags answers GET of a repository's tags, in order of their bytes, at most maxTagsPage at once.
func (s *Service) listTags(w http.ResponseWriter, r *http.Request, q *request) error {
	if _, err := s.authorize(r, q, pull); err != nil {
		return err
	}
	query := r.URL.Query()
	most := maxTagsPage
	if text := query.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return problemf(unsupported, "n=%s is no number of tags", short(text))
		}
		most = min(most, n)
	}
	tags, err := layout.Names(r.Context(), s.Storage, layout.Tags(q.name))
	if err != nil {
		return err
	}
	if tags == nil {
		if _, err := s.Storage.Stat(r.Context(), layout.Repository(q.name)); err != nil {
			return err
		}
		tags = []string{}
	}
	slices.Sort(tags)
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(tags, last)
		if found {
			i++
		}
		tags = tags[i:]
	}
	h := w.Header()
	if len(tags) > most {
		tags = tags[:most]
		if most > 0 {
			next := url.Values{"n": {strconv.Itoa(most)}, "last": {tags[most-1]}}
			h.Set("Link", "</v2/"+q.name+"/tags/list?"+next.Encode()+`>; rel="next"`)
		}
	}
	h.Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]any{"name": q.name, "tags": tags})
}
