package cli

import (
	"context"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

func newLogout(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Sign out and forget the credential",
		Long:  "Logout ends the session at the hub and removes the credential from this machine. An API key is only\nforgotten here; revoke it on the hub.",

		Example: "  mcpm logout\n  mcpm logout --registry https://hub.example.com",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(c *cobra.Command, _ []string) error { return logout(a, c.Context()) },
	}
}

func logout(a *app.App, ctx context.Context) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	h, err := a.Store()
	if err != nil {
		return err
	}
	cred, err := h.Credential(s.Registry)
	if err != nil {
		return err
	}
	was := cred != (install.Credential{})
	revoked := false
	if cred.RefreshToken != "" && !a.Offline {
		c, err := a.ClientAt(s.Registry)
		if err != nil {
			return err
		}
		// The credential goes even when the hub cannot be told, so that a person can always sign out.
		switch err := c.Logout(ctx, cred.RefreshToken); {
		case err == nil || hub.KindOf(err) == hub.Unauthenticated:
			revoked = true
		default:
			a.IO.Warnf("the hub was not told: %s", app.Clean(err.Error()))
		}
	}
	if was {
		if err := h.SetCredential(s.Registry, install.Credential{}); err != nil {
			return err
		}
	}
	if a.JSON {
		app.PrintJSON(a.IO, map[string]any{"registry": s.Registry, "signedOut": was, "revoked": revoked})
		return nil
	}
	if !was {
		a.IO.Notef("Nobody was signed in at %s.\n", s.Registry)
		return nil
	}
	a.IO.Notef("Signed out at %s.\n", s.Registry)
	return nil
}
