package members

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// Part is one mcp.json that a lockfile answers: the one of a project, or of the root or a member of a workspace.
type Part struct {
	install.Project
	Member   string             // as the lockfile names it: "." is the root; "" outside of a workspace
	Text     []byte             // of its mcp.json, nil when there is none
	Manifest *manifest.Manifest // never nil
}

// Scope is the one answer to which mcp.json files a verb acts for, which others are locked together with them, and where.
type Scope struct {
	Owner install.Project // has the lockfile
	All   []*Part         // the root's own first, then the members in order of their directories; or the project alone
	On    []*Part         // those that the verb acts for
}

// Reach says what a verb acts for at the root of a workspace, where no member is named.
type Reach bool

// The two reaches.
const (
	RootOnly Reach = false // the mcp.json there
	Whole    Reach = true  // that and every member's
)

// Scope reads what a verb acts for: the global servers, the members that flags name, the member it is called in, or, at the
// root of a workspace, as much as reach says.
func (p *Picked) Scope(a *app.App, global bool, reach Reach) (*Scope, error) {
	if global && p.Any() {
		return nil, app.Usage("-w and --filter choose members of a workspace, and -g means none").WithHint("give one or the other")
	}
	here, err := a.Project(global)
	if err != nil {
		return nil, err
	}
	s := &Scope{Owner: here.Owner()}
	if !global {
		var w *Workspace
		if w, err = Find(a); err != nil {
			return nil, err
		}
		if w != nil && w.Root.Dir == s.Owner.Dir {
			return p.within(a, here, w, reach)
		}
	}
	if p.Any() {
		_, err := p.Choose(a) // which says that this is no workspace
		return nil, err
	}
	part, err := read(here, "")
	s.All, s.On = []*Part{part}, []*Part{part}
	return s, err
}

func (p *Picked) within(a *app.App, here install.Project, w *Workspace, reach Reach) (*Scope, error) {
	s := &Scope{Owner: w.Root}
	root, err := read(w.Root, install.RootMember)
	if err != nil {
		return nil, err
	}
	s.All = []*Part{root}
	for _, m := range w.Members {
		part, err := read(install.Project{Dir: w.dir(m), Root: w.Root.Dir}, m.Dir)
		if err != nil {
			return nil, err
		}
		s.All = append(s.All, part)
	}
	dirs := []string{here.Dir}
	switch {
	case p.Any():
		if dirs, err = p.Choose(a); err != nil {
			return nil, err
		}
	case here.Dir == w.Root.Dir && reach == Whole:
		s.On = s.All
		return s, nil
	}
	for _, part := range s.All {
		if slices.Contains(dirs, part.Dir) {
			s.On = append(s.On, part)
		}
	}
	return s, nil
}

func read(p install.Project, member string) (*Part, error) {
	m, text, err := app.ReadManifest(p)
	if m == nil {
		m = &manifest.Manifest{}
	}
	return &Part{Project: p, Member: member, Text: text, Manifest: m}, err
}

// Alone reports whether the verb acts for one mcp.json that is no part of a workspace.
func (s *Scope) Alone() bool { return s.All[0].Member == "" }

// Whole reports whether the verb acts for a whole workspace.
func (s *Scope) Whole() bool { return !s.Alone() && len(s.On) == len(s.All) }

// Named is the part that an entry of a lockfile names, nil when it is gone.
func (s *Scope) Named(member string) *Part {
	if i := slices.IndexFunc(s.All, func(p *Part) bool { return p.Member == member }); i >= 0 {
		return s.All[i]
	}
	return nil
}

// Lock reads what is locked for what the verb acts for; see install.ReadLock.
func (s *Scope) Lock() (*install.Lockfile, error) {
	if s.Alone() || s.On[0].Member == install.RootMember {
		return install.ReadLockfile(s.Owner.Lock())
	}
	if len(s.On) == 1 {
		return install.ReadLock(s.On[0].Project)
	}
	l, err := install.ReadLockfile(s.Owner.Lock())
	if err != nil {
		return nil, err
	}
	var who []string
	for _, p := range s.On {
		who = append(who, p.Member)
	}
	return l.For(who...), nil
}

// String names a part for people, as the subject of a sentence.
func (p *Part) String() string {
	switch {
	case p.Member == "":
		return "your project"
	case p.Member == install.RootMember:
		return "the workspace's root"
	}
	if n, err := hub.ParseMirrorName(p.Manifest.Name); err == nil {
		return n.String()
	}
	return p.Member
}

// File is the path of its mcp.json as it is told: below the root of the workspace.
func (p *Part) File() string {
	if p.Member == "" || p.Member == install.RootMember {
		return install.ManifestFile
	}
	return p.Member + "/" + install.ManifestFile
}

// Flag is what chooses the part on a command line, with a space before it; "" where nothing has to.
func (p *Part) Flag() string {
	if p.Member == "" || p.Member == install.RootMember {
		return ""
	}
	return " -w " + p.String()
}

// Where is Flag with what leads to the root from inside of a member.
func (p *Part) Where() string {
	if p.Member == install.RootMember {
		return " -C " + p.Dir
	}
	return p.Flag()
}

// Specs returns what its mcp.json asks for: servers of a hub, and members of the workspace.
func (p *Part) Specs() (others, local map[hub.Name]hub.Spec, err error) {
	all, err := hub.ParseSpecs(p.Manifest.DevDependencies, p.Manifest.Dependencies)
	if err != nil {
		e := hub.Errorf(hub.KindOf(err), "%s: %s", p.File(), err.Error())
		return nil, nil, e
	}
	others, local = workspace.Split(all)
	return others, local, nil
}

// Overrides are the ranges that replace all others: those of the root's mcp.json, for a workspace is resolved as one. Warnings
// name the members that have some of their own, which mean nothing.
func (s *Scope) Overrides() (overrides map[hub.Name]string, warnings []string) {
	overrides = map[hub.Name]string{}
	for k, v := range s.All[0].Manifest.Overrides {
		if n, err := hub.ParseLocalName(k); err == nil {
			overrides[n] = v
		}
	}
	for _, p := range s.All[1:] {
		if len(p.Manifest.Overrides) > 0 {
			warnings = append(warnings, fmt.Sprintf("%s: overrides of a member mean nothing; write them into the mcp.json at the root of the workspace", p.File()))
		}
	}
	return overrides, warnings
}

// Strays are the members that have a lockfile of their own, from before the workspace had one for all.
func (s *Scope) Strays() []*Part {
	var out []*Part
	for _, p := range s.All[1:] {
		if lock, err := install.ReadFile(p.OwnLock(), install.MaxLock); lock != nil || err != nil {
			out = append(out, p)
		}
	}
	return out
}

// Locals returns the directories of the members that stand for dependencies of a part on "workspace:" ranges. NotFound when
// there is no such member, Conflict when its version is not in the range.
func (s *Scope) Locals(local map[hub.Name]hub.Spec) (map[hub.Name]string, error) {
	if len(local) == 0 {
		return nil, nil
	}
	var w *Workspace
	if !s.Alone() {
		w = &Workspace{Root: s.Owner}
		for _, p := range s.All[1:] {
			n, _ := hub.ParseMirrorName(p.Manifest.Name)
			w.Members = append(w.Members, workspace.Member{Name: n, Dir: filepath.ToSlash(p.Member), Version: p.Manifest.Version})
		}
	}
	return w.locals(local)
}
