package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// serveKept answers what is kept before any routing is done, with the same headers, limits and measures, and
// hands everything else on. A call over its limit is handed on too, and refused there.
func (s *server) serveKept(next http.Handler) http.Handler {
	if s.AccessLog || s.HealthOnly {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cacheable(r) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		k, ok := s.answers.lookup(r)
		if !ok || !s.admit(w, r) {
			next.ServeHTTP(w, r)
			return
		}
		s.metrics.observe(k.route, r.Method, answer(w, r, k.etag, k.body), time.Since(start))
	})
}

// admit counts a call by its address and sets the headers of every answer. It reports whether the call is
// within the limit, and leaves no trace of one that is not.
func (s *server) admit(w http.ResponseWriter, r *http.Request) bool {
	values := []string{newRequestID(r), "", "", ""}
	h := w.Header()
	if s.RateLimit > 0 {
		a := s.Limiter.Allow(r.Context(), "a:"+network(s.proxies.client(r)), hub.Rate{Limit: s.RateLimit, Window: time.Minute})
		if !a.OK {
			return false
		}
		values[1], values[2], values[3] = strconv.Itoa(a.Limit), strconv.Itoa(a.Remaining), strconv.Itoa(seconds(a.Reset))
		h[headerLimit], h[headerRemaining], h[headerReset] = values[1:2:2], values[2:3:3], values[3:4:4]
	}
	h[headerRequestID] = values[:1:1]
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	return true
}
