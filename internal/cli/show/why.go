package show

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/spf13/cobra"
)

type whyOptions struct {
	*app.App
	global  bool
	members members.Picked
	arg     string
}

func NewWhy(a *app.App) *cobra.Command {
	o := &whyOptions{App: a}
	c := &cobra.Command{
		Use: "why NAME", Aliases: []string{"explain"},
		Short: "Tell why a server is installed",
		Long: "Why shows every chain that leads from mcp.json to a locked server: what the project asks for, with the line\n" +
			"on which it does, and what each server on the way needs. It asks no hub.",
		Example: "  mcpm why @acme/postgres\n  mcpm why -g @acme/postgres\n  mcpm why @acme/postgres --json",
		Args:    app.Args(1, 1, "the name of a server"),
		RunE:    func(_ *cobra.Command, args []string) error { o.arg = args[0]; return o.run() },
	}
	o.members.Flags(c)
	c.Flags().BoolVarP(&o.global, "global", "g", false, "one installed for all projects")
	return c
}

// link is one need in a chain.
type link struct {
	By      string `json:"by,omitempty"` // the server that needs it; "" is mcp.json
	Version string `json:"version,omitempty"`
	Needs   string `json:"needs"`
	Range   string `json:"range"`
	Dev     bool   `json:"dev,omitempty"`
	Line    int    `json:"line,omitempty"`   // of mcp.json
	Member  string `json:"member,omitempty"` // of a workspace, whose mcp.json it is: its directory

	part *members.Part
}

// A chain is followed at most so far: a lockfile can hold more of them than anybody reads.
const (
	maxChains = 200
	maxSteps  = 100_000
)

func (o *whyOptions) run() error {
	r, err := typed.Installed(o.App, o.arg, o.global)
	if err != nil {
		return err
	}
	v, err := look(o.App, &o.members, o.global)
	if err != nil {
		return err
	}
	if err := v.locked(o.App, "why", r); err != nil {
		return err
	}
	chains, whole := v.chains(r.Name)
	version, override := v.lock.Servers[r.Name].Version, v.overrides[r.Name]
	if o.JSON {
		answer := map[string]any{"name": r.Name.String(), "version": version, "global": v.Global, "chains": chains, "whole": whole}
		if override != "" {
			answer["override"] = override
		}
		if of := v.alias(r.Name); of != "" {
			answer["server"] = of
		}
		app.PrintJSON(o.IO, answer)
		return nil
	}
	o.IO.Printf("%s\n", o.IO.Accent(v.spell(r.Name)+" "+app.Clean(version)))
	if override != "" {
		o.IO.Printf("  the overrides of mcp.json hold it at %s, whatever is needed\n", app.Clean(override))
	}
	o.tell(v, chains)
	switch {
	case len(chains) == 0:
		o.IO.Notef("Nothing in mcp.json leads to it any more. The next mcpm install takes it away.\n")
	case !whole:
		o.IO.Notef("There are more chains than the %s shown.\n", app.Plural(len(chains), "chain"))
	}
	return nil
}

// tell prints chains as sentences, each below what it follows from. What a chain shares with the one before is not
// said again.
func (o *whyOptions) tell(v *view, chains [][]link) {
	project := "your project"
	if v.Global {
		project = "your global mcp.json"
	}
	var before []link
	for _, chain := range chains {
		same := 0
		for same < len(before) && same < len(chain)-1 && before[same] == chain[same] {
			same++
		}
		for i, l := range chain[same:] {
			by, where := project, ""
			if l.By != "" {
				by = l.By + " " + l.Version
			} else {
				if l.Member != "" {
					by = l.part.String()
				}
				if where = fmt.Sprintf(" (%s line %d)", l.part.File(), l.Line); l.Dev {
					where = fmt.Sprintf(" (%s line %d, devDependencies)", l.part.File(), l.Line)
				}
			}
			indent := strings.Repeat(" ", 2*(same+i+1))
			text := fmt.Sprintf("%s needs %s %s%s", by, l.Needs, l.Range, where)
			o.IO.Printf("%s%s\n", indent, o.IO.Wrap(app.Clean(text), len(indent)))
		}
		before = chain
	}
}

// chains returns the chains from mcp.json to a server, each without a circle, in order of name; whole is false when
// there are more.
func (v *view) chains(name hub.Name) (chains [][]link, whole bool) {
	chains = [][]link{}
	toward := v.leading(name)
	steps, full := 0, false
	on := map[hub.Name]bool{}
	var follow func(at hub.Name, path []link)
	follow = func(at hub.Name, path []link) {
		steps++
		if full = full || steps > maxSteps || len(chains) == maxChains; full {
			return
		}
		if at == name {
			chains = append(chains, slices.Clone(path))
			return
		}
		on[at] = true
		defer delete(on, at)
		for _, n := range v.needs(at) {
			if toward[n.name] && !on[n.name] {
				follow(n.name, append(path, link{By: at.String(), Version: v.lock.Servers[at].Version, Needs: n.name.String(), Range: n.rng}))
			}
		}
	}
	roots := slices.SortedFunc(maps.Keys(v.direct), app.CompareNames)
	if i := slices.Index(roots, name); i > 0 { // the shortest chain there is
		roots = slices.Insert(slices.Delete(roots, i, i+1), 0, name)
	}
	for _, root := range roots {
		for _, w := range v.wishes[root] {
			if toward[root] {
				follow(root, []link{{Needs: root.String(), Range: w.rng, Dev: w.dev, Line: w.line, Member: w.part.Member, part: w.part}})
			}
		}
	}
	return chains, !full
}

// leading returns the servers from which a chain leads to one, and that one.
func (v *view) leading(name hub.Name) map[hub.Name]bool {
	by := map[hub.Name][]hub.Name{}
	for _, n := range v.lock.Names() {
		for _, need := range v.needs(n) {
			by[need.name] = append(by[need.name], n)
		}
	}
	out := map[hub.Name]bool{}
	todo := []hub.Name{name}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !out[at] {
			out[at] = true
			todo = append(todo, by[at]...)
		}
	}
	return out
}
