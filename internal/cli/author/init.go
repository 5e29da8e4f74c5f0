// Package author is the commands for people who write servers: init, publish, deprecate, yank and
// unpublish.
package author

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/lazyregexp"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/spdx"
	"github.com/modelcontextprotocol/registry/pkg/model"
	"github.com/spf13/cobra"
)

type initOptions struct {
	*app.App
	yes                               bool
	force                             bool
	dryRun                            bool
	name, version, title, description string
	license, command, url, transport  string
	npm, pypi, oci, fromImage         string
	described                         *manifest.Manifest // by the labels of fromImage
	probe                             bool
	timeout                           time.Duration
	env                               []string
	dir                               string // -w
}

func NewInit(a *app.App) *cobra.Command {
	o := &initOptions{App: a}
	c := &cobra.Command{
		Use:   "init",
		Short: "Write the mcp.json of a server of your own",
		Long: "Init writes an mcp.json that describes your server: its name, how it is started, what it offers. On a\n" +
			"terminal it asks; with --yes it takes the flags, and what package.json, pyproject.toml or the files of the\n" +
			"directory say. With --probe it starts the server and fills in its tools, resources and prompts. With\n" +
			"--from-image it reads the labels of an image, those of Docker's MCP Toolkit too: what it is called, how it is\n" +
			"started, what it wants to know, which hosts it asks for. With -w it makes a\n" +
			"member of a workspace, in a directory that the patterns of its root take.",
		Example: "  mcpm init\n  mcpm init --yes --name @acme/weather --description \"Tells the weather\" --command \"node dist/index.js\" --probe\n" +
			"  mcpm init --yes --name @acme/weather --description \"Tells the weather\" --npm @acme/weather-mcp@1.2.0\n" +
			"  mcpm init --yes --name @acme/weather --description \"Tells the weather\" --url https://mcp.acme.example/mcp\n" +
			"  mcpm init --yes --from-image ghcr.io/acme/weather:1.4.0\n" +
			"  mcpm init -w servers/weather",
		Args: app.Args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "ask nothing; take flags and defaults")
	f.BoolVar(&o.force, "force", false, "replace an mcp.json that is there")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the file, write nothing")
	f.StringVar(&o.name, "name", "", "its name, `@scope/name`")
	f.StringVar(&o.version, "version", "", "its version (default that of package.json or pyproject.toml, else 0.1.0)")
	f.StringVar(&o.title, "title", "", "its name for people")
	f.StringVar(&o.description, "description", "", "what it does, in a sentence")
	f.StringVar(&o.license, "license", "", "its license, an SPDX `ID`")
	f.StringVar(&o.command, "command", "", "the program and arguments that start it from this directory")
	f.StringVar(&o.npm, "npm", "", "the npm `PACKAGE` it is published as")
	f.StringVar(&o.pypi, "pypi", "", "the PyPI `PACKAGE` it is published as")
	f.StringVar(&o.oci, "oci", "", "the container `IMAGE` it is published as")
	f.StringVar(&o.fromImage, "from-image", "", "describe the `IMAGE` that is in a registry, from its labels")
	f.StringVar(&o.url, "url", "", "the `URL` it is reached at")
	f.StringVar(&o.transport, "transport", "", "how it speaks: stdio, streamable-http or sse")
	f.StringArrayVar(&o.env, "env", nil, "a `NAME` it reads from its environment; may be given again")
	f.BoolVar(&o.probe, "probe", false, "start the server and fill in what it offers")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long the server may take to answer --probe")
	f.StringVarP(&o.dir, "workspace", "w", "", "make a member of this workspace in `DIR`, such as servers/new")
	c.MarkFlagsMutuallyExclusive("command", "npm", "pypi", "oci", "url", "from-image")
	return c
}

