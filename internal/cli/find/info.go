package find

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

type infoOptions struct {
	*app.App
	arg      string
	versions bool
	readme   bool
}

func NewInfo(a *app.App) *cobra.Command {
	o := &infoOptions{App: a}
	c := &cobra.Command{
		Use: "info NAME[@VERSION]", Aliases: []string{"view", "show"},
		Short: "Show what is known about a server",
		Long: "Info asks the hub what it knows of a server: what it is for, what it offers, what it asks for. With --offline it\n" +
			"says of an installed one what the lockfile and the store do. The name of an installed server does without its scope.",
		Example: "  mcpm info @acme/postgres\n  mcpm info @acme/postgres@2.3.1\n" +
			"  mcpm info io.github.acme/postgres --versions",
		Args: app.Args(1, 1, "the name of a server"),
		RunE: func(c *cobra.Command, args []string) error { o.arg = args[0]; return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.versions, "versions", false, "list all versions")
	c.Flags().BoolVar(&o.readme, "readme", false, "show the readme as its publisher wrote it")
	return c
}

func (o *infoOptions) run(ctx context.Context) error {
	if o.Offline {
		return o.kept()
	}
	r, err := typed.Known(o.App, o.arg)
	if err != nil {
		return typed.MissingScope(ctx, o.App, "info", o.arg, err)
	}
	c, err := o.ClientFor(r.Name)
	if err != nil {
		return err
	}
	if o.versions {
		return o.listVersions(ctx, c, r.Name)
	}
	s, err := c.Server(ctx, string(r.Name))
	if hub.KindOf(err) == hub.Unavailable {
		if in, e := o.Find(r.Name, false); e == nil {
			return hub.Errorf(hub.Unavailable, "%s", err.Error()).WithHint("mcpm info --offline %s tells what is installed of it", in.Name).WithCause(err)
		}
	}
	if err != nil {
		return o.NotFoundHint(err, r.Name)
	}
	if r.Given {
		v, err := (&app.HubProvider{App: o.App}).Find(ctx, r)
		if hub.KindOf(err) == hub.Conflict { // nothing is to be chosen here, so nothing clashes: it is not there
			return hub.Errorf(hub.NotFound, "there is no %s", o.arg).WithHint("mcpm info %s --versions", r.Name)
		}
		if err != nil {
			return err
		}
		if s.LatestVersion == nil || s.LatestVersion.Version.Version != v {
			if s.LatestVersion, err = c.Version(ctx, string(r.Name), v, ""); err != nil {
				return err
			}
		}
	}
	switch {
	case o.JSON:
		app.PrintJSON(o.IO, s)
	case o.readme:
		if s.LatestVersion == nil || s.LatestVersion.Readme == "" {
			return hub.Errorf(hub.NotFound, "%s has no readme", r.Name)
		}
		for line := range strings.Lines(s.LatestVersion.Readme) {
			o.IO.Printf("%s\n", strings.TrimRight(term.Clean(strings.ReplaceAll(line, "\t", "    ")), " "))
		}
	default:
		o.show(s, c.Base())
	}
	return nil
}

func (o *infoOptions) listVersions(ctx context.Context, c *wire.Client, name hub.Name) error {
	list, err := c.Versions(ctx, string(name))
	if err != nil {
		return o.NotFoundHint(err, name)
	}
	if o.JSON {
		app.PrintJSON(o.IO, list)
		return nil
	}
	tags := map[string][]string{}
	for tag, v := range list.DistTags {
		tags[v] = append(tags[v], tag)
	}
	t := term.Table{Flex: []int{3}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim, nil}}
	for _, v := range list.Versions {
		when := ""
		if v.PublishedAt != nil {
			when = v.PublishedAt.Format("2006-01-02")
		}
		slices.Sort(tags[v.Version])
		t.Row(v.Version, app.StateWord(v.State), when, strings.TrimSpace(strings.Join(tags[v.Version], ", ")+"  "+v.Message))
	}
	t.Print(o.IO)
	return nil
}

// dated is the word for the time of a version: of a copy that nobody dated it is when it was copied.
func dated(v *wire.VersionDetail) string {
	if v.Mirrored && v.CreatedAt.Sub(*v.PublishedAt).Abs() < time.Minute {
		return "copied"
	}
	return "published"
}

func (o *infoOptions) show(s *wire.ServerDetail, registry string) {
	name, version, again := app.Clean(s.Name), app.Clean(s.Version), ""
	kinds, transports := s.Packages, s.Transports
	if v := s.LatestVersion; v != nil {
		if version = app.Clean(v.Version.Version); version != app.Clean(s.Version) {
			again = "@" + version
			kinds, transports = v.PackageTypes, v.Transports
		}
	}
	o.IO.Printf("%s\n", o.IO.Accent(name+" "+version))
	o.about(s.Title, name, s.Description)
	if v := s.LatestVersion; v != nil {
		if v.State != hub.Published {
			o.Fact("state", "%s", app.StateWord(v.State)+app.Join(": ", v.Message)+app.Join("; use ", v.Replacement))
		}
		if v.PublishedAt != nil {
			o.Fact(dated(v), "%s", v.PublishedAt.Format("2006-01-02"))
		}
	}
	o.Fact("source", "%s", asks.SourceOf(registry, s.Mirrored, s.Origin))
	o.Fact("license", "%s", s.License)
	o.Fact("homepage", "%s", s.Homepage)
	o.Fact("repository", "%s", s.Repository)
	o.Fact("keywords", "%s", strings.Join(s.Keywords, ", "))
	o.Fact("runs as", "%s", strings.Join(append(slices.Clone(kinds), transports...), ", "))
	o.Fact("installs", "%d", s.Installs)
	o.Fact("described", "%d%%", s.Score)
	if len(s.DistTags) > 0 {
		o.Fact("tags", "%s", tagList(s.DistTags))
	}
	if s.LatestVersion != nil {
		o.capabilities(s.LatestVersion.Capabilities)
		if m, _, err := manifest.Parse(s.LatestVersion.Manifest); err == nil {
			o.asks(m)
			if err := o.StartableIn(m); err != nil {
				o.IO.Printf("\n  %s\n", o.IO.Yellow(o.IO.Wrap("mcpm does not install it: "+err.Error(), 2)))
				if he := (*hub.Error)(nil); errors.As(err, &he) && he.Hint != "" {
					o.IO.Notef("\n%s\n", he.Hint)
				}
				return
			}
		}
	}
	o.IO.Notef("\nmcpm install %s%s\n", name, again)
}

func tagList(tags map[string]string) string {
	var out []string
	for tag, v := range tags {
		out = append(out, tag+" "+v)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (o *infoOptions) capabilities(list []hub.Capability) {
	for _, kind := range []hub.CapabilityType{hub.Tool, hub.Resource, hub.Prompt} {
		t := term.Table{Flex: []int{1}, Indent: 4, Colors: []func(string) string{o.IO.Accent, nil}}
		for _, c := range list {
			if c.Type == kind {
				text := term.Clean(c.Description)
				if o.IO.Width > 0 {
					text = term.Cut(text, 120)
				}
				t.Row(c.Name, text)
			}
		}
		if t.Len() > 0 {
			o.IO.Printf("\n  %s\n", app.Plural(t.Len(), string(kind)))
			t.Print(o.IO)
		}
	}
}
