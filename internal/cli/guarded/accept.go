package guarded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type acceptOptions struct {
	*app.App
	global bool
	yes    bool
	dryRun bool
	name   string
	tools  []string
}

// NewAccept makes mcpm accept.
func NewAccept(a *app.App) *cobra.Command {
	o := &acceptOptions{App: a}
	c := &cobra.Command{
		Use:   "accept NAME [TOOL...]",
		Short: "Look at tools that changed, and accept them",
		Long: "Accept shows which tools of a server are kept back, why, and what is different, and asks whether they may be\n" +
			"used. Characters that are not seen are spelled out. Without TOOL it is about all of them. A running server\n" +
			"needs no new start.",
		Example: "  mcpm accept @acme/postgres\n  mcpm accept @acme/postgres query --yes\n  mcpm accept @acme/postgres --dry-run",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.name, o.tools = args[0], args[1:]
			return o.run(c.Context())
		},
	}
	c.Flags().BoolVarP(&o.global, "global", "g", false, "the one installed for all projects")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "accept without being asked")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what waits")
	return c
}

// waiting is a tool that is kept back.
type waiting struct {
	store *pins.Store

	Tool       string          `json:"tool"`
	Entry      string          `json:"entry"` // of servers in its mcp.json
	Reason     string          `json:"reason"`
	Digest     string          `json:"digest"`
	Definition json.RawMessage `json:"definition"`
	Before     json.RawMessage `json:"before,omitempty"` // or what its publisher declared; nil for a new one
}

func (o *acceptOptions) run(ctx context.Context) error {
	r, err := typed.Installed(o.App, o.name, o.global)
	if err != nil {
		return err
	}
	if r.Given {
		return app.Usage("accept takes a name without a version: it is about the locked one").WithHint("mcpm accept %s", r.Name)
	}
	in, err := o.Find(r.Name, o.global)
	if err != nil {
		return err
	}
	if in.Locked == nil {
		return app.Usage("%s is a working copy, whose tools are not compared", in.Name)
	}
	list, err := o.waits(in)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if o.JSON {
			app.PrintJSON(o.IO, map[string]any{"name": in.Name.String(), "waiting": []any{}, "accepted": false})
		} else {
			o.IO.Notef("No tool of %s %s waits to be accepted.\n", in.Name, in.Version())
		}
		return nil
	}
	if !o.JSON {
		o.show(in, list)
	}
	if o.dryRun {
		o.answer(in, list, false)
		return nil
	}
	if err := o.agree(ctx); err != nil {
		return err
	}
	return o.accept(in, list)
}

// waits lists what is kept back of the tools that were named.
func (o *acceptOptions) waits(in *app.Installed) ([]waiting, error) {
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	stores, err := pins.Of(pinsDir(h.Dir), in.Name.String(), in.Project.Dir, in.Locked.Manifest)
	if err != nil {
		return nil, err
	}
	var list []waiting
	found := map[string]bool{}
	for _, s := range stores {
		f, err := s.Read()
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(f.Waiting)) {
			if len(o.tools) > 0 && !slices.Contains(o.tools, name) {
				continue
			}
			found[name] = true
			w := f.Waiting[name]
			before := f.Tools[name].Definition
			if told, ok := declared(f.Entry, in.Manifest.Servers[f.Entry])[name]; ok && before == nil {
				before = told.Definition(name)
			}
			list = append(list, waiting{store: s, Tool: name, Entry: f.Entry, Reason: w.Reason, Digest: w.Digest, Definition: w.Definition, Before: before})
		}
	}
	for _, t := range o.tools {
		if !found[t] {
			return nil, hub.Errorf(hub.NotFound, "no tool %q of %s waits to be accepted", app.Clean(t), in.Name).
				WithHint("mcpm accept %s --dry-run lists those that do", in.Name)
		}
	}
	return list, nil
}

func (o *acceptOptions) show(in *app.Installed, list []waiting) {
	o.IO.Printf("%s\n", o.IO.Accent(in.Name.String()+" "+in.Version()))
	for _, w := range list {
		mark := o.IO.Yellow("~")
		if w.Before == nil {
			mark = o.IO.Green("+")
		}
		o.IO.Printf("  %s %s: %s\n", mark, visible(w.Tool, true), w.Reason)
		for _, line := range changes(w.Before, w.Definition) {
			text := "      " + line
			switch line[0] {
			case '+':
				text = o.IO.Green(text)
			case '-':
				text = o.IO.Red(text)
			}
			o.IO.Printf("%s\n", text)
		}
	}
}

