package author

import (
	"context"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

// withdrawOptions is what deprecate, yank and unpublish share: each takes a version back in its way.
type withdrawOptions struct {
	*app.App
	wire.Withdrawal
	yes    bool
	dryRun bool
	arg    string
}

func (o *withdrawOptions) flags(c *cobra.Command) {
	c.Flags().StringVarP(&o.Message, "message", "m", "", "why, for the people who use it")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, change nothing")
}

// said takes the message that is given as the last argument, as npm deprecate has it.
func (o *withdrawOptions) said(words []string) error {
	if len(words) > 0 && o.Message != "" {
		return app.Usage("the message is given twice").WithHint("leave --message out")
	}
	o.Message += strings.Join(words, " ")
	return nil
}

// withdraw does it for the given versions after asking.
func (o *withdrawOptions) withdraw(ctx context.Context, name hub.Name, versions []string, verb, effect string) error {
	c, err := o.ClientFor(name)
	if err != nil {
		return err
	}
	if len(o.Message) > 500 {
		return app.Usage("the message has %d characters; at most 500 are kept", len(o.Message))
	}
	if !o.yes || o.dryRun {
		for _, v := range versions { // nobody is asked about what is not there
			if _, err := c.Version(ctx, string(name), v, ""); err != nil {
				return err
			}
		}
	}
	if !o.yes && !o.dryRun {
		if !o.IO.Interactive() {
			return app.Usage("%s asks before it acts, and nobody is here to answer", verb).WithHint("add --yes")
		}
		for _, v := range versions {
			fmt.Fprintf(o.IO.Err, "  %s %s\n", o.IO.Accent(name.String()), v)
		}
		answer, err := o.IO.Choose(ctx, "  "+effect+" Go on? [y/N, --yes answers]", "ny")
		if err != nil {
			return err
		}
		if answer != 'y' {
			return app.Refused("not confirmed; nothing was changed")
		}
	}
	var done []*wire.Version
	for _, v := range versions {
		if o.dryRun {
			done = append(done, &wire.Version{Name: name.String(), Version: v})
			continue
		}
		got, err := c.Withdraw(ctx, string(name), v, o.Withdrawal)
		if err != nil {
			return err
		}
		done = append(done, got)
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"dryRun": o.dryRun, "versions": done})
		return nil
	}
	for _, v := range done {
		o.IO.Printf("%s %s %s\n", o.IO.Yellow("~"), o.IO.Accent(app.Clean(name.String()+" "+v.Version)), app.StateWord(v.State))
	}
	if o.dryRun {
		o.IO.Notef("Nothing was changed (--dry-run).\n")
	}
	return nil
}

func NewDeprecate(a *app.App) *cobra.Command {
	o := &withdrawOptions{App: a}
	c := &cobra.Command{
		Use:     "deprecate NAME@RANGE MESSAGE",
		Short:   "Tell users of published versions to move on",
		Long:    "Deprecate marks every published version in the range. They can still be installed; whoever does so reads\nthe message.",
		Example: "  mcpm deprecate @acme/postgres@\"<2\" \"2.x reads the same settings\"\n  mcpm deprecate @acme/old@\"*\" \"renamed\" --replacement @acme/new",
		Args:    app.Args(1, 2, "one name and a range, and a message"),
		RunE: func(c *cobra.Command, args []string) error {
			o.arg = args[0]
			if err := o.said(args[1:]); err != nil {
				return err
			}
			return o.deprecate(c.Context())
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.Replacement, "replacement", "", "the `NAME` of the server to use instead")
	return c
}

func (o *withdrawOptions) deprecate(ctx context.Context) error {
	r, err := app.ParseRef(o.arg)
	if err != nil {
		return err
	}
	if !r.Given {
		return app.Usage("deprecate needs a range").WithHint("mcpm deprecate %s@\"*\" MESSAGE is all of them", r.Name)
	}
	if o.Message == "" {
		return app.Usage("deprecate needs a message for the people who use it").WithHint("mcpm deprecate %s MESSAGE", o.arg)
	}
	if o.Replacement != "" {
		n, err := hub.ParseMirrorName(o.Replacement)
		if err != nil {
			return err
		}
		o.Replacement = n.String()
	}
	versions, err := o.matching(ctx, r)
	if err != nil {
		return err
	}
	return o.withdraw(ctx, r.Name, versions, "deprecate", "These versions get a warning.")
}

// matching returns the published versions in a range, highest first.
func (o *withdrawOptions) matching(ctx context.Context, r app.Ref) ([]string, error) {
	offer, err := (&app.HubProvider{App: o.App}).Offer(ctx, r.Name)
	if err != nil {
		return nil, err
	}
	versions := resolve.Matching(offer, r.Rng)
	if len(versions) == 0 {
		return nil, hub.Errorf(hub.NotFound, "no published version of %s is in %q", r.Name, r.Rng.String()).
			WithHint("mcpm info %s --versions", r.Name)
	}
	return versions, nil
}

func NewYank(a *app.App) *cobra.Command {
	o := &withdrawOptions{App: a}
	c := &cobra.Command{
		Use:     "yank NAME@VERSION [MESSAGE]",
		Short:   "Keep a published version from new installs",
		Long:    "Yank takes a version out of every new choice. Projects that have it locked still get it.",
		Example: "  mcpm yank @acme/postgres@2.3.0 \"loses data on reconnect\"",
		Args:    app.Args(1, 2, "one name and version, and a message"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.said(args[1:]); err != nil {
				return err
			}
			name, version, err := app.ParseVersionRef(args[0], "mcpm yank NAME@1.2.3")
			if err != nil {
				return err
			}
			o.Yank = true
			return o.withdraw(c.Context(), name, []string{version}, "yank", "Nobody can newly install it.")
		},
	}
	o.flags(c)
	return c
}

func NewUnpublish(a *app.App) *cobra.Command {
	o := &withdrawOptions{App: a}
	c := &cobra.Command{
		Use:     "unpublish NAME@VERSION",
		Short:   "Take back a version within 24 hours",
		Long:    "Unpublish takes a version back for everybody, within 24 hours of its publication. Its number is never used\nagain. Later: mcpm yank or mcpm deprecate.",
		Example: "  mcpm unpublish @acme/postgres@2.3.0 -m \"published by mistake\"",
		Args:    app.Args(1, 1, "one name and version"),
		RunE: func(c *cobra.Command, args []string) error {
			name, version, err := app.ParseVersionRef(args[0], "mcpm unpublish NAME@1.2.3")
			if err != nil {
				return err
			}
			o.Unpublish = true
			return o.withdraw(c.Context(), name, []string{version}, "unpublish", "Everybody loses it, and its number is gone for good.")
		},
	}
	o.flags(c)
	return c
}
