// Command reference writes the parts of the manual that are made from the programs themselves: cli.md and topics.md from the
// help of every verb of mcpm, mcp-json.md from the JSON Schema of mcp.json. `make generate` runs it, in docs. With
// "man DIR" it writes the manual pages of mcpm instead: `make man` runs that, for packages.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli"
	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/term"
	"github.com/mcphub/mcphub/internal/manifest"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "man" {
		if err := manPages(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "reference:", err)
			os.Exit(1)
		}
		return
	}
	for name, text := range pages() {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "reference:", err)
			os.Exit(1)
		}
	}
}

func pages() map[string]string {
	return map[string]string{"cli.md": commands(), "topics.md": topics(), "mcp-json.md": format()}
}

// help is what mcpm prints for the arguments, on no terminal.
func help(args ...string) string {
	var out bytes.Buffer
	cli.Main(context.Background(), world(&out), args)
	return strings.TrimSpace(out.String())
}

// world is a machine on which nothing is set up.
func world(out *bytes.Buffer) *app.Env {
	return &app.Env{
		IO: &term.IO{In: strings.NewReader(""), Out: out, Err: out}, Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
		OS: "linux", Exe: "/usr/bin/mcpm", Dir: os.TempDir(), UserHome: os.TempDir(), Now: time.Now, HTTP: &http.Client{},
	}
}

// verb is a line of a list of commands or topics.
var verb = regexp.MustCompile(`(?m)^  ([a-z-]+)  +\S`)

func commands() string {
	root := help("--help")
	var b strings.Builder
	b.WriteString("# Command reference\n\nEvery verb of mcpm, as `mcpm VERB --help` explains it. The flags of mcpm itself work with all of them. Made from the program.\n\n## mcpm\n\n```text\n" + root + "\n```\n")
	_, list, _ := strings.Cut(root, "\n\nExamples:")
	list, _, _ = strings.Cut(list, "\nFlags:")
	var verbs []string
	for _, m := range verb.FindAllStringSubmatch(list, -1) {
		if m[1] != "mcpm" && !slices.Contains(verbs, m[1]) {
			verbs = append(verbs, m[1])
		}
	}
	slices.Sort(verbs)
	for _, v := range verbs {
		text, _, _ := strings.Cut(help(v, "--help"), "\n\nEverywhere:\n") // the same for all, and said once
		fmt.Fprintf(&b, "\n## mcpm %s\n\n```text\n%s\n```\n", v, text)
	}
	return b.String()
}

// topics are a page of their own: the verbs alone fill one.
func topics() string {
	var b strings.Builder
	b.WriteString("# Topics\n\nWhat lies behind the verbs, as `mcpm help TOPIC` explains it. Made from the program.\n")
	for _, topic := range topicsOf(help("--help")) {
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", topic, help("help", topic))
	}
	return b.String()
}

type schema struct {
	Ref         string             `json:"$ref"`
	Type        any                `json:"type"`
	Description string             `json:"description"`
	Enum        []any              `json:"enum"`
	Pattern     string             `json:"pattern"`
	MaxLength   int                `json:"maxLength"`
	Required    []string           `json:"required"`
	Properties  map[string]*schema `json:"properties"`
	Items       *schema            `json:"items"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	AnyOf       []*schema          `json:"anyOf"`
	OneOf       []*schema          `json:"oneOf"`
	Defs        map[string]*schema `json:"$defs"`
}

func format() string {
	var root schema
	if err := json.Unmarshal(manifest.Schema(), &root); err != nil {
		panic("reference: " + err.Error()) // the schema is in the program
	}
	var b strings.Builder
	b.WriteString("# mcp.json reference\n\nEvery field of mcp.json, made from its JSON Schema, which the hub serves at `/schemas/mcp.json` for editors. " +
		"[How the files are meant](formats.md) is explained elsewhere. Comments and trailing commas are allowed; unknown fields are a warning, `x-` fields are ignored.\n\n## The file\n\n")
	table(&b, &root)
	for _, name := range sorted(root.Defs) {
		if d := root.Defs[name]; len(d.Properties) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n", name)
			if d.Description != "" {
				b.WriteString(d.Description + "\n\n")
			}
			table(&b, d)
		}
	}
	return b.String()
}

func sorted(m map[string]*schema) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func table(b *strings.Builder, s *schema) {
	b.WriteString("| field | type | |\n|---|---|---|\n")
	for _, name := range sorted(s.Properties) {
		p := s.Properties[name]
		text := p.Description
		if slices.Contains(s.Required, name) {
			text = strings.TrimSpace("**Required.** " + text)
		}
		if len(p.Enum) > 0 {
			var words []string
			for _, e := range p.Enum {
				words = append(words, fmt.Sprintf("`%v`", e))
			}
			text = strings.TrimSpace(text + " One of " + strings.Join(words, ", ") + ".")
		}
		if p.MaxLength > 0 {
			text = strings.TrimSpace(text + fmt.Sprintf(" At most %d characters.", p.MaxLength))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, kind(p), cell(text))
	}
}

func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

// kind says in words what a field holds, and links to where that is described.
func kind(s *schema) string {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	}
	var parts []string
	for _, alternative := range append(s.AnyOf, s.OneOf...) {
		if k := kind(alternative); !slices.Contains(parts, k) {
			parts = append(parts, k)
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, " or ")
	}
	switch t := s.Type.(type) {
	case string:
		switch {
		case t == "array" && s.Items != nil:
			return "list of " + kind(s.Items)
		case t == "object" && len(s.Properties) == 0:
			var value schema
			if json.Unmarshal(s.Additional, &value) == nil && (value.Ref != "" || value.Type != nil || len(value.AnyOf)+len(value.OneOf) > 0) {
				return "names to " + kind(&value)
			}
		}
		return t
	case []any:
		for _, x := range t {
			parts = append(parts, fmt.Sprint(x))
		}
		return strings.Join(parts, " or ")
	}
	return "any"
}
