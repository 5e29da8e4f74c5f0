package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2"
)

// answerTime is how long the person may take in the browser.
const answerTime = 5 * time.Minute

type authOptions struct {
	*app.App
	global    bool
	remove    bool
	noBrowser bool
	clientID  string
	fromStdin bool // the application's secret
	scopes    []string
	port      int
}

// NewAuth makes mcpm auth.
func NewAuth(a *app.App) *cobra.Command {
	o := &authOptions{App: a}
	c := &cobra.Command{
		Use:   "auth NAME",
		Short: "Sign in to a remote server that wants it",
		Long: "Auth opens the sign-in of a remote server in your browser and keeps what comes of it with your other secrets, so\n" +
			"that mcpm run and mcpm gateway can use the server, also for host applications that know nothing of it. The\n" +
			"token goes to the address of that server alone, and is renewed as long as the server allows.\n\n" +
			"mcpm registers itself with the authorization server where that is possible; else give --client-id, the ID of\n" +
			"an application you registered there with the address http://127.0.0.1:PORT/callback, and --port.",
		Example: "  mcpm auth @acme/tickets\n  mcpm auth -g @acme/tickets --no-browser\n  mcpm auth @acme/tickets --scope tickets:write\n  mcpm auth @acme/tickets --remove",
		Args:    app.Args(1, 1, "the name of a server"),
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "the one installed for all projects")
	c.Flags().BoolVar(&o.remove, "remove", false, "forget the sign-in")
	c.Flags().BoolVar(&o.noBrowser, "no-browser", false, "print the address and open nothing")
	c.Flags().StringVar(&o.clientID, "client-id", "", "the `ID` of an application registered there")
	c.Flags().BoolVar(&o.fromStdin, "client-secret-stdin", false, "read the secret of that application from stdin")
	c.Flags().StringArrayVar(&o.scopes, "scope", nil, "ask for this `SCOPE` too; may be given again")
	c.Flags().IntVar(&o.port, "port", 0, "listen for the answer of the browser at this `PORT`; default any")
	return c
}

func (o *authOptions) run(ctx context.Context, name string) error {
	r, err := typed.Installed(o.App, name, o.global)
	if err != nil {
		return err
	}
	in, err := o.Find(r.Name, o.global)
	if err != nil {
		return err
	}
	k := keeper{o.App, in.Project, in.Name}
	was, err := k.read(ctx)
	if err != nil && !o.remove {
		o.IO.Warnf("%v; signing in anew", err)
	}
	if o.remove {
		if err := k.remove(ctx); err != nil {
			return err
		}
		return o.told(in.Name, "signedOut", fmt.Sprintf("Forgot the sign-in of %s. The server may keep it until it ends.", in.Name))
	}
	l, err := o.Launch(in.Project, in.Name, in.Manifest, app.LaunchOptions{Bundle: in.Bundle, Locked: in.Locked, Context: ctx})
	if err != nil {
		return in.Wrap(err)
	}
	if len(l.Missing) > 0 {
		return in.Needs(l.Missing, l.Spec)
	}
	if !l.Server.Remote() || l.Server.Command != "" {
		return hub.Errorf(hub.Invalid, "%s runs on this machine; there is nothing to sign in to", in.Name).WithHint("mcpm config %s sets its values", in.Name)
	}
	s, err := o.signIn(ctx, l.Server, was)
	if err != nil {
		return err
	}
	if s == nil {
		return o.told(in.Name, "open", fmt.Sprintf("%s does not ask for a sign-in.", in.Name))
	}
	stored, err := k.write(ctx, s)
	if err != nil {
		return err
	}
	return o.told(in.Name, "signedIn", fmt.Sprintf("Signed in to %s; kept in %s.", in.Name, app.PlaceName(stored.Kept[kept].Place)))
}

func (o *authOptions) told(name hub.Name, state, text string) error {
	if o.JSON {
		app.PrintJSON(o.IO, map[string]string{"name": name.String(), "state": state})
		return nil
	}
	o.IO.Notef("%s\n", text)
	return nil
}

// signIn has the person sign in; nil when the server does not ask for it.
func (o *authOptions) signIn(ctx context.Context, s *gateway.Server, was *session) (*session, error) {
	ctx, stop := context.WithTimeout(ctx, answerTime)
	defer stop()
	req, resp, err := o.knock(ctx, s)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusUnauthorized {
		_ = resp.Body.Close()
		if resp.StatusCode >= 500 {
			return nil, hub.Errorf(hub.Unavailable, "%s answers with status %d, and does not ask for a sign-in", req.URL.Host, resp.StatusCode)
		}
		return nil, nil
	}
	back, err := listen(o.port)
	if err != nil {
		return nil, err
	}
	defer back.close()
	out := &session{URL: s.URL, Resource: s.URL}
	config := o.config(req.URL, back, out, was)
	if o.fromStdin {
		if config.PreregisteredClient, err = o.registered(); err != nil {
			return nil, err
		}
	}
	handler, err := auth.NewAuthorizationCodeHandler(config)
	if err != nil {
		return nil, err
	}
	if err := handler.Authorize(ctx, req, resp); err != nil {
		return nil, o.failure(ctx, req.URL, err)
	}
	if out.Access == "" {
		return nil, hub.Errorf(hub.Unavailable, "%s asked for a sign-in and gave no token", req.URL.Host)
	}
	return out, nil
}

