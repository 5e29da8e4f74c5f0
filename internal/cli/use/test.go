package use

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/granted"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/cli/signin"
	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/spf13/cobra"
)

type testOptions struct {
	*app.App
	global    bool
	entry     string
	allowHTTP bool
	timeout   time.Duration
	name      string
	confined  granted.Flags
	members   members.Picked
	answers   []testAnswer
}

func NewTest(a *app.App) *cobra.Command {
	o := &testOptions{App: a}
	c := &cobra.Command{
		Use: "test [NAME]", Aliases: []string{"t"},
		Short: "Start a server and compare what it offers with what it declares",
		Long: "Test starts a server, initialises it, lists its tools, resources and prompts, and compares them with its\n" +
			"manifest. It exits with 1 on any difference. Without a name it tests the server that the mcp.json here\n" +
			"describes, from the files as they are; -w and --filter test members of the workspace in the same way.",
		Example: "  mcpm test @acme/postgres\n  mcpm test\n  mcpm test --timeout 2m --json\n  mcpm test --filter '@acme/*'",
		Args:    app.Args(0, 1, "at most one name"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.name = args[0]
			}
			return o.run(c.Context())
		},
	}
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "the one installed for all projects")
	c.Flags().StringVar(&o.entry, "entry", "", "the `KEY` of servers in its mcp.json, when it has several")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long the server may take in all")
	c.Flags().BoolVar(&o.allowHTTP, "allow-http", false, "let a remote server be reached over plain http")
	o.confined.SandboxFlag(c)
	o.confined.AllowFlag(c)
	return c
}

// testAnswer is the JSON answer of mcpm test.
type testAnswer struct {
	Name        string          `json:"name"`
	Version     string          `json:"version,omitempty"`
	OK          bool            `json:"ok"`
	Millis      int64           `json:"startMillis"`
	Server      *gateway.Report `json:"server"`
	Differences []difference    `json:"differences"`

	declared int // of the manifest
}

// difference is one thing that is not as it was declared.
type difference struct {
	Type hub.CapabilityType `json:"type"`
	Name string             `json:"name"`
	What string             `json:"what"` // missing, undeclared, description, schema, uri
	Text string             `json:"text"`
}

// run tests one server, or the members of the workspace that were named: all of them, whatever the first answers.
func (o *testOptions) run(ctx context.Context) error {
	if !o.members.Any() {
		err := o.one(ctx)
		if o.JSON && len(o.answers) > 0 {
			app.PrintJSON(o.IO, o.answers[0])
		}
		return err
	}
	if o.name != "" || o.global {
		return app.Usage("-w and --filter test members as they are; a name and -g mean what is installed").WithHint("give one or the other")
	}
	dirs, err := o.members.Choose(o.App)
	if err != nil {
		return err
	}
	var failed error
	for i, dir := range dirs {
		o.Dir = dir
		o.Reload()
		if err := o.one(ctx); err != nil {
			if failed = err; len(o.answers) == i { // it could not be asked
				break
			}
		}
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"tested": append([]testAnswer{}, o.answers...)})
	}
	return failed
}

