package search

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/words"
)

// How results are ranked. The figures were chosen with the evaluation in bench/search.
const (
	fusion     = 4    // the constant of reciprocal rank fusion: how little the first ranks differ
	textWeight = 1.0  // of a rank by words
	nearWeight = 2.0  // of a rank by meaning
	nearFloor  = 0.30 // cosine below which two texts have nothing to do with each other
	nearLimit  = 60   // nearest servers that are looked at
	textLimit  = 200  // matches by words that are ranked together with them, at least
	priorWidth = 60   // best results among which quality has a say
	maxWords   = 32   // words of a text that are looked at
	priorMost  = 0.05 // of the score of a first place: the most that quality gives
)

// MaxValues is how many values of a facet a page of results tells.
const MaxValues = 12

// Result is one server that was found.
type Result struct {
	Server *hub.Server
	Why    []Reason // best first; none when everything was asked for
}

// Page is one page of results. Notice says so when it is less than it should be.
type Page struct {
	Text      string     // what was looked for, without filters
	Filter    hub.Labels // what was filtered by
	Corrected string     // what was looked for in place of Text, or ""
	Results   []Result
	Total     int64
	Facets    map[hub.Facet][]hub.FacetCount // of a facet that is filtered by: as if it were not
	Next      bool                           // there are more
	Notice    string
}

