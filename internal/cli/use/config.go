package use

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/spf13/cobra"
)

type configOptions struct {
	*app.App
	global bool
	entry  string
	set    []string
	unset  []string
	get    string
	stdin  string
	name   string
}

func NewConfig(a *app.App) *cobra.Command {
	o := &configOptions{App: a}
	c := &cobra.Command{
		Use:   "config NAME",
		Short: "Give a server the values it asks for",
		Long: "Config stores values for an installed server: paths, addresses, keys. Without a flag it asks on a terminal,\n" +
			"and lists what is set in a pipe. Values are kept in config.json under MCPM_HOME (by default ~/.mcpm), a\n" +
			"file only you can read; they are not encrypted. They never go into mcp.json, the lockfile or the files of\n" +
			"host applications. A variable of the environment wins over a stored value.",
		Example: "  mcpm config @acme/postgres\n  mcpm config @acme/postgres --set DATABASE_URL=postgres://localhost/shop\n" +
			"  pass show shop | mcpm config @acme/postgres --set-stdin DATABASE_URL\n  mcpm config @acme/postgres --get DATABASE_URL",
		Args: app.Args(1, 1, "the name of an installed server"),
		RunE: func(c *cobra.Command, args []string) error { o.name = args[0]; return o.run(c.Context()) },
	}
	f := c.Flags()
	f.BoolVarP(&o.global, "global", "g", false, "for all projects, not just this one")
	f.StringArrayVar(&o.set, "set", nil, "store a value, `KEY=VALUE`; may be given again")
	f.StringVar(&o.stdin, "set-stdin", "", "store the value of `KEY` read from stdin, so that no other user sees it")
	f.StringArrayVar(&o.unset, "unset", nil, "remove the value of `KEY`; may be given again")
	f.StringVar(&o.get, "get", "", "print the value of `KEY`")
	f.StringVar(&o.entry, "entry", "", "the `KEY` of servers in its mcp.json, when it has several")
	return c
}

// input is one value a server may be given.
type input struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required"`
	Secret      bool     `json:"secret"`
	Default     string   `json:"default,omitempty"`
	Choices     []string `json:"choices,omitempty"`
	Set         bool     `json:"set"`
	From        string   `json:"from,omitempty"`  // environment, config, default
	Value       string   `json:"value,omitempty"` // not of secrets
}

func (o *configOptions) run(ctx context.Context) error {
	r, err := app.ParseRef(o.name)
	if err != nil {
		return err
	}
	if r.Given {
		return app.Usage("config takes a name without a version").WithHint("mcpm config %s", r.Name)
	}
	p, m, err := o.described(r.Name)
	if err != nil {
		return err
	}
	h, err := o.Store()
	if err != nil {
		return err
	}
	stored, err := h.Values(p, r.Name)
	if err != nil {
		return err
	}
	inputs, err := o.inputs(p, r.Name, m, stored)
	if err != nil {
		return err
	}
	switch {
	case o.get != "":
		return o.printOne(inputs, stored)
	case len(o.set) > 0 || len(o.unset) > 0 || o.stdin != "":
		return o.store(h, p, r.Name, inputs)
	case o.IO.Interactive() && !o.JSON && len(inputs) > 0:
		return o.wizard(ctx, h, p, r.Name, inputs, stored)
	}
	return o.list(r.Name, inputs)
}

// described finds the manifest of an installed server, without opening its bundle.
func (o *configOptions) described(name hub.Name) (install.Project, *manifest.Manifest, error) {
	h, err := o.Store()
	if err != nil {
		return install.Project{}, nil, err
	}
	places := []install.Project{install.FindProject(o.Dir), h.Global()}
	if o.global {
		places = places[1:]
	}
	near := ""
	for _, p := range places {
		lock, err := install.ReadLockfile(p.Lock())
		if err != nil {
			return p, nil, err
		}
		if e := lock.Servers[name]; e != nil {
			m, err := h.Manifest(e.Manifest)
			return p, m, err
		}
		if near == "" {
			near = app.Closest(lock, name)
		}
	}
	e := hub.Errorf(hub.NotFound, "%s is not installed", name)
	if near != "" {
		return install.Project{}, nil, e.WithHint("did you mean %s?", near)
	}
	return install.Project{}, nil, e.WithHint("mcpm install %s", name)
}

