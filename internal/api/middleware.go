package api

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
)

// names under which middleware leaves things in the request's context.
type contextKey int

const (
	keyRequestID contextKey = iota
	keyActor
	keyActorErr
	keyClient
	keyHead // the request came as HEAD
)

const headerRequestID = "X-Request-Id"

// The headers of a limit, as draft-ietf-httpapi-ratelimit-headers-06 writes them.
const (
	headerLimit     = "RateLimit-Limit"
	headerRemaining = "RateLimit-Remaining"
	headerReset     = "RateLimit-Reset"
)

// requestID names the request, see newRequestID.
func (s *server) requestID(c *gin.Context) {
	c.Writer.Header()[headerRequestID] = []string{newRequestID(c.Request)}
}

// newRequestID returns the caller's own id when it is a plain word, else a new one.
func newRequestID(r *http.Request) string {
	if given := r.Header[headerRequestID]; len(given) > 0 && plainWord(given[0]) {
		return given[0]
	}
	var b [10]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint16(b[8:], uint16(rand.Uint32()))
	return base32.HexEncoding.EncodeToString(b[:])
}

// nameContext puts the request id where handlers and what they call can log it.
func nameContext(c *gin.Context) {
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), keyRequestID, requestIDOf(c)))
}

// contextRequestID returns the id put there by nameContext.
func contextRequestID(ctx context.Context) string {
	id, _ := ctx.Value(keyRequestID).(string)
	return id
}

func plainWord(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' {
			return false
		}
	}
	return true
}

// requestIDOf returns the id given by requestID; the answer's header is where it is kept.
func requestIDOf(c *gin.Context) string {
	if v := c.Writer.Header()[headerRequestID]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// measure counts and logs. Reads that went well are logged only when the operator wants all of them.
func (s *server) measure(c *gin.Context) {
	start := time.Now()
	c.Next()
	took, status := time.Since(start), c.Writer.Status()
	s.metrics.observe(c.FullPath(), c.Request.Method, status, took)
	if !s.AccessLog && status < 500 && (c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead || c.Request.Method == http.MethodOptions) {
		return
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	s.Log.LogAttrs(c.Request.Context(), level, "request", slog.String("request_id", requestIDOf(c)),
		slog.String("method", c.Request.Method), slog.String("path", c.Request.URL.Path), slog.Int("status", status),
		slog.Duration("took", took), slog.Int("bytes", c.Writer.Size()), slog.String("client", s.proxies.client(c.Request)))
}

// recoverPanic turns a panic into a 500 with the request id; the trace is logged.
func (s *server) recoverPanic(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the documented sentinel value
			panic(p)
		}
		s.Log.Error("panic", "request_id", requestIDOf(c), "path", c.Request.URL.Path, "panic", p, "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			s.problem(c, hub.Errorf("", "panic"))
		}
		c.Abort()
	}()
	c.Next()
}

// Header values that are the same in every answer; net/http only reads them.
var (
	anyOrigin      = []string{"*"}
	exposedHeaders = []string{"*"} // all of them, to pages that send no cookies (Fetch standard, section 3.3.5)
	jsonType       = []string{"application/json"}
	listCaching    = []string{cacheControl}
)

