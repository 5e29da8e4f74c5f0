package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"reflect"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// mcpmEntry is one manifest of mcpm.sh, as far as we read it.
type mcpmEntry struct {
	Name          string                 `json:"name"`
	DisplayName   string                 `json:"display_name"`
	Version       string                 `json:"version"`
	Description   string                 `json:"description"`
	Repository    any                    `json:"repository"` // {url} or a string
	Homepage      string                 `json:"homepage"`
	Author        *mcpmAuthor            `json:"author"`
	License       string                 `json:"license"`
	Categories    []string               `json:"categories"`
	Tags          []string               `json:"tags"`
	Archived      bool                   `json:"is_archived"`
	Installations map[string]mcpmInstall `json:"installations"`
	Arguments     map[string]mcpmInput   `json:"arguments"`
	Examples      []mcpmExample          `json:"examples"`
	Tools         []map[string]any       `json:"tools"`
	Prompts       []map[string]any       `json:"prompts"`
	Resources     []map[string]any       `json:"resources"`
}

type mcpmAuthor struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	URL   string `json:"url"`
}

type mcpmInstall struct {
	Type    string         `json:"type"`
	Command string         `json:"command"`
	Args    []any          `json:"args"`
	Env     map[string]any `json:"env"`
	URL     string         `json:"url"`
	Headers map[string]any `json:"headers"`
}

type mcpmInput struct {
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Example     any    `json:"example"`
	Default     any    `json:"default"`
}

type mcpmExample struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Prompt      string `json:"prompt"`
}

// readMCPM reads one manifest of mcpm.sh. It becomes sh.mcpm/<name> with a version made of its content,
// unless it states one. key is its name in a file that holds many.
func readMCPM(source, key string, data []byte) Entry {
	e := Entry{Source: source, Name: key}
	node, err := jsonc.Parse("the entry", data, false)
	if err != nil {
		e.refuse("%v", err)
		return e
	}
	var in mcpmEntry
	e.decode(node, &in)
	if in.Name == "" {
		in.Name = key
	}
	if e.Name = in.Name; in.Name == "" {
		e.refuse("it has no name")
		return e
	}
	name, ok := e.mirrorName("sh.mcpm", in.Name)
	if !ok {
		return e
	}
	m := &manifest.Manifest{
		Name: name.String(), Version: in.Version, Title: cut(strings.TrimSpace(in.DisplayName), manifest.MaxTitle),
		Description: strings.TrimSpace(in.Description), License: e.license(in.License), Homepage: e.link("homepage", in.Homepage),
		Keywords: e.words("keywords", in.Tags), Categories: e.words("categories", in.Categories),
		Repository: e.repository(repositoryText(in.Repository), ""), Author: e.author(in.Author),
	}
	if m.Version == "" {
		m.Version = syntheticVersion(node.JSON())
	}
	m.Configuration = e.inputs(in.Arguments)
	m.Servers = map[string]manifest.ServerSpec{}
	for _, key := range slices.Sorted(maps.Keys(in.Installations)) {
		e.install(m, key, in.Installations[key])
	}
	if len(m.Servers) == 0 {
		e.warn("there is no installation that can be started")
	}
	caps := &manifest.Capabilities{Tools: e.tools(mcpmTools(in.Tools)), Resources: e.resources(in.Resources), Prompts: e.prompts(in.Prompts)}
	attach(m, caps)
	e.fill(name, OriginMCPM, m, nil, nil)
	if e.Refused != "" {
		return e
	}
	e.keep(m, caps)
	e.Version.Readme = examples(in.Examples)
	if in.Archived {
		e.Version.State, e.Version.Message = hub.Deprecated, "archived by its authors, says mcpm.sh"
	}
	return e
}

// decode fills a catalogue's entry; what has the wrong type is left out with a warning.
func (e *Entry) decode(node *jsonc.Node, into any) {
	d := &jsonc.Decoder{Unknown: func(*jsonc.Decoder, string, jsonc.Member) bool { return true }}
	d.Decode(node, reflect.ValueOf(into).Elem(), "")
	e.issues(d.Issues)
}

func repositoryText(v any) string {
	switch r := v.(type) {
	case string:
		return r
	case map[string]any:
		return text(r["url"])
	}
	return ""
}

