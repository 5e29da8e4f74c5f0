package author

import (
	"context"
	"strings"

	"charm.land/huh/v2"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
)

// wizard asks what cannot be guessed, with the guesses filled in.
func (o *initOptions) wizard(ctx context.Context) error {
	how, target := "command", o.command
	for k, v := range map[string]string{"npm": o.npm, "pypi": o.pypi, "oci": o.oci, "url": o.url} {
		if v != "" {
			how, target = k, v
		}
	}
	origin := huh.NewGroup(
		huh.NewSelect[string]().Title("How do people get it?").Value(&how).Options(
			huh.NewOption("as files of this directory", "command"), huh.NewOption("from npm", "npm"),
			huh.NewOption("from PyPI", "pypi"), huh.NewOption("as a container image", "oci"), huh.NewOption("at a URL", "url"),
		),
		huh.NewInput().Title("Command, package, image or URL").Value(&target).Validate(func(s string) error {
			if strings.TrimSpace(s) == "" {
				return app.Usage("something must start it")
			}
			return nil
		}),
		huh.NewConfirm().Title("Start it now and fill in what it offers?").Value(&o.probe),
	)
	if o.described != nil { // the image was named
		origin = huh.NewGroup(huh.NewConfirm().Title("Start it now and fill in what it offers?").Value(&o.probe))
	}
	form := huh.NewForm(
		huh.NewGroup(
			huh.NewInput().Title("Name").Description("@scope/name, where the scope is your account").Value(&o.name).
				Validate(func(s string) error { _, err := hub.ParseName(s); return err }),
			huh.NewInput().Title("Version").Value(&o.version).
				Validate(func(s string) error { _, err := hub.ParseVersion(s); return err }),
			huh.NewInput().Title("Description").Description("what it does, in a sentence").Value(&o.description),
			huh.NewInput().Title("License").Description("an SPDX identifier such as MIT, or empty").Value(&o.license),
		),
		origin,
	).WithInput(o.IO.In).WithOutput(o.IO.Err)
	if err := form.RunWithContext(ctx); err != nil {
		if err == huh.ErrUserAborted {
			return context.Canceled
		}
		return err
	}
	o.command, o.npm, o.pypi, o.oci, o.url = "", "", "", "", ""
	switch how {
	case "command":
		o.command = target
	case "npm":
		o.npm = target
	case "pypi":
		o.pypi = target
	case "oci":
		o.oci = target
	case "url":
		o.url = target
	}
	return nil
}