func (o *acceptOptions) agree(ctx context.Context) error {
	if o.yes {
		return nil
	}
	if !o.IO.Interactive() {
		return app.Usage("nobody is here to accept that").WithHint("read it, and add --yes to accept it")
	}
	answer, err := o.IO.Choose(ctx, "Accept? [y/N, --yes answers]", "ny")
	if err == nil && answer != 'y' {
		err = app.Refused("not accepted; nothing was changed")
	}
	return err
}

func (o *acceptOptions) accept(in *app.Installed, list []waiting) error {
	h, err := o.Store()
	if err != nil {
		return err
	}
	log := &audit.Log{Dir: logDir(h.Dir)}
	defer log.Close()
	shown := map[*pins.Store]map[string]string{}
	for _, w := range list {
		if shown[w.store] == nil {
			shown[w.store] = map[string]string{}
		}
		shown[w.store][w.Tool] = w.Digest
	}
	for store, tools := range shown {
		changed, err := store.Accept(tools, o.Now())
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			return hub.Errorf(hub.Conflict, "%s changed again while you read it", visible(changed[0], true)).
				WithHint("mcpm accept %s shows it as it is now", in.Name)
		}
	}
	for _, w := range list {
		if err := log.Write(audit.Entry{Time: o.Now(), Server: in.Name.String(), Version: in.Version(), Tool: w.Tool, Decision: audit.Accepted, Reason: w.Reason, Direction: "list"}); err != nil {
			o.IO.Warnf("the log cannot be written: %v", err)
		}
	}
	o.answer(in, list, true)
	return nil
}

func (o *acceptOptions) answer(in *app.Installed, list []waiting, accepted bool) {
	switch {
	case o.JSON:
		app.PrintJSON(o.IO, map[string]any{"name": in.Name.String(), "waiting": list, "accepted": accepted})
	case accepted:
		o.IO.Notef("Accepted %s of %s. A client that does not see a change lists the tools anew when it starts.\n", app.Plural(len(list), "tool"), in.Name)
	default:
		o.IO.Notef("%s would be accepted.\n", app.Plural(len(list), "tool"))
	}
}

// changes says what differs between two definitions, a line a difference and field by field: "- " before, "+ " now, and
// "  " for what is in both. Nothing is left out: what is hidden in a long text is what matters.
func changes(was, is json.RawMessage) []string {
	before, now := fields(was), fields(is)
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range now {
		keys[k] = true
	}
	delete(keys, "name")
	var out []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if string(before[k]) == string(now[k]) {
			continue
		}
		out = append(out, "  "+visible(k, true)+":")
		for _, l := range diff(split(before[k]), split(now[k])) {
			out = append(out, l[:2]+"  "+visible(l[2:], false))
		}
	}
	return out
}

func fields(raw json.RawMessage) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(raw, &all) // of nothing, when there was none
	return all
}

// split returns the lines of a field as a person reads them: those of a text, or of JSON that is indented.
func split(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && string(raw) != "null" {
		return strings.Split(text, "\n")
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return []string{string(raw)}
	}
	return strings.Split(b.String(), "\n")
}

// maxCells bounds the work of a comparison; larger texts are shown as a whole.
const maxCells = 4_000_000

// diff compares lines by their longest common part.
func diff(a, b []string) []string {
	var out []string
	if len(a)*len(b) > maxCells {
		for _, l := range a {
			out = append(out, "- "+l)
		}
		for _, l := range b {
			out = append(out, "+ "+l)
		}
		return out
	}
	longest := make([][]int32, len(a)+1)
	for i := range longest {
		longest[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, "  "+a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || longest[i+1][j] >= longest[i][j+1]):
			out = append(out, "- "+a[i])
			i++
		default:
			out = append(out, "+ "+b[j])
			j++
		}
	}
	return out
}

// visible spells out characters that are not seen, or not where they stand; in names also those that look like others.
func visible(s string, name bool) string {
	var b strings.Builder
	for _, r := range s {
		if name && (r < ' ' || r > '~') || hidden(r) {
			fmt.Fprintf(&b, `\u{%04X}`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
