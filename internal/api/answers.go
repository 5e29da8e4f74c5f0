package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/mcphub/mcphub/internal/hub"
)

// answers keeps whole answers to public reads as bytes, under the generation of the catalogue: any
// change anywhere makes the next read ask the store again. It also gives every such answer an ETag.
type answers struct {
	cache      hub.Cache
	generation func() (local uint64, seen int64)
}

const (
	answerTTL    = 30 * time.Second // install counts change without a generation
	maxAnswer    = 1 << 20          // bytes of an answer that is kept
	maxAnswerURI = 512              // longer addresses are not worth a place
)

// cacheControl is what a CDN in front may do: serve lists for half a minute, and old ones while it asks.
const cacheControl = "public, max-age=30, stale-while-revalidate=300"

// cacheable reports whether the answer depends on nothing but the address and the catalogue.
func cacheable(r *http.Request) bool {
	p := r.URL.Path
	return r.Method == http.MethodGet && len(r.RequestURI) <= maxAnswerURI && r.Header["Authorization"] == nil && r.Header["Mcpm-Command"] == nil &&
		(strings.HasPrefix(p, "/v0") || strings.HasPrefix(p, "/api/v1/se") || strings.HasPrefix(p, "/api/v1/ca")) &&
		!strings.Contains(p, "/bundle/")
}

func (a *answers) middleware(c *gin.Context) {
	if !cacheable(c.Request) {
		return
	}
	ctx := c.Request.Context()
	local, seen := a.generation()
	key := c.Request.RequestURI + " " + strconv.FormatUint(local, 36) + "." + strconv.FormatInt(seen, 36)
	if kept, ok := a.cache.Get(ctx, key); ok {
		if etag, body, ok := bytes.Cut(kept, []byte{'\n'}); ok {
			answer(c, string(etag), body)
			c.Abort()
			return
		}
	}
	a.record(ctx, c, key)
}

// record lets the handler answer into memory, and keeps and sends what it said.
func (a *answers) record(ctx context.Context, c *gin.Context, key string) {
	w := &recorder{ResponseWriter: c.Writer, status: http.StatusOK}
	c.Writer = w
	c.Next()
	c.Writer = w.ResponseWriter
	if w.status != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		w.ResponseWriter.WriteHeader(w.status)
		_, _ = w.ResponseWriter.Write(w.buf.Bytes()) // the client is gone when this fails
		return
	}
	body := w.buf.Bytes()
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	if len(body) <= maxAnswer {
		kept := make([]byte, 0, len(etag)+1+len(body))
		a.cache.Set(ctx, key, append(append(append(kept, etag...), '\n'), body...), answerTTL)
	}
	answer(c, etag, body)
}

// answer sends JSON bytes, or 304 when the client has them.
func answer(c *gin.Context, etag string, body []byte) {
	h := c.Writer.Header()
	h["Etag"] = []string{etag}
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = listCaching
	}
	if match := c.GetHeader("If-None-Match"); match != "" && strings.Contains(match, etag) {
		c.Writer.WriteHeader(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Writer.WriteHeader(http.StatusOK)
	_, _ = c.Writer.Write(body) // the client is gone when this fails
}

// recorder is a gin.ResponseWriter that keeps what is written.
type recorder struct {
	gin.ResponseWriter
	buf    bytes.Buffer
	status int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// WriteHeaderNow does nothing: the header is sent when the answer is whole.
func (r *recorder) WriteHeaderNow() {}

// Write keeps b.
func (r *recorder) Write(b []byte) (int, error) { return r.buf.Write(b) }

// WriteString keeps s.
func (r *recorder) WriteString(s string) (int, error) { return r.buf.WriteString(s) }

// Status returns the noted status.
func (r *recorder) Status() int { return r.status }

// Size returns the bytes kept.
func (r *recorder) Size() int { return r.buf.Len() }

// Written reports whether anything was kept.
func (r *recorder) Written() bool { return r.buf.Len() > 0 }
