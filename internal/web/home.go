package web

import (
	"net/http"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// homeView is what the first page shows.
type homeView struct {
	*ui.Frame
	registry.Overview
	Featured    []*hub.Server
	Chosen      bool // Featured was chosen by administrators, else it is what is described best
	Newest      []*hub.Server
	Installed   []*hub.Server
	Trending    []*hub.Server // most installed lately
	Updated     []*hub.Server
	Hosts       []hosts.Host
	Withdrawals []registry.Withdrawal
}

// examples are searches that show what searching is like.
var examples = []string{"query a postgres database", "read and write files", "review pull requests"}

const (
	homeTiles = 6
	homeShort = 5
	trendDays = 7
)

func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := &homeView{Frame: s.frame(r, "mcphub", "Find the right MCP server. Know what it does before it runs. Install it with one command.", "/"), Hosts: hosts.All()}
	v.NoSearch, v.Feed = true, "/feed.atom"
	v.Data = map[string]any{"@context": "https://schema.org", "@type": "WebSite", "name": "mcphub", "url": s.BaseURL + "/",
		"potentialAction": map[string]any{"@type": "SearchAction", "target": s.BaseURL + "/search?q={q}", "query-input": "required name=q"}}
	var err error
	if v.Overview, err = s.directory.Overview(ctx); err != nil {
		return err
	}
	if v.Featured, err = s.Registry.Featured(ctx); err != nil {
		return err
	}
	if v.Chosen = len(v.Featured) > 0; !v.Chosen {
		if v.Featured, err = s.Registry.ByIDs(ctx, v.Best[:min(homeTiles, len(v.Best))]); err != nil {
			return err
		}
	}
	if v.Updated, err = s.Registry.Servers(ctx, hub.ServerQuery{Sort: hub.SortUpdated, Limit: homeShort}); err != nil {
		return err
	}
	if v.Installed, err = s.Registry.Servers(ctx, hub.ServerQuery{Sort: hub.SortInstalls, Limit: homeShort}); err != nil {
		return err
	}
	if v.Trending, err = s.Registry.Trending(ctx, trendDays, homeShort); err != nil {
		return err
	}
	for i, srv := range v.Installed {
		if srv.Installs == 0 {
			v.Installed = v.Installed[:i]
			break
		}
	}
	if v.Newest, err = s.Registry.ByIDs(ctx, v.Overview.Newest[:min(homeShort, len(v.Overview.Newest))]); err != nil {
		return err
	}
	if v.Withdrawals, err = s.directory.Withdrawals(ctx, 3); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, homePage(v))
}
