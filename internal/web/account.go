package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// maxForm bounds the body of a form, in bytes.
const maxForm = 16 << 10

// form reads the fields of a form.
func (s *site) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, hub.Errorf(hub.Malformed, "the form could not be read").WithHint("open the page again")
	}
	return r.PostForm, nil
}

type setupView struct {
	*ui.Frame
	Token, Name, Email, Problem string
}

// setupForm asks for the first administrator's account, when the link is good.
func (s *site) setupForm(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if err := s.Auth.CheckSetup(r.Context(), token); err != nil {
		return s.setupOver(w, r, err)
	}
	return s.show(w, r, http.StatusOK, setupPage(&setupView{Frame: s.frame(r, "First administrator", "", ""), Token: token}))
}

// setupOver answers for a link that makes nobody any more, in other words than for a version that was withdrawn.
func (s *site) setupOver(w http.ResponseWriter, r *http.Request, err error) error {
	if hub.KindOf(err) != hub.Gone {
		return err
	}
	v := &problemView{Heading: "This link was used already, or is too old", RequestID: w.Header().Get("X-Request-Id"),
		Message: "It works once, within a day, while the hub has no administrator. The account that it made can sign in.",
		Hint:    "Another administrator is made on the server: mcphub admin user add NAME --email ADDRESS --admin"}
	v.Frame = s.frame(r, v.Heading, "", "")
	return s.show(w, r, http.StatusGone, problemPage(v))
}

func (s *site) setup(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	v := &setupView{Frame: s.frame(r, "First administrator", "", ""), Token: form.Get("token"), Name: form.Get("name"), Email: form.Get("email")}
	a, err := s.Auth.Setup(r.Context(), v.Token, auth.NewAccount{Name: v.Name, Email: v.Email, Password: form.Get("password")}, w.Header().Get("X-Request-Id"))
	switch kind := hub.KindOf(err); {
	case kind == hub.Invalid || kind == hub.Exists:
		v.Problem = err.Error()
		return s.show(w, r, http.StatusUnprocessableEntity, setupPage(v))
	case err != nil:
		return s.setupOver(w, r, err)
	}
	v.Frame = s.frame(r, "Welcome, "+a.Name, "", "")
	v.Name = a.Name
	if session, err := s.Auth.Login(r.Context(), a.Name, form.Get("password"), w.Header().Get("X-Request-Id")); err == nil {
		w.Header().Del("Set-Cookie") // of whoever was signed in here before
		s.remember(w, session)
		v.Account = a.Name
	} // else the page offers to sign in
	return s.show(w, r, http.StatusCreated, setupDone(v))
}

type loginView struct {
	*ui.Frame
	User, Next, Problem string
}

// local is a path of this hub to go to after signing in; anything else is the account's page.
func local(next string) string {
	if u, err := url.Parse(next); err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/account"
	}
	return next
}

func (s *site) loginForm(w http.ResponseWriter, r *http.Request) error {
	next := local(r.URL.Query().Get("next"))
	if !visitorOf(r).Anonymous() {
		return s.redirect(w, http.StatusSeeOther, next)
	}
	return s.show(w, r, http.StatusOK, loginPage(&loginView{Frame: s.frame(r, "Sign in", "", ""), Next: next}))
}

func (s *site) login(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	v := &loginView{Frame: s.frame(r, "Sign in", "", ""), User: strings.TrimSpace(form.Get("user")), Next: local(form.Get("next"))}
	if err := s.mayTry(r, v.User); err != nil {
		return err
	}
	session, err := s.Auth.Login(r.Context(), v.User, form.Get("password"), w.Header().Get("X-Request-Id"))
	if hub.KindOf(err) == hub.Unauthenticated {
		v.Problem = "The name or the password is wrong."
		return s.show(w, r, http.StatusUnauthorized, loginPage(v))
	}
	if err != nil {
		return err
	}
	s.remember(w, session)
	return s.redirect(w, http.StatusSeeOther, v.Next)
}

func (s *site) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(renewCookie); err == nil && c.Value != "" {
		if err := s.Auth.Logout(r.Context(), c.Value, w.Header().Get("X-Request-Id")); err != nil {
			return err
		}
	}
	w.Header().Del("Set-Cookie") // of a session that identify renewed
	s.forget(w)
	return s.redirect(w, http.StatusSeeOther, "/")
}

type accountView struct {
	*ui.Frame
	Who     *hub.Account
	Scopes  []string // namespaces
	Admin   bool
	Tab     string
	Keys    []*hub.Token
	Secret  string // of a new key, shown once
	Problem string
	Grants  []choice // scopes that can be given to a key; URL is the value
	Name    string   // of the key that was not made
	Servers []*hub.Server
	Names   string // featured, one a line
	Saved   bool
}

