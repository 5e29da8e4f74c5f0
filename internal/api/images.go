package api

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// withImages answers /v2, the registry of container images, before anything of this room is done with a request:
// it has errors of its own form, HEAD means something to it, and its bodies are as large as disks. Counting, limits,
// the request id and the log are the same.
func (s *server) withImages(next http.Handler) http.Handler {
	if s.Images == nil || s.HealthOnly {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2" && !strings.HasPrefix(r.URL.Path, "/v2/") {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		w.Header()[headerRequestID] = []string{newRequestID(r)}
		out := &statusWriter{ResponseWriter: w}
		s.serveImages(out, r)
		s.metrics.observe("/v2/*", r.Method, out.status(), time.Since(start))
		s.logImages(r, out, time.Since(start))
	})
}

func (s *server) serveImages(w *statusWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the documented sentinel value
			panic(p)
		}
		s.Log.Error("panic", "request_id", w.Header().Get(headerRequestID), "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		if w.code == 0 {
			imageProblem(w, http.StatusInternalServerError, "UNKNOWN", "something went wrong here")
		}
	}()
	if s.RateLimit > 0 {
		a := s.Limiter.Allow(r.Context(), "a:"+network(s.proxies.client(r)), hub.Rate{Limit: s.RateLimit, Window: time.Minute})
		if !a.OK {
			wait := max(1, seconds(a.Retry))
			w.Header().Set("Retry-After", strconv.Itoa(wait))
			imageProblem(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "more than "+strconv.Itoa(s.RateLimit)+" calls in a minute; wait "+strconv.Itoa(wait)+" seconds")
			return
		}
	}
	s.Images.ServeHTTP(w, r)
}

// imageProblem answers in the form of the OCI distribution specification.
func imageProblem(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"errors":[{"code":"` + code + `","message":"` + message + `"}]}`)) // plain words and numbers
}

// logImages logs as measure does.
func (s *server) logImages(r *http.Request, w *statusWriter, took time.Duration) {
	status := w.status()
	if !s.AccessLog && status < 500 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	s.Log.LogAttrs(r.Context(), level, "request", slog.String("request_id", w.Header().Get(headerRequestID)),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
		slog.Duration("took", took), slog.Int64("bytes", w.bytes), slog.String("client", s.proxies.client(r)))
}

// statusWriter notes what was answered.
type statusWriter struct {
	http.ResponseWriter
	code  int
	bytes int64
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write counts.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets the time limits of the connection be reached.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}
