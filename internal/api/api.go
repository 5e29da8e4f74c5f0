// Package api is the JSON door of the hub: its own API at /api/v1 and the official MCP Registry API at
// /v0.1 (alias /v0), with OpenAPI made from the Go types, health and metrics. It turns requests into
// calls of internal/registry and errors into problem+json; it decides nothing about who may do what.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/mcphub/mcphub/internal/api/tools"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is what the API is made from.
type Config struct {
	Registry *registry.Service
	Search   *search.Service
	Auth     *auth.Service
	Cache    hub.Cache
	Searches hub.Cache // of answers to searches; nil: Cache
	Limiter  hub.Limiter
	Log      *slog.Logger
	Now      func() time.Time
	Metrics  *prometheus.Registry
	Checks   map[string]hub.Pinger // what /readyz asks, by name

	BaseURL        string       // public address with path prefix, no slash at the end
	Prefix         string       // path prefix of BaseURL, "" or "/hub"
	Version        string       // of the program
	Commit         string       // of the source
	Mcpm           string       // version of mcpm that people should have, "" to say none
	TrustedProxies []string     // networks whose X-Forwarded-For is believed
	AllowAnonymous bool         // hand out tokens for auth.AnonymousNamespace
	RateLimit      int          // calls a minute from one address, 0 for no limit
	KeyRateLimit   int          // calls a minute of one account or key, 0 for no limit
	HealthOnly     bool         // answer nothing but health and metrics: a worker
	AccessLog      bool         // log every request, not only those that change or fail
	Images         http.Handler // the registry of container images, under /v2; nil for none
	ImageUsage     func(ctx context.Context, actor hub.Actor, namespace string) (*wire.ImageUsage, error)
	Pages          http.Handler
	PagePaths      []string // what Pages answers to GET, as patterns of this router
	FormPaths      []string // what Pages answers to POST
}

// server holds what handlers need.
type server struct {
	Config
	answers *answers
	metrics *metrics
	ready   readiness
	proxies proxies
}

// New makes the handler for everything the hub serves.
func New(c Config) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	s := &server{Config: c, metrics: newMetrics(c.Metrics, c.Search)}
	s.answers = &answers{cache: c.Cache, searches: c.Searches, generation: c.Registry.Generation}
	engine := gin.New()
	engine.UseRawPath, engine.UnescapePathValues = true, true // names carry %2F
	engine.RedirectTrailingSlash, engine.HandleMethodNotAllowed = false, true
	var err error
	if s.proxies, err = parseProxies(c.TrustedProxies); err != nil {
		return nil, err
	}
	// The order matters: the id comes first so that everything after it can name the request; the
	// measure wraps all that may answer; who is calling is known before calls are counted against
	// them; answers are kept last. What is kept already is answered before all of this, see serveKept.
	engine.Use(s.requestID, s.measure, s.recoverPanic, s.cors, s.cleanPath, s.identify, s.limit, s.answers.record, nameContext)
	engine.NoRoute(s.noPage, s.noRoute)
	engine.NoMethod(s.noMethod)
	s.routes(engine)
	return stripPrefix(c.Prefix, s.withImages(plainRequest(s.serveKept(engine)))), nil
}

// routes is everything the hub answers, in one list.
func (s *server) routes(engine *gin.Engine) {
	root := engine.Group("")
	root.GET("/healthz", s.healthz)
	root.GET("/readyz", s.readyz)
	root.GET("/metrics", s.metrics.handler())
	if s.HealthOnly {
		return
	}
	root.GET("/schemas/mcp.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/schema+json", manifest.Schema()) })
	root.GET("/docs/api", s.docsPage)
	root.GET("/docs/api/*asset", s.docsAsset)
	assistants := gin.WrapH(tools.New(tools.Config{Registry: s.Registry, Search: s.Search, BaseURL: s.BaseURL, Version: s.Version, Log: s.Log}))
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		root.Handle(method, "/mcp", assistants)
	}
	if s.Pages != nil {
		for _, path := range s.PagePaths {
			root.GET(path, gin.WrapH(s.Pages))
		}
		for _, path := range s.FormPaths {
			root.POST(path, gin.WrapH(s.Pages))
		}
	}
	useProblems()
	api := humagin.New(engine, s.humaConfig())
	s.serverRoutes(api)
	s.publishRoutes(api)
	s.configRoutes(api)
	s.mcpmRoutes(api)
	s.accountRoutes(api)
	for _, version := range []string{"/v0.1", "/v0"} {
		s.officialReads(api, version)
		s.officialWrites(api, version)
		s.officialMeta(api, version)
	}
}

// noPage answers a browser that asks for what is not there with a page; programs get a problem from noRoute.
func (s *server) noPage(c *gin.Context) {
	p := c.Request.URL.Path
	if s.Pages == nil || s.HealthOnly || c.Request.Method != http.MethodGet || !strings.Contains(c.GetHeader("Accept"), "text/html") ||
		strings.HasPrefix(p, "/v0") || strings.HasPrefix(p, "/api/") {
		return
	}
	s.Pages.ServeHTTP(c.Writer, c.Request)
	c.Abort()
}

// ClientOf returns the function that tells the address of the network a request comes from, believing the
// forwarding headers of the given proxies, as limits count it.
func ClientOf(trusted []string) (func(*http.Request) string, error) {
	p, err := parseProxies(trusted)
	return func(r *http.Request) string { return network(p.client(r)) }, err
}

func (s *server) humaConfig() huma.Config {
	c := huma.DefaultConfig("mcphub", s.Version)
	c.CreateHooks = nil // no $schema members in answers: they would not be the published bytes
	c.DocsPath, c.SchemasPath = "", ""
	c.OpenAPIPath = "/openapi"
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.Info.Description = "The registry of MCP servers: its own API under /api/v1, and the official MCP Registry API under /v0.1 (alias /v0).\n\n" +
		"A server's name is one path segment: `%40acme%2Fpostgres`. Errors are `application/problem+json` with `kind`, `hint` and `requestId`."
	c.Servers = []*huma.Server{{URL: s.BaseURL}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token from POST /api/v1/auth/login, or an API key (mcph_...)."},
	}
	c.Tags = []*huma.Tag{
		{Name: "servers", Description: "Find and read servers and their versions."},
		{Name: "publish", Description: "Publish versions and change their state."},
		{Name: "config", Description: "Configuration for host applications."},
		{Name: "account", Description: "Sign in, API keys."},
		{Name: "registry", Description: "The official MCP Registry API, so that its clients work here unchanged."},
	}
	return c
}

// plainRequest answers HEAD as GET, whose body net/http leaves out by itself, and keeps a "+" in a path with
// escapes from being read as a space.
func plainRequest(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), keyHead, true))
			r.Method = http.MethodGet
		}
		if strings.Contains(r.URL.RawPath, "+") {
			u := *r.URL
			u.RawPath = strings.ReplaceAll(u.RawPath, "+", "%2B")
			r = r.WithContext(r.Context())
			r.URL = &u
		}
		h.ServeHTTP(w, r)
	})
}

// stripPrefix serves h under a path prefix and without it: some proxies take the prefix off themselves, and
// probes of the machine ask for /readyz. Escaped names in the path stay as they are.
func stripPrefix(prefix string, h http.Handler) http.Handler {
	if prefix == "" {
		return h
	}
	under := http.StripPrefix(prefix, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == prefix {
			http.Redirect(w, r, prefix+"/", http.StatusPermanentRedirect)
			return
		}
		if strings.HasPrefix(r.URL.Path, prefix+"/") {
			under.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