func (o *initOptions) run(ctx context.Context) error {
	if err := o.member(); err != nil {
		return err
	}
	p := install.Project{Dir: o.Dir}
	old, err := install.ReadFile(p.Manifest(), 1<<20)
	if err != nil {
		return err
	}
	if old != nil && !o.force && !o.dryRun {
		return hub.Errorf(hub.Exists, "%s is there already", p.Manifest()).WithHint("edit it, or replace it with mcpm init --force")
	}
	if o.fromImage != "" {
		if err := o.describe(ctx); err != nil {
			return err
		}
	}
	o.defaults()
	if !o.yes {
		if !o.IO.Interactive() {
			return app.Usage("init asks questions, and nobody is here to answer").WithHint("mcpm init%s --yes --name @scope/name --command \"...\"", app.Join(" -w ", o.dir))
		}
		if err := o.wizard(ctx); err != nil {
			return err
		}
	}
	m, err := o.build()
	if err != nil {
		return err
	}
	if o.probe {
		if err := o.ask(ctx, p, m); err != nil {
			return err
		}
	}
	text, err := render(m)
	if err != nil {
		return err
	}
	if err := checkManifestText(text); err != nil {
		var e *hub.Error
		if errors.As(err, &e) { // there is no file yet that could be mended, nor has it lines
			for i := range e.Issues {
				e.Issues[i].Line = 0
			}
			return hub.Errorf(e.Kind, "that makes no valid mcp.json; nothing was written").WithIssues(e.Issues).WithHint("give other values: mcpm init --help")
		}
		return err
	}
	if o.dryRun {
		o.IO.Printf("%s", text)
		return nil
	}
	if err := install.WriteFile(p.Manifest(), text, 0o644); err != nil { // which makes its directory
		return err
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"path": p.Manifest(), "manifest": json.RawMessage(text)})
		return nil
	}
	o.told(p, m)
	return nil
}

var notInName = lazyregexp.New(`[^a-z0-9._-]+`)

// defaults guesses from the directory what was not said.
func (o *initOptions) defaults() {
	g := o.guess()
	o.version, o.description = cmp.Or(o.version, g.Version, "0.1.0"), cmp.Or(o.description, g.Description)
	if unknown, err := spdx.Check(g.License); o.license == "" && err == nil && len(unknown) == 0 {
		o.license = g.License
	}
	base := path.Base(cmp.Or(g.Name, filepath.Base(o.Dir))) // the scope of npm is not one of the hub
	base = strings.Trim(notInName.ReplaceAllString(strings.ToLower(base), "-"), "-._")
	if len(base) < 2 {
		base = "server"
	}
	if o.name == "" {
		scope := "my-scope"
		if h, err := o.Store(); err == nil {
			if s, err := o.Settings(); err == nil {
				if c, err := h.Credential(s.Registry); err == nil && c.Account != "" {
					scope = c.Account
				}
			}
		}
		o.name = "@" + scope + "/" + base
	}
	if o.command != "" || o.npm != "" || o.pypi != "" || o.oci != "" || o.url != "" || o.described != nil {
		return
	}
	if o.command = g.Main; o.command != "" {
		return
	}
	for _, guess := range []struct{ file, command string }{
		{"dist/index.js", "node ${bundle}/dist/index.js"}, {"index.js", "node ${bundle}/index.js"}, {"server.py", "python3 ${bundle}/server.py"}, {"main.py", "python3 ${bundle}/main.py"},
	} {
		if _, err := os.Stat(filepath.Join(o.Dir, guess.file)); err == nil {
			o.command = guess.command
			return
		}
	}
	for _, dir := range []string{"bin/" + base, base} {
		if info, err := os.Stat(filepath.Join(o.Dir, dir)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			o.command = "./" + dir
			return
		}
	}
}

