package migratecmd

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/hostcmd"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/migrate"
)

// tell shows what becomes what, file by file.
func (o *options) tell(sources []*source, items []*item) {
	mapped, unmapped := 0, 0
	for _, s := range sources {
		o.head(s)
		for _, it := range items {
			if it.source != s {
				continue
			}
			if it.match != nil {
				mapped++
				o.tellMapped(it)
			} else {
				unmapped++
				o.tellUnmapped(it)
			}
		}
	}
	if mapped+unmapped > 0 {
		o.IO.Notef("%s found: %d with an equal on the hub, %d without.\n", app.Plural(mapped+unmapped, "server"), mapped, unmapped)
	}
}

func (o *options) head(s *source) {
	if s.why == "" && len(s.servers) == 0 {
		return
	}
	o.IO.Printf("%s  %s\n", o.IO.Bold(app.Clean(s.Tool)), o.IO.Dim(app.Clean(o.short(s.Path))))
	if s.why != "" {
		o.IO.Printf("  %s %s\n", o.IO.Yellow("!"), o.IO.Wrap(s.why, 4))
	}
}

// short writes a path with ~ for the home directory.
func (o *options) short(path string) string {
	rest, ok := strings.CutPrefix(path, o.Env.UserHome+string(filepath.Separator))
	if o.Env.UserHome == "" || !ok {
		return path
	}
	return "~" + string(filepath.Separator) + rest
}

func (o *options) tellMapped(it *item) {
	m := it.match
	o.IO.Printf("  %s %s %s\n", o.IO.Green("+"), app.Short(it.Key), o.IO.Wrap("-> "+o.IO.Accent(m.name.String()+" "+app.Clean(m.version)), 4))
	facts := []string{it.what()}
	facts = append(facts, m.notes...)
	if m.here {
		facts = append(facts, "installed already")
	}
	if len(it.Groups) > 0 {
		facts = append(facts, "was in "+app.AndList(it.Groups)+"; mcpm has no groups")
	}
	if kept := sortedKeys(m.fit.values); len(kept) > 0 {
		facts = append(facts, app.AndList(kept)+" goes to mcpm config")
	}
	if len(m.fit.args) > 0 {
		where := "its arguments stay in the entry"
		if it.host == nil || it.stays != "" {
			where = "its arguments are not brought over: mcpm run " + m.name.String() + " -- ARGUMENTS takes them"
		}
		facts = append(facts, where)
	}
	for _, name := range m.fit.stays {
		if it.host == nil {
			facts = append(facts, name+" is not kept: the server declares no such value")
		} else if migrate.Secret(name, it.Env[name]) {
			facts = append(facts, name+" stays in the file of "+it.Tool+": the server declares no such value")
		}
	}
	if it.stays != "" {
		facts = append(facts, "its entry stays: "+it.stays)
	}
	if len(m.fit.needs) > 0 {
		facts = append(facts, "needs "+app.AndList(m.fit.needs)+", which this file does not hold: mcpm config"+o.g()+" "+m.name.String())
	}
	for _, f := range facts {
		o.IO.Printf("    %s\n", o.IO.Dim(o.IO.Wrap(app.Clean(f), 4)))
	}
}

func (o *options) tellUnmapped(it *item) {
	o.IO.Printf("  %s %s\n    %s\n", o.IO.Yellow("!"), app.Short(it.Key), o.IO.Wrap(app.Clean(it.why), 4))
	if len(it.near) > 0 {
		o.IO.Printf("    %s\n", o.IO.Dim(o.IO.Wrap("see "+app.AndList(spell(it.near))+": mcpm info "+it.near[0].String(), 4)))
	}
}

func spell(names []hub.Name) []string {
	out := []string{}
	for _, n := range names {
		out = append(out, n.String())
	}
	return out
}

// told says what was done.
func (o *options) told(items []*item, changes []install.Change) {
	by := map[string][]string{}
	for _, c := range changes {
		if c.Action == "failed" {
			text := c.Err.Error()
			if e := (*hub.Error)(nil); errors.As(c.Err, &e) && e.Hint != "" {
				text += "; " + e.Hint
			}
			o.IO.Warnf("%s was left as it is: %s", c.Host.Name, text)
			continue
		}
		seen := false
		for _, name := range by[c.Action] {
			seen = seen || name == c.Host.Name
		}
		if !seen {
			by[c.Action] = append(by[c.Action], c.Host.Name)
		}
	}
	for _, say := range []struct{ action, text string }{{"replaced", "replaced in"}, {"added", "added to"}, {"updated", "updated in"}} {
		if len(by[say.action]) > 0 {
			o.IO.Notef("  %s %s\n", say.text, app.AndList(by[say.action]))
		}
	}
	for _, it := range items {
		if it.match != nil && !it.left && len(it.match.fit.needs) > 0 {
			o.IO.Warnf("%s needs %s: mcpm config%s %s", it.match.name, app.AndList(it.match.fit.needs), o.g(), it.match.name)
		}
	}
	if len(by["replaced"]) > 0 {
		o.IO.Notef("Undo in one application with mcpm hosts restore HOST. The backups hold the keys that were in the files; only you can read them.\n")
	}
}

// foundJSON is one server in the JSON answer. Values are named, never shown.
type foundJSON struct {
	Tool       string   `json:"tool"`
	File       string   `json:"file"`
	Scope      string   `json:"scope,omitempty"`
	Key        string   `json:"key"`
	Groups     []string `json:"groups,omitempty"`
	Kind       string   `json:"kind,omitempty"`
	Identifier string   `json:"identifier,omitempty"`
	Asked      string   `json:"asked,omitempty"`
	Server     string   `json:"server,omitempty"`
	Version    string   `json:"version,omitempty"`
	Kept       []string `json:"kept,omitempty"`      // values that go to mcpm config
	Arguments  []string `json:"arguments,omitempty"` // that stay in the entry, secrets among them as asterisks
	Needs      []string `json:"needs,omitempty"`     // values a person has to give
	Notes      []string `json:"notes,omitempty"`
	Why        string   `json:"why,omitempty"` // it becomes nothing
	Similar    []string `json:"similar,omitempty"`
}

type changeJSON struct {
	Host   string `json:"host"`
	File   string `json:"file"`
	Server string `json:"server"`
	Key    string `json:"key"`
	Action string `json:"action"`
	Error  string `json:"error,omitempty"`
}

// answer writes the JSON document.
func (o *options) answer(items []*item, changes []install.Change, done bool) {
	found := []foundJSON{}
	for _, it := range items {
		j := foundJSON{Tool: it.Tool, File: it.Path, Scope: string(it.scope), Key: it.Key, Groups: it.Groups, Kind: it.Kind, Identifier: it.Identifier, Asked: it.Version, Why: it.why, Similar: spell(it.near)}
		if m := it.match; m != nil {
			j.Arguments = hostcmd.MaskArguments(m.fit.args)
			j.Server, j.Version, j.Kept, j.Needs, j.Notes = m.name.String(), m.version, sortedKeys(m.fit.values), m.fit.needs, m.notes
		}
		found = append(found, j)
	}
	made := []changeJSON{}
	for _, c := range changes {
		j := changeJSON{Host: c.Host.ID, File: c.Path, Server: c.Server.String(), Key: c.Key, Action: c.Action}
		if c.Err != nil {
			j.Error = c.Err.Error()
		}
		made = append(made, j)
	}
	app.PrintJSON(o.IO, map[string]any{"servers": found, "changes": made, "done": done})
}