// What is asked of a server to see whether it wants a sign-in: some answer initialize to everybody.
var knocks = []string{
	`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + asked + `","capabilities":{},"clientInfo":{"name":"mcpm","version":"1"}}}`,
	`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
}

const asked = "2025-11-25"

// knock asks the server without a token, until it wants one.
func (o *authOptions) knock(ctx context.Context, s *gateway.Server) (req *http.Request, resp *http.Response, err error) {
	client := http.DefaultClient
	if o.HTTP != nil {
		client = o.HTTP
	}
	session := ""
	for _, text := range knocks {
		if resp != nil {
			_ = resp.Body.Close()
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader(text))
		if err != nil {
			return nil, nil, err
		}
		if req.URL.Scheme != "https" && !private(req.URL.Hostname()) {
			return nil, nil, hub.Errorf(hub.Forbidden, "%s is reached over plain http; a token would be sent for all to read", req.URL.Host)
		}
		for name, value := range s.Headers {
			req.Header.Set(name, value)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
			req.Header.Set("MCP-Protocol-Version", asked)
		}
		if resp, err = client.Do(req); err != nil {
			return nil, nil, hub.Errorf(hub.Unavailable, "%s cannot be reached: %v", req.URL.Host, err)
		}
		if resp.StatusCode >= 400 {
			break
		}
		session = resp.Header.Get("Mcp-Session-Id")
	}
	return req, resp, nil
}

func (o *authOptions) config(at *url.URL, back *callback, out, was *session) *auth.AuthorizationCodeHandlerConfig {
	c := &auth.AuthorizationCodeHandlerConfig{
		RedirectURL: back.url, RequestRefreshToken: true, AcceptUnadvertisedIss: true, Client: outgoing(o.App, at),
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			return o.visit(ctx, args.URL, back, out)
		},
		ScopeFilter: func(found []string) []string {
			found = append(slices.Clone(found), o.scopes...)
			if was != nil && was.URL == out.URL {
				found = append(found, was.Scopes...)
			}
			slices.Sort(found)
			return slices.Compact(found)
		},
		NewTokenSource: func(_ context.Context, cfg *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
			if !strings.EqualFold(token.Type(), "bearer") {
				return nil, hub.Errorf(hub.Unavailable, "the token is of type %q, and not one that is sent along", token.Type())
			}
			out.ClientID, out.ClientSecret, out.Style = cfg.ClientID, cfg.ClientSecret, cfg.Endpoint.AuthStyle
			out.TokenURL, out.Scopes = cfg.Endpoint.TokenURL, cfg.Scopes
			out.Access, out.Refresh, out.Expires = token.AccessToken, token.RefreshToken, token.Expiry
			return oauth2.StaticTokenSource(token), nil
		},
	}
	if o.clientID != "" {
		c.PreregisteredClient = &oauthex.ClientCredentials{ClientID: o.clientID}
		return c
	}
	c.DynamicClientRegistrationConfig = &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
		ClientName: "mcpm", RedirectURIs: []string{back.url}, TokenEndpointAuthMethod: "none",
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
	}}
	return c
}

// registered is the application whose secret is on stdin.
func (o *authOptions) registered() (*oauthex.ClientCredentials, error) {
	if o.clientID == "" {
		return nil, app.Usage("--client-secret-stdin is the secret of an application; --client-id names it")
	}
	secret, err := io.ReadAll(io.LimitReader(o.IO.In, maxAnswer))
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(string(secret))
	if text == "" {
		return nil, hub.Errorf(hub.Invalid, "there is no secret on stdin")
	}
	return &oauthex.ClientCredentials{ClientID: o.clientID, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: text}}, nil
}

// visit shows the person where to sign in and waits for the browser to come back. What resource the token is for is read
// from the address, where the server's own word for it stands.
func (o *authOptions) visit(ctx context.Context, address string, back *callback, out *session) (*auth.AuthorizationResult, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !private(u.Hostname()) {
		return nil, hub.Errorf(hub.Forbidden, "the sign-in is at %s, which is not https", app.Clean(address))
	}
	if resource := u.Query().Get("resource"); resource != "" {
		out.Resource = resource
	}
	back.expect(u.Query().Get("state"))
	o.IO.Notef("Sign in at %s:\n  %s\n", u.Host, u.String())
	if !o.noBrowser {
		if err := o.Browse(u.String()); err != nil {
			o.IO.Notef("No browser could be opened; open the address yourself.\n")
		}
	}
	return back.wait(ctx)
}

// failure says what went wrong in words.
func (o *authOptions) failure(ctx context.Context, at *url.URL, err error) error {
	var e *hub.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return hub.Errorf(hub.Unavailable, "nobody signed in within %s", answerTime).WithHint("run the command again")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	out := hub.Errorf(hub.Unavailable, "signing in to %s failed: %s", at.Host, app.Clean(err.Error())).WithCause(err)
	if strings.Contains(err.Error(), "registration") {
		return out.WithHint("register an application with its authorization server and give --client-id and --port")
	}
	return out
}