func (e *Entry) author(a *mcpmAuthor) *manifest.Author {
	if a == nil || a.Name == "" && a.Email == "" && a.URL == "" {
		return nil
	}
	out := &manifest.Author{Name: cut(a.Name, 200), Email: a.Email, URL: e.link("author's URL", a.URL)}
	if _, err := mail.ParseAddress(out.Email); err != nil {
		out.Email = ""
	}
	return out
}

var inputNameRE = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

func (e *Entry) inputs(args map[string]mcpmInput) map[string]manifest.Input {
	if len(args) == 0 {
		return nil
	}
	out := make(map[string]manifest.Input, len(args))
	for _, name := range slices.Sorted(maps.Keys(args)) {
		a := args[name]
		if !inputNameRE.MatchString(name) {
			e.warn("the argument %q cannot be a variable and was left out", cut(name, 60))
			continue
		}
		out[name] = manifest.Input{
			Description: cut(a.Description, manifest.MaxDescription), Required: a.Required, Secret: manifest.LooksSecret(name),
			Default: text(a.Default), Placeholder: text(a.Example),
		}
	}
	return out
}

// text shows a JSON value as the string it would be in an environment variable.
func text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = text(x[i])
		}
		return strings.Join(parts, ",")
	case map[string]any:
		b, err := json.Marshal(x)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

var keyRE = lazyregexp.New(`[^A-Za-z0-9._-]+`)

// install adds one installation to the manifest's entries.
func (e *Entry) install(m *manifest.Manifest, key string, in mcpmInstall) {
	key = strings.Trim(keyRE.ReplaceAllString(key, "-"), "-._")
	if key == "" {
		key = "default"
	}
	spec := manifest.ServerSpec{Env: texts(in.Env), Headers: texts(in.Headers)}
	switch {
	case in.URL != "":
		spec.URL, spec.Env, spec.Transport = in.URL, nil, model.TransportTypeStreamableHTTP
		if in.Type == "sse" || strings.HasSuffix(strings.TrimRight(in.URL, "/"), "/sse") {
			spec.Transport = model.TransportTypeSSE
		}
		if e.link("URL of the installation "+key, in.URL) == "" {
			return
		}
	case in.Command != "":
		spec.Command, spec.Headers = strings.TrimSpace(in.Command), nil
		for _, a := range in.Args {
			spec.Args = append(spec.Args, text(a))
		}
	default:
		e.warn("the installation %q says neither command nor url and was left out", cut(key, 60))
		return
	}
	if needsCheckout(spec) {
		e.warn("the installation %q was left out: it starts files of a checkout (%s)", key, cut(strings.Join(append([]string{spec.Command}, spec.Args...), " "), 120))
		return
	}
	m.Servers[key] = e.packaged(m, key, spec)
}

var scriptRE = lazyregexp.New(`\.(js|mjs|cjs|ts|py|sh)$`)

