package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/web/static"
	"github.com/mcphub/mcphub/internal/web/ui"
	"github.com/mcphub/mcphub/internal/web/zip"
)

// csp lets a page load only what this hub serves, and no script or style in the page itself.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// noStore is what a page says of itself that must not be kept, here or in between.
const noStore = "no-store"

const htmlType = "text/html; charset=utf-8"

// answer is what a page's function says; it is sent when it is whole.
type answer struct {
	header http.Header
	status int
	body   *bytes.Buffer
}

// bodies are buffers at rest: a page is drawn into one, and sent.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxBody is the largest buffer that is used again, in bytes.
const maxBody = 256 << 10

// free gives the buffer back. The answer is of no use after it.
func (a *answer) free() {
	if a.body.Cap() <= maxBody {
		a.body.Reset()
		bodies.Put(a.body)
	}
}

// Header returns the header of the answer.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write keeps b.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

type pageFunc func(http.ResponseWriter, *http.Request) error

// page makes a handler of a page's function: it knows who is asking, and shows errors as pages.
func (s *site) page(fn pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = s.identify(w, r)
		a := s.draw(w.Header(), r, fn)
		defer a.free()
		a.header.Set("Cache-Control", noStore)
		s.send(w, r, a.header.Get("Content-Type"), a.status, a.body.Bytes(), nil)
	}
}

// draw runs a page's function. The answer shares the header h.
func (s *site) draw(h http.Header, r *http.Request, fn pageFunc) *answer {
	a := &answer{header: h, status: http.StatusOK, body: bodies.Get().(*bytes.Buffer)}
	if err := fn(a, r); err != nil {
		a.body.Reset()
		if err = s.problem(a, r, err); err != nil {
			s.Log.Error("page failed", "path", r.URL.Path, "error", err)
			a.status = http.StatusInternalServerError
			a.body.Reset()
			a.body.WriteString("the page could not be drawn\n")
			h.Set("Content-Type", "text/plain; charset=utf-8")
		}
	}
	return a
}

const (
	keptFor    = 30 * time.Second // install counts and relative times change without a generation
	maxKept    = 256 << 10        // bytes of a compressed page that is kept
	maxKeptURI = 512
	worthGzip  = 1024
)

// kept is page for what is the same for everybody who is not signed in. It is kept, compressed, under the
// generation of the catalogue.
func (s *site) kept(fn pageFunc) http.HandlerFunc { return s.keptIn(s.Cache, fn) }

// keptIn is kept in a cache of its own, nil for none.
func (s *site) keptIn(cache hub.Cache, fn pageFunc) http.HandlerFunc {
	slow := s.page(fn)
	return func(w http.ResponseWriter, r *http.Request) {
		if hasSession(r) {
			slow(w, r)
			return
		}
		key := ""
		if uri := knownAddress(r); cache != nil && len(uri) <= maxKeptURI {
			local, seen := s.Registry.Generation()
			key = "page " + uri + " " + strconv.FormatUint(local, 36) + "." + strconv.FormatInt(seen, 36)
			if b, ok := cache.Get(r.Context(), key); ok {
				kind, small, _ := bytes.Cut(b, []byte{'\n'})
				s.public(w, r, string(kind), http.StatusOK, nil, small)
				return
			}
		}
		a := s.draw(w.Header(), r, fn)
		defer a.free()
		kind := a.header.Get("Content-Type")
		if a.status != http.StatusOK || a.header.Get("Location") != "" || a.header.Get("Cache-Control") == noStore {
			a.header.Set("Cache-Control", noStore)
			s.send(w, r, kind, a.status, a.body.Bytes(), nil)
			return
		}
		small := zip.Pack(a.body.Bytes())
		if key != "" && len(small) <= maxKept {
			cache.Set(r.Context(), key, append([]byte(kind+"\n"), small...), keptFor)
		}
		s.public(w, r, kind, a.status, a.body.Bytes(), small)
	}
}

// parameters are all that an address can say beside its path and facets to filter by.
var parameters = []string{"after", "exact", "from", "page", "prefix", "q", "scope", "sort", "to", "type"}

// knownAddress is the address of a request without parameters that mean nothing: they make no other page.
func knownAddress(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return r.URL.EscapedPath()
	}
	kept := url.Values{}
	for name, values := range r.URL.Query() {
		if slices.Contains(parameters, name) || slices.Contains(hub.Facets, hub.Facet(name)) {
			kept[name] = values
		}
	}
	return r.URL.EscapedPath() + "?" + kept.Encode()
}