func (o *testOptions) one(ctx context.Context) error {
	in, err := o.target()
	if err != nil {
		return err
	}
	confined, err := o.confined.For(o.App, in)
	if err != nil {
		return err
	}
	l, err := o.Launch(in.Project, in.Name, in.Manifest, app.LaunchOptions{
		Bundle: in.Bundle, Locked: in.Locked, Entry: o.entry, AllowHTTP: o.allowHTTP, Context: ctx, Confined: confined.On, Contained: confined.Container, Grants: confined.Grants,
	})
	if err != nil {
		return in.Wrap(err)
	}
	if len(l.Missing) > 0 {
		return in.Needs(l.Missing, l.Spec)
	}
	label := in.Name.String()
	if label == "" {
		label = install.ManifestFile
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	granted.Watch(o.App, in, l.Server)
	client := o.HTTP
	if o.name != "" { // one signs in to what is installed
		client = signin.Client(o.App, in.Project, in.Name, l.Server)
	}
	r, err := gateway.Inspect(ctx, l.Server, client, "mcpm", app.Version)
	if err != nil {
		if hub.KindOf(err) == hub.Unavailable { // the answer to the question is no
			return app.No(err)
		}
		return err
	}
	declared := &manifest.Manifest{Servers: map[string]manifest.ServerSpec{l.Key: l.Spec}}
	promised := manifest.CapabilitiesOf(declared)
	ans := testAnswer{Name: label, Server: r, Millis: r.Took.Milliseconds(), Differences: compareCapabilities(promised, r.Capabilities), declared: len(promised)}
	if in.Locked != nil {
		ans.Version = in.Locked.Version
	}
	ans.OK = len(ans.Differences) == 0
	o.show(ans)
	if !ans.OK {
		return app.Silent(app.ExitNo)
	}
	return nil
}

func (o *testOptions) show(ans testAnswer) {
	o.answers = append(o.answers, ans)
	if o.JSON {
		return
	}
	counts := map[hub.CapabilityType]int{}
	for _, c := range ans.Server.Capabilities {
		counts[c.Type]++
	}
	o.IO.Printf("%s\n", o.IO.Accent(app.Clean(strings.TrimSpace(ans.Name+" "+ans.Version))))
	o.Fact("answers as", "%s", strings.TrimSpace(ans.Server.Name+" "+ans.Server.Version))
	o.Fact("protocol", "%s, ready after %d ms", ans.Server.Protocol, ans.Millis)
	o.Fact("offers", "%s, %s, %s", app.Plural(counts[hub.Tool], "tool"), app.Plural(counts[hub.Resource], "resource"), app.Plural(counts[hub.Prompt], "prompt"))
	for _, d := range ans.Differences {
		mark := o.IO.Yellow("~")
		switch d.What {
		case "missing":
			mark = o.IO.Red("-")
		case "undeclared":
			mark = o.IO.Green("+")
		}
		o.IO.Printf("  %s %-9s%s: %s\n", mark, d.Type, app.Clean(d.Name), o.IO.Wrap(app.Clean(d.Text), 14))
	}
	switch {
	case ans.OK && undeclared(ans):
		o.IO.Notef("It answers. Its manifest declares none of what it offers, so there is nothing to compare.\n")
	case ans.OK:
		o.IO.Notef("It offers what it declares.\n")
	default:
		o.IO.Notef("%s from the manifest.\n", app.Plural(len(ans.Differences), "difference"))
	}
}

// undeclared reports whether a manifest says nothing of what a server offers, as those of other registries do.
func undeclared(ans testAnswer) bool { return ans.declared == 0 && len(ans.Server.Capabilities) > 0 }

// target is the server to test: an installed one, or the one described here.
func (o *testOptions) target() (*app.Installed, error) {
	if o.name != "" {
		r, err := typed.Installed(o.App, o.name, o.global)
		if err != nil {
			return nil, err
		}
		if r.Given {
			return nil, app.Usage("test takes a name without a version").WithHint("mcpm test %s", r.Name)
		}
		return o.Find(r.Name, o.global)
	}
	p := install.FindProject(o.Dir)
	m, _, err := app.ReadManifest(p)
	if err != nil {
		return nil, err
	}
	if m == nil || len(m.Servers) == 0 {
		return nil, hub.Errorf(hub.NotFound, "no mcp.json here describes a server of your own").
			WithHint("mcpm test NAME tests an installed one, mcpm init starts your own")
	}
	name, _ := hub.ParseMirrorName(m.Name) // a project that is not published may have no name
	return &app.Installed{Name: name, Project: p, Manifest: m, Bundle: p.Dir}, nil
}

// compareCapabilities lists what is not as declared, declared ones first, in the order of each list. A
// description or schema that the manifest leaves out promises nothing, nor does a manifest that lists nothing.
func compareCapabilities(declared, offered []hub.Capability) []difference {
	if len(declared) == 0 {
		return []difference{}
	}
	type key struct {
		kind hub.CapabilityType
		name string
	}
	has := map[key]hub.Capability{}
	for _, c := range offered {
		has[key{c.Type, c.Name}] = c
	}
	out := []difference{}
	said := map[key]bool{}
	for _, d := range declared {
		k := key{d.Type, d.Name}
		said[k] = true
		c, ok := has[k]
		switch {
		case !ok:
			out = append(out, difference{d.Type, d.Name, "missing", "declared, and the server does not have it"})
			continue
		case d.Description != "" && d.Description != c.Description:
			out = append(out, difference{d.Type, d.Name, "description", fmt.Sprintf("description is %q, declared %q", app.Short(c.Description), app.Short(d.Description))})
		}
		if len(d.Schema) > 0 && !sameSchema(d.Schema, c.Schema) {
			out = append(out, difference{d.Type, d.Name, "schema", "its input is not the declared one"})
		}
		if d.URI != "" && d.URI != c.URI {
			out = append(out, difference{d.Type, d.Name, "uri", fmt.Sprintf("uri is %q, declared %q", c.URI, d.URI)})
		}
	}
	for _, c := range offered {
		if !said[key{c.Type, c.Name}] {
			out = append(out, difference{c.Type, c.Name, "undeclared", "the server has it, the manifest does not say so"})
		}
	}
	return out
}

// sameSchema compares JSON by meaning; the order of members says nothing.
func sameSchema(a, b json.RawMessage) bool {
	x, okA := canonicalJSON(a)
	y, okB := canonicalJSON(b)
	return okA && okB && bytes.Equal(x, y)
}

func canonicalJSON(raw json.RawMessage) ([]byte, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	out, err := json.Marshal(v)
	return out, err == nil
}