// Find answers a query. When the text index is down, names are searched in the store; when the vectors are, words
// alone count. Notice says so. Invalid for what hub.Index refuses.
func (s *Service) Find(ctx context.Context, q Query) (*Page, error) {
	if q.Limit < 1 || q.Limit > 100 || q.Offset < 0 || q.Offset > hub.MaxSearch {
		return nil, hub.Errorf(hub.Invalid, "a page shows 1 to 100 results from 0 to %d, not %d from %d", hub.MaxSearch, q.Limit, q.Offset).
			WithHint("narrow the search with filters or more words")
	}
	q.Limit = min(q.Limit, hub.MaxSearch-q.Offset)
	if s.turns != nil {
		select {
		case s.turns <- struct{}{}:
			defer func() { <-s.turns }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	text, filter := Parse(q.Text)
	p := &Page{Text: text, Filter: merge(filter, q.Filter)}
	if q.Limit == 0 {
		return p, nil
	}
	ask := text
	if !q.Exact {
		p.Corrected = s.correct(ctx, text)
		ask = cmp.Or(p.Corrected, text)
	}
	var wish hub.Labels
	if q.Sort == hub.ByRelevance && !q.Exact {
		ask, wish = wished(ask)
	}
	var near []hub.Hit
	var nearErr error
	if q.Sort == hub.ByRelevance {
		near, nearErr = s.near(ctx, question{ask, s.asked(p.Filter), nearLimit, true})
	}
	found, err := s.rank(ctx, q, p, ask, wish, near)
	if hub.KindOf(err) == hub.Unavailable {
		s.log.WarnContext(ctx, "search engine failed; searching names", "error", err)
		return p, s.names(ctx, p, q, "the search engine is down; only names were searched")
	}
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && !s.text.ready.Load() {
		p.Notice = "the search index is being filled; not everything is found yet"
	}
	if nearErr != nil {
		if errors.Is(nearErr, context.Canceled) {
			return nil, nearErr
		}
		s.log.WarnContext(ctx, "search by meaning failed", "error", nearErr)
		p.Notice = "search by meaning is down; only words were searched"
	}
	return p, s.show(ctx, p, q, ask, found)
}

// correct returns the text with words that nobody uses replaced by ones that are spelled alike, "" when there are
// none. A failure corrects nothing: the search itself tells.
func (s *Service) correct(ctx context.Context, text string) string {
	var list []string
	for _, w := range words.Split(text, maxWords) {
		if !s.known(w.Plain) {
			list = append(list, w.Plain)
		}
	}
	if len(list) == 0 {
		return ""
	}
	better, err := s.index.Correct(ctx, list)
	if err != nil || len(better) == 0 {
		return ""
	}
	out, changed := strings.Fields(text), false
	for i, w := range out {
		core := strings.ToLower(strings.Trim(w, `.,;:!?"'()`))
		if b, ok := better[core]; ok {
			out[i], changed = b, true
		}
	}
	if !changed {
		return ""
	}
	return strings.Join(out, " ")
}

// understood reports whether the model has a meaning for a word of the text.
func (s *Service) understood(text string) bool {
	list := words.Split(text, maxWords)
	return s.speaks == nil || len(list) == 0 ||
		slices.ContainsFunc(list, func(w words.Word) bool { return s.speaks(w.Plain) || slices.ContainsFunc(w.Parts, s.speaks) })
}

// question is what is looked for by meaning.
type question struct {
	text   string
	filter hub.Labels
	limit  int
	asked  bool // by somebody: it is looked for by what it is about, too
}

// near returns the servers whose meaning is near a question's.
func (s *Service) near(ctx context.Context, q question) ([]hub.Hit, error) {
	if s.meaning == nil || strings.TrimSpace(q.text) == "" || !s.meaning.ready.Load() {
		return nil, nil
	}
	plain := words.English(q.text, maxWords)
	if q.asked && !s.understood(plain) {
		return nil, nil // letters without a meaning are near to something all the same
	}
	vectors, err := s.embedder.Embed(ctx, []string{plain})
	if err != nil {
		return nil, err
	}
	v := vectors[0]
	if q.asked {
		all, err := s.concepts.get(ctx, s.embedder)
		if err != nil {
			return nil, err
		}
		v = leaned(v, all)
	}
	hits, err := s.vectors.Nearest(ctx, hub.VectorQuery{Vector: v, Filter: q.filter, Limit: q.limit})
	if err != nil {
		return nil, err
	}
	end, _ := slices.BinarySearchFunc(hits, nearFloor, func(h hub.Hit, floor float64) int { return cmp.Compare(floor, h.Score) })
	return hits[:end], nil
}

// rank returns the IDs of what was found, best first, and sets the page's total and facets.
func (s *Service) rank(ctx context.Context, q Query, p *Page, text string, wish hub.Labels, near []hub.Hit) ([]string, error) {
	ask := hub.SearchQuery{Text: text, Filter: s.asked(p.Filter), Sort: q.Sort, Facets: q.Facets, Limit: min(hub.MaxSearch, max(textLimit, q.Offset+q.Limit+1))}
	if q.Sort != hub.ByRelevance || strings.TrimSpace(text) == "" {
		ask.Limit = min(hub.MaxSearch, q.Offset+q.Limit+1)
	}
	for _, h := range near {
		ask.Also = append(ask.Also, h.ID)
	}
	res, err := s.index.Search(ctx, ask)
	if err != nil {
		return nil, err
	}
	p.Total, p.Facets = res.Total, res.Facets
	if err := s.ownFacets(ctx, q, p, ask); err != nil {
		return nil, err
	}
	s.cutFacets(p)
	if len(near) == 0 && len(wish) == 0 {
		return idsOf(res.Hits), nil
	}
	own := slices.DeleteFunc(res.Hits, func(h hub.Hit) bool { return h.Score == 0 })
	fused := Fuse(own, near)
	best := fused[:min(len(fused), priorWidth)]
	standings, err := s.standings.of(ctx, s.store, idsOf(best))
	if err != nil {
		return nil, err
	}
	prior(best, standings)
	return idsOf(fused), s.grant(ctx, wish, best)
}

// ownFacets counts each facet that is filtered by as if it were not, so that another value can be chosen too.
func (s *Service) ownFacets(ctx context.Context, q Query, p *Page, ask hub.SearchQuery) error {
	for _, f := range q.Facets {
		if len(p.Filter[f]) == 0 {
			continue
		}
		ask.Filter, ask.Facets, ask.Limit = s.asked(without(p.Filter, f)), []hub.Facet{f}, 0
		res, err := s.index.Search(ctx, ask)
		if err != nil {
			return err
		}
		if p.Facets == nil {
			p.Facets = map[hub.Facet][]hub.FacetCount{}
		}
		p.Facets[f] = res.Facets[f]
	}
	return nil
}

// cutFacets leaves MaxValues of each facet.
func (s *Service) cutFacets(p *Page) {
	if counts, ok := p.Facets[hub.FacetHost]; ok {
		p.Facets[hub.FacetHost] = s.spread(counts)
	}
	for f, counts := range p.Facets {
		p.Facets[f] = counts[:min(len(counts), MaxValues)]
	}
}

// Fuse ranks what was found by words and what was found by meaning together, by reciprocal rank; names that match as a
// whole stay first. Ties go by ID.
func Fuse(text, near []hub.Hit) []hub.Hit {
	byID := map[string]*hub.Hit{}
	var out []*hub.Hit
	add := func(h hub.Hit, rank int, weight float64) {
		known := byID[h.ID]
		if known == nil {
			known = &hub.Hit{ID: h.ID, Tier: h.Tier}
			byID[h.ID] = known
			out = append(out, known)
		}
		known.Score += weight / float64(fusion+rank)
	}
	for _, list := range []struct {
		hits   []hub.Hit
		weight float64
	}{{text, textWeight}, {near, nearWeight}} {
		rank := 0
		for i, h := range list.hits {
			if i == 0 || h.Score != list.hits[i-1].Score { // what is as good has the same rank
				rank = i + 1
			}
			add(h, rank, list.weight)
		}
	}
	slices.SortFunc(out, func(a, b *hub.Hit) int { return byTier(*a, *b) })
	fused := make([]hub.Hit, len(out))
	for i, h := range out {
		fused[i] = *h
	}
	return fused
}

func byTier(a, b hub.Hit) int {
	return cmp.Or(cmp.Compare(b.Tier, a.Tier), cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
}

// prior gives servers of quality a small advantage among results that are about as good.
func prior(hits []hub.Hit, standings map[string]hub.Standing) {
	for i, h := range hits {
		hits[i].Score += priorMost * nearWeight / (fusion + 1) * quality(standings[h.ID])
	}
	slices.SortFunc(hits, byTier)
}

// quality is between 0 and 1: half of it how well a server is described, half how often it is installed, where ten
// thousand installs are all there is to have.
func quality(st hub.Standing) float64 {
	installs := math.Log10(1+float64(max(0, st.Installs))) / 4
	return 0.5*float64(st.Score)/100 + 0.5*min(1, installs)
}

func idsOf(hits []hub.Hit) []string {
	out := make([]string, len(hits))
	for i, h := range hits {
		out[i] = h.ID
	}
	return out
}

// byID reads servers; those that are gone or cannot be chosen any more are left out.
func (s *Service) byID(ctx context.Context, ids []string) (map[string]*hub.Server, error) {
	out := make(map[string]*hub.Server, len(ids))
	for part := range slices.Chunk(ids, fillBatch) {
		rows, err := s.store.ServersByID(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, srv := range rows {
			if srv.Latest.State.Resolvable() {
				out[srv.ID] = srv
			}
		}
	}
	return out, nil
}

// show fills the page with its part of what was found.
func (s *Service) show(ctx context.Context, p *Page, q Query, text string, found []string) error {
	start := min(q.Offset, len(found))
	if i := slices.Index(found, q.After); q.After != "" && i >= 0 {
		start = i + 1
	}
	end := min(start+q.Limit, len(found))
	p.Next = end < len(found)
	servers, err := s.byID(ctx, found[start:end])
	if err != nil {
		return err
	}
	for _, id := range found[start:end] {
		if srv := servers[id]; srv != nil {
			p.Results = append(p.Results, Result{Server: srv})
		}
	}
	return s.explain(ctx, p, newTerms(text))
}

// explain says of each result why it matches.
func (s *Service) explain(ctx context.Context, p *Page, t terms) error {
	if len(t.all) == 0 || len(p.Results) == 0 {
		return nil
	}
	ids := make([]string, len(p.Results))
	for i, r := range p.Results {
		ids[i] = r.Server.Latest.VersionID
	}
	texts, err := s.store.Texts(ctx, ids, maxMarked)
	if err != nil {
		return err
	}
	for i, r := range p.Results {
		p.Results[i].Why = t.explain(r.Server, texts[r.Server.Latest.VersionID])
	}
	return nil
}

// names searches the names in the store, when there is no engine to ask, and says why.
func (s *Service) names(ctx context.Context, p *Page, q Query, notice string) error {
	if len(p.Filter) > 0 {
		notice += ", and nothing was filtered"
	}
	p.Corrected, p.Notice = "", notice
	rows, err := s.store.Page(ctx, hub.CatalogQuery{Limit: q.Limit, Version: "latest", Search: strings.TrimPrefix(strings.TrimSpace(p.Text), "@")})
	if err != nil {
		return err
	}
	p.Total = int64(len(rows))
	for _, row := range rows {
		srv, err := s.store.Server(ctx, string(row.Name))
		if hub.KindOf(err) == hub.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		p.Results = append(p.Results, Result{Server: srv})
	}
	return nil
}