// public sends what caches in between may keep for a moment.
func (s *site) public(w http.ResponseWriter, r *http.Request, kind string, status int, plain, small []byte) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=30, stale-while-revalidate=300")
	h.Add("Vary", "Cookie")
	sum := sha256.Sum256(small)
	etag := `W/"` + hex.EncodeToString(sum[:10]) + `"`
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.send(w, r, kind, status, plain, small)
}

// send writes an answer. One of plain and small, its compressed form, is enough.
func (s *site) send(w http.ResponseWriter, r *http.Request, kind string, status int, plain, small []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // links with secrets, and what people search for, stay here
	if kind == htmlType {
		h.Set("Content-Security-Policy", csp)
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Add("Vary", "Accept-Encoding")
	body := plain
	switch {
	case static.AcceptsGzip(r) && (len(small) > 0 || len(plain) > worthGzip) && kind != pngType:
		if len(small) == 0 {
			small = zip.Pack(plain)
		}
		h.Set("Content-Encoding", "gzip")
		body = small
	case plain == nil && len(small) > 0:
		var err error
		if body, err = zip.Unpack(small); err != nil {
			http.Error(w, "the page could not be read", http.StatusInternalServerError)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser is gone when this fails
}

// show draws a component as an HTML page.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(status)
	return page.Render(r.Context(), w)
}

// write answers with bytes that are no page.
func (s *site) write(w http.ResponseWriter, kind string, body []byte) error {
	w.Header().Set("Content-Type", kind)
	_, err := w.Write(body)
	return err
}

// redirect sends the browser to a path of this hub.
func (s *site) redirect(w http.ResponseWriter, status int, path string) error {
	w.Header().Set("Location", s.Prefix+path)
	w.WriteHeader(status)
	return nil
}

// problemView is an error as people see it.
type problemView struct {
	*ui.Frame
	Heading   string
	Message   string
	Hint      string
	RequestID string
	Near      []*hub.Server
	Searched  string
}

var problemStatus = map[hub.Kind]int{
	hub.Invalid: http.StatusUnprocessableEntity, hub.Malformed: http.StatusBadRequest, hub.NotFound: http.StatusNotFound, hub.Exists: http.StatusConflict,
	hub.Conflict: http.StatusConflict, hub.Unauthenticated: http.StatusUnauthorized, hub.Forbidden: http.StatusForbidden, hub.Gone: http.StatusGone,
	hub.TooLarge: http.StatusRequestEntityTooLarge, hub.RateLimited: http.StatusTooManyRequests, hub.Unavailable: http.StatusServiceUnavailable,
}

var problemHeading = map[hub.Kind]string{
	hub.Invalid: "That does not fit", hub.Malformed: "The request could not be read", hub.NotFound: "There is nothing here", hub.Exists: "It is there already",
	hub.Conflict: "That is not possible now", hub.Unauthenticated: "Please sign in", hub.Forbidden: "You may not do this", hub.Gone: "It was taken back",
	hub.TooLarge: "That is too much", hub.RateLimited: "Too many tries", hub.Unavailable: "The hub cannot answer",
}

// problem shows an error as a page. What has no kind is logged and not shown.
func (s *site) problem(w http.ResponseWriter, r *http.Request, err error) error {
	v := &problemView{RequestID: w.Header().Get("X-Request-Id")}
	kind := hub.KindOf(err)
	status := problemStatus[kind]
	var e *hub.Error
	if errors.As(err, &e) && status != 0 {
		v.Heading, v.Message, v.Hint = problemHeading[kind], e.Message, e.Hint
	} else {
		if !errors.Is(err, context.Canceled) {
			s.Log.Error("page failed", "request_id", v.RequestID, "path", r.URL.Path, "error", err)
		}
		status = http.StatusServiceUnavailable
		v.Heading, v.Message = problemHeading[hub.Unavailable], "A part of it does not answer. It was noted; try again in a minute."
	}
	if scope, name := r.PathValue("scope"), r.PathValue("name"); kind == hub.NotFound && scope != "" && name != "" {
		v.Searched = name
		v.Near, _ = s.Search.Like(r.Context(), scope+"/"+name, 5) // without it the page still helps
	}
	v.Frame = s.frame(r, v.Heading, "", "")
	return s.show(w, r, status, problemPage(v))
}

func (s *site) nothing(_ http.ResponseWriter, r *http.Request) error {
	return hub.Errorf(hub.NotFound, "There is no page at %s.", oneLine(r.URL.Path, 100))
}

// foreign answers a form that another site sent.
func (s *site) foreign(http.ResponseWriter, *http.Request) error {
	return hub.Errorf(hub.Forbidden, "This form was sent from another site.").WithHint("open the page here and send it again")
}
