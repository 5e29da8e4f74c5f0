package show

import (
	"context"
	"net/url"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type openOptions struct {
	*app.App
	arg        string
	homepage   bool
	repository bool
	print      bool
}

// NewOpen makes the command open.
func NewOpen(a *app.App) *cobra.Command {
	o := &openOptions{App: a}
	c := &cobra.Command{
		Use:   "open NAME",
		Short: "Open the page of a server in the browser",
		Long: "Open shows the page of a server at the hub, its homepage or its repository. The address is printed, and opened where\n" +
			"a terminal is. Only addresses of the web are opened, whatever a publisher has written.",
		Example: "  mcpm open @acme/postgres\n  mcpm open @acme/postgres --repository\n  mcpm open @acme/postgres --homepage --print",
		Args:    app.Args(1, 1, "the name of a server"),
		RunE:    func(c *cobra.Command, args []string) error { o.arg = args[0]; return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.homepage, "homepage", false, "its homepage instead")
	c.Flags().BoolVar(&o.repository, "repository", false, "where its source is instead")
	c.Flags().BoolVar(&o.print, "print", false, "only print the address")
	return c
}

func (o *openOptions) run(ctx context.Context) error {
	r, err := typed.Known(o.App, o.arg)
	if err != nil {
		return typed.MissingScope(ctx, o.App, "open", o.arg, err)
	}
	if r.Given {
		return app.Usage("open takes a name without a version; %s has one", r.Name).WithHint("mcpm open %s", r.Name)
	}
	if o.homepage && o.repository {
		return app.Usage("--homepage and --repository are two addresses; one is opened").WithHint("mcpm open %s --homepage", r.Name)
	}
	address, err := o.address(ctx, r.Name)
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]string{"name": r.Name.String(), "url": address})
		return nil
	}
	o.IO.Printf("%s\n", address)
	if o.print || !o.IO.OutTTY {
		return nil
	}
	if err := o.Browse(address); err != nil {
		return hub.Errorf(hub.NotFound, "no browser could be started: %v", err).WithHint("open the address above yourself")
	}
	return nil
}

// address returns where to go. NotFound when the server says nothing of it, Invalid when that is no address of the web.
func (o *openOptions) address(ctx context.Context, name hub.Name) (string, error) {
	c, err := o.ClientFor(name)
	if err != nil {
		return "", err
	}
	s, err := c.Server(ctx, string(name))
	if err != nil {
		return "", o.NotFoundHint(err, name)
	}
	what, text := "homepage", s.Homepage
	switch {
	case o.repository:
		what, text = "repository", s.Repository
	case !o.homepage:
		return c.Base() + "/servers/" + name.String(), nil
	}
	if text == "" {
		return "", hub.Errorf(hub.NotFound, "%s names no %s", name, what).WithHint("mcpm open %s shows its page at the hub", name)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(text, " \"'`\\<>") {
		return "", hub.Errorf(hub.Invalid, "the %s of %s is no address of the web: %q", what, name, app.Short(text)).WithHint("mcpm open %s shows its page at the hub", name)
	}
	return u.String(), nil
}
