package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/source"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// askTime bounds a request to an authorization server.
const askTime = 30 * time.Second

// Client is the HTTP client for a remote server: a.HTTP, which sends the token of the sign-in to that server and to no other
// address, and says what to do when it wants one. A server that is given a header Authorization is left alone.
func Client(a *app.App, p install.Project, name hub.Name, s *gateway.Server) *http.Client {
	at, err := url.Parse(s.URL)
	if err != nil || !s.Remote() || s.Command != "" {
		return a.HTTP
	}
	for header := range s.Headers {
		if strings.EqualFold(header, "Authorization") {
			return a.HTTP
		}
	}
	out := new(http.Client)
	if a.HTTP != nil {
		*out = *a.HTTP
	}
	next := out.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	out.Transport = &transport{keeper: keeper{a, p, name}, next: next, at: at, url: s.URL}
	return out
}

type transport struct {
	keeper
	next http.RoundTripper
	at   *url.URL
	url  string

	mu      sync.Mutex
	looked  bool
	session *session // nil for none
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.at.Scheme || req.URL.Host != t.at.Host || req.Header.Get("Authorization") != "" {
		return t.next.RoundTrip(req)
	}
	token, err := t.token(req.Context(), "")
	if err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(with(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return resp, err
	}
	if resp.StatusCode == http.StatusForbidden {
		return t.forbidden(resp)
	}
	if token == "" {
		return nil, t.refused(resp, "%s wants you to sign in", t.name)
	}
	again := req
	if req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return nil, t.refused(resp, "%s does not take its sign-in any more", t.name)
		}
		again = req.Clone(req.Context())
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	_ = resp.Body.Close()
	if token, err = t.token(req.Context(), token); err != nil {
		return nil, err
	}
	if resp, err = t.next.RoundTrip(with(again, token)); err == nil && resp.StatusCode == http.StatusUnauthorized {
		return nil, t.refused(resp, "%s does not take its sign-in any more", t.name)
	}
	return resp, err
}

// refused closes an answer and says how to sign in.
func (t *transport) refused(resp *http.Response, format string, args ...any) error {
	_ = resp.Body.Close()
	return hub.Errorf(hub.Unauthenticated, format, args...).WithHint("%s", t.command())
}

// command is how a person signs in.
func (k keeper) command() string {
	if k.project.Global {
		return "mcpm auth -g " + k.name.String()
	}
	return "mcpm auth " + k.name.String()
}

// forbidden passes an answer on, but for one that says that more scopes are wanted.
func (t *transport) forbidden(resp *http.Response) (*http.Response, error) {
	challenges, err := oauthex.ParseWWWAuthenticate(resp.Header["Www-Authenticate"])
	if err != nil {
		return resp, nil //nolint:nilerr // it says nothing that is understood
	}
	for _, c := range challenges {
		if c.Params["error"] != "insufficient_scope" {
			continue
		}
		scopes := ""
		for _, scope := range strings.Fields(c.Params["scope"]) {
			scopes += " --scope " + app.Clean(scope)
		}
		_ = resp.Body.Close()
		return nil, hub.Errorf(hub.Forbidden, "%s wants more than you agreed to when you signed in", t.name).WithHint("%s%s", t.command(), scopes)
	}
	return resp, nil
}

func with(req *http.Request, token string) *http.Request {
	if token == "" {
		return req
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

// token returns the token to send, "" for none. One that is over, or was refused, is renewed.
func (t *transport) token(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.looked {
		if err := t.look(ctx); err != nil {
			return "", err
		}
		t.looked = true
	}
	s := t.session
	if s == nil {
		return "", nil
	}
	if s.fresh(t.Now()) && s.Access != refused {
		return s.Access, nil
	}
	// Another mcpm may be at it: a refresh token is often good for one use.
	unlock, err := t.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := t.look(ctx); err != nil {
		return "", err
	}
	if s = t.session; s == nil {
		return "", nil
	}
	if s.fresh(t.Now()) && s.Access != refused {
		return s.Access, nil
	}
	if s.Refresh == "" {
		return "", hub.Errorf(hub.Unauthenticated, "the sign-in of %s is over", t.name).WithHint("%s", t.command())
	}
	renewed := *s
	if err := renewed.renew(ctx, outgoing(t.App, t.at), t.Now()); err != nil {
		if hub.KindOf(err) == hub.Unauthenticated {
			return "", hub.Errorf(hub.Unauthenticated, "the sign-in of %s is over", t.name).WithHint("%s", t.command()).WithCause(err)
		}
		return "", err
	}
	if _, err := t.write(ctx, &renewed); err != nil {
		return "", err
	}
	t.session = &renewed
	return renewed.Access, nil
}

// look reads the session. One that was made for another address is none: whoever changes a server's address does not get
// its token.
func (t *transport) look(ctx context.Context) error {
	s, err := t.read(ctx)
	if err != nil {
		return err
	}
	if s != nil && s.URL != t.url {
		s = nil
	}
	t.session = s
	return nil
}

func (k keeper) lock() (unlock func(), err error) {
	h, err := k.Store()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(h.Dir, "locks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(k.project.Dir + "\x00" + string(k.name)))
	return lockedfile.MutexAt(filepath.Join(dir, "sign-in-"+hex.EncodeToString(sum[:8])+".lock")).Lock()
}

// outgoing is the client for what a server says its authorization server is: public addresses only, unless the server itself
// is in a private network, whose authorization server is likely there, too.
func outgoing(a *app.App, at *url.URL) *http.Client {
	c := source.NewClient(source.GuardOptions{AllowPrivate: private(at.Hostname()), Timeout: askTime, UserAgent: "mcpm/" + app.Version, Proxy: http.ProxyFromEnvironment})
	if a.HTTP != nil && a.HTTP.Transport != nil && private(at.Hostname()) {
		c.Transport = a.HTTP.Transport
	}
	return c
}

func private(host string) bool {
	addrs := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, ip)
	} else if list, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", host); err == nil {
		addrs = list
	}
	for _, a := range addrs {
		if a = a.Unmap(); a.IsLoopback() || a.IsPrivate() {
			return true
		}
	}
	return false
}