func (o *initOptions) build() (*manifest.Manifest, error) {
	m := &manifest.Manifest{
		Name: o.name, Version: o.version, Title: o.title, Description: o.description, License: o.license,
	}
	if o.described != nil {
		return o.image(m), nil
	}
	spec := manifest.ServerSpec{Transport: o.transport}
	pkg := func(kind, id string) *model.Package {
		version := ""
		if i := strings.LastIndexByte(id, '@'); i > 0 && kind != model.RegistryTypeOCI {
			id, version = id[:i], id[i+1:]
		}
		t := o.transport
		if t == "" {
			t = "stdio"
		}
		return &model.Package{RegistryType: kind, Identifier: id, Version: version, Transport: model.Transport{Type: t}}
	}
	switch {
	case o.npm != "":
		spec.Package = pkg(model.RegistryTypeNPM, o.npm)
	case o.pypi != "":
		spec.Package = pkg(model.RegistryTypePyPI, o.pypi)
	case o.oci != "":
		spec.Package = pkg(model.RegistryTypeOCI, o.oci)
	case o.url != "":
		spec.URL = o.url
		if spec.Transport == "" {
			spec.Transport = "streamable-http"
		}
	case o.command != "":
		words, err := splitCommand(o.command)
		if err != nil {
			return nil, err
		}
		spec.Command, spec.Args = words[0], o.fromBundle(words[0], words[1:])
	default:
		return nil, app.Usage("nothing here says how the server is started").WithHint(`say it: --command "node dist/index.js", or --npm, --pypi, --oci or --url`)
	}
	for _, e := range o.env {
		if m.Configuration == nil {
			m.Configuration = map[string]manifest.Input{}
		}
		m.Configuration[e] = manifest.Input{Required: true, Secret: manifest.LooksSecret(e)}
		if spec.Command != "" {
			if spec.Env == nil {
				spec.Env = map[string]string{}
			}
			spec.Env[e] = "${" + e + "}"
		}
		if spec.Package != nil {
			kv := model.KeyValueInput{Name: e}
			kv.IsRequired, kv.IsSecret = true, manifest.LooksSecret(e)
			spec.Package.EnvironmentVariables = append(spec.Package.EnvironmentVariables, kv)
		}
	}
	m.Servers = map[string]manifest.ServerSpec{"default": spec}
	return m, nil
}

// fromBundle names the files of this directory among arguments as files of the bundle: whoever installs
// the server starts it elsewhere.
func (o *initOptions) fromBundle(command string, args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		file, ok := projectFile(o.Dir, arg)
		if ok || file != "" && i == 0 && slices.Contains(scripts[command], path.Ext(file)) { // which is not built yet, perhaps
			out[i] = "${bundle}/" + file
		}
	}
	return out
}

// scripts are the endings of what a program of the system starts.
var scripts = map[string][]string{"node": {".js", ".mjs", ".cjs"}, "bun": {".js", ".mjs", ".ts"}, "deno": {".js", ".mjs", ".ts"}, "python": {".py"}, "python3": {".py"}}

// projectFile reports whether an argument is the relative path of a file in dir, and returns it clean.
func projectFile(dir, arg string) (string, bool) {
	if !filepath.IsLocal(arg) || strings.Contains(arg, "${") {
		return "", false
	}
	info, err := os.Stat(filepath.Join(dir, arg))
	return filepath.ToSlash(filepath.Clean(arg)), err == nil && info.Mode().IsRegular()
}

// render lays a manifest out for people.
func render(m *manifest.Manifest) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// checkManifestText applies the rules of publishing to a text.
func checkManifestText(text []byte) error {
	m, issues, err := manifest.Parse(text)
	if err != nil {
		return err
	}
	issues = append(issues, m.Validate(manifest.ForPublish)...)
	manifest.Locate(text, issues)
	return findErrors(issues)
}

// findErrors makes one error of the findings in a manifest that are errors.
func findErrors(issues []hub.Issue) error {
	if !hub.HasErrors(issues) {
		return nil
	}
	var bad []hub.Issue
	for _, i := range issues {
		if i.Severity == hub.SeverityError {
			bad = append(bad, i)
		}
	}
	return app.Usage("the mcp.json has %s", app.Plural(len(bad), "error")).WithIssues(bad).WithHint("mend the file, then run this again")
}

// splitCommand splits words at spaces; quotes keep them together. No shell is involved.
func splitCommand(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	var quote rune
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, app.Usage("the command %q has an open %c", s, quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, app.Usage("the command is empty")
	}
	return words, nil
}