// needsCheckout reports whether a command can only run where its repository was checked out and built.
func needsCheckout(s manifest.ServerSpec) bool {
	switch s.Command {
	case "":
		return false
	case "cargo", "pip", "make", "go":
		return true
	case "node", "python", "python3", "deno", "bun", "uv", "uvx":
		if slices.Contains(s.Args, "--directory") {
			return true
		}
		for _, a := range s.Args {
			if strings.HasPrefix(a, "git+") {
				return false // fetched by the runner itself
			}
			if scriptRE.MatchString(a) {
				return true
			}
		}
	}
	return strings.ContainsAny(s.Command, `/\`)
}

func texts(in map[string]any) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = text(v)
	}
	return out
}

var (
	referenceRE   = lazyregexp.New(`\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}`)
	placeholderRE = lazyregexp.New(`(?i)/path/to|absolute[_ ]path|<[a-z_ -]+>|\byour[-_ ]|\$\(`)
)

// packaged turns a command that runs a package into that package, and says what is left to do by hand.
func (e *Entry) packaged(m *manifest.Manifest, key string, spec manifest.ServerSpec) manifest.ServerSpec {
	e.declare(m, spec)
	for _, a := range spec.Args {
		if placeholderRE.MatchString(referenceRE.ReplaceAllString(a, "")) {
			e.warn("the installation %q has a placeholder in its arguments: %s", key, cut(a, 80))
		}
	}
	if spec.Command == "" {
		return spec
	}
	p, ok := m.PackageOf(spec)
	if !ok {
		e.warn("the installation %q runs the command %q, which is not a package that can be pinned", key, cut(spec.Command, 60))
		return spec
	}
	for _, f := range manifest.CheckPackage("", p) {
		switch {
		case f.Reference == "package-version-required" || f.Reference == "oci-untagged":
			e.warn("the package %q of the installation %q is not pinned to a version", cut(p.Identifier, 80), key)
		case f.Severity == hub.SeverityError:
			e.warn("the installation %q: %s", key, f.Message)
		}
	}
	return manifest.ServerSpec{Transport: p.Transport.Type, Package: p}
}

// declare adds the variables an installation uses and nothing declares to the configuration.
func (e *Entry) declare(m *manifest.Manifest, spec manifest.ServerSpec) {
	used := append([]string{spec.URL}, spec.Args...)
	for _, values := range []map[string]string{spec.Env, spec.Headers} {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			used = append(used, values[k])
		}
	}
	for _, s := range used {
		for _, ref := range referenceRE.FindAllStringSubmatch(s, -1) {
			name := ref[1]
			if _, ok := m.Configuration[name]; ok || manifest.KnownVariable(name) {
				continue
			}
			if m.Configuration == nil {
				m.Configuration = map[string]manifest.Input{}
			}
			m.Configuration[name] = manifest.Input{Required: true, Secret: manifest.LooksSecret(name)}
		}
	}
}

func mcpmTools(list []map[string]any) []rawTool {
	var out []rawTool
	for _, t := range list {
		r := rawTool{Name: text(t["name"]), Title: text(t["title"]), Description: text(t["description"]), Schema: t["inputSchema"]}
		if r.Schema == nil {
			r.Schema = t["input_schema"]
		}
		if r.Description == "" {
			r.Description = text(t["prompt"])
		}
		out = append(out, r)
	}
	return out
}

func (e *Entry) resources(list []map[string]any) []hub.Capability {
	var out []hub.Capability
	seen := map[string]bool{}
	for _, r := range list {
		c := hub.Capability{Type: hub.Resource, Name: text(r["name"]), Description: text(r["description"]), URI: text(r["uri"])}
		if c.URI == "" {
			c.URI = text(r["uriTemplate"])
		}
		if c.Name == "" {
			c.Name = c.URI
		}
		if c.Name == "" || len(c.Name) > 256 || seen[c.Name] {
			e.warn("a resource with the name %q was left out", cut(c.Name, 40))
			continue
		}
		seen[c.Name] = true
		out = append(out, c)
	}
	return out
}

func (e *Entry) prompts(list []map[string]any) []hub.Capability {
	var out []hub.Capability
	seen := map[string]bool{}
	for _, p := range list {
		c := hub.Capability{Type: hub.Prompt, Name: text(p["name"]), Description: e.capText(text(p["name"]), text(p["description"]))}
		if c.Name == "" || len(c.Name) > 256 || seen[c.Name] {
			e.warn("a prompt with the name %q was left out", cut(c.Name, 40))
			continue
		}
		seen[c.Name] = true
		if args, ok := p["arguments"].([]any); ok && len(args) > 0 {
			if b, err := json.Marshal(args); err == nil && len(b) <= manifest.MaxSchema {
				c.Schema = b
			}
		}
		out = append(out, c)
	}
	return out
}

// examples writes an entry's example prompts as the readme, which is where readers look for them.
func examples(list []mcpmExample) string {
	var b strings.Builder
	for _, x := range list {
		if x.Prompt == "" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("## Examples\n")
		}
		fmt.Fprintf(&b, "\n### %s\n\n", strings.Join(strings.Fields(x.Title), " "))
		if x.Description != "" {
			fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(x.Description))
		}
		fmt.Fprintf(&b, "> %s\n", strings.ReplaceAll(strings.TrimSpace(x.Prompt), "\n", "\n> "))
	}
	const most = 256 << 10 // of Version.Readme
	if b.Len() > most {
		return strings.ToValidUTF8(b.String()[:most], "")
	}
	return b.String()
}