// mineView starts a page about the account of who is signed in; who is not is asked to.
func (s *site) mineView(w http.ResponseWriter, r *http.Request, tab, title string) (*accountView, hub.Actor, error) {
	actor, err := signedIn(r)
	if err != nil {
		next := r.URL.Path
		if r.Method != http.MethodGet {
			next = "/account"
		}
		return nil, actor, s.redirect(w, http.StatusSeeOther, "/login?next="+url.QueryEscape(next))
	}
	v := &accountView{Frame: s.frame(r, title, "", ""), Tab: tab, Admin: actor.Admin()}
	if v.Who, err = s.Auth.Account(r.Context(), actor); err != nil {
		return nil, actor, err
	}
	for _, scope := range actor.Namespaces {
		v.Scopes = append(v.Scopes, strings.TrimSuffix(hub.Name(scope+"/x").String(), "/x"))
	}
	return v, actor, nil
}

func (s *site) account(w http.ResponseWriter, r *http.Request) error {
	v, _, err := s.mineView(w, r, "", "Your account")
	if v == nil || err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, accountPage(v))
}

func (s *site) keys(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "keys", "API keys")
	if v == nil || err != nil {
		return err
	}
	return s.showKeys(w, r, http.StatusOK, v, actor)
}

func (s *site) showKeys(w http.ResponseWriter, r *http.Request, status int, v *accountView, actor hub.Actor) error {
	var err error
	if v.Keys, err = s.Auth.Keys(r.Context(), actor); err != nil {
		return err
	}
	for _, c := range []choice{{"read", "read", false}, {"publish and read", "publish", true}, {"everything that you may", "admin", false}} {
		if actor.Can(hub.Scope(c.URL)) {
			v.Grants = append(v.Grants, c)
		}
	}
	return s.show(w, r, status, accountPage(v))
}

// keyTTLs are how long a key can be good for.
var keyTTLs = []struct {
	value, label string
	ttl          time.Duration
}{{"30", "30 days", 30 * 24 * time.Hour}, {"90", "90 days", 90 * 24 * time.Hour}, {"365", "a year", 365 * 24 * time.Hour}, {"0", "until it is revoked", 0}}

func (s *site) newKey(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "keys", "API keys")
	if v == nil || err != nil {
		return err
	}
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	ttl := keyTTLs[0].ttl
	for _, t := range keyTTLs {
		if t.value == form.Get("ttl") {
			ttl = t.ttl
		}
	}
	v.Name = strings.TrimSpace(form.Get("name"))
	_, secret, err := s.Auth.NewKey(r.Context(), actor, v.Name, []hub.Scope{hub.Scope(form.Get("scope"))}, ttl)
	switch kind := hub.KindOf(err); {
	case kind == hub.Invalid || kind == hub.Forbidden:
		v.Problem = err.Error()
		return s.showKeys(w, r, problemStatus[kind], v, actor)
	case err != nil:
		return err
	}
	v.Secret, v.Name = secret, ""
	return s.showKeys(w, r, http.StatusCreated, v, actor)
}

func (s *site) revokeKey(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "keys", "API keys")
	if v == nil || err != nil {
		return err
	}
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if err := s.Auth.RevokeKey(r.Context(), actor, form.Get("id")); err != nil && hub.KindOf(err) != hub.NotFound {
		return err
	}
	return s.redirect(w, http.StatusSeeOther, "/account/keys")
}

func (s *site) mine(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "servers", "Your servers")
	if v == nil || err != nil {
		return err
	}
	if v.Servers, err = s.Registry.Mine(r.Context(), actor); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, accountPage(v))
}

func (s *site) featured(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "featured", "Featured servers")
	if v == nil || err != nil {
		return err
	}
	if !actor.Admin() {
		return hub.Errorf(hub.Forbidden, "what is featured is chosen by administrators")
	}
	list, err := s.Registry.Featured(r.Context())
	if err != nil {
		return err
	}
	for _, srv := range list {
		v.Names += srv.Name.String() + "\n"
	}
	v.Saved = r.URL.Query().Has("saved")
	return s.show(w, r, http.StatusOK, accountPage(v))
}

func (s *site) feature(w http.ResponseWriter, r *http.Request) error {
	v, actor, err := s.mineView(w, r, "featured", "Featured servers")
	if v == nil || err != nil {
		return err
	}
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	v.Names = form.Get("names")
	if err := s.Registry.Feature(r.Context(), actor, strings.Fields(v.Names)); hub.KindOf(err) == hub.Invalid {
		v.Problem = err.Error()
		return s.show(w, r, http.StatusUnprocessableEntity, accountPage(v))
	} else if err != nil {
		return err
	}
	return s.redirect(w, http.StatusSeeOther, "/account/featured?saved")
}

// maxFeatured is how many servers can be featured.
const maxFeatured = registry.MaxFeatured
