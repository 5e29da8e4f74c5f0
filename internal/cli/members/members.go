// Package members is how verbs reach the servers of a workspace: the flags that choose some, the members that stand for dependencies,
// and the ranges that are published in their place.
package members

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
	"github.com/spf13/cobra"
)

// Workspace is a repository with several servers: the directory whose mcp.json has "workspaces", and its members.
type Workspace struct {
	Root    install.Project
	Members []workspace.Member
}

// Picked are the members of a workspace that flags name.
type Picked struct {
	Names   []string // -w
	Filters []string // --filter
}

// Flags adds the flags to a verb that does one thing for each member.
func (p *Picked) Flags(c *cobra.Command) {
	c.Flags().StringArrayVarP(&p.Names, "workspace", "w", nil, "the member of this workspace with this `NAME` or path; may be given again")
	c.Flags().StringArrayVar(&p.Filters, "filter", nil, "the members whose name or path fits `PATTERN`, such as '@acme/*' or './servers/*'; with a leading ! those that do not")
}

// OneFlag adds the flags to a verb that is about one server, and so acts in one member; see Enter.
func (p *Picked) OneFlag(c *cobra.Command) {
	c.Flags().StringArrayVarP(&p.Names, "workspace", "w", nil, "in the member of this workspace with this `NAME` or path")
	c.Flags().StringArrayVar(&p.Filters, "filter", nil, "in the one member whose name or path fits `PATTERN`")
}

// Any reports whether members were named.
func (p *Picked) Any() bool { return len(p.Names)+len(p.Filters) > 0 }

// Choose returns the directories of the members that were named, each after those it needs.
func (p *Picked) Choose(a *app.App) ([]string, error) {
	w, err := Find(a)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, app.Usage("%s is no workspace, and -w and --filter choose its members", install.FindProject(a.Dir).Dir).
			WithHint(`"workspaces": ["servers/*"] in the mcp.json above your servers makes it one`)
	}
	chosen := map[string]workspace.Member{}
	for _, n := range p.Names {
		if rel, ok := w.below(a.Dir, n); ok {
			n = rel
		}
		m, err := workspace.Named(w.Members, n)
		if err != nil {
			return nil, err
		}
		chosen[m.Dir] = m
	}
	if len(p.Filters) > 0 {
		list, err := workspace.Filter(w.Members, p.Filters)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			chosen[m.Dir] = m
		}
	}
	ordered, err := workspace.Order(slices.Collect(maps.Values(chosen)))
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range ordered {
		dirs = append(dirs, w.dir(m))
	}
	if len(dirs) == 0 {
		return nil, hub.Errorf(hub.NotFound, "the filters leave no member of %s", w.Root.Dir).WithHint("take a ! away")
	}
	return dirs, nil
}

// Enter lets a verb that is about one server act in the member that was named, as if it had been called there. Nothing
// happens where none was.
func (p *Picked) Enter(a *app.App) error {
	if !p.Any() {
		return nil
	}
	dirs, err := p.Choose(a)
	if err != nil {
		return err
	}
	if len(dirs) > 1 {
		return app.Usage("-w and --filter mean %d members, and this is done in one", len(dirs)).WithHint("name it: -w NAME")
	}
	a.Dir = dirs[0]
	a.Reload()
	return nil
}

// Find returns the workspace that the working directory is in, as its root or in a member; nil when there is none.
func Find(a *app.App) (*Workspace, error) {
	here, err := install.OpenProject(a.Dir)
	if err != nil {
		return nil, err
	}
	root := here.Owner()
	if m, _, err := app.ReadManifest(root); err != nil || m == nil || len(m.Workspaces) == 0 {
		return nil, err
	}
	return openWorkspace(root)
}

func openWorkspace(root install.Project) (*Workspace, error) {
	dirs, err := workspace.Members(root.Dir)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Root: root}
	seen := map[hub.Name]string{}
	for _, dir := range dirs {
		m, _, err := app.ReadManifest(install.Project{Dir: filepath.Join(root.Dir, filepath.FromSlash(dir))})
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue // it has just gone
		}
		member := workspace.Member{Dir: dir, Version: m.Version, Needs: workspace.Needs(m)}
		if n, err := hub.ParseMirrorName(m.Name); err == nil {
			if first, ok := seen[n]; ok {
				return nil, hub.Errorf(hub.Conflict, "two members of the workspace are called %s: %s and %s", n, first, dir).WithHint("change \"name\" in one mcp.json")
			}
			member.Name, seen[n] = n, dir
		}
		w.Members = append(w.Members, member)
	}
	return w, nil
}

