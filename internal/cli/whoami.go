package cli

import (
	"context"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

func newWhoami(a *app.App) *cobra.Command {
	var images bool
	cmd := &cobra.Command{
		Use:     "whoami",
		Short:   "Show who you are at the hub",
		Example: "  mcpm whoami\n  mcpm whoami --images\n  mcpm whoami --json",
		Args:    app.Args(0, 0, "no argument"),
		RunE:    func(c *cobra.Command, _ []string) error { return whoami(a, c.Context(), images) },
	}
	cmd.Flags().BoolVar(&images, "images", false, "and how much of container images your namespaces have there")
	return cmd
}

func whoami(a *app.App, ctx context.Context, images bool) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	me, err := c.Me(ctx)
	if hub.KindOf(err) == hub.Unauthenticated && a.Getenv("MCPM_TOKEN") != "" {
		return hub.Errorf(hub.Unauthenticated, "%s refused the token in MCPM_TOKEN: %v", c.Base(), err).WithHint("make a new key there, or unset MCPM_TOKEN")
	}
	if hub.KindOf(err) == hub.Unauthenticated {
		return hub.Errorf(hub.Unauthenticated, "nobody is signed in at %s", c.Base()).WithHint("mcpm login")
	}
	if err != nil {
		return err
	}
	var usage []*wire.ImageUsage
	for _, namespace := range me.Namespaces {
		if !images {
			break
		}
		u, err := c.Images(ctx, namespace)
		if err != nil {
			return err
		}
		usage = append(usage, u)
	}
	if a.JSON {
		out := map[string]any{"registry": c.Base(), "account": me}
		if images {
			out["images"] = usage
		}
		app.PrintJSON(a.IO, out)
		return nil
	}
	a.IO.Printf("%s\n", a.IO.Accent(app.Clean(me.Name)))
	a.Fact("hub", "%s", c.Base())
	a.Fact("e-mail", "%s", me.Email)
	a.Fact("role", "%s", me.Role)
	a.Fact("may publish", "%s", strings.Join(me.Namespaces, ", "))
	var scopes []string
	for _, s := range me.Scopes {
		scopes = append(scopes, string(s))
	}
	a.Fact("credential", "%s", strings.Join(scopes, ", "))
	for _, u := range usage {
		of := "without a limit"
		if u.Quota > 0 {
			of = "of " + app.Size(u.Quota)
		}
		a.Fact("images", "%s: %s %s, %s", app.Clean(u.Namespace), app.Size(u.Bytes), of, app.Plural(u.Tags, "tag"))
	}
	return nil
}
