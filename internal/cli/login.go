package cli

import (
	"context"
	"net/url"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

type loginOptions struct {
	*app.App
	user          string
	passwordStdin bool
	tokenStdin    bool
	token         string
}

func newLogin(a *app.App) *cobra.Command {
	o := &loginOptions{App: a}
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in at the hub",
		Long: "Login stores a credential for the hub in credentials.json under MCPM_HOME (by default ~/.mcpm), a file\n" +
			"only you can read. MCPM_TOKEN, when set, is used instead of it.",
		Example: "  mcpm login\n  mcpm login --user acme --password-stdin < password.txt\n  mcpm login --token-stdin < key.txt",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVarP(&o.user, "user", "u", "", "account name or e-mail")
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password from stdin")
	f.BoolVar(&o.tokenStdin, "token-stdin", false, "read an API key from stdin instead of a password")
	f.StringVar(&o.token, "token", "", "an API `KEY` instead of a password; other users of this machine may see it")
	c.MarkFlagsMutuallyExclusive("token", "token-stdin", "password-stdin")
	return c
}

func (o *loginOptions) run(ctx context.Context) error {
	s, err := o.Settings()
	if err != nil {
		return err
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	if u, err := url.Parse(s.Registry); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		o.IO.Warnf("%s is plain http: your credential can be read on the way", s.Registry)
	}
	cred, account, err := o.credential(ctx, s.Registry)
	if err != nil {
		return err
	}
	if err := h.SetCredential(s.Registry, cred); err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"registry": s.Registry, "account": account})
		return nil
	}
	o.IO.Notef("Signed in at %s as %s.\n", s.Registry, o.IO.Accent(app.Clean(account.Name)))
	if o.Getenv("MCPM_TOKEN") != "" {
		o.IO.Warnf("MCPM_TOKEN is set and is used instead of this login")
	}
	return nil
}

func (o *loginOptions) credential(ctx context.Context, registry string) (install.Credential, *wire.Account, error) {
	var none install.Credential
	token := o.token
	if o.tokenStdin {
		var err error
		if token, err = o.IO.ReadAll(64 << 10); err != nil {
			return none, nil, err
		}
		if token == "" {
			return none, nil, app.Usage("stdin held no API key")
		}
	}
	if token != "" {
		c, err := wire.NewClient(registry, wire.ClientOptions{HTTP: o.HTTP, UserAgent: "mcpm/" + app.Version,
			Token: func(context.Context, string) (string, error) { return token, nil }})
		if err != nil {
			return none, nil, err
		}
		account, err := c.Me(ctx)
		if hub.KindOf(err) == hub.Unauthenticated {
			return none, nil, hub.Errorf(hub.Unauthenticated, "%s does not accept this key", registry).WithHint("make a new one on the hub, and check that it was copied whole")
		}
		if err != nil {
			return none, nil, err
		}
		return install.Credential{Account: account.Name, Token: token}, account, nil
	}
	user, password, err := o.ask(ctx, registry)
	if err != nil {
		return none, nil, err
	}
	c, err := o.ClientAt(registry)
	if err != nil {
		return none, nil, err
	}
	session, err := c.Login(ctx, wire.Login{User: user, Password: password})
	if err != nil {
		return none, nil, err
	}
	return app.CredentialOf(session), &session.Account, nil
}

func (o *loginOptions) ask(ctx context.Context, registry string) (user, password string, err error) {
	user = o.user
	if o.passwordStdin {
		if user == "" {
			return "", "", app.Usage("--password-stdin needs --user NAME")
		}
		password, err = o.IO.ReadAll(64 << 10)
		if err == nil && password == "" {
			err = app.Usage("stdin held no password")
		}
		return user, password, err
	}
	if !o.IO.Interactive() {
		return "", "", app.Usage("there is no terminal to ask for a password on").
			WithHint("mcpm login --user NAME --password-stdin, or mcpm login --token-stdin")
	}
	if user == "" {
		if user, err = o.IO.Line(ctx, "Account at "+registry, ""); err != nil {
			return "", "", err
		}
	}
	if password, err = o.IO.Secret(ctx, "Password"); err != nil {
		return "", "", err
	}
	if user == "" || password == "" {
		return "", "", app.Usage("a name and a password are needed")
	}
	return user, password, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || len(host) > 4 && host[:4] == "127."
}