func (w *Workspace) dir(m workspace.Member) string {
	return filepath.Join(w.Root.Dir, filepath.FromSlash(m.Dir))
}

// below turns a path as it was typed into one below the root.
func (w *Workspace) below(from, typed string) (string, bool) {
	if !filepath.IsAbs(typed) {
		typed = filepath.Join(from, typed)
	}
	rel, err := filepath.Rel(w.Root.Dir, typed)
	if info, e := os.Stat(typed); err != nil || e != nil || !info.IsDir() {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Unlocal returns the text of an mcp.json with the ranges that count elsewhere in the place of "workspace:" ranges; comments and
// order stay. NotFound when there is no such member, Conflict when its version is not in the range.
func Unlocal(a *app.App, text []byte) ([]byte, error) {
	m, _, err := manifest.Parse(text)
	if err != nil || len(workspace.Needs(m)) == 0 {
		return text, err
	}
	w, err := Find(a)
	if err != nil {
		return nil, err
	}
	for _, group := range []struct {
		deps map[string]string
		dev  bool
	}{{m.DevDependencies, true}, {m.Dependencies, false}} { // a name in both is among the latter
		for _, key := range slices.Sorted(maps.Keys(group.deps)) {
			spec, err := hub.ParseSpec(key, group.deps[key])
			if _, local := hub.LocalRange(spec.Range); err != nil || !local {
				continue // whoever checks the manifest says so
			}
			on, err := w.member(spec)
			if err != nil {
				return nil, err
			}
			if spec.Range, err = workspace.Real(spec.Range, on.Version); err != nil {
				return nil, hub.Errorf(hub.KindOf(err), "%s, the member in %s: %s", spec.Name, on.Dir, err.Error()).WithCause(err)
			}
			if text, err = manifest.SetDependency(text, key, spec.Value(), group.dev); err != nil {
				return nil, err
			}
		}
	}
	return text, nil
}

// locals returns the directories of the members that stand for dependencies on "workspace:" ranges. It fails as Unlocal does.
func (w *Workspace) locals(local map[hub.Name]hub.Spec) (map[hub.Name]string, error) {
	dirs := map[hub.Name]string{}
	for _, id := range slices.SortedFunc(maps.Keys(local), app.CompareNames) {
		on, err := w.member(local[id])
		if err != nil {
			return nil, err
		}
		if _, err := workspace.Real(local[id].Range, on.Version); err != nil {
			return nil, hub.Errorf(hub.KindOf(err), "%s, the member in %s: %s", local[id].Name, on.Dir, err.Error()).WithCause(err)
		}
		dirs[id] = w.dir(on)
	}
	return dirs, nil
}

// Link lets members run in place of the dependencies on them, as mcpm link does, and returns whether that is new.
func Link(a *app.App, p install.Project, dirs map[hub.Name]string) (bool, error) {
	h, err := a.Store()
	if err != nil {
		return false, err
	}
	anew := false
	for id, dir := range dirs {
		changed, err := h.Link(p, id, dir)
		if err != nil {
			return anew, err
		}
		anew = anew || changed
	}
	return anew, nil
}

// member returns the one that a "workspace:" range asks for.
func (w *Workspace) member(spec hub.Spec) (workspace.Member, error) {
	if w == nil {
		return workspace.Member{}, hub.Errorf(hub.NotFound, "%s is asked for as %s, and this is no workspace", spec.Name, spec.Range).
			WithHint(`write a range, or "workspaces": ["servers/*"] into the mcp.json above both servers`)
	}
	for _, m := range w.Members {
		if m.Name == spec.Name {
			return m, nil
		}
	}
	return workspace.Member{}, hub.Errorf(hub.NotFound, "%s is asked for as %s, and the workspace %s has no such member", spec.Name, spec.Range, w.Root.Dir).
		WithHint("write a range to take it from the hub")
}
