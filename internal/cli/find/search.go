// Package find is the commands that look at what a hub has: search and info.
package find

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

type searchOptions struct {
	*app.App
	query wire.SearchQuery
}

func NewSearch(a *app.App) *cobra.Command {
	o := &searchOptions{App: a}
	c := &cobra.Command{
		Use: "search TEXT...", Aliases: []string{"s", "find"},
		Short: "Find servers by what they do",
		Long: "Search asks the hub for servers that match the words or what they mean, best first. All words together are one question.\n" +
			"Filters may stand among them: tool:query lang:python license:mit transport:stdio host:cursor publisher:acme.",
		Example: "  mcpm search query a postgres database\n" +
			"  mcpm search --transport stdio --package npm browser\n" +
			"  mcpm search a tool that takes a url and returns markdown lang:python\n" +
			"  mcpm search --scope acme --json tickets",
		Args: app.Args(1, -1, "words to look for"),
		RunE: func(c *cobra.Command, args []string) error {
			o.query.Text = strings.Join(args, " ")
			return o.run(c.Context())
		},
	}
	f := c.Flags()
	f.IntVar(&o.query.Limit, "limit", 20, "how many to show, up to 100")
	f.StringVar(&o.query.Cursor, "cursor", "", "go on where the last page ended")
	f.StringVar(&o.query.Package, "package", "", "only `TYPE`: npm, pypi, oci, mcpb, nuget, cargo, bundle, remote")
	f.StringVar(&o.query.Transport, "transport", "", "only `KIND`: stdio, streamable-http, sse")
	f.StringVar(&o.query.Runtime, "runtime", "", "only `NAME`: docker, node, python, go, binary, remote")
	f.StringVar(&o.query.License, "license", "", "only this SPDX `ID`")
	f.StringVar(&o.query.Category, "category", "", "only this category")
	f.StringVar(&o.query.Scope, "scope", "", "only this scope, such as acme")
	return c
}

func (o *searchOptions) run(ctx context.Context) error {
	if o.query.Limit < 1 || o.query.Limit > 100 {
		return app.Usage("--limit %d is not between 1 and 100", o.query.Limit)
	}
	if o.query.Scope != "" {
		scope, err := hub.ParseScope(o.query.Scope)
		if err != nil {
			return err
		}
		o.query.Scope = scope
	}
	c, err := o.Client()
	if err != nil {
		return err
	}
	res, err := c.Search(ctx, o.query)
	if err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, res)
		return nil
	}
	if res.Notice != "" {
		o.IO.Warnf("%s", term.Clean(res.Notice))
	}
	if res.Corrected != "" {
		o.IO.Notef("Nobody says %q; looking for %q.\n", term.Clean(res.Query), term.Clean(res.Corrected))
	}
	t := term.Table{Flex: []int{2}, Least: 36, Drop: []int{5, 4, 3}, Colors: []func(string) string{o.IO.Accent, nil, nil, o.IO.Dim, o.IO.Dim, o.IO.Dim}}
	for _, s := range res.Servers {
		t.Row(s.Name, s.Version, o.describe(s.Server), counted(s.Tools, "tool"), scored(s.Server), installs(s.Installs))
	}
	t.Print(o.IO)
	if len(res.Servers) == 0 {
		with := ""
		if len(res.Filters) > 0 {
			var list []string
			for _, f := range res.Filters {
				list = append(list, f.Name+":"+strings.Join(f.Values, ","))
			}
			with = " with " + term.Clean(strings.Join(list, " "))
		}
		o.IO.Notef("Nothing matches %q%s.\n", term.Clean(o.query.Text), with)
		return nil
	}
	switch {
	case res.NextCursor != "":
		words := app.Clean(o.query.Text)
		if words == "" {
			words = `""`
		}
		o.IO.Notef("%d of %s. More: mcpm search --cursor %s %s\n", len(res.Servers), app.Plural(int(res.Total), "result"), app.Clean(res.NextCursor), words)
	default:
		o.IO.Notef("%s. mcpm info NAME for details, mcpm install NAME to use one.\n", app.Plural(len(res.Servers), "result"))
	}
	return nil
}

// describe returns what a list says of a server in one line, on a terminal no more than can be read at a glance.
func (o *searchOptions) describe(s wire.Server) string {
	text := hub.Plain(s.Description)
	if text == "" {
		text = s.Title
	}
	if s.State == hub.Deprecated {
		text = "deprecated. " + text
	}
	if text = term.Clean(text); o.IO.Width == 0 {
		return text
	}
	return term.Cut(text, 100)
}

func counted(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return app.Plural(n, noun)
}

func scored(s wire.Server) string {
	if s.Score == 0 {
		return ""
	}
	return fmt.Sprintf("described %d%%", s.Score)
}

// installs writes a count short: 950, 41k, 1.2M.
func installs(n int64) string {
	switch {
	case n == 0:
		return ""
	case n == 1:
		return "1 install"
	case n < 1000:
		return fmt.Sprintf("%d installs", n)
	case n < 10_000:
		return fmt.Sprintf("%.1fk installs", float64(n)/1000)
	case n < 1_000_000:
		return fmt.Sprintf("%dk installs", n/1000)
	}
	return fmt.Sprintf("%.1fM installs", float64(n)/1e6)
}