// cors lets pages of any origin read and, with a token of their own, write. Cookies are never used by
// these APIs, so any origin is safe; the pages under / are left out.
func (s *server) cors(c *gin.Context) {
	p := c.Request.URL.Path
	if !strings.HasPrefix(p, "/v0") && !strings.HasPrefix(p, "/api/") && !strings.HasPrefix(p, "/openapi") && p != "/mcp" {
		return
	}
	h := c.Writer.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	if c.Request.Method != http.MethodOptions {
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type, Idempotency-Key")
	h.Set("Access-Control-Max-Age", "86400")
	c.AbortWithStatus(http.StatusNoContent)
}

// cleanPath refuses NUL bytes and sends a trailing slash to the clean path. The target is built from
// path and query alone: a host in an absolute request line, or a leading "//", never leaves this hub.
func (s *server) cleanPath(c *gin.Context) {
	u := c.Request.URL
	if strings.Contains(u.Path, "\x00") || strings.Contains(u.RawQuery, "%00") || strings.Contains(u.RawQuery, "\x00") {
		s.problem(c, hub.Errorf(hub.Malformed, "the address has a NUL byte in it"))
		return
	}
	if u.Path == "/" || !strings.HasSuffix(u.Path, "/") || strings.HasPrefix(u.Path, "/docs/api/") {
		return
	}
	target := url.URL{Path: s.Prefix + path.Clean(u.Path), RawQuery: u.RawQuery}
	if raw := u.RawPath; raw != "" {
		target.RawPath = s.Prefix + path.Clean(raw)
	}
	c.Redirect(http.StatusPermanentRedirect, target.String())
	c.Abort()
}

// identify finds out who is calling. A wrong credential is kept for the handlers that need to know;
// public reading goes on without it.
func (s *server) identify(c *gin.Context) {
	header := c.GetHeader("Authorization")
	if header == "" {
		return
	}
	actor, err := s.Auth.Actor(c.Request.Context(), header, requestIDOf(c))
	ctx := c.Request.Context()
	if err != nil {
		ctx = context.WithValue(ctx, keyActorErr, err)
	} else {
		ctx = context.WithValue(ctx, keyActor, actor)
	}
	c.Request = c.Request.WithContext(ctx)
}

// actorOf returns who is calling; the error of identify when the credential was wrong.
func actorOf(ctx context.Context) (hub.Actor, error) {
	if err, ok := ctx.Value(keyActorErr).(error); ok {
		return hub.Actor{}, err
	}
	if a, ok := ctx.Value(keyActor).(hub.Actor); ok {
		return a, nil
	}
	return hub.Actor{Scopes: []hub.Scope{hub.ScopeRead}, RequestID: contextRequestID(ctx)}, nil
}

// limit counts calls per account or key, else per address, with the RateLimit headers of
// draft-ietf-httpapi-ratelimit-headers-06.
func (s *server) limit(c *gin.Context) {
	client := network(s.proxies.client(c.Request))
	c.Set(keyClient, client)
	key, most := "a:"+client, s.RateLimit
	if a, ok := c.Request.Context().Value(keyActor).(hub.Actor); ok && a.AccountID != "anonymous" {
		key, most = "k:"+a.AccountID+a.KeyID, s.KeyRateLimit
	}
	if p := c.Request.URL.Path; most > 0 && p != "/healthz" && p != "/readyz" && p != "/metrics" {
		s.count(c, key, hub.Rate{Limit: most, Window: time.Minute})
	}
}

func (s *server) count(c *gin.Context, key string, rate hub.Rate) {
	a := s.Limiter.Allow(c.Request.Context(), key, rate)
	h := c.Writer.Header()
	h[headerLimit] = []string{strconv.Itoa(a.Limit)}
	h[headerRemaining] = []string{strconv.Itoa(a.Remaining)}
	h[headerReset] = []string{strconv.Itoa(seconds(a.Reset))}
	if a.OK {
		return
	}
	h.Set("Retry-After", strconv.Itoa(max(1, seconds(a.Retry))))
	s.problem(c, hub.Errorf(hub.RateLimited, "more than %d calls in %s", rate.Limit, rate.Window).
		WithHint("wait %d seconds; an API key has a limit of its own", max(1, seconds(a.Retry))))
}

// seconds rounds up: a client that waits this long is not early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (s *server) noRoute(c *gin.Context) {
	p := c.Request.URL.Path
	e := hub.Errorf(hub.NotFound, "there is nothing at %s", p).WithHint("the API is described at %s/docs/api", s.BaseURL)
	if strings.HasPrefix(p, "/servers") {
		e.Hint = "did you mean " + s.BaseURL + "/v0.1" + p + " or " + s.BaseURL + "/api/v1" + p + "?"
	}
	s.problem(c, e)
}

func (s *server) noMethod(c *gin.Context) {
	p := wire.NewProblem(hub.Errorf(hub.Malformed, "%s is not possible on %s", c.Request.Method, c.Request.URL.Path), requestIDOf(c))
	p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
	writeProblem(c, p)
}