// inputs lists what a server may be given and what is there, required ones first.
func (o *configOptions) inputs(p install.Project, name hub.Name, m *manifest.Manifest, stored map[string]string) ([]input, error) {
	s, err := o.Settings()
	if err != nil {
		return nil, err
	}
	_, spec, err := m.Entry(s.DefaultTransport)
	if o.entry != "" {
		spec, err = m.EntryNamed(o.entry)
	}
	if err != nil {
		return nil, err
	}
	all := map[string]*input{}
	for _, n := range app.InputsOf(m, spec) {
		in := m.Configuration[n]
		all[n] = &input{Name: n, Description: in.Description, Required: in.Required, Secret: in.Secret || manifest.LooksSecret(n), Default: in.Default, Choices: in.Choices}
	}
	if pkg, ok := m.PackageOf(spec); ok {
		for _, e := range pkg.EnvironmentVariables {
			if in := all[e.Name]; in != nil {
				in.Description, in.Required = app.First(in.Description, e.Description), in.Required || e.IsRequired
				in.Secret, in.Default = in.Secret || e.IsSecret, app.First(in.Default, e.Default)
			}
		}
	}
	// What cannot be left out is for the manifest package to say.
	_, missing, err := manifest.Launch(m, spec, map[string]string{"workspace": p.Dir, "HOME": o.Env.UserHome, "bundle": "."})
	if err == nil {
		for _, x := range missing {
			if all[x.Name] == nil {
				all[x.Name] = &input{Name: x.Name, Description: x.Description, Secret: x.Secret}
			}
			all[x.Name].Required = true
		}
	}
	var out []input
	for _, n := range slices.Sorted(maps.Keys(all)) {
		in := *all[n]
		value := in.Default
		if in.Default != "" {
			in.From = "default"
		}
		if v, ok := stored[n]; ok {
			value, in.From, in.Set = v, "config", true
		}
		if v := o.Given(n); v != "" {
			value, in.From, in.Set = v, "environment", true
		}
		if !in.Secret {
			in.Value = value
		}
		out = append(out, in)
	}
	slices.SortStableFunc(out, func(a, b input) int { return boolRank(b.Required) - boolRank(a.Required) })
	return out, nil
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (o *configOptions) printOne(inputs []input, stored map[string]string) error {
	if v, ok := stored[o.get]; ok {
		if o.JSON {
			app.PrintJSON(o.IO, map[string]string{"name": o.get, "value": v})
		} else {
			o.IO.Printf("%s\n", v)
		}
		return nil
	}
	return hub.Errorf(hub.NotFound, "%s has no stored value", o.get).WithHint("%s", inputNames(inputs))
}

func inputNames(inputs []input) string {
	if len(inputs) == 0 {
		return "it takes no values"
	}
	var names []string
	for _, in := range inputs {
		names = append(names, in.Name)
	}
	return "it takes: " + strings.Join(names, ", ")
}

func (o *configOptions) store(h install.Home, p install.Project, name hub.Name, inputs []input) error {
	set := map[string]string{}
	for _, kv := range o.set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return app.Usage("--set %q is not KEY=VALUE", kv)
		}
		set[k] = v
	}
	if o.stdin != "" {
		v, err := o.IO.ReadAll(1 << 20)
		if err != nil {
			return err
		}
		if v == "" {
			return app.Usage("stdin held no value for %s", o.stdin)
		}
		set[o.stdin] = v
	}
	for k, v := range set {
		i := slices.IndexFunc(inputs, func(in input) bool { return in.Name == k })
		if i < 0 {
			return app.Usage("%s takes no value called %q", name, k).WithHint("%s", inputNames(inputs))
		}
		if c := inputs[i].Choices; len(c) > 0 && !slices.Contains(c, v) {
			return app.Usage("%s of %s is one of %s", k, name, strings.Join(c, ", "))
		}
	}
	if err := h.SetValues(p, name, set, o.unset); err != nil {
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"name": name.String(), "set": slices.Sorted(maps.Keys(set)), "unset": o.unset})
		return nil
	}
	o.told(h, name, inputs, slices.Sorted(maps.Keys(set)))
	return nil
}

// told says what was stored, and plainly where a secret now is.
func (o *configOptions) told(h install.Home, name hub.Name, inputs []input, set []string) {
	if len(set) > 0 {
		o.IO.Notef("Stored %s for %s.\n", app.AndList(set), name)
	}
	if len(o.unset) > 0 {
		o.IO.Notef("Removed %s of %s.\n", app.AndList(o.unset), name)
	}
	if slices.ContainsFunc(inputs, func(in input) bool { return in.Secret && slices.Contains(set, in.Name) }) {
		o.IO.Notef("%s is readable by you only; it is not encrypted.\n", h.ValuesPath())
	}
}

func (o *configOptions) list(name hub.Name, inputs []input) error {
	if o.JSON {
		if inputs == nil {
			inputs = []input{}
		}
		app.PrintJSON(o.IO, map[string]any{"name": name.String(), "inputs": inputs})
		return nil
	}
	t := term.Table{Flex: []int{3, 1}, Colors: []func(string) string{o.IO.Accent, nil, o.IO.Dim, nil}}
	for _, in := range inputs {
		value := in.Value
		switch {
		case in.Secret && in.Set:
			value = "********"
		case in.From == "" && in.Required:
			value = "needed"
		}
		t.Row(in.Name, value, in.From, in.Description)
	}
	t.Print(o.IO)
	if len(inputs) == 0 {
		o.IO.Notef("%s asks for no values.\n", name)
	}
	return nil
}

// wizard asks for every value; an empty answer keeps what there is.
func (o *configOptions) wizard(ctx context.Context, h install.Home, p install.Project, name hub.Name, inputs []input, stored map[string]string) error {
	set := map[string]string{}
	for _, in := range inputs {
		if in.Description != "" {
			fmt.Fprintf(o.IO.Err, "%s\n", o.IO.Dim(o.IO.Wrap(app.Clean(in.Description), 0)))
		}
		label := in.Name
		if len(in.Choices) > 0 {
			label += " (" + strings.Join(in.Choices, ", ") + ")"
		}
		if !in.Required {
			label += ", may be left empty"
		}
		var v string
		var err error
		if in.Secret {
			if in.Set {
				label += ", empty keeps it"
			}
			v, err = o.IO.Secret(ctx, label)
		} else {
			v, err = o.IO.Line(ctx, label, in.Value)
		}
		if err != nil {
			return err
		}
		if v == "" || (v == in.Value && in.From != "config") {
			continue
		}
		if len(in.Choices) > 0 && !slices.Contains(in.Choices, v) {
			return app.Usage("%s is one of %s", in.Name, strings.Join(in.Choices, ", "))
		}
		if v != stored[in.Name] {
			set[in.Name] = v
		}
	}
	if len(set) == 0 {
		o.IO.Notef("Nothing was changed.\n")
		return nil
	}
	if err := h.SetValues(p, name, set, nil); err != nil {
		return err
	}
	o.told(h, name, inputs, slices.Sorted(maps.Keys(set)))
	return nil
}
