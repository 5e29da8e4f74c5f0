package author

import (
	"context"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/asks"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
)

// ask starts the described server and takes over what it offers.
func (o *initOptions) ask(ctx context.Context, p install.Project, m *manifest.Manifest) error {
	name, err := hub.ParseName(m.Name)
	if err != nil {
		return err
	}
	l, err := o.Launch(p, name, m, app.LaunchOptions{Bundle: p.Dir, Context: ctx})
	if err != nil {
		return err
	}
	if len(l.Missing) > 0 {
		var names, set []string
		for _, x := range l.Missing {
			names, set = append(names, x.Name), append(set, x.Name+"=...")
		}
		return app.Usage("--probe starts the server, which needs %s; nothing was written", app.AndList(names)).
			WithHint("%s mcpm init --probe with the rest as before, or leave --probe out and let mcpm test compare later", strings.Join(set, " "))
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	o.IO.Notef("Starting the server to ask what it offers.\n")
	r, err := gateway.Inspect(ctx, l.Server, o.HTTP, "mcpm", app.Version)
	if err != nil {
		return err
	}
	spec := m.Servers["default"]
	spec.Capabilities = asks.CapabilitiesOf(r)
	for _, list := range [][]hub.Capability{spec.Capabilities.Tools, spec.Capabilities.Resources, spec.Capabilities.Prompts} {
		for i := range list {
			list[i].Type = "" // which the list says already
		}
	}
	m.Servers["default"] = spec
	if m.Description == "" && r.Instructions != "" {
		m.Description = app.Short(r.Instructions)
	}
	return nil
}

// told says what was written: the file, what it declares, and what it makes people give.
func (o *initOptions) told(p install.Project, m *manifest.Manifest) {
	o.IO.Printf("%s %s\n", o.IO.Green("+"), p.Manifest())
	counts := map[hub.CapabilityType]int{}
	for _, c := range manifest.CapabilitiesOf(m) {
		counts[c.Type]++
	}
	if len(counts) > 0 {
		o.IO.Notef("It declares %s, %s and %s.\n", app.Plural(counts[hub.Tool], "tool"),
			app.Plural(counts[hub.Resource], "resource"), app.Plural(counts[hub.Prompt], "prompt"))
	}
	var values []string
	for _, a := range asks.Of(m) {
		switch {
		case a.Name == "":
		case a.Secret:
			values = append(values, a.Name+" (a secret, by its name)")
		default:
			values = append(values, a.Name)
		}
	}
	if len(values) > 0 {
		where := `"configuration"`
		if p := m.Servers["default"].Package; p != nil && len(p.EnvironmentVariables) > 0 {
			where += ` and "environmentVariables"`
		}
		o.IO.Notef("Whoever installs it must give %s. Edit %s in the file to change what is required or secret, and to say what each is for.\n", app.AndList(values), where)
	}
	o.IO.Notef("mcpm test starts it and compares, mcpm publish --dry-run shows what would be published.\n")
}
