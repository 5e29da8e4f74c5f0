package use

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/members"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/resolve"
)

// part is one mcp.json of a plan. Of a workspace all are resolved together, and only those the verb acts for are changed.
type part struct {
	*members.Part
	edits []edit
	local map[hub.Name]string // the directories of members of the workspace that stand for servers
}

// edit sets or removes one dependency in mcp.json.
type edit struct {
	name hub.Name // in the project
	of   hub.Name // the server, which an alias stands for; the same as name for others
	rng  string   // "" removes it
	dev  bool
}

func (e edit) spec() hub.Spec {
	s := hub.Spec{Name: e.of, Range: e.rng}
	if e.name != e.of {
		s.Alias = string(e.name)
	}
	return s
}

// wanted returns what mcp.json asks for, after the edits.
func (pt *part) wanted() (map[hub.Name]hub.Spec, map[hub.Name]bool, error) {
	want, _, err := pt.Specs() // members of the workspace are not chosen, see locals
	if err != nil {
		return nil, nil, err
	}
	own, _ := hub.ParseSpecs(pt.Manifest.Dependencies) // which was just read
	dev := map[hub.Name]bool{}
	for n := range want {
		_, direct := own[n]
		dev[n] = !direct
	}
	for _, e := range pt.edits {
		delete(want, e.name)
		delete(dev, e.name)
		if _, local := hub.LocalRange(e.rng); e.rng != "" && !local {
			want[e.name], dev[e.name] = e.spec(), e.dev
		}
	}
	return want, dev, nil
}

// locals finds the members of the workspace that mcp.json asks for, after the edits.
func (pt *part) locals(s *members.Scope) error {
	_, local, err := pt.Specs()
	if err != nil {
		return err
	}
	for _, e := range pt.edits {
		delete(local, e.name)
		if _, ok := hub.LocalRange(e.rng); ok {
			local[e.name] = e.spec()
		}
	}
	pt.local, err = s.Locals(local)
	return err
}

