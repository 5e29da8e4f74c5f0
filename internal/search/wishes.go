package search

import (
	"context"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
)

// wishLoss is what is left of the score of a server that does not run as the question wishes.
const wishLoss = 0.5

// wishes are how people say in a question how a server should run. A wish is no filter, since the same words may be
// what the server is about ("remote desktop"): servers that do not fit come later. What says nothing else is taken out
// of the question. The longer of two that begin or end alike comes first.
var wishes = []struct {
	said  string
	facet hub.Facet
	value string
	only  bool // says nothing else
}{
	{"in a docker container", hub.FacetPackage, "oci", true}, {"in docker", hub.FacetPackage, "oci", true}, {"with docker", hub.FacetPackage, "oci", true},
	{"in a container", hub.FacetPackage, "oci", true}, {"as a container", hub.FacetPackage, "oci", true}, {"as a docker image", hub.FacetPackage, "oci", true},
	{"docker image", hub.FacetPackage, "oci", false}, {"dockerized", hub.FacetPackage, "oci", true}, {"containerized", hub.FacetPackage, "oci", true},
	{"from npm", hub.FacetPackage, "npm", true}, {"on npm", hub.FacetPackage, "npm", true}, {"npm package", hub.FacetPackage, "npm", false}, {"with npx", hub.FacetPackage, "npm", true},
	{"from pypi", hub.FacetPackage, "pypi", true}, {"on pypi", hub.FacetPackage, "pypi", true}, {"with uvx", hub.FacetPackage, "pypi", true}, {"with pip", hub.FacetPackage, "pypi", true},
	{"written in python", hub.FacetLanguage, "python", true}, {"in python", hub.FacetLanguage, "python", true},
	{"in typescript", hub.FacetLanguage, "javascript", true}, {"in javascript", hub.FacetLanguage, "javascript", true},
	{"written in go", hub.FacetLanguage, "go", true}, {"in golang", hub.FacetLanguage, "go", true}, {"written in rust", hub.FacetLanguage, "rust", true}, {"in java", hub.FacetLanguage, "java", true},
	{"nothing to install", hub.FacetPackage, "remote", true}, {"without installing anything", hub.FacetPackage, "remote", true}, {"without installing", hub.FacetPackage, "remote", true},
	{"no installation", hub.FacetPackage, "remote", true}, {"remote", hub.FacetPackage, "remote", false}, {"hosted", hub.FacetPackage, "remote", false},
}

// wished takes wishes out of a question. What is left is the question as it was when nothing else is in it.
func wished(text string) (rest string, wish hub.Labels) {
	padded := " " + strings.Join(strings.Fields(text), " ") + " "
	for _, w := range wishes {
		at := strings.Index(strings.ToLower(padded), " "+w.said)
		if at < 0 || len(padded) != len(strings.ToLower(padded)) {
			continue
		}
		end := at + 1 + len(w.said)
		if !strings.ContainsRune(" ,.;?!", rune(padded[end])) {
			continue
		}
		if wish == nil {
			wish = hub.Labels{}
		}
		if !slices.Contains(wish[w.facet], w.value) {
			wish[w.facet] = append(wish[w.facet], w.value)
		}
		if w.only {
			padded = padded[:at] + padded[end:]
		}
	}
	if rest = strings.Trim(padded, " ,.;?!"); rest == "" {
		rest = text
	}
	return rest, wish
}

// grant lets servers that do not run as is wished come later. hits are best first before and after.
func (s *Service) grant(ctx context.Context, wish hub.Labels, hits []hub.Hit) error {
	if len(wish) == 0 || len(hits) == 0 {
		return nil
	}
	fit, err := s.index.Search(ctx, hub.SearchQuery{Among: idsOf(hits), Filter: wish, Limit: len(hits)})
	if err != nil {
		return err
	}
	fits := map[string]bool{}
	for _, h := range fit.Hits {
		fits[h.ID] = true
	}
	for i, h := range hits {
		if !fits[h.ID] {
			hits[i].Score *= wishLoss
		}
	}
	slices.SortFunc(hits, byTier)
	return nil
}
