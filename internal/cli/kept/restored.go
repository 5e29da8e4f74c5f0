package kept

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/install/history"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/manifest/workspace"
)

// restored is one mcp.json as it will be: of the project, or of each member of a workspace.
type restored struct {
	project install.Project
	files   history.Member
	direct  []hub.Name            // servers that it will name
	local   map[hub.Name]hub.Spec // members of the workspace that it will ask for
	name    hub.Name              // its own
}

// read reads the mcp.json files of the generation. A member that is new since then stays as it is.
func (b *back) read() error {
	add := func(p install.Project, files history.Member) error {
		r := restored{project: p, files: files}
		if files.Manifest != nil {
			m, _, err := manifest.Parse([]byte(*files.Manifest))
			if err != nil {
				return hub.Errorf(hub.KindOf(err), "the mcp.json of generation %d cannot be used: %v", b.to.Number, err)
			}
			deps, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none was never installed
			deps, r.local = workspace.Split(deps)                        // members are linked
			r.direct = slices.SortedFunc(maps.Keys(deps), app.CompareNames)
			r.name, _ = hub.ParseMirrorName(m.Name) // one without a name is nobody's dependency
		}
		b.parts = append(b.parts, r)
		return nil
	}
	if err := add(b.project, history.Member{Manifest: b.to.Manifest, Lock: b.to.Lock}); err != nil {
		return err
	}
	for _, dir := range slices.Sorted(maps.Keys(b.to.Members)) {
		if !filepath.IsLocal(filepath.FromSlash(dir)) {
			return hub.Errorf(hub.Integrity, "generation %d cannot be used: %.80q is no member", b.to.Number, dir)
		}
		p := install.Project{Dir: filepath.Join(b.project.Dir, filepath.FromSlash(dir)), Root: b.project.Dir}
		if _, err := os.Stat(p.Dir); err != nil {
			continue // the directory has gone since, and a member is more than its mcp.json
		}
		if err := add(p, b.to.Members[dir]); err != nil {
			return err
		}
	}
	return nil
}

// file is one file of a project and what it will hold; nil removes it.
type file struct {
	path string
	text *string
}

// files are those that are put back, lockfiles before what they answer.
func (b *back) files() []file {
	var out []file
	for _, r := range b.parts {
		out = append(out, file{r.project.OwnLock(), r.files.Lock}, file{r.project.Manifest(), r.files.Manifest})
	}
	return out
}

// write replaces or removes the file, if that changes anything.
func (f file) write() error {
	if f.text == nil {
		if err := os.Remove(f.path); err != nil && !os.IsNotExist(err) { // what it held is a generation now
			return hub.Errorf(hub.Forbidden, "%v", err)
		}
		return nil
	}
	if now, err := install.ReadFile(f.path, install.MaxLock); err == nil && now != nil && string(now) == *f.text {
		return nil
	}
	return install.WriteFile(f.path, []byte(*f.text), 0o644)
}

// memberLink lets a member run in place of a server, or with dir "" no longer.
type memberLink struct {
	project install.Project
	name    hub.Name
	dir     string
}

// links returns those that install made and the generation does not ask for, to be ended, and those it asks for. What
// mcpm link made stays.
func (b *back) links() []memberLink {
	dirs := map[hub.Name]string{}
	for _, r := range b.parts {
		if r.name != "" {
			dirs[r.name] = r.project.Dir
		}
	}
	var out []memberLink
	for _, r := range b.parts {
		m, _, err := app.ReadManifest(r.project)
		if err != nil {
			m = nil // it is damaged, and is put back
		}
		if m != nil {
			now, _ := hub.ParseSpecs(m.DevDependencies, m.Dependencies) // what is none was never linked
			_, local := workspace.Split(now)
			for _, id := range slices.SortedFunc(maps.Keys(local), app.CompareNames) {
				if _, stays := r.local[id]; !stays {
					out = append(out, memberLink{r.project, id, ""})
				}
			}
		}
		for _, id := range slices.SortedFunc(maps.Keys(r.local), app.CompareNames) {
			if dir := dirs[r.local[id].Name]; dir != "" {
				out = append(out, memberLink{r.project, id, dir})
			}
		}
	}
	return out
}
