// Package web is the pages of the hub. They are drawn on the server, work without JavaScript, and load
// nothing from elsewhere. Parts that are no page of their own are in sub-rooms: ui (frame and parts), prose
// (Markdown), capability (schemas and differences), draw (pictures), static (what pages load).
package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/playground"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web/session"
	"github.com/mcphub/mcphub/internal/web/static"
	"github.com/mcphub/mcphub/internal/web/ui"
)

//go:generate go tool templ generate

// Config is what the pages are made from.
type Config struct {
	Registry *registry.Service
	Search   *search.Service
	Auth     *auth.Service
	Cache    hub.Cache                  // keeps drawn pages, nil for none
	Searches hub.Cache                  // keeps pages of results, which cost most, so that many cheap pages do not push them out; nil for none
	Limiter  hub.Limiter                // bounds guesses of passwords, nil for no bound
	Client   func(*http.Request) string // the caller's address, nil for that of the connection
	Now      func() time.Time

	Playground *playground.Service // nil: tools cannot be tried
	TryAnyone  bool                // by visitors without an account too

	BaseURL string
	Prefix  string
	Version string
	Log     *slog.Logger
}

type site struct {
	Config
	ui        *ui.Site
	directory *registry.Directory
	manual    func() *manual // made when it is first asked for: it takes as long as half a start
	sessions  session.Renewals
}

// Paths are the addresses of pages, as patterns of internal/api's router. Of those, Forms take POST.
func Paths() (pages, forms []string) {
	return []string{"/", "/search", "/suggest", "/servers", "/servers/*path", "/categories", "/categories/:use", "/publishers/:scope",
			"/capabilities", "/capabilities/*path", "/start", "/start/:host", "/docs", "/docs/:page", "/security",
			"/feed.atom", "/feeds/:feed", "/sitemap.xml", "/sitemaps/:part", "/robots.txt", "/opensearch.xml", "/favicon.ico", "/card.png",
			"/setup", "/login", "/account", "/account/keys", "/account/servers", "/account/featured", "/assets/*file"},
		[]string{"/servers/*path", "/setup", "/login", "/logout", "/account/keys", "/account/keys/revoke", "/account/featured"}
}

// New makes the handler of all pages. Paths come without Config.Prefix.
func New(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &site{Config: c, directory: registry.NewDirectory(c.Registry), manual: sync.OnceValue(func() *manual { return newManual(c.Prefix) })}
	s.ui = &ui.Site{Prefix: c.Prefix, BaseURL: c.BaseURL, Version: c.Version, Assets: static.Load(), Now: c.Now}
	mux := http.NewServeMux()
	s.findRoutes(mux)
	s.serverRoutes(mux)
	s.machineRoutes(mux)
	s.accountRoutes(mux)
	mux.Handle("GET /assets/", s.ui.Assets)
	mux.HandleFunc("/", s.page(s.nothing))
	guard := http.NewCrossOriginProtection()
	if u, err := url.Parse(c.BaseURL); err == nil && u.Host != "" {
		_ = guard.AddTrustedOrigin(u.Scheme + "://" + u.Host) // an origin it cannot read stays untrusted
	}
	guard.SetDenyHandler(s.page(s.foreign))
	pages := guard.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; path.Clean(p) != p { // the mux would send it elsewhere, without our prefix
			s.page(s.nothing)(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

func (s *site) findRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.kept(s.home))
	mux.HandleFunc("GET /search", s.keptIn(s.Searches, s.search))
	mux.HandleFunc("GET /suggest", s.kept(s.suggest))
	mux.HandleFunc("GET /servers", s.kept(s.browse))
	mux.HandleFunc("GET /categories", s.kept(s.categories))
	mux.HandleFunc("GET /categories/{use}", s.kept(s.category))
	mux.HandleFunc("GET /publishers/{scope}", s.kept(s.publisher))
	mux.HandleFunc("GET /capabilities", s.kept(s.capabilities))
	mux.HandleFunc("GET /capabilities/{type}/{name...}", s.kept(s.capability))
	mux.HandleFunc("GET /start", s.kept(s.start))
	mux.HandleFunc("GET /start/{host}", s.kept(s.start))
	mux.HandleFunc("GET /docs", s.kept(s.docs))
	mux.HandleFunc("GET /docs/{page}", s.kept(s.docs))
	mux.HandleFunc("GET /security", s.kept(s.security))
}

func (s *site) serverRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /servers/{ref}", s.page(s.anyServer))
	mux.HandleFunc("GET /servers/{scope}/{name}", s.kept(s.server))
	mux.HandleFunc("GET /servers/{scope}/{name}/{tab}", s.kept(s.server))
	mux.HandleFunc("GET /servers/{scope}/{name}/v/{version}", s.kept(s.server))
	mux.HandleFunc("GET /servers/{scope}/{name}/v/{version}/{tab}", s.kept(s.server))
	mux.HandleFunc("GET /servers/{scope}/{name}/v/{version}/try/{tool}", s.page(s.try))
	mux.HandleFunc("POST /servers/{scope}/{name}/v/{version}/try/{tool}", s.page(s.try))
	mux.HandleFunc("GET /servers/{scope}/{name}/compare", s.kept(s.compare))
	mux.HandleFunc("GET /servers/{scope}/{name}/card.png", s.kept(s.serverCard))
	mux.HandleFunc("GET /servers/{scope}/{name}/versions.atom", s.kept(s.versionsFeed))
	mux.HandleFunc("GET /servers/{scope}/{name}/badge/{kind}", s.kept(s.badge))
}

func (s *site) machineRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /feed.atom", s.kept(s.changesFeed))
	mux.HandleFunc("GET /feeds/{feed}", s.kept(s.feed))
	mux.HandleFunc("GET /sitemap.xml", s.kept(s.sitemapIndex))
	mux.HandleFunc("GET /sitemaps/{part}", s.kept(s.sitemap))
	mux.HandleFunc("GET /robots.txt", s.kept(s.robots))
	mux.HandleFunc("GET /opensearch.xml", s.kept(s.openSearch))
	mux.HandleFunc("GET /card.png", s.kept(s.homeCard))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.ui.Asset("mark.svg"), http.StatusFound)
	})
}

func (s *site) accountRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /setup", s.page(s.setupForm))
	mux.HandleFunc("POST /setup", s.page(s.setup))
	mux.HandleFunc("GET /login", s.page(s.loginForm))
	mux.HandleFunc("POST /login", s.page(s.login))
	mux.HandleFunc("POST /logout", s.page(s.logout))
	mux.HandleFunc("GET /account", s.page(s.account))
	mux.HandleFunc("GET /account/keys", s.page(s.keys))
	mux.HandleFunc("POST /account/keys", s.page(s.newKey))
	mux.HandleFunc("POST /account/keys/revoke", s.page(s.revokeKey))
	mux.HandleFunc("GET /account/servers", s.page(s.mine))
	mux.HandleFunc("GET /account/featured", s.page(s.featured))
	mux.HandleFunc("POST /account/featured", s.page(s.feature))
}

// frame starts the frame of a page. path is its canonical address, "" for pages that search engines leave out.
func (s *site) frame(r *http.Request, title, description, path string) *ui.Frame {
	return &ui.Frame{Site: s.ui, Title: title, Description: oneLine(hub.Plain(description), 200), Path: path, Image: "/card.png", Account: visitorOf(r).Name}
}

// oneLine makes one line of at most n characters of a text.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-1]), " ,.;:") + "…"
	}
	return s
}