// roots are the wishes of the part. ask replaces the range of a server: what was typed, where mcp.json will get a range made
// from the answer.
func (pt *part) roots(ask map[hub.Name]string) ([]resolve.Root, error) {
	want, dev, err := pt.wanted()
	if err != nil {
		return nil, err
	}
	var roots []resolve.Root
	lines := app.DependencyLines(pt.Text)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		r := resolve.Root{
			Name: want[name].Name, Alias: want[name].Alias, Range: want[name].Range, From: pt.String(), Flag: pt.Flag(), Dev: dev[name],
		}
		if n := lines[name]; n > 0 {
			r.Where = fmt.Sprintf("%s line %d", pt.File(), n)
		}
		if rng, ok := ask[name]; ok {
			r.Range, r.From, r.Where = rng, "", ""
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// newText returns mcp.json with the edits; comments and order stay.
func (pt *part) newText() ([]byte, error) {
	text := pt.Text
	if text == nil {
		text = []byte("{}\n")
	}
	for _, e := range pt.edits {
		var err error
		if e.rng == "" {
			text, err = manifest.RemoveDependency(text, e.name.String())
		} else {
			text, err = manifest.SetDependency(text, e.name.String(), e.spec().Value(), e.dev)
		}
		if err != nil {
			return nil, err
		}
	}
	return text, nil
}

// asking returns, by server, the members of a workspace whose mcp.json names it; nothing outside of one.
func (pl *plan) asking() (map[hub.Name][]string, error) {
	out := map[hub.Name][]string{}
	for _, pt := range pl.parts {
		want, _, err := pt.wanted()
		if err != nil {
			return nil, err
		}
		for id := range want {
			if pt.Member != "" {
				out[id] = append(out[id], pt.Member)
			}
		}
	}
	for id := range out {
		slices.Sort(out[id])
	}
	return out, nil
}

// foldIn takes over what members have locked on their own, from before the workspace had one lockfile. Where two of them
// have different versions of a server, the one that most of the ranges take goes first, and then the higher.
func (pl *plan) foldIn() error {
	pl.strays = pl.scope.Strays()
	for _, stray := range pl.strays {
		lock, err := install.ReadLockfile(stray.OwnLock())
		if err != nil {
			return err
		}
		for id, e := range lock.Servers {
			have := pl.lock.Servers[id]
			if have == nil || pl.folded[id] && (pl.taking(id, e) > pl.taking(id, have) ||
				pl.taking(id, e) == pl.taking(id, have) && newer(e.Version, have.Version)) {
				pl.lock.Servers[id], pl.folded[id] = e, true
			}
		}
	}
	return nil
}

func newer(a, b string) bool {
	v, err := hub.ParseVersion(a)
	w, err2 := hub.ParseVersion(b)
	return err == nil && err2 == nil && v.GreaterThan(w)
}

// taking counts the ranges of the workspace that take a locked server.
func (pl *plan) taking(id hub.Name, e *install.Locked) int {
	n := 0
	for _, pt := range pl.parts {
		want, _, _ := pt.wanted() // what cannot be read is told when it is solved
		spec, ok := want[id]
		if r, err := resolve.ParseRange(spec.Range); ok && err == nil && spec.Name == e.Of(id) && (r.Tag() != "" || r.Fits(e.Version, nil)) {
			n++
		}
	}
	return n
}

// dropStrays removes the lockfiles that were folded in.
func (pl *plan) dropStrays() error {
	for _, stray := range pl.strays {
		if err := os.Remove(stray.OwnLock()); err != nil && !os.IsNotExist(err) { // what it held is in the history
			return hub.Errorf(hub.Forbidden, "%v", err).WithHint("remove %s", stray.OwnLock())
		}
	}
	return nil
}

func (pl *plan) tellStrays(a *app.App, dryRun bool) {
	if len(pl.strays) == 0 {
		return
	}
	var files []string
	for _, s := range pl.strays {
		files = append(files, s.Member+"/"+install.LockFile)
	}
	done := "Folded"
	if dryRun {
		done = "Would fold"
	}
	a.IO.Notef("%s\n", a.IO.Wrap(fmt.Sprintf("%s %s into the one %s of the workspace.", done, app.AndList(files), install.LockFile), 0))
}

// others names the members, other than those the plan acts for, whose mcp.json asks for a server.
func (pl *plan) others(id hub.Name) []*part {
	var out []*part
	for _, pt := range pl.parts {
		want, _, _ := pt.wanted()
		if _, ok := want[id]; ok && !slices.Contains(pl.on, pt) {
			out = append(out, pt)
		}
	}
	return out
}

// edited lists the names that were set or taken out in mcp.json, each once.
func (pl *plan) edited() []hub.Name {
	var out []hub.Name
	for _, pt := range pl.on {
		for _, e := range pt.edits {
			if !slices.Contains(out, e.name) {
				out = append(out, e.name)
			}
		}
	}
	return out
}

func spell(names []hub.Name) []string {
	var out []string
	for _, n := range names {
		out = append(out, n.String())
	}
	return out
}

// files says which mcp.json was changed: "mcp.json", or that of the members.
func (pl *plan) files() string {
	var out []string
	for _, pt := range pl.on {
		if len(pt.edits) > 0 {
			out = append(out, pt.File())
		}
	}
	if len(out) == 0 {
		return install.ManifestFile
	}
	return app.AndList(out)
}

// stays says that a server which is no longer asked for here is needed by other members; "" when it is not.
func (pl *plan) stays(id hub.Name) string {
	var who []string
	for _, pt := range pl.others(id) {
		who = append(who, pt.String())
	}
	asks := "asks for"
	if len(who) > 1 {
		asks = "ask for"
	}
	if len(who) == 0 {
		for _, by := range pl.next.Names() {
			deps, _ := hub.ParseSpecs(pl.next.Servers[by].Dependencies) // what is none cannot be locked
			if _, ok := deps[id]; ok {
				who = append(who, by.String())
			}
		}
		if asks = "needs"; len(who) > 1 {
			asks = "need"
		}
	}
	if len(who) == 0 {
		return ""
	}
	return fmt.Sprintf("%s stays installed: %s %s it.", id, app.AndList(who), asks)
}

// mine returns what is locked of what the verb acts for: all of it, or what some members ask for and what that needs.
func (pl *plan) mine() (map[hub.Name]bool, error) {
	out := map[hub.Name]bool{}
	todo := pl.lock.Names()
	if len(pl.on) < len(pl.parts) {
		var err error
		if todo, err = pl.direct(pl.on); err != nil {
			return nil, err
		}
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		e := pl.lock.Servers[id]
		if e == nil || out[id] {
			continue
		}
		out[id] = true
		deps, _ := hub.ParseSpecs(e.Dependencies) // what is none cannot be locked
		for n := range deps {
			todo = append(todo, n)
		}
	}
	return out, nil
}

// onlyNoted reports whether an mcp.json changed and no server did: what it asks for now was there already.
func (pl *plan) onlyNoted(verb string) bool {
	return verb == "install" && len(pl.steps)+len(pl.remove) == 0 && slices.ContainsFunc(pl.on, (*part).asksAnew)
}

// asksAnew reports whether the edits change what an mcp.json asks for.
func (pt *part) asksAnew() bool {
	was, local, err := pt.Specs()
	if err != nil {
		return false
	}
	maps.Copy(was, local)
	return slices.ContainsFunc(pt.edits, func(e edit) bool { return was[e.name].Value() != e.spec().Value() })
}

// tellNoted ends an install that changed mcp.json alone.
func (pl *plan) tellNoted(a *app.App) {
	verb := "asks"
	if strings.Contains(pl.files(), " and ") {
		verb = "ask"
	}
	a.IO.Notef("%s now %s for %s. Nothing had to be fetched. Undo with mcpm rollback%s.\n", pl.files(), verb, app.AndList(spell(pl.edited())), pl.flag())
}

// of returns the part, of those the plan acts for, that names a server; the first where none does.
func (pl *plan) of(id hub.Name) *part {
	for _, pt := range pl.on {
		if want, _, err := pt.wanted(); err == nil && want[id].Name != "" {
			return pt
		}
	}
	return pl.on[0]
}

// tellLocals names the members that run in place of servers.
func (pl *plan) tellLocals(a *app.App) {
	told := map[hub.Name]bool{}
	for _, pt := range pl.on {
		for _, id := range slices.SortedFunc(maps.Keys(pt.local), app.CompareNames) {
			if !told[id] {
				a.IO.Printf("%s %s   %s\n", a.IO.Green("="), a.IO.Accent(id.String()), a.IO.Dim("is "+pt.local[id]))
			}
			told[id] = true
		}
	}
}

// tellTakenOut ends an uninstall that took a server out of mcp.json alone.
func (pl *plan) tellTakenOut(a *app.App, touched int) {
	text := fmt.Sprintf("%s does not ask for %s any more.", pl.files(), app.AndList(spell(pl.edited())))
	nothing := touched == 0
	for _, id := range pl.edited() {
		if stays := pl.stays(id); stays != "" {
			text, nothing = text+" "+stays, false
		}
	}
	if nothing {
		text += " Nothing of it was installed."
	}
	a.IO.Notef("%s Undo with mcpm rollback%s.\n", text, pl.flag())
}
