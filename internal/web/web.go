// Package web is the pages of the hub. They are drawn on the server, work without JavaScript, and load
// nothing from elsewhere.
package web

import (
	"bytes"
	"embed"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
)

//go:generate go tool templ generate

//go:embed assets
var assets embed.FS

// Config is what the pages are made from.
type Config struct {
	Registry *registry.Service
	Search   *search.Service
	Auth     *auth.Service
	BaseURL  string
	Prefix   string
	Version  string
	Log      *slog.Logger
}

type site struct{ Config }

// New makes the handler of all pages. Paths come without Config.Prefix.
func New(c Config) http.Handler {
	s := &site{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /search", s.search)
	mux.HandleFunc("GET /setup", s.setupForm)
	mux.HandleFunc("POST /setup", s.setup)
	mux.Handle("GET /assets/", http.FileServerFS(assets))
	return mux
}

// csp lets a page load only what this hub serves, and no script at all.
const csp = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *site) show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	var buf bytes.Buffer
	if err := page.Render(r.Context(), &buf); err != nil {
		s.Log.Error("page failed", "path", r.URL.Path, "error", err)
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the setup link carries a secret
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w) // the browser is gone when this fails
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	servers, versions, err := s.Registry.Counts(r.Context())
	if err != nil {
		s.Log.Error("counting failed", "error", err)
		s.show(w, r, http.StatusServiceUnavailable, notice(s.Config, "The hub cannot answer", "The database does not answer. Try again in a minute."))
		return
	}
	s.show(w, r, http.StatusOK, home(s.Config, servers, versions))
}

// search shows the best servers for the words.
func (s *site) search(w http.ResponseWriter, r *http.Request) {
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(query) > maxQuery {
		query = strings.ToValidUTF8(query[:maxQuery], "")
	}
	page, err := s.Search.Find(r.Context(), search.Query{Text: query, Limit: 20})
	if err != nil {
		s.Log.Error("search failed", "error", err)
		s.show(w, r, http.StatusServiceUnavailable, notice(s.Config, "The hub cannot answer", "Try again in a minute."))
		return
	}
	s.show(w, r, http.StatusOK, results(s.Config, query, page))
}

// maxQuery bounds what is searched for, in bytes.
const maxQuery = 400

// found puts a number of servers into words.
func found(n int64) string {
	if n == 1 {
		return "1 server"
	}
	return strconv.FormatInt(n, 10) + " servers"
}

// setupForm asks for the first administrator's account, when the link is good.
func (s *site) setupForm(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if err := s.Auth.CheckSetup(r.Context(), token); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, setupPage(s.Config, setupInput{Token: token}, ""))
}

type setupInput struct{ Token, Name, Email string }

// maxForm bounds the body of a form, in bytes.
const maxForm = 16 << 10

func (s *site) setup(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.show(w, r, http.StatusBadRequest, notice(s.Config, "The form could not be read", "Open the link again."))
		return
	}
	in := setupInput{Token: r.PostForm.Get("token"), Name: r.PostForm.Get("name"), Email: r.PostForm.Get("email")}
	a, err := s.Auth.Setup(r.Context(), in.Token, auth.NewAccount{Name: in.Name, Email: in.Email, Password: r.PostForm.Get("password")}, "")
	switch hub.KindOf(err) {
	case hub.Invalid, hub.Exists:
		s.show(w, r, http.StatusUnprocessableEntity, setupPage(s.Config, in, err.Error()))
	case "":
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		s.show(w, r, http.StatusCreated, setupDone(s.Config, a.Name))
	default:
		s.refuse(w, r, err)
	}
}

func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if hub.KindOf(err) != hub.Gone {
		s.Log.Error("setup failed", "error", err)
		s.show(w, r, http.StatusServiceUnavailable, notice(s.Config, "The hub cannot answer", "Try again in a minute."))
		return
	}
	s.show(w, r, http.StatusGone, notice(s.Config, "This link does not work any more",
		"It was used, it is older than a day, or the hub has an administrator. On the server: mcphub admin user add NAME --email ADDRESS --admin"))
}
