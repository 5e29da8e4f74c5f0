package api

import (
	"bytes"
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
	searches   hub.Cache // a share of their own: they cost most, and many cheap lists must not push them out
	generation func() (local uint64, seen int64)
}

const (
	answerTTL    = 30 * time.Second // install counts change without a generation
	maxAnswer    = 1 << 20          // bytes of an answer that is kept
	maxAnswerURI = 512              // longer addresses are not worth a place
)

// cacheControl is what a CDN in front may do: serve lists for half a minute, and old ones while it asks.
const cacheControl = "public, max-age=30, stale-while-revalidate=300"

// noStore is what an answer says of itself that must not be kept, here or in between.
const noStore = "no-store"

// cacheable reports whether the answer depends on nothing but the address and the catalogue.
func cacheable(r *http.Request) bool {
	p := r.URL.Path
	return r.Method == http.MethodGet && len(r.RequestURI) <= maxAnswerURI && r.Header["Authorization"] == nil && r.Header["Mcpm-Command"] == nil &&
		(strings.HasPrefix(p, "/v0") || strings.HasPrefix(p, "/api/v1/s") || strings.HasPrefix(p, "/api/v1/ca")) &&
		!strings.Contains(p, "/bundle/")
}

// key names the answer to r in the cache.
func (a *answers) key(r *http.Request) string {
	local, seen := a.generation()
	return r.RequestURI + " " + strconv.FormatUint(local, 36) + "." + strconv.FormatInt(seen, 36)
}

// cacheOf is where answers to such calls are kept.
func (a *answers) cacheOf(r *http.Request) hub.Cache {
	if a.searches != nil && strings.HasPrefix(r.URL.Path, "/api/v1/search") {
		return a.searches
	}
	return a.cache
}

// kept is an answer as the cache has it: "ETag newline route newline body".
type kept struct {
	etag, route string
	body        []byte
}

func (a *answers) lookup(r *http.Request) (kept, bool) {
	b, ok := a.cacheOf(r).Get(r.Context(), a.key(r))
	if !ok {
		return kept{}, false
	}
	etag, rest, ok := bytes.Cut(b, []byte{'\n'})
	route, body, more := bytes.Cut(rest, []byte{'\n'})
	return kept{etag: string(etag), route: string(route), body: body}, ok && more
}

// record is the middleware that lets the handler answer into memory, and keeps and sends what it said.
func (a *answers) record(c *gin.Context) {
	if !cacheable(c.Request) {
		return
	}
	key := a.key(c.Request) // before the answer is made: a change meanwhile must not be missed
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
	if head := etag + "\n" + c.FullPath() + "\n"; len(body) <= maxAnswer && w.Header().Get("Cache-Control") != noStore {
		whole := make([]byte, 0, len(head)+len(body))
		a.cacheOf(c.Request).Set(c.Request.Context(), key, append(append(whole, head...), body...), answerTTL)
	}
	answer(c.Writer, c.Request, etag, body)
}

// answer sends JSON bytes, or 304 when the client has them, and returns the status.
func answer(w http.ResponseWriter, r *http.Request, etag string, body []byte) int {
	h := w.Header()
	values := []string{etag, strconv.Itoa(len(body))}
	h["Etag"] = values[:1:1]
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = listCaching
	}
	if match := r.Header["If-None-Match"]; len(match) > 0 && strings.Contains(match[0], etag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	h["Content-Type"] = jsonType
	h["Content-Length"] = values[1:]
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client is gone when this fails
	return http.StatusOK
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
