package api

import (
	"context"
	"embed"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

// healthz says that the process answers; nothing else.
func (s *server) healthz(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// readyz asks every part and says which is down: 200 only when all answer.
func (s *server) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 3*time.Second)
	defer cancel()
	s.ready.Lock() // a flood of probes asks the parts four times a second
	if time.Since(s.ready.at) > 250*time.Millisecond {
		s.ready.parts, s.ready.status = s.askParts(ctx)
		s.ready.at = time.Now()
	}
	status, parts := s.ready.status, s.ready.parts
	s.ready.Unlock()
	c.Header("Cache-Control", "no-store")
	word := "ready"
	if status != http.StatusOK {
		word = "not ready"
	}
	c.JSON(status, gin.H{"status": word, "parts": parts, "index_lag_events": behind(s.Search)})
}

// readiness is the last answer of the parts.
type readiness struct {
	sync.Mutex
	at     time.Time
	status int
	parts  map[string]string
}

// askParts asks every part. The detail of a failure is for the log, not for whoever asks.
func (s *server) askParts(ctx context.Context) (map[string]string, int) {
	status, parts := http.StatusOK, map[string]string{}
	for name, check := range s.Checks {
		parts[name] = "ok"
		if err := check.Ping(ctx); err != nil {
			s.Log.WarnContext(ctx, "a part does not answer", "part", name, "error", err)
			status, parts[name] = http.StatusServiceUnavailable, "down"
		}
	}
	return parts, status
}

// metrics are what Prometheus reads.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(reg *prometheus.Registry, find *search.Service) *metrics {
	m := &metrics{registry: reg, requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "mcphub_http_request_seconds", Help: "Time to answer, by route.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"route", "method", "status"})}
	reg.MustRegister(m.requests)
	for engine := range find.Lag() {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "mcphub_index_lag_events", Help: "Events a search engine is behind.", ConstLabels: prometheus.Labels{"engine": engine},
		}, func() float64 { return float64(find.Lag()[engine]) }))
	}
	return m
}

// behind is how many events the search engine that is furthest behind is.
func behind(find *search.Service) (most int64) {
	for _, lag := range find.Lag() {
		most = max(most, lag)
	}
	return most
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
	default:
		method = "other" // an attacker's words must not become label values
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() gin.HandlerFunc {
	return gin.WrapH(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}

//go:embed docs/index.html docs/docs.js docs/theme.js docs/docs.css
var docsFiles embed.FS

// docsPage is the interactive API documentation: Swagger UI from the binary, nothing from elsewhere and
// no script in the page.
func (s *server) docsPage(c *gin.Context) {
	page, err := docsFiles.ReadFile("docs/index.html")
	if err != nil {
		s.problem(c, err)
		return
	}
	c.Header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Referrer-Policy", "no-referrer")
	c.Data(http.StatusOK, "text/html; charset=utf-8", page)
}

var swagger = statigz.FileServer(static.FS)

func (s *server) docsAsset(c *gin.Context) {
	name := strings.TrimPrefix(c.Param("asset"), "/")
	switch name {
	case "":
		c.Redirect(http.StatusPermanentRedirect, s.Prefix+"/docs/api")
	case "docs.js", "theme.js", "docs.css":
		body, err := docsFiles.ReadFile("docs/" + name)
		if err != nil {
			s.problem(c, err)
			return
		}
		kind := "text/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".css") {
			kind = "text/css; charset=utf-8"
		}
		c.Data(http.StatusOK, kind, body)
	case "swagger-ui.css", "swagger-ui-bundle.js":
		r := c.Request.Clone(c.Request.Context())
		r.URL.Path, r.URL.RawPath = "/"+name, ""
		c.Header("Cache-Control", "public, max-age=86400")
		swagger.ServeHTTP(c.Writer, r)
	default:
		s.noRoute(c)
	}
}
